import { createMemoryStream } from '@shardwise/memory'
import { describe, expect, test } from 'vitest'

const data = Uint8Array.of(1)
const maxHashKey = String((1n << 128n) - 1n)
const low = 'shardId-000000000000'
const high = 'shardId-000000000001'

describe('putting records into a stream in memory', () => {
  test('sends a partition key to the same shard every time', () => {
    const stream = createMemoryStream({ shardCount: 50 })
    const shardOf = (partitionKey: string) => stream.put({ partitionKey, data }).shardId
    for (const key of ['a', 'b', 'order 17', 'ä', '🦊']) expect(shardOf(key)).toBe(shardOf(key))
  })

  test.each([
    { keys: 'counted', keyOf: (index: number) => `key ${index}` },
    { keys: 'bare numbers', keyOf: String },
    { keys: 'of one character', keyOf: (index: number) => String.fromCharCode(0x4e00 + index) },
  ])('spreads partition keys that are $keys evenly over the shards', ({ keyOf }) => {
    const stream = createMemoryStream({ shardCount: 8 })
    const counts = new Map<string, number>()
    for (let index = 0; index < 8000; index += 1) {
      const { shardId } = stream.put({ partitionKey: keyOf(index), data })
      counts.set(shardId, (counts.get(shardId) ?? 0) + 1)
    }
    expect(counts.size).toBe(8)
    expect(Math.min(...counts.values())).toBeGreaterThan(850)
    expect(Math.max(...counts.values())).toBeLessThan(1150)
  })

  test('follows an explicit hash key to the last digit', () => {
    const stream = createMemoryStream({ shardCount: 2 })
    const shardOf = (explicitHashKey: string) => stream.put({ partitionKey: 'a', data, explicitHashKey }).shardId
    const middle = 1n << 127n
    expect([shardOf('0'), shardOf(String(middle - 1n)), shardOf(String(middle)), shardOf(maxHashKey)]).toEqual([low, low, high, high])
  })

  test('gives every record a number of 56 digits above all numbers before it, in whatever shard', () => {
    const stream = createMemoryStream({ shardCount: 2 })
    const numbers = [stream.put({ partitionKey: 'a', data, explicitHashKey: maxHashKey }).sequenceNumber]
    for (let index = 0; index < 50; index += 1) {
      if (index === 20) stream.split(low)
      numbers.push(stream.put({ partitionKey: `key ${index}`, data }).sequenceNumber)
    }
    expect(numbers.every((number) => /^[1-9][0-9]{55}$/.test(number))).toBe(true)
    expect(numbers.every((number, index) => index === 0 || BigInt(number) > BigInt(numbers[index - 1] ?? ''))).toBe(true)
  })

  test.each([
    [{ partitionKey: '', data }, 'partitionKey: expected a text that is not empty, got ""'],
    [{ partitionKey: 'a', data: 'text' }, 'data: expected a Uint8Array, got string'],
    [{ partitionKey: 'a', data, explicitHashKey: '-1' }, 'explicitHashKey: expected a decimal number from 0 to 2^128 - 1, got "-1"'],
    [
      { partitionKey: 'a', data, explicitHashKey: String(1n << 128n) },
      `explicitHashKey: expected a decimal number from 0 to 2^128 - 1, got "${1n << 128n}"`,
    ],
  ])('refuses a record that cannot be put: %o', (record, message) => {
    expect(() => createMemoryStream().put(record as never)).toThrow(message)
  })
})

