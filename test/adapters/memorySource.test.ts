import { createBatchStore, type HandlerContext, type Position } from '@shardwise/effects'
import { createMemoryStream, memoryRecordSource } from '@shardwise/memory'
import { describe, expect, onTestFinished, test } from 'vitest'
import { contextOf, neverAborted } from './handlerContext.ts'

const id = 1
const low = 'shardId-000000000000'
const never = neverAborted

/** A stream at 1000 ms of a clock that stands still, and a source that reads it. */
function aStream(options: Partial<Parameters<typeof createMemoryStream>[0]> = {}, maxBatches = 100) {
  const clock = { nowMs: 1000 }
  const stream = createMemoryStream({ now: () => clock.nowMs, ...options })
  const batches = createBatchStore({ maxBatches })
  const source = memoryRecordSource({ stream, batches })
  const read = async (maxRecords = 1000, shardId = low) =>
    source.readRecords({ type: 'readRecords', id, shardId, after: null, maxRecords, prefetch: { maxRecords: 0, maxBytes: 0 } }, never)
  return {
    clock,
    stream,
    batches,
    source,
    read,
    put: (text: string) => stream.put({ partitionKey: text, data: Uint8Array.of(text.length) }).sequenceNumber,
    open: async (position: Position, shardId = low) => source.openShard({ type: 'openShard', id, shardId, position }, never),
    /** The partition keys of the next batch. */
    async keys(maxRecords = 1000, shardId = low): Promise<readonly string[]> {
      const answer = await read(maxRecords, shardId)
      if (answer.type !== 'recordsRead') throw new Error(`expected recordsRead, got ${answer.type}`)
      return batches.take(answer.batch.batchId)?.records.map(({ partitionKey }) => partitionKey) ?? []
    },
    async ids(from: Parameters<typeof source.listShards>[0]['from']): Promise<readonly string[]> {
      const answer = await source.listShards({ type: 'listShards', id, from }, never)
      return answer.type === 'shardsListed' ? answer.shards.map(({ shardId }) => shardId.replace(/.*0(?=.$)/, '')) : [answer.type]
    },
    children: async (shardId = low) => source.listChildShards({ type: 'listChildShards', id, shardId }, never),
  }
}

const trimHorizon: Position = { type: 'TRIM_HORIZON' }

describe('positions in a stream in memory', () => {
  test('start at the oldest record that is kept when the one they name was trimmed', async () => {
    const { stream, put, open, keys } = aStream()
    const first = put('a')
    put('b')
    stream.trim(low, put('c'))
    for (const type of ['AT_SEQUENCE_NUMBER', 'AFTER_SEQUENCE_NUMBER'] as const) {
      await open({ type, sequenceNumber: first })
      expect(await keys()).toEqual(['c'])
    }
    await open(trimHorizon)
    expect(await keys()).toEqual(['c'])
  })

  test('of a time start at the first record of that very millisecond', async () => {
    const { clock, put, open, keys } = aStream()
    for (const key of ['a', 'b', 'c', 'd']) {
      put(key)
      clock.nowMs += 10
    }
    await open({ type: 'AT_TIMESTAMP', timestampMs: 1010 })
    expect(await keys()).toEqual(['b', 'c', 'd'])
    await open({ type: 'AT_TIMESTAMP', timestampMs: 1011 })
    expect(await keys()).toEqual(['c', 'd'])
    await open({ type: 'AT_TIMESTAMP', timestampMs: 1040 })
    expect(await keys()).toEqual([])
    put('e')
    expect(await keys()).toEqual(['e'])
  })

  test('cannot name a time that has not come, nor a number that is none', async () => {
    const { open } = aStream()
    await expect(open({ type: 'AT_TIMESTAMP', timestampMs: 1001 })).rejects.toThrow(
      'timestampMs: expected a time until now, 1000, got 1001',
    )
    await expect(open({ type: 'AT_TIMESTAMP', timestampMs: Number.NaN })).rejects.toThrow('timestampMs: expected a time until now')
    await expect(open({ type: 'AT_SEQUENCE_NUMBER', sequenceNumber: 'LATEST' })).rejects.toThrow(
      'sequenceNumber: expected decimal digits, got "LATEST"',
    )
    await expect(open({ type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: 'x' })).rejects.toThrow('sequenceNumber: expected decimal digits')
  })

  test('are reported with the time of the stream', async () => {
    const { clock, open } = aStream()
    clock.nowMs = 1234
    expect(await open({ type: 'LATEST' })).toEqual({ type: 'shardOpened', openedAtMs: 1234 })
  })
})

