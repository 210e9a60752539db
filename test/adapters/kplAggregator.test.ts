import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import type { KinesisRecord } from '@shardwise/effects'
import { type AggregatorOptions, createAggregator, deaggregate, type OutgoingRecord, type UserRecord } from '@shardwise/kinesis'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { aRecord, framed, partitionKey, textOf, userRecord } from './kplMessages.ts'

const theirs = createRequire(import.meta.url)('aws-kinesis-agg') as {
  deaggregateSync(record: object, verify: boolean, after: (error: unknown, records: readonly Record<string, unknown>[]) => void): void
}
const whole = { startingHashKey: '0', endingHashKey: '340282366920938463463374607431768211455' }
const lower = { startingHashKey: '0', endingHashKey: '170141183460469231731687303715884105727' }
const upper = { startingHashKey: '170141183460469231731687303715884105728', endingHashKey: whole.endingHashKey }

function aggregated(records: readonly UserRecord[], options?: AggregatorOptions): readonly OutgoingRecord[] {
  const aggregator = createAggregator(options)
  return [...records.flatMap((record) => aggregator.add(record)), ...aggregator.flush()]
}
const consumed = (outgoing: readonly OutgoingRecord[]): KinesisRecord[] =>
  outgoing.flatMap(({ partitionKey: key, data }) => deaggregate([{ ...aRecord(data), partitionKey: key }]))
const record = (key: string, data: string, explicit?: string): UserRecord => ({
  partitionKey: key,
  data: Buffer.from(data),
  ...(explicit === undefined ? {} : { explicitHashKey: explicit }),
})
const seen = ({ partitionKey: key, explicitHashKey, data }: UserRecord | KinesisRecord): unknown => [
  key,
  explicitHashKey,
  Buffer.from(data).toString('hex'),
]

describe('an aggregate', () => {
  test('is written as the KPL writes it, byte for byte', () => {
    const [made] = aggregated([record('a', 'one'), record('b', 'two'), record('a', '3')])
    expect(Buffer.from(made?.data ?? [])).toEqual(
      Buffer.from(framed(partitionKey('a'), partitionKey('b'), userRecord(0, 'one'), userRecord(1, 'two'), userRecord(0, '3'))),
    )
  })

  test('keeps keys that look like integers, and names of the language, in their order', () => {
    const keys = ['10', '9', '2', '__proto__', 'constructor', '-1', '0', 'a', 'a']
    const out = consumed(aggregated(keys.map((key, index) => record(key, String(index), index % 2 === 0 ? String(20 - index) : undefined))))
    expect(out.map((one) => [one.partitionKey, textOf(one), one.explicitHashKey])).toEqual(
      keys.map((key, index) => [key, String(index), index % 2 === 0 ? String(20 - index) : undefined]),
    )
  })

  test('goes where its first record goes', () => {
    expect(aggregated([record('a', '1', '7'), record('b', '2')])).toMatchObject([{ partitionKey: 'a', explicitHashKey: '7' }])
    const [second] = aggregated([record('a', '1'), record('b', '2', '7')])
    expect([second?.partitionKey, second !== undefined && 'explicitHashKey' in second]).toEqual(['a', false])
  })

  test('is understood by another reader', () => {
    const records = Array.from({ length: 300 }, (_, index) => record(`key ${index % 150}`, `data ${index}`))
    const [made] = aggregated(records)
    let read: readonly Record<string, unknown>[] = []
    const event = { partitionKey: 'outer', sequenceNumber: '1', data: Buffer.from(made?.data ?? []).toString('base64') }
    theirs.deaggregateSync(event, true, (error, all) => {
      if (error) throw error as Error
      read = all
    })
    expect(read.map(({ partitionKey: key, data }) => [key, data])).toEqual(
      records.map(({ partitionKey: key, data }) => [key, Buffer.from(data).toString('base64')]),
    )
  })

  test('names the records that are in it, for those who have to put them again', () => {
    const records = [record('a', '1'), record('b', '2')]
    expect(aggregated(records)[0]?.userRecords).toEqual(records)
  })
})

