import { createThrottlingReporter, type Throttle } from '@shardwise/kinesis'
import { afterEach, describe, expect, test } from 'vitest'
import { onePageAhead, page, shardId, wireFixture } from './kinesisWire.ts'

let fixture: Awaited<ReturnType<typeof wireFixture>> | undefined
afterEach(async () => {
  await fixture?.stop()
  fixture = undefined
})

const throttle = { error: 'ProvisionedThroughputExceededException' }

describe('throttles of a shard', () => {
  test('are counted until a read succeeds', async () => {
    const heard: Throttle[] = []
    fixture = await wireFixture({ onThrottle: (one) => heard.push(one) })
    const { wire, open, read } = fixture
    wire.script('GetShardIterator', { error: 'LimitExceededException' }, { json: { ShardIterator: 'i1' } })
    wire.script('GetRecords', throttle, { error: 'InternalFailureException' }, throttle, page([], 'i2'), throttle)
    await open()
    await open()
    await read()
    await expect(read()).rejects.toThrow('InternalFailureException')
    await read()
    await read()
    await read()
    expect(heard.map(({ consecutive }) => consecutive)).toEqual([1, 2, 3, 1])
    expect(heard[0]).toEqual({ shardId, consecutive: 1, errorName: 'LimitExceededException' })
    expect(heard[1]?.errorName).toBe('ProvisionedThroughputExceededException')
  })

  test('are forgotten when the shard is closed', async () => {
    const heard: number[] = []
    fixture = await wireFixture({ onThrottle: ({ consecutive }) => heard.push(consecutive) })
    const { wire, open, read, close } = fixture
    wire.script('GetRecords', throttle, throttle)
    await open()
    await read()
    await close()
    await open()
    await read()
    expect(heard).toEqual([1, 1])
  })

  test('are counted once when they were met by reading ahead', async () => {
    const heard: number[] = []
    fixture = await wireFixture({ onThrottle: ({ consecutive }) => heard.push(consecutive) })
    const { wire, open, read } = fixture
    wire.script('GetRecords', page([1], 'i2'), throttle, throttle)
    await open()
    await read({ prefetch: onePageAhead })
    expect(await read({ prefetch: onePageAhead })).toEqual({ type: 'throttled' })
    expect(await read({ prefetch: onePageAhead })).toEqual({ type: 'throttled' })
    expect(heard).toEqual([1, 2])
  })
})

test('the throttling reporter warns five times in a row, and then says error', () => {
  const lines: string[] = []
  const report = createThrottlingReporter({
    warn: (message) => lines.push(`warn ${message}`),
    error: (message) => lines.push(`error ${message}`),
  })
  for (const consecutive of [1, 5, 6, 100, 1]) report({ shardId: 's', consecutive, errorName: 'E' })
  expect(lines.map((line) => line.split(' ')[0])).toEqual(['warn', 'warn', 'error', 'error', 'warn'])
  expect(lines[2]).toBe('error Shard s was throttled 6 time(s) in a row (E)')
})