describe('reading a stream in memory', () => {
  test('says how long the oldest record that was not read has waited', async () => {
    const { clock, put, open, read } = aStream()
    put('a')
    clock.nowMs = 1500
    put('b')
    clock.nowMs = 1700
    await open(trimHorizon)
    expect(await read(1)).toMatchObject({ batch: { millisBehindLatest: 200 } })
    expect(await read(1)).toMatchObject({ batch: { millisBehindLatest: 0 } })
  })

  test('is at least 1 ms behind while anything is left, also in the millisecond of its arrival', async () => {
    const { put, open, read } = aStream()
    put('a')
    put('b')
    await open(trimHorizon)
    expect(await read(1)).toMatchObject({ batch: { millisBehindLatest: 1 } })
  })

  test('gives no more records than the stream lets one read have', async () => {
    const { put, open, keys } = aStream({ maxRecordsPerRead: 2 })
    for (const key of ['a', 'b', 'c']) put(key)
    await open(trimHorizon)
    expect(await keys()).toEqual(['a', 'b'])
    expect(await keys()).toEqual(['c'])
  })

  test('ends a closed shard with the batch that holds its last records, and names the children there', async () => {
    const { stream, put, open, read } = aStream()
    put('a')
    put('b')
    await open(trimHorizon)
    stream.split(low)
    expect(await read(1)).toMatchObject({ batch: { count: 1, atShardEnd: false, childShards: [] } })
    expect(await read(1)).toMatchObject({
      batch: {
        count: 1,
        atShardEnd: true,
        childShards: [
          { shardId: 'shardId-000000000001', parentShardIds: [low], hashKeyRange: { startingHashKey: '0' } },
          { shardId: 'shardId-000000000002', parentShardIds: [low] },
        ],
      },
    })
  })

  test('gives a record the bytes that were put, whatever becomes of the array they were put in', async () => {
    const { stream, open, read, batches } = aStream()
    const data = Uint8Array.of(1, 2)
    stream.put({ partitionKey: 'a', data })
    data.fill(9)
    await open(trimHorizon)
    const answer = await read()
    const stored = answer.type === 'recordsRead' ? batches.take(answer.batch.batchId) : undefined
    expect(stored?.records[0]).toMatchObject({ data: Uint8Array.of(1, 2), approximateArrivalTimestamp: new Date(1000) })
  })

  test('skips nothing when the batch store was full', async () => {
    const { put, open, keys, read, batches } = aStream({}, 1)
    for (const key of ['a', 'b', 'c']) put(key)
    await open(trimHorizon)
    expect(await keys(1)).toEqual(['a'])
    await expect(read(1)).rejects.toThrow('maxBatches')
    batches.dropShard(low)
    expect(await keys(1)).toEqual(['b'])
  })

  test('goes on after a cancelled read where it stood', async () => {
    const { source, put, open, keys, batches } = aStream()
    put('a')
    await open(trimHorizon)
    const controller = new AbortController()
    const reading = source.readRecords(
      { type: 'readRecords', id, shardId: low, after: null, maxRecords: 10, prefetch: { maxRecords: 0, maxBytes: 0 } },
      contextOf(controller.signal),
    )
    controller.abort()
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' })
    expect(batches.size).toBe(0)
    expect(await keys()).toEqual(['a'])
  })

  test('leaves the position alone when the opening of another was cancelled', async () => {
    const { source, put, open, keys } = aStream()
    put('a')
    await open(trimHorizon)
    const controller = new AbortController()
    controller.abort()
    const opening = source.openShard({ type: 'openShard', id, shardId: low, position: { type: 'LATEST' } }, contextOf(controller.signal))
    await expect(opening).rejects.toMatchObject({ name: 'AbortError' })
    expect(await keys()).toEqual(['a'])
  })

  test('works where there is no AbortController', async () => {
    const { AbortController } = globalThis
    Reflect.deleteProperty(globalThis, 'AbortController')
    onTestFinished(() => void Object.assign(globalThis, { AbortController }))
    const { source, put } = aStream()
    put('a')
    const context: HandlerContext = {
      get signal(): never {
        throw new Error('no AbortController')
      },
      onAbort: () => undefined,
    }
    expect(await source.openShard({ type: 'openShard', id, shardId: low, position: trimHorizon }, context)).toMatchObject({
      type: 'shardOpened',
    })
  })
})

