import { type BatchHandle, createBatchStore, type KinesisRecord } from '@shardwise/effects'
import { describe, expect, it } from 'vitest'

const record: KinesisRecord = {
  sequenceNumber: '1',
  subSequenceNumber: 0,
  partitionKey: 'key',
  data: new Uint8Array([1]),
  approximateArrivalTimestamp: undefined,
}
const facts: Omit<BatchHandle, 'batchId'> = {
  count: 1,
  first: { sequenceNumber: '1', subSequenceNumber: 0 },
  last: { sequenceNumber: '1', subSequenceNumber: 0 },
  bytes: 1,
  millisBehindLatest: 0,
  atShardEnd: false,
  childShards: [],
}
const aBatch = (shardId = 'shardId-0') => ({ shardId, records: [record], handle: facts })

describe('a batch store', () => {
  const five = [1, 2, 3, 4, 5].map((n) => ({ ...record, sequenceNumber: String(n) }))
  const at = (n: number) => ({ sequenceNumber: String(n), subSequenceNumber: 0 })
  const anEnd = { shardId: 'shardId-0', records: five, handle: { ...facts, count: 5, bytes: 5, last: at(5), atShardEnd: true } }

  it('splits off the next records of a batch, as one that does not end the shard, and keeps the whole', () => {
    const store = createBatchStore()
    const { batchId } = store.put(anEnd)
    const part = store.split({ shardId: 'shardId-0', batchId, after: at(1), count: 3 })
    expect(part).toEqual({ ...facts, batchId: part?.batchId, count: 3, bytes: 3, first: at(2), last: at(4), atShardEnd: false })
    expect(store.take(part?.batchId ?? '')?.records).toEqual(five.slice(1, 4))
    expect(store.take(batchId)?.records).toBe(five)
    expect(store.size).toBe(2)
  })

  it.each([
    ['from the beginning', null, 2, [1, 2]],
    ['no more than there are', at(3), 9, [4, 5]],
    ['nothing after the last', at(5), 9, []],
  ])('splits off %s', (_, after, count, expected) => {
    const store = createBatchStore()
    const { batchId } = store.put(anEnd)
    const part = store.split({ shardId: 'shardId-0', batchId, after, count })
    expect(store.take(part?.batchId ?? '')?.records.map(({ sequenceNumber }) => Number(sequenceNumber))).toEqual(expected)
  })

  it('splits nothing off a batch that it does not hold, or that is of another shard', () => {
    const store = createBatchStore()
    const { batchId } = store.put(anEnd)
    expect(store.split({ shardId: 'shardId-1', batchId, after: null, count: 1 })).toBeUndefined()
    expect(store.split({ shardId: 'shardId-0', batchId: 'b9', after: null, count: 1 })).toBeUndefined()
    expect(store.size).toBe(1)
  })

  it('counts parts among its batches', () => {
    const store = createBatchStore({ maxBatches: 1 })
    const { batchId } = store.put(anEnd)
    expect(() => store.split({ shardId: 'shardId-0', batchId, after: null, count: 1 })).toThrow('maxBatches')
  })

  it('gives back the very records that were put, as often as asked', () => {
    const store = createBatchStore()
    const batch = aBatch()
    const handle = store.put(batch)
    expect(handle).toEqual({ ...facts, batchId: handle.batchId })
    expect(store.take(handle.batchId)?.records).toBe(batch.records)
    expect(store.take(handle.batchId)).toEqual({ ...batch, handle })
  })

  it('gives every batch an id of its own, also one that is put again with its old handle', () => {
    const store = createBatchStore()
    const first = store.put(aBatch())
    const second = store.put({ ...aBatch('shardId-1'), handle: first })
    expect(second.batchId).not.toBe(first.batchId)
    expect([store.take(first.batchId)?.shardId, store.take(second.batchId)?.shardId]).toEqual(['shardId-0', 'shardId-1'])
  })

  it('never gives an id again, so that a dropped batch stays gone', () => {
    const store = createBatchStore()
    const { batchId } = store.put(aBatch())
    store.drop(batchId)
    expect(store.put(aBatch()).batchId).not.toBe(batchId)
    expect(store.take(batchId)).toBeUndefined()
  })

  it('refuses a batch above its bound, and takes one again after a drop', () => {
    const store = createBatchStore({ maxBatches: 2 })
    const { batchId } = store.put(aBatch())
    store.put(aBatch())
    expect(() => store.put(aBatch())).toThrow('maxBatches: the batch store already holds 2 batches')
    expect(store.size).toBe(2)
    store.drop(batchId)
    store.put(aBatch())
    expect(store.size).toBe(2)
  })

  it('forgets every batch of one shard and none of another', () => {
    const store = createBatchStore()
    const gone = [store.put(aBatch()), store.put(aBatch())]
    const kept = store.put(aBatch('shardId-00'))
    store.dropShard('shardId-0')
    expect(gone.map(({ batchId }) => store.take(batchId))).toEqual([undefined, undefined])
    expect(store.take(kept.batchId)).toBeDefined()
    expect(store.size).toBe(1)
  })

  it('does not mind dropping what is not there', () => {
    const store = createBatchStore()
    store.drop('b1')
    store.dropShard('shardId-0')
    expect(store.take('b1')).toBeUndefined()
    expect(store.size).toBe(0)
  })

  it('holds one batch when it is bounded by one', () => {
    const store = createBatchStore({ maxBatches: 1 })
    store.put(aBatch())
    expect(() => store.put(aBatch())).toThrow('maxBatches: the batch store already holds 1 batches')
  })

  it.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '5', null])('refuses the bound %s', (maxBatches) => {
    expect(() => createBatchStore({ maxBatches } as never)).toThrow(`maxBatches: expected a whole number from 1, got ${maxBatches}`)
  })
})