describe('a record alone', () => {
  test('goes out as it is', () => {
    expect(aggregated([record('a', 'one', '5')])).toEqual([
      { partitionKey: 'a', explicitHashKey: '5', data: Buffer.from('one'), userRecords: [record('a', 'one', '5')] },
    ])
  })

  test('goes out in an aggregate when it would be taken for one', () => {
    const data = framed(partitionKey('x'), userRecord(0, 'inner'))
    const out = consumed(aggregated([{ partitionKey: 'a', data }]))
    expect(out.map(seen)).toEqual([seen({ partitionKey: 'a', data })])
  })

  test('that is too large goes out as it is, after what came before it', () => {
    const large = record('c', 'x'.repeat(100))
    const out = aggregated([record('a', '1'), record('b', '2'), large, record('d', '4')], { maxBytes: 100 })
    expect(out.map(({ userRecords }) => userRecords.map(({ partitionKey: key }) => key))).toEqual([['a', 'b'], ['c'], ['d']])
    expect(out[1]?.data).toBe(large.data)
  })
})

describe('the size of an aggregate', () => {
  const bytesOf = ({ partitionKey: key, data }: OutgoingRecord): number => Buffer.byteLength(key) + data.length

  test('is 51,200 bytes at most, as in the KPL, and not much less', () => {
    const out = aggregated(Array.from({ length: 2_000 }, (_, index) => record(`key ${index}`, 'x'.repeat(100))))
    const full = out.slice(0, -1).map(bytesOf)
    expect(full.length).toBeGreaterThan(3)
    expect(Math.max(...full)).toBeLessThanOrEqual(51_200)
    expect(Math.min(...full)).toBeGreaterThan(51_000)
  })

  test('is exact: a record fits into as many bytes as it takes, and not into one less', () => {
    for (const dataBytes of [0, 1, 90, 127, 128, 16_383, 16_384, 200_000]) {
      for (const key of ['k', 'ключ', 'k'.repeat(200)]) {
        const records = [record(key, 'x'.repeat(dataBytes)), record('other', 'y', '12345')]
        const [together] = aggregated(records, { maxBytes: 1_048_576 })
        const bytes = Math.max(64, together === undefined ? 0 : bytesOf(together))
        expect(aggregated(records, { maxBytes: bytes })).toHaveLength(1)
        if (bytes > 64) expect(aggregated(records, { maxBytes: bytes - 1 })).toHaveLength(2)
      }
    }
  })
})

describe('records of several shards', () => {
  test('are never in one aggregate, and none of them is dropped by the shard it goes to', () => {
    const records = Array.from({ length: 100 }, (_, index) =>
      record(`key ${index}`, String(index), index % 3 === 0 ? String(index) : undefined),
    )
    const out = aggregated(records, { hashKeyRanges: [upper, lower] })
    expect(out).toHaveLength(2)
    const delivered = out.flatMap(({ partitionKey: key, explicitHashKey, data }) => {
      const hashKey = explicitHashKey === undefined ? BigInt(`0x${createHash('md5').update(key).digest('hex')}`) : BigInt(explicitHashKey)
      return deaggregate([aRecord(data)], { hashKeyRange: hashKey <= BigInt(lower.endingHashKey) ? lower : upper })
    })
    expect(delivered.map(textOf).toSorted()).toEqual(records.map(textOf).toSorted())
  })

  test('must belong to one of the shards', () => {
    expect(() => createAggregator({ hashKeyRanges: [lower] }).add(record('a', '1', upper.startingHashKey))).toThrow(
      'hashKeyRanges: expected one that holds the hash key of "a"',
    )
  })
})

