import { createBatchStore } from '@shardwise/effects'
import { afterEach, describe, expect, test } from 'vitest'
import { children, event, fanOutFixture, numbersOf, shardId } from './fanOutWire.ts'

let fixture: Awaited<ReturnType<typeof fanOutFixture>> | undefined
const start = async (options: Parameters<typeof fanOutFixture>[0] = {}) => {
  fixture = await fanOutFixture(options)
  return fixture
}
/** With a shard that is open. */
const opened = async (options: Parameters<typeof fanOutFixture>[0] = {}) => {
  const started = await start(options)
  expect(await started.open()).toMatchObject({ type: 'shardOpened' })
  return { ...started, subscription: await started.server.subscription(1) }
}
afterEach(async () => {
  await fixture?.stop()
  fixture = undefined
})

describe('opening a shard', () => {
  test.each([
    [{ type: 'TRIM_HORIZON' }, { Type: 'TRIM_HORIZON' }],
    [{ type: 'LATEST' }, { Type: 'LATEST' }],
    [
      { type: 'AT_TIMESTAMP', timestampMs: 1_700_000_000_123 },
      { Type: 'AT_TIMESTAMP', Timestamp: 1_700_000_000.123 },
    ],
    [
      { type: 'AT_SEQUENCE_NUMBER', sequenceNumber: '7' },
      { Type: 'AT_SEQUENCE_NUMBER', SequenceNumber: '7' },
    ],
    [
      { type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: '7' },
      { Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: '7' },
    ],
  ] as const)('subscribes once, at %j', async (position, startingPosition) => {
    const { server, open, starts } = await start()
    expect(await open(position)).toMatchObject({ type: 'shardOpened' })
    expect(starts()).toEqual([startingPosition])
    expect(server.requests('SubscribeToShard')[0]).toMatchObject({
      ShardId: shardId,
      ConsumerARN: expect.stringContaining('/consumer/reader:'),
    })
  })

  test('answers with the time before the call, where LATEST was', async () => {
    let nowMs = 1_000
    const { open } = await start({
      now: () => {
        nowMs += 1
        return nowMs
      },
    })
    expect(await open({ type: 'LATEST' })).toEqual({ type: 'shardOpened', openedAtMs: 1_001 })
  })

  test.each(['LimitExceededException', 'ResourceInUseException', 'KMSThrottlingException', 'ThrottlingException'])(
    'answers %s with throttled, makes no other call, and the shard is not open',
    async (error) => {
      const heard: unknown[] = []
      const { server, open, read } = await start({ onThrottle: (throttle) => heard.push(throttle) })
      server.script('SubscribeToShard', { error })
      expect(await open()).toEqual({ type: 'throttled' })
      expect(await read()).toEqual({ type: 'shardNotOpen' })
      expect(server.requests('SubscribeToShard')).toHaveLength(1)
      expect(heard).toEqual([{ shardId, consecutive: 1, errorName: error }])
    },
  )

  test.each([
    ['a refusal', { error: 'AccessDeniedException' }, { name: 'AccessDeniedException' }],
    ['an error of the service', { error: 'InternalFailureException' }, { name: 'InternalFailureException' }],
  ] as const)('rejects %s, and the shard is not open', async (_, answer, error) => {
    const { server, open, read } = await start()
    server.script('SubscribeToShard', answer)
    await expect(open()).rejects.toMatchObject(error)
    expect(await read()).toEqual({ type: 'shardNotOpen' })
  })

  test('rejects a broken connection', async () => {
    const { server, open } = await start()
    server.script('SubscribeToShard', 'reset')
    await expect(open()).rejects.toBeInstanceOf(Error)
  })

  test('gives up a call that is never answered, and its connection', async () => {
    const { server, open } = await start({ callTimeoutMs: 500 })
    server.script('SubscribeToShard', 'hang')
    await expect(open()).rejects.toMatchObject({ name: 'TimeoutError', message: expect.stringContaining(shardId) })
    await (await server.arrival('SubscribeToShard', 1)).gone
  })

  test.each(['the effect is cancelled', 'the shard is closed', 'the shard is opened again'] as const)(
    'gives up the call and its connection when %s',
    async (how) => {
      const { server, open, close, read } = await start()
      server.script('SubscribeToShard', 'hang')
      const controller = new AbortController()
      const first = open({ type: 'LATEST' }, controller.signal)
      const rejected = expect(first).rejects.toMatchObject({ name: 'AbortError' })
      const { gone } = await server.arrival('SubscribeToShard', 1)
      if (how === 'the effect is cancelled') controller.abort()
      else if (how === 'the shard is closed') await close()
      else expect(await open()).toMatchObject({ type: 'shardOpened' })
      await rejected
      await gone
      if (how !== 'the shard is opened again') expect(await read()).toEqual({ type: 'shardNotOpen' })
    },
  )

  test('ends the subscription that the shard has before it asks for another', async () => {
    const { server, subscription, open } = await opened()
    server.pass(5_000)
    expect(await open()).toMatchObject({ type: 'shardOpened' })
    await subscription.gone
    const second = await server.subscription(2)
    expect(second.isOver).toBe(false)
  })

  test('is throttled within five seconds of the last subscription, and not after them', async () => {
    const { server, open } = await opened()
    server.pass(4_999)
    expect(await open()).toEqual({ type: 'throttled' })
    server.pass(1)
    expect(await open()).toMatchObject({ type: 'shardOpened' })
  })
})

