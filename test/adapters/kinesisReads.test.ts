import { createBatchStore } from '@shardwise/effects'
import { afterEach, describe, expect, test } from 'vitest'
import { gate, numbersOf, page, shardId, wireFixture } from './kinesisWire.ts'

let fixture: Awaited<ReturnType<typeof wireFixture>> | undefined
const start = async (options: Parameters<typeof wireFixture>[0] = {}) => {
  fixture = await wireFixture(options)
  return fixture
}
afterEach(async () => {
  await fixture?.stop()
  fixture = undefined
})

describe('reading', () => {
  test('follows the iterators, one call per read', async () => {
    const { wire, open, read, batches, iterators } = await start()
    await open()
    wire.script('GetRecords', page([1, 2], 'i2', { MillisBehindLatest: 1_500 }), page([], 'i3', { MillisBehindLatest: null }))
    const first = await read({ maxRecords: 500 })
    expect(first).toEqual({
      type: 'recordsRead',
      batch: {
        batchId: 'b1',
        count: 2,
        first: { sequenceNumber: '1', subSequenceNumber: 0 },
        last: { sequenceNumber: '2', subSequenceNumber: 0 },
        bytes: 12,
        millisBehindLatest: 1_500,
        atShardEnd: false,
        childShards: [],
      },
    })
    expect(batches.take('b1')?.records[0]).toEqual({
      sequenceNumber: '1',
      subSequenceNumber: 0,
      partitionKey: 'key 1',
      data: new Uint8Array(Buffer.from('data 1')),
      approximateArrivalTimestamp: new Date(1_700_000_000_123),
    })
    expect(await read()).toMatchObject({
      batch: { count: 0, first: null, last: null, bytes: 0, millisBehindLatest: null, atShardEnd: false },
    })
    expect(iterators()).toEqual(['iterator-1', 'i2'])
    expect(wire.requests('GetRecords').map(({ input }) => input['Limit'])).toEqual([500, 10_000])
  })

  test('drops what is at or below the checkpoint, by value and not by text', async () => {
    const { wire, open, read, batches } = await start()
    await open()
    wire.script('GetRecords', page([8, 9, 10, 11], 'i2'), page([10], 'i3'), page([10, 11], 'i4'), page([9], 'i5'))
    expect(numbersOf(await read({ after: { sequenceNumber: '9', subSequenceNumber: 0 } }), batches)).toEqual(['10', '11'])
    expect(await read({ after: { sequenceNumber: '10', subSequenceNumber: 3 } })).toMatchObject({
      batch: { count: 0, first: null, bytes: 0 },
    })
    expect(numbersOf(await read({ after: { sequenceNumber: 'TRIM_HORIZON', subSequenceNumber: 0 } }), batches)).toEqual(['10', '11'])
    expect(numbersOf(await read(), batches)).toEqual(['9'])
  })

  test.each(['ExpiredIteratorException', 'InvalidArgumentException'])('forgets an iterator that is refused with %s', async (error) => {
    const { wire, open, read, iterators } = await start()
    await open()
    wire.script('GetRecords', { error }, page([1], 'i9'))
    expect(await read()).toEqual({ type: 'iteratorExpired' })
    expect(await read()).toEqual({ type: 'shardNotOpen' })
    await open()
    expect(await read()).toMatchObject({ type: 'recordsRead' })
    expect(iterators()).toEqual(['iterator-1', 'iterator-2'])
  })

  test('says that a deleted stream has no such shard', async () => {
    const { wire, open, read } = await start()
    await open()
    wire.script('GetRecords', { error: 'ResourceNotFoundException' })
    expect(await read()).toEqual({ type: 'shardNotFound' })
  })

  test.each([['ProvisionedThroughputExceededException'], ['LimitExceededException'], ['KMSThrottlingException'], ['ThrottlingException']])(
    'answers %s once, without a call of its own, and goes on with the same iterator',
    async (error) => {
      const { wire, open, read, batches, iterators } = await start()
      await open()
      wire.script('GetRecords', { error }, page([1], 'i2'))
      expect(await read()).toEqual({ type: 'throttled' })
      expect(iterators()).toEqual(['iterator-1'])
      expect(numbersOf(await read(), batches)).toEqual(['1'])
      expect(iterators()).toEqual(['iterator-1', 'iterator-1'])
    },
  )

  test.each([
    ['an error of the service', { error: 'InternalFailureException' }, { name: 'InternalFailureException' }],
    ['a refusal', { error: 'KMSDisabledException' }, { name: 'KMSDisabledException' }],
    ['an unknown error', { error: 'NobodyKnowsException' }, { name: 'NobodyKnowsException' }],
    ['a broken connection', 'reset', { code: 'ECONNRESET' }],
    ['an answer cut off', { cut: '{"Records":[' }, { code: 'ECONNRESET' }],
    [
      'invalid JSON',
      { text: '{"Records":[' },
      { name: 'InvalidAnswer', message: expect.stringContaining(`${shardId}: the answer is not valid JSON`) },
    ],
    ['a page of HTML', { text: '<html>' }, { name: 'InvalidAnswer', message: expect.stringContaining('not valid JSON') }],
    [
      'invalid base64',
      page([1], 'i2', { Records: [{ SequenceNumber: '1', PartitionKey: 'k', Data: '*no*' }] }),
      { name: 'InvalidAnswer', message: expect.stringContaining('base64') },
    ],
    [
      'base64 of the wrong length',
      page([1], 'i2', { Records: [{ SequenceNumber: '1', PartitionKey: 'k', Data: 'AAA' }] }),
      { name: 'InvalidAnswer', message: expect.stringContaining('base64') },
    ],
    ['an empty body', { text: '' }, { name: 'InvalidAnswer', message: expect.stringContaining('no records') }],
    ['an answer without records', { json: { NextShardIterator: 'i2' } }, { name: 'InvalidAnswer' }],
    [
      'a record without data',
      page([], 'i2', { Records: [{ SequenceNumber: '1', PartitionKey: 'k' }] }),
      { name: 'InvalidAnswer', message: expect.stringContaining('record 1') },
    ],
    ['a record without a sequence number', page([], 'i2', { Records: [{ PartitionKey: 'k', Data: '' }] }), { name: 'InvalidAnswer' }],
    [
      'a sequence number that lost its digits',
      page([], 'i2', { Records: [{ SequenceNumber: 4.9e55, PartitionKey: 'k', Data: '' }] }),
      { name: 'InvalidAnswer' },
    ],
    [
      'an iterator together with children',
      page([1], 'i2', { ChildShards: [childShard(['p'])] }),
      { name: 'InvalidAnswer', message: expect.stringContaining('both') },
    ],
    [
      'a child without parents',
      page([1], null, { ChildShards: [childShard([])] }),
      { name: 'InvalidAnswer', message: expect.stringContaining('parents') },
    ],
    [
      'a second child without parents',
      page([1], null, { ChildShards: [childShard(['p']), childShard(undefined)] }),
      { name: 'InvalidAnswer' },
    ],
  ] as const)('rejects %s, keeps no batch, and reads again from the same place', async (_, answer, error) => {
    const { wire, open, read, batches, iterators } = await start()
    await open()
    wire.script('GetRecords', answer, page([1], 'i2'))
    await expect(read()).rejects.toMatchObject(error)
    expect(batches.size).toBe(0)
    expect(numbersOf(await read(), batches)).toEqual(['1'])
    expect(iterators()).toEqual(['iterator-1', 'iterator-1'])
  })

  test('cancels the call when it is aborted, and loses nothing', async () => {
    const { wire, open, read, batches, iterators } = await start()
    await open()
    wire.script('GetRecords', 'hang', page([1], 'i2'))
    const controller = new AbortController()
    const aborted = read({ signal: controller.signal })
    const request = await wire.arrival('GetRecords', 1)
    controller.abort()
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' })
    await request.gone
    expect(batches.size).toBe(0)
    expect(numbersOf(await read(), batches)).toEqual(['1'])
    expect(iterators()).toEqual(['iterator-1', 'iterator-1'])
  })

  test('makes no call for a read that was aborted before', async () => {
    const { wire, open, read, batches, iterators } = await start()
    await open()
    await expect(read({ signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' })
    expect(batches.size).toBe(0)
    wire.script('GetRecords', page([1], 'i2'))
    expect(numbersOf(await read(), batches)).toEqual(['1'])
    expect(iterators()).toEqual(['iterator-1'])
  })

  test('reads again in the very turn in which the last read was aborted', async () => {
    const { wire, open, read, batches } = await start()
    await open()
    wire.script('GetRecords', 'hang', page([1], 'i2'))
    const controller = new AbortController()
    const aborted = read({ signal: controller.signal })
    await wire.arrival('GetRecords', 1)
    controller.abort()
    const [again] = await Promise.all([read(), expect(aborted).rejects.toMatchObject({ name: 'AbortError' })])
    expect(numbersOf(again, batches)).toEqual(['1'])
  })

  test('guards the read that follows an aborted one as it does any other', async () => {
    const { wire, open, read, close } = await start()
    await open()
    wire.script('GetRecords', 'hang', 'hang')
    const controller = new AbortController()
    const aborted = read({ signal: controller.signal })
    await wire.arrival('GetRecords', 1)
    controller.abort()
    const again = read()
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' })
    const request = await wire.arrival('GetRecords', 2)
    await expect(read()).rejects.toThrow('is being read already')
    await Promise.all([expect(again).rejects.toMatchObject({ name: 'AbortError' }), close()])
    await request.gone
  })

  test('stores nothing when it is aborted in the turn in which its answer is there, and reads that page again', async () => {
    const { wire, open, read, batches } = await start({ batches: createBatchStore({ maxBatches: 1 }) })
    await open()
    wire.script('GetRecords', page([1], 'i2'), page([2], 'i3'), page([2], 'i3'))
    await read()
    await expect(read()).rejects.toThrow('maxBatches')
    batches.drop('b1')
    const controller = new AbortController()
    const aborted = read({ signal: controller.signal })
    controller.abort()
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' })
    expect(batches.size).toBe(0)
    expect(numbersOf(await read(), batches)).toEqual(['2'])
  })

  test('refuses a second read of a shard that is being read', async () => {
    const { wire, open, read, batches } = await start()
    await open()
    const held = gate<ReturnType<typeof page>>()
    wire.script('GetRecords', held.promise)
    const first = read()
    await expect(read()).rejects.toThrow(`shard ${shardId} is being read already`)
    held.open(page([1], 'i2'))
    expect(numbersOf(await first, batches)).toEqual(['1'])
    expect(wire.mostInFlight('GetRecords')).toBe(1)
  })

  test('keeps its place when the batch store is full', async () => {
    const { wire, open, read, batches } = await start({ batches: createBatchStore({ maxBatches: 1 }) })
    await open()
    wire.script('GetRecords', page([1], 'i2'), page([2], 'i3'))
    await read()
    await expect(read()).rejects.toThrow('maxBatches')
    batches.drop('b1')
    expect(numbersOf(await read(), batches)).toEqual(['2'])
    expect(wire.requests('GetRecords')).toHaveLength(2)
  })

  test('leaves no batch behind when the shard is closed during a read', async () => {
    const { wire, open, read, close, batches } = await start()
    await open()
    wire.script('GetRecords', 'hang')
    const reading = read()
    const request = await wire.arrival('GetRecords', 1)
    await Promise.all([expect(reading).rejects.toMatchObject({ name: 'AbortError' }), close()])
    await request.gone
    expect(batches.size).toBe(0)
    expect(await read()).toEqual({ type: 'shardNotOpen' })
  })
})

describe('the end of a shard', () => {
  test('comes with its last records and its children', async () => {
    const { wire, open, read, batches } = await start()
    await open()
    wire.script('GetRecords', page([1], null, { ChildShards: [childShard([shardId, 'adjacent'])] }))
    const answer = await read()
    expect(answer).toMatchObject({
      batch: {
        count: 1,
        atShardEnd: true,
        childShards: [
          { shardId: 'child', parentShardIds: [shardId, 'adjacent'], hashKeyRange: { startingHashKey: '0', endingHashKey: '9' } },
        ],
      },
    })
    expect(numbersOf(answer, batches)).toEqual(['1'])
  })

  test('may name no children', async () => {
    const { wire, open, read } = await start()
    await open()
    wire.script('GetRecords', page([], null))
    expect(await read()).toMatchObject({ batch: { count: 0, atShardEnd: true, childShards: [] } })
  })

  test('leaves the shard to be opened again, so that a lost answer loses no records', async () => {
    const { wire, open, read } = await start()
    await open()
    wire.script('GetRecords', page([1], null))
    await read()
    expect(await read()).toEqual({ type: 'shardNotOpen' })
    expect(wire.requests('GetRecords')).toHaveLength(1)
  })
})

function childShard(parents: readonly string[] | undefined): object {
  return { ShardId: 'child', ParentShards: parents, HashKeyRange: { StartingHashKey: '0', EndingHashKey: '9' } }
}