describe('what goes wrong with a stream in memory', () => {
  test('an iterator expires when it was not used for longer than its life', async () => {
    const { clock, put, open, read, keys } = aStream({ iteratorLifeMs: 100 })
    put('a')
    await open(trimHorizon)
    clock.nowMs += 100
    expect(await keys()).toEqual(['a'])
    clock.nowMs += 100
    expect(await keys()).toEqual([])
    clock.nowMs += 101
    expect(await read()).toEqual({ type: 'iteratorExpired' })
    expect(await read()).toEqual({ type: 'iteratorExpired' })
    await open(trimHorizon)
    expect(await keys()).toEqual(['a'])
  })

  test('iterators expire on demand, of one shard or of all, and new ones do not', async () => {
    const high = 'shardId-000000000001'
    const { stream, open, read } = aStream({ shardCount: 2 })
    const types = async () => [(await read(1, low)).type, (await read(1, high)).type]
    await open(trimHorizon, low)
    await open(trimHorizon, high)
    stream.expireIterators(low)
    expect(await types()).toEqual(['iteratorExpired', 'recordsRead'])
    await open(trimHorizon, low)
    expect(await types()).toEqual(['recordsRead', 'recordsRead'])
    stream.expireIterators()
    expect(await types()).toEqual(['iteratorExpired', 'iteratorExpired'])
  })

  test('as many calls are throttled as were asked to be, and nothing is lost by it', async () => {
    const { stream, put, open, keys, read, ids, children } = aStream()
    put('a')
    stream.throttle(2)
    expect([await open(trimHorizon), await ids('ALL')]).toEqual([{ type: 'throttled' }, ['throttled']])
    await open(trimHorizon)
    stream.throttle(2)
    expect([await read(), await children()]).toEqual([{ type: 'throttled' }, { type: 'throttled' }])
    expect(await keys()).toEqual(['a'])
  })

  test('a shard that is gone is not found, by open readers either, and its children are still known', async () => {
    const { stream, put, open, read, children } = aStream()
    put('a')
    await open(trimHorizon)
    stream.split(low)
    stream.trim(low)
    expect([await read(), await open(trimHorizon)]).toEqual([{ type: 'shardNotFound' }, { type: 'shardNotFound' }])
    expect(await children()).toMatchObject({
      type: 'childShardsListed',
      childShards: [{ parentShardIds: [low] }, { parentShardIds: [low] }],
    })
  })

  test('a deleted stream is not found', async () => {
    const { stream, open, read, ids, children } = aStream()
    await open(trimHorizon)
    stream.delete()
    expect([await read(), await open(trimHorizon), await ids('ALL'), await children()]).toEqual([
      { type: 'shardNotFound' },
      { type: 'shardNotFound' },
      ['streamNotFound'],
      { type: 'streamNotFound' },
    ])
  })
})

describe('listing the shards of a stream in memory', () => {
  /** 0 is split into 2 and 3 at 2000; 1 and 3 are merged into 4 at 3000; it is 4000. */
  const reshardedStream = () => {
    const made = aStream({ shardCount: 2 })
    for (let index = 0; index < 20; index += 1) made.put(`key ${index}`)
    made.clock.nowMs = 2000
    made.stream.split(low)
    made.clock.nowMs = 3000
    made.stream.merge('shardId-000000000003', 'shardId-000000000001')
    made.clock.nowMs = 4000
    return made
  }

  test('gives all of them, the open ones from LATEST, and those without parents from TRIM_HORIZON', async () => {
    const { ids } = reshardedStream()
    expect(await ids('ALL')).toEqual(['0', '1', '2', '3', '4'])
    expect(await ids({ type: 'LATEST' })).toEqual(['2', '4'])
    expect(await ids({ type: 'TRIM_HORIZON' })).toEqual(['0', '1'])
  })

  test('gives those that were open at a time; in the millisecond of a split still the parent', async () => {
    const { ids } = reshardedStream()
    const at = (timestampMs: number) => ids({ type: 'AT_TIMESTAMP', timestampMs })
    expect(await at(500)).toEqual(['0', '1'])
    expect(await at(1999)).toEqual(['0', '1'])
    expect(await at(2000)).toEqual(['0', '1'])
    expect(await at(2001)).toEqual(['1', '2', '3'])
    expect(await at(3000)).toEqual(['1', '2', '3'])
    expect(await at(3001)).toEqual(['2', '4'])
  })

  test('gives from TRIM_HORIZON the children once their parents are gone, of a merge when both are', async () => {
    const { stream, ids } = reshardedStream()
    stream.trim(low)
    expect(await ids({ type: 'TRIM_HORIZON' })).toEqual(['1', '2', '3'])
    stream.trim('shardId-000000000001')
    expect(await ids({ type: 'TRIM_HORIZON' })).toEqual(['2', '3'])
    stream.trim('shardId-000000000003')
    expect(await ids({ type: 'TRIM_HORIZON' })).toEqual(['2', '4'])
  })
})

test.each([
  [{ stream: createMemoryStream() }, 'batches: expected a batch store, got undefined'],
  [{ batches: createBatchStore() }, 'stream: expected a stream of createMemoryStream, got undefined'],
  [{ stream: createMemoryStream(), batches: {} }, 'batches: expected a batch store, got {}'],
  [
    { stream: createMemoryStream(), batches: createBatchStore(), prefetch: 1 },
    'prefetch: not an option of memoryRecordSource, expected one of stream, batches',
  ],
])('a source in memory refuses the options of case %#', (options, message) => {
  expect(() => memoryRecordSource(options as never)).toThrow(message)
})
