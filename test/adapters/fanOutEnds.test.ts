import { createBatchStore } from '@shardwise/effects'
import { fanOutRecordSource } from '@shardwise/kinesis'
import { afterEach, describe, expect, test } from 'vitest'
import type { ServedSubscription } from '../../servers/fanOutServer.ts'
import { exceptionFrame, frame } from '../../servers/fanOutServerFrames.ts'
import { http2Client } from './fanOutClient.ts'
import { children, event, fanOutFixture, numbersOf, shardId } from './fanOutWire.ts'
import { neverAborted } from './handlerContext.ts'

let fixture: Awaited<ReturnType<typeof fanOutFixture>> | undefined
const fiveMinutesMs = 300_000

/** With a shard that is open, and a clock that passes at the source and at the server alike. */
const opened = async (
  options: Parameters<typeof fanOutFixture>[0] = {},
  position: Parameters<Awaited<ReturnType<typeof fanOutFixture>>['open']>[0] = { type: 'TRIM_HORIZON' },
) => {
  let nowMs = 1_000_000
  const started = await fanOutFixture({ now: () => nowMs, ...options })
  fixture = started
  expect(await started.open(position)).toEqual({ type: 'shardOpened', openedAtMs: nowMs })
  const pass = (ms: number): void => {
    nowMs += ms
    started.server.pass(ms)
  }
  return { ...started, pass, subscription: await started.server.subscription(1) }
}
afterEach(async () => {
  await fixture?.stop()
  fixture = undefined
})

describe('the five minutes of a subscription', () => {
  test('end as an iterator expires, behind the last event', async () => {
    const { subscription, pass, read, batches } = await opened()
    await subscription.send(event([1], 1))
    pass(fiveMinutesMs)
    expect(numbersOf(await read(), batches)).toEqual([1])
    expect(await read()).toEqual({ type: 'iteratorExpired' })
    expect(await read()).toEqual({ type: 'shardNotOpen' })
    await subscription.gone
  })

  test('may end a little early', async () => {
    const { subscription, pass, read } = await opened()
    pass(fiveMinutesMs - 30_000)
    subscription.end()
    expect(await read()).toEqual({ type: 'iteratorExpired' })
  })

  test('are broken off by an end that comes well before', async () => {
    const { subscription, pass, read } = await opened()
    pass(60_000)
    subscription.end()
    await expect(read()).rejects.toMatchObject({
      name: 'SubscriptionBroken',
      message: `SubscribeToShard of shard ${shardId}: it ended after 60000 ms, without an error and before its time`,
    })
    expect(await read()).toEqual({ type: 'shardNotOpen' })
  })
})

