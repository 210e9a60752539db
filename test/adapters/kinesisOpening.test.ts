import { afterEach, describe, expect, test } from 'vitest'
import { gate, page, shardId, wireFixture } from './kinesisWire.ts'

let fixture: Awaited<ReturnType<typeof wireFixture>> | undefined
const start = async (options: Parameters<typeof wireFixture>[0] = {}) => {
  fixture = await wireFixture(options)
  return fixture
}
afterEach(async () => {
  await fixture?.stop()
  fixture = undefined
})

describe('opening a shard', () => {
  test.each([
    [{ type: 'TRIM_HORIZON' }, { ShardIteratorType: 'TRIM_HORIZON' }],
    [{ type: 'LATEST' }, { ShardIteratorType: 'LATEST' }],
    [
      { type: 'AT_TIMESTAMP', timestampMs: 1_700_000_000_123 },
      { ShardIteratorType: 'AT_TIMESTAMP', Timestamp: 1_700_000_000.123 },
    ],
    [
      { type: 'AT_SEQUENCE_NUMBER', sequenceNumber: '7' },
      { ShardIteratorType: 'AT_SEQUENCE_NUMBER', StartingSequenceNumber: '7' },
    ],
    [
      { type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: '7' },
      { ShardIteratorType: 'AFTER_SEQUENCE_NUMBER', StartingSequenceNumber: '7' },
    ],
  ] as const)('asks once, at %j', async (position, asked) => {
    const { wire, open } = await start()
    await open(position)
    expect(wire.requests('GetShardIterator').map(({ input }) => input)).toEqual([{ StreamName: 'orders', ShardId: shardId, ...asked }])
  })

  test('answers with the time before the call, where LATEST was', async () => {
    let nowMs = 1_000
    const { wire, open } = await start({ now: () => nowMs })
    const held = gate<{ json: object }>()
    wire.script('GetShardIterator', held.promise)
    const opened = open({ type: 'LATEST' })
    await wire.arrival('GetShardIterator', 1)
    nowMs = 9_000
    held.open({ json: { ShardIterator: 'i' } })
    expect(await opened).toEqual({ type: 'shardOpened', openedAtMs: 1_000 })
  })

  test.each([
    ['ResourceNotFoundException', 'shardNotFound'],
    ['LimitExceededException', 'throttled'],
    ['ProvisionedThroughputExceededException', 'throttled'],
    ['KMSThrottlingException', 'throttled'],
  ])('answers %s with %s, and the shard is not open', async (error, type) => {
    const { wire, open, read } = await start()
    wire.script('GetShardIterator', { error })
    expect(await open()).toEqual({ type })
    expect(await read()).toEqual({ type: 'shardNotOpen' })
  })

  test('rejects with the name of an error it does not expect', async () => {
    const { wire, open } = await start()
    wire.script('GetShardIterator', { error: 'InvalidArgumentException', message: 'no such record' })
    await expect(open()).rejects.toMatchObject({ name: 'InvalidArgumentException', message: 'no such record' })
  })

  test('does not take an answer without an iterator for the end of the shard', async () => {
    const { wire, open } = await start()
    wire.script('GetShardIterator', { json: {} })
    await expect(open()).rejects.toMatchObject({ name: 'InvalidAnswer', message: expect.stringContaining(shardId) })
  })

  test('gives a call up that is never answered', async () => {
    const { wire, open, list } = await start({ callTimeoutMs: 20 })
    wire.script('GetShardIterator', 'hang')
    wire.script('ListShards', 'hang')
    await expect(open()).rejects.toMatchObject({
      name: 'TimeoutError',
      message: `GetShardIterator of shard ${shardId}: no answer within 20 ms`,
    })
    await expect(list('ALL')).rejects.toMatchObject({ name: 'TimeoutError' })
  })

  test('leaves the shard closed when it is cancelled, or when the shard is closed meanwhile', async () => {
    const { wire, open, close, read } = await start()
    wire.script('GetShardIterator', 'hang', 'hang')
    const cancelled = new AbortController()
    const first = open({ type: 'LATEST' }, cancelled.signal)
    const asked = await wire.arrival('GetShardIterator', 1)
    cancelled.abort()
    await expect(first).rejects.toMatchObject({ name: 'AbortError' })
    await asked.gone
    const second = open()
    await wire.arrival('GetShardIterator', 2)
    await Promise.all([expect(second).rejects.toMatchObject({ name: 'AbortError' }), close()])
    expect(await read()).toEqual({ type: 'shardNotOpen' })
  })

  test('addresses every call by ARN when the stream was given by ARN', async () => {
    const arn = 'arn:aws:kinesis:eu-west-1:123456789012:stream/orders'
    const { wire, open, read, list } = await start({ stream: { arn } })
    await open()
    wire.script('GetRecords', page([], 'i2'))
    await read()
    await list('ALL')
    for (const operation of ['GetShardIterator', 'GetRecords', 'ListShards']) {
      expect(wire.requests(operation).map(({ input }) => [input['StreamARN'], input['StreamName']])).toEqual([[arn, undefined]])
    }
  })
})