describe('resharding a stream in memory', () => {
  test('gives both halves of a split their hash keys and their parent', () => {
    const stream = createMemoryStream()
    expect(stream.split(low, '10')).toEqual([high, 'shardId-000000000002'])
    expect(
      stream.listShards().map(({ shardId, closed, parentShardIds, hashKeyRange }) => ({ shardId, closed, parentShardIds, hashKeyRange })),
    ).toEqual([
      { shardId: low, closed: true, parentShardIds: [], hashKeyRange: { startingHashKey: '0', endingHashKey: maxHashKey } },
      { shardId: high, closed: false, parentShardIds: [low], hashKeyRange: { startingHashKey: '0', endingHashKey: '9' } },
      {
        shardId: 'shardId-000000000002',
        closed: false,
        parentShardIds: [low],
        hashKeyRange: { startingHashKey: '10', endingHashKey: maxHashKey },
      },
    ])
  })

  test('splits in the middle unless told where', () => {
    const stream = createMemoryStream()
    stream.split(low)
    expect(stream.listShards().map(({ hashKeyRange }) => hashKeyRange.startingHashKey)).toEqual(['0', '0', String(1n << 127n)])
  })

  test('gives a merged shard both parents and all their hash keys, in whichever order they are named', () => {
    for (const [first, second] of [
      [low, high],
      [high, low],
    ] as const) {
      const stream = createMemoryStream({ shardCount: 2 })
      const shardId = stream.merge(first, second)
      const shards = stream.listShards()
      expect(shards.at(-1)).toMatchObject({
        shardId,
        closed: false,
        parentShardIds: [first, second],
        hashKeyRange: { startingHashKey: '0', endingHashKey: maxHashKey },
      })
      expect(shards.map(({ closed }) => closed)).toEqual([true, true, false])
    }
  })

  test('covers the whole space of hash keys with any number of shards', () => {
    for (const shardCount of [1, 2, 3, 7, 100]) {
      const ranges = createMemoryStream({ shardCount })
        .listShards()
        .map(({ hashKeyRange }) => hashKeyRange)
      expect(ranges[0]?.startingHashKey).toBe('0')
      expect(ranges.at(-1)?.endingHashKey).toBe(maxHashKey)
      for (const [index, range] of ranges.slice(1).entries()) {
        expect(BigInt(range.startingHashKey)).toBe(BigInt(ranges[index]?.endingHashKey ?? '') + 1n)
      }
    }
  })

  test('refuses what Kinesis refuses, and changes nothing', () => {
    const stream = createMemoryStream({ shardCount: 3 })
    const before = stream.listShards()
    expect(() => stream.merge(low, 'shardId-000000000002')).toThrow(
      `adjacentShardId: expected a shard whose hash keys touch those of ${low}, got shardId-000000000002`,
    )
    expect(() => stream.merge(low, low)).toThrow('adjacentShardId: expected a shard whose hash keys touch')
    expect(() => stream.split(low, '0')).toThrow('atHashKey: expected a hash key above 0 and up to')
    expect(() => stream.split(low, maxHashKey)).toThrow('atHashKey: expected a hash key above 0 and up to')
    expect(() => stream.split('shardId-000000000099')).toThrow('shardId: expected a shard of the stream, got "shardId-000000000099"')
    expect(stream.listShards()).toEqual(before)
    stream.split(low)
    expect(() => stream.split(low)).toThrow(`shardId: expected an open shard, got ${low}, which is closed`)
    expect(() => stream.merge(low, high)).toThrow(`shardId: expected an open shard, got ${low}, which is closed`)
  })
})

describe('a stream in memory that ages', () => {
  test('loses a closed shard when nothing of it is left, and never an open one', () => {
    const stream = createMemoryStream()
    stream.put({ partitionKey: 'a', data })
    stream.trim(low)
    expect(stream.listShards()).toHaveLength(1)
    const { sequenceNumber } = stream.put({ partitionKey: 'b', data })
    stream.split(low)
    stream.trim(low, sequenceNumber)
    expect(stream.listShards()).toHaveLength(3)
    stream.trim(low)
    expect(stream.listShards().map(({ shardId, parentShardIds }) => ({ shardId, parentShardIds }))).toEqual([
      { shardId: high, parentShardIds: [low] },
      { shardId: 'shardId-000000000002', parentShardIds: [low] },
    ])
  })

  test('takes nothing any more once it is deleted', () => {
    const stream = createMemoryStream()
    stream.delete()
    expect(stream.listShards()).toEqual([])
    expect(() => stream.put({ partitionKey: 'a', data })).toThrow('stream: it was deleted')
    expect(() => stream.split(low)).toThrow('shardId: expected a shard of the stream')
  })
})

test.each([
  [{ shards: 2 }, 'shards: not an option of createMemoryStream, expected one of shardCount, now, iteratorLifeMs, maxRecordsPerRead'],
  [{ shardCount: 0 }, 'shardCount: expected a whole number from 1 to 10000, got 0'],
  [{ shardCount: 1.5 }, 'shardCount: expected a whole number from 1 to 10000, got 1.5'],
  [{ shardCount: '2' }, 'shardCount: expected a whole number from 1 to 10000, got "2"'],
  [{ now: 17 }, 'now: expected a function, got 17'],
  [{ iteratorLifeMs: -1 }, 'iteratorLifeMs: expected a whole number from 0 to 9007199254740991, got -1'],
  [{ maxRecordsPerRead: 0 }, 'maxRecordsPerRead: expected a whole number from 1 to 9007199254740991, got 0'],
])('a stream in memory refuses the options %o', (options, message) => {
  expect(() => createMemoryStream(options as never)).toThrow(message)
})