describe('opening a shard again', () => {
  // Reads leave out what was delivered, and that record was, with all that is in it.
  test.each(['AFTER_SEQUENCE_NUMBER', 'AT_SEQUENCE_NUMBER'] as const)('%s goes on past the gap behind the last record', async (type) => {
    const { subscription, pass, read, open, starts } = await opened()
    await subscription.send(event([1, 2], 10))
    await subscription.send(event([], 20))
    pass(fiveMinutesMs)
    await read()
    await read()
    expect(await read()).toEqual({ type: 'iteratorExpired' })
    await open({ type, sequenceNumber: '2' })
    expect(starts()[1]).toEqual({ Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: '20' })
  })

  test('goes on there once more when nothing came from there', async () => {
    const { subscription, pass, read, open, starts, server } = await opened()
    await subscription.send(event([2], 10))
    await read()
    for (const nth of [2, 3]) {
      pass(fiveMinutesMs)
      expect(await read()).toEqual({ type: 'iteratorExpired' })
      await open({ type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: '2' })
      expect(starts()[nth - 1]).toEqual({ Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: '10' })
      await server.subscription(nth)
    }
  })

  test.each([
    ['the oldest record', { type: 'TRIM_HORIZON' }, { type: 'TRIM_HORIZON' }],
    ['the place where LATEST was', { type: 'LATEST' }, { type: 'AT_TIMESTAMP', timestampMs: 1_000_000 }],
    ['a checkpoint', { type: 'AT_SEQUENCE_NUMBER', sequenceNumber: '5' }, { type: 'AT_SEQUENCE_NUMBER', sequenceNumber: '5' }],
  ] as const)('at %s goes on after the continuation sequence number when no record has come', async (_, position, again) => {
    const { subscription, pass, read, open, starts } = await opened({}, position)
    await subscription.send(event([], 33))
    await read()
    pass(fiveMinutesMs)
    await open(again)
    expect(starts()[1]).toEqual({ Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: '33' })
  })

  test.each([
    [
      'batch was not completed',
      { type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: '2' },
      { Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: '2' },
    ],
    ['first batch was not completed', { type: 'TRIM_HORIZON' }, { Type: 'TRIM_HORIZON' }],
    [
      'place is an earlier record',
      { type: 'AT_SEQUENCE_NUMBER', sequenceNumber: '2' },
      { Type: 'AT_SEQUENCE_NUMBER', SequenceNumber: '2' },
    ],
    ['place is a time', { type: 'AT_TIMESTAMP', timestampMs: 1_000_000 }, { Type: 'AT_TIMESTAMP', Timestamp: 1_000 }],
  ] as const)('starts where it is told when its %s', async (_, position, startingPosition) => {
    const { subscription, pass, read, open, starts } = await opened()
    await subscription.send(event([1, 2], 10))
    await subscription.send(event([3], 20))
    await read()
    await read()
    pass(fiveMinutesMs)
    await open(position)
    expect(starts()[1]).toEqual(startingPosition)
  })

  test('starts after the last record that was handed over when its event was handed over in part', async () => {
    const { subscription, pass, read, open, starts } = await opened()
    await subscription.send(event([1, 2, 3], 10))
    await read({ maxRecords: 2 })
    pass(fiveMinutesMs)
    await open({ type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: '2' })
    expect(starts()[1]).toEqual({ Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: '2' })
  })

  test('forgets the continuation sequence number with the shard', async () => {
    const { subscription, pass, read, open, close, starts } = await opened()
    await subscription.send(event([2], 10))
    await read()
    await close()
    pass(fiveMinutesMs)
    await open({ type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: '2' })
    expect(starts()[1]).toEqual({ Type: 'AFTER_SEQUENCE_NUMBER', SequenceNumber: '2' })
  })

  test('keeps the continuation sequence number through a throttle, and not when Kinesis refuses it', async () => {
    const { server, subscription, pass, read, open, starts } = await opened()
    const position = { type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: '2' } as const
    await subscription.send(event([2], 10))
    await read()
    pass(fiveMinutesMs)
    server.script('SubscribeToShard', { error: 'LimitExceededException' }, { error: 'InvalidArgumentException' })
    expect(await open(position)).toEqual({ type: 'throttled' })
    await expect(open(position)).rejects.toMatchObject({ name: 'InvalidArgumentException' })
    await open(position)
    expect(starts().map((start) => (start as { SequenceNumber: string }).SequenceNumber)).toEqual([undefined, '10', '10', '2'])
  })
})

