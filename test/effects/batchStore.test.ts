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