describe('reading', () => {
  test('hands over one event at a time, and waits for the next', async () => {
    const { subscription, read, batches } = await opened()
    await subscription.send(event([1, 2], 2))
    expect(numbersOf(await read(), batches)).toEqual([1, 2])
    const waiting = read()
    await subscription.send(event([3], 3))
    expect(numbersOf(await waiting, batches)).toEqual([3])
  })

  test('describes a record as polling does', async () => {
    const { subscription, read, batches } = await opened()
    await subscription.send(event([7], 7, { MillisBehindLatest: 12 }))
    const answer = await read()
    if (answer.type !== 'recordsRead') throw new Error(answer.type)
    expect(answer.batch).toMatchObject({ count: 1, bytes: 6, millisBehindLatest: 12, atShardEnd: false, childShards: [] })
    expect(batches.take(answer.batch.batchId)?.records).toEqual([
      {
        sequenceNumber: '7',
        subSequenceNumber: 0,
        partitionKey: 'key 7',
        data: new Uint8Array(Buffer.from('data 7')),
        approximateArrivalTimestamp: new Date(1_700_000_000_123),
        encryptionType: undefined,
      },
    ])
  })

  test('hands over an event in parts when it holds more than may be had, and none of them is at the tip but the last', async () => {
    const { subscription, read, batches } = await opened()
    await subscription.send(event([1, 2, 3, 4, 5], 9, { MillisBehindLatest: 0 }))
    const behind: unknown[] = []
    for (const expected of [[1, 2], [3, 4], [5]]) {
      const answer = await read({ maxRecords: 2 })
      expect(numbersOf(answer, batches)).toEqual(expected)
      behind.push(answer.type === 'recordsRead' && answer.batch.millisBehindLatest)
    }
    expect(behind).toEqual([1, 1, 0])
  })

  test('ends the shard with the last part of its last event', async () => {
    const { subscription, read, batches } = await opened()
    await subscription.send(event([1, 2, 3], null, children))
    const first = await read({ maxRecords: 2 })
    expect(first).toMatchObject({ batch: { count: 2, atShardEnd: false, childShards: [] } })
    const second = await read({ maxRecords: 2 })
    expect(second).toMatchObject({ batch: { count: 1, atShardEnd: true, childShards: [{ shardId: 'child-1' }, { shardId: 'child-2' }] } })
    expect(numbersOf(second, batches)).toEqual([3])
    expect(await read()).toEqual({ type: 'shardNotOpen' })
    await subscription.gone
  })

  test('loses nothing when it is aborted, before or while its event comes', async () => {
    const { subscription, read, batches } = await opened()
    await expect(read({ signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' })
    const controller = new AbortController()
    const aborted = read({ signal: controller.signal })
    controller.abort()
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' })
    await subscription.send(event([1], 1))
    expect(batches.size).toBe(0)
    expect(numbersOf(await read(), batches)).toEqual([1])
    expect(subscription.isOver).toBe(false)
  })

  test('stores nothing when it is aborted in the turn in which its event is there', async () => {
    const { subscription, read, batches } = await opened({ batches: createBatchStore({ maxBatches: 1 }) })
    await subscription.send(event([1], 1))
    await subscription.send(event([2], 2))
    await read({ prefetch: { maxRecords: 100, maxBytes: 1_000 } })
    await expect(read()).rejects.toThrow('maxBatches')
    batches.drop('b1')
    const controller = new AbortController()
    const aborted = read({ signal: controller.signal })
    controller.abort()
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' })
    expect(batches.size).toBe(0)
    expect(numbersOf(await read(), batches)).toEqual([2])
  })

  test('refuses a second read of a shard that is being read', async () => {
    const { subscription, read, batches } = await opened()
    const first = read()
    await expect(read()).rejects.toThrow(`shard ${shardId} is being read already`)
    await subscription.send(event([1], 1))
    expect(numbersOf(await first, batches)).toEqual([1])
  })

  test('ends with the shard, and leaves neither a batch nor a connection behind', async () => {
    const { subscription, read, close, batches } = await opened()
    const reading = read()
    await Promise.all([expect(reading).rejects.toMatchObject({ name: 'AbortError' }), close()])
    await subscription.gone
    expect(batches.size).toBe(0)
    expect(await read()).toEqual({ type: 'shardNotOpen' })
  })
})

describe('reading ahead', () => {
  const many = Array.from({ length: 40 }, (_, index) => index + 1)
  const large = (number: number) => {
    const Data = Buffer.alloc(100_000, number).toString('base64')
    return { ...event([], number), Records: [{ SequenceNumber: String(number), PartitionKey: 'k', Data }] }
  }

  test('takes what comes while there is room for it, without being asked', async () => {
    const { subscription, read, batches } = await opened()
    const sent = Promise.all(many.map((number) => subscription.send(large(number))))
    const prefetch = { maxRecords: 100, maxBytes: 10_000_000 }
    expect(numbersOf(await read({ prefetch }), batches)).toEqual([1])
    await sent
    for (const number of many.slice(1)) expect(numbersOf(await read({ prefetch }), batches)).toEqual([number])
  })

  test.each([
    ['bytes', { maxRecords: 100, maxBytes: 300_000 }, 3],
    ['records', { maxRecords: 3, maxBytes: 10_000_000 }, 3],
    ['nothing', { maxRecords: 0, maxBytes: 10_000_000 }, 0],
  ])('leaves with Kinesis what there is no room for, by %s', async (_, prefetch, kept) => {
    const { subscription, read, list, batches } = await opened()
    let sent = 0
    const sending = (async () => {
      for (const number of many) {
        await subscription.send(large(number))
        sent += 1
      }
    })()
    expect(numbersOf(await read({ prefetch }), batches)).toEqual([1])
    // Time enough to take all of it.
    for (let calls = 0; calls < 30; calls += 1) await list()
    // Besides the one that was read and those that are kept, one may be on its way and one in the buffers of the connection.
    expect(sent).toBeLessThanOrEqual(1 + kept + 2)
    for (const number of many.slice(1)) expect(numbersOf(await read({ prefetch }), batches)).toEqual([number])
    await sending
  })

  test('hands over what came before a failure, and then the failure', async () => {
    const { subscription, read, batches } = await opened()
    const prefetch = { maxRecords: 100, maxBytes: 1_000 }
    await subscription.send(event([1], 1))
    await subscription.send(event([2], 2))
    subscription.fail('InternalFailureException')
    expect(numbersOf(await read({ prefetch }), batches)).toEqual([1])
    expect(numbersOf(await read({ prefetch }), batches)).toEqual([2])
    await expect(read({ prefetch })).rejects.toMatchObject({ name: 'InternalFailureException' })
    expect(await read({ prefetch })).toEqual({ type: 'shardNotOpen' })
  })
})