describe('a subscription that fails', () => {
  const headers = { ':message-type': 'event', ':event-type': 'SubscribeToShardEvent' }
  const brokenChecksum = (): Buffer => {
    const bytes = frame(headers, event([1], 1))
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)
    return bytes
  }

  test.each<[string, (subscription: ServedSubscription) => void, object]>([
    ['a reset', (subscription) => subscription.reset(), { name: 'SubscriptionBroken' }],
    [
      'a connection that breaks inside an event',
      (subscription) => subscription.cut(event([1], 1)),
      { message: 'Truncated event message received.' },
    ],
    ['a wrong checksum', (subscription) => void subscription.sendBytes(brokenChecksum()), { message: expect.stringContaining('checksum') }],
    ['invalid JSON', (subscription) => void subscription.sendBytes(frame(headers, '{"Records":[')), { name: 'InvalidAnswer' }],
    [
      'an event without anything',
      (subscription) => void subscription.send({}),
      { name: 'InvalidAnswer', message: expect.stringContaining('no records') },
    ],
    [
      'an end without children',
      (subscription) => void subscription.send(event([1], null)),
      { name: 'InvalidAnswer', message: expect.stringContaining('neither') },
    ],
    [
      'children beside a continuation sequence number',
      (subscription) => void subscription.send(event([1], 1, children)),
      { name: 'InvalidAnswer', message: expect.stringContaining('both') },
    ],
    [
      'a child without parents',
      (subscription) => void subscription.send(event([1], null, { ChildShards: [{ ShardId: 'child' }] })),
      { name: 'InvalidAnswer', message: expect.stringContaining('parents') },
    ],
    [
      'a record without data',
      (subscription) => void subscription.send(event([], 1, { Records: [{ SequenceNumber: '1', PartitionKey: 'k' }] })),
      { name: 'InvalidAnswer', message: expect.stringContaining('record 1') },
    ],
    ['an error of the service', (subscription) => subscription.fail('InternalFailureException'), { name: 'InternalFailureException' }],
    ['a key that is refused', (subscription) => subscription.fail('KMSDisabledException'), { name: 'KMSDisabledException' }],
    ['an exception that nobody knows', (subscription) => subscription.fail('NobodyKnowsException'), { name: 'NobodyKnowsException' }],
  ])('by %s rejects once, is over, and keeps no batch', async (_, fail, error) => {
    const { subscription, read, batches } = await opened()
    const reading = read()
    fail(subscription)
    await expect(reading).rejects.toMatchObject(error)
    expect(batches.size).toBe(0)
    expect(await read()).toEqual({ type: 'shardNotOpen' })
    await subscription.gone
  })

  test.each(['ResourceInUseException', 'KMSThrottlingException', 'LimitExceededException'])(
    'by %s in its stream is throttled, and over',
    async (name) => {
      const { subscription, read } = await opened()
      subscription.fail(name)
      expect(await read()).toEqual({ type: 'throttled' })
      expect(await read()).toEqual({ type: 'shardNotOpen' })
      await subscription.gone
    },
  )

  test('is throttled when another one takes its place', async () => {
    const { server, subscription, pass, read } = await opened()
    const client = http2Client(server.endpoint)
    const other = fanOutRecordSource({
      client,
      stream: { name: 'orders' },
      consumerArn: subscription.consumerArn,
      batches: createBatchStore(),
    })
    pass(5_000)
    const position = { type: 'TRIM_HORIZON' } as const
    expect(await other.openShard({ type: 'openShard', id: 1, shardId, position }, neverAborted)).toMatchObject({ type: 'shardOpened' })
    expect(await read()).toEqual({ type: 'throttled' })
    expect(await read()).toEqual({ type: 'shardNotOpen' })
    client.destroy()
  })

  test('is given up when no event comes, with its connection', async () => {
    const { subscription, read } = await opened({ callTimeoutMs: 1_000 })
    await expect(read()).rejects.toMatchObject({ name: 'TimeoutError', message: expect.stringContaining('within 1000 ms') })
    expect(await read()).toEqual({ type: 'shardNotOpen' })
    await subscription.gone
  })

  test('leaves out events of a kind that nobody knows', async () => {
    const { subscription, read, batches } = await opened()
    await subscription.sendBytes(frame({ ':message-type': 'event', ':event-type': 'SomethingNewEvent' }, {}))
    await subscription.send(event([1], 1))
    expect(numbersOf(await read(), batches)).toEqual([1])
  })

  test('counts its throttles with those of opening, until a read succeeds', async () => {
    const heard: number[] = []
    const { server, subscription, pass, read, open } = await opened({ onThrottle: ({ consecutive }) => heard.push(consecutive) })
    await subscription.sendBytes(exceptionFrame('ResourceInUseException', 'taken'))
    await read()
    await open()
    pass(5_000)
    await open()
    const again = await server.subscription(2)
    await again.send(event([1], 1))
    again.fail('ResourceInUseException')
    await read()
    await read()
    expect(heard).toEqual([1, 2, 1])
  })
})