test('whatever goes in comes out once, in order, whatever the size', () => {
  const userRecords = fc.array(
    fc.record(
      {
        partitionKey: fc.oneof(fc.string({ minLength: 1, maxLength: 20, unit: 'binary' }), fc.constantFrom('1', '2', '__proto__')),
        data: fc.uint8Array({ maxLength: 150 }),
        explicitHashKey: fc.oneof(fc.constant('0'), fc.bigInt({ min: 0n, max: 2n ** 128n - 1n }).map(String)),
      },
      { requiredKeys: ['partitionKey', 'data'] },
    ),
    { maxLength: 40 },
  )
  fc.assert(
    fc.property(userRecords, fc.integer({ min: 64, max: 2_000 }), (records, maxBytes) => {
      const out = aggregated(records, { maxBytes })
      expect(out.flatMap((one) => one.userRecords)).toEqual(records)
      for (const one of out) {
        const read = consumed([one])
        expect(read.map(({ data }) => Buffer.from(data))).toEqual(one.userRecords.map(({ data }) => Buffer.from(data)))
        expect(read.map((user) => user.partitionKey)).toEqual(one.userRecords.map((user) => Buffer.from(user.partitionKey).toString()))
        if (read[0]?.aggregated === true) {
          expect(read.map(({ explicitHashKey }) => explicitHashKey)).toEqual(one.userRecords.map(({ explicitHashKey }) => explicitHashKey))
        }
        if (one.userRecords.length > 1) expect(Buffer.byteLength(one.partitionKey) + one.data.length).toBeLessThanOrEqual(maxBytes)
      }
    }),
    { numRuns: 200 },
  )
})

describe('an aggregator refuses', () => {
  test.each([
    [{ maxByte: 5 }, 'maxByte: unknown option; expected one of maxBytes, hashKeyRanges'],
    [{ maxBytes: 63 }, 'maxBytes: expected a whole number from 64 to 1048576, got 63'],
    [{ maxBytes: 1_048_577 }, 'maxBytes: expected a whole number from 64 to 1048576, got 1048577'],
    [{ maxBytes: '100' }, 'maxBytes: expected a whole number from 64 to 1048576, got 100'],
    [{ hashKeyRanges: lower }, 'hashKeyRanges: expected a list of hash key ranges'],
    [
      { hashKeyRanges: [{ startingHashKey: '-1', endingHashKey: '5' }] },
      'startingHashKey: expected a decimal number from 0 to 2^128 - 1, got "-1"',
    ],
  ])('the options %j', (options, message) => {
    expect(() => createAggregator(options as never)).toThrow(message)
  })

  test.each([
    [{ partitionKey: '' }, 'partitionKey: expected 1 to 256 characters, got ""'],
    [{ partitionKey: 'k'.repeat(257) }, 'partitionKey: expected 1 to 256 characters'],
    [{ partitionKey: 5 }, 'partitionKey: expected 1 to 256 characters, got number'],
    [{ data: 'text' }, 'data: expected a Uint8Array, got "text"'],
    [{ explicitHashKey: '007' }, 'explicitHashKey: expected a decimal number from 0 to 2^128 - 1, got "007"'],
    [{ explicitHashKey: '' }, 'explicitHashKey: expected a decimal number from 0 to 2^128 - 1, got ""'],
    [{ explicitHashKey: '340282366920938463463374607431768211456' }, 'explicitHashKey: expected a decimal number'],
  ])('the record %j, and is as it was', (bad, message) => {
    const aggregator = createAggregator()
    aggregator.add(record('a', '1'))
    expect(() => aggregator.add({ ...record('b', '2'), ...bad } as UserRecord)).toThrow(message)
    expect(aggregator.flush().flatMap(({ userRecords }) => userRecords)).toEqual([record('a', '1')])
    expect(aggregator.flush()).toEqual([])
  })

  test('no key of 256 characters, however many units they take', () => {
    expect(() => createAggregator().add(record('\u{1F600}'.repeat(256), '1'))).not.toThrow()
    expect(() => createAggregator().add(record('\u{1F600}'.repeat(257), '1'))).toThrow('partitionKey')
  })
})
