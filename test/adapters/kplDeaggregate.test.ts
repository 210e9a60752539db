import { createHash } from 'node:crypto'
import { type DroppedRecords, deaggregate } from '@shardwise/kinesis'
import { describe, expect, test } from 'vitest'
import { aRecord, explicitHashKey, field, framed, number, partitionKey, textOf, userRecord, varint } from './kplMessages.ts'

const lower = { startingHashKey: '0', endingHashKey: '170141183460469231731687303715884105727' }
const upper = { startingHashKey: '170141183460469231731687303715884105728', endingHashKey: '340282366920938463463374607431768211455' }
const whole = { startingHashKey: '0', endingHashKey: '340282366920938463463374607431768211455' }
const md5Of = (key: string): bigint => BigInt(`0x${createHash('md5').update(key).digest('hex')}`)

/** The texts that one record delivers, and what is said to be dropped. */
function outcome(data: Uint8Array, hashKeyRange?: typeof whole) {
  const dropped: DroppedRecords[] = []
  const records = deaggregate([aRecord(data)], { hashKeyRange, onDropped: (one) => dropped.push(one) })
  return { texts: records.map(textOf), dropped, records }
}
const raw = (data: Uint8Array): unknown => ({ texts: [Buffer.from(data).toString()], dropped: [], records: [aRecord(data)] })

describe('an aggregate', () => {
  test('is taken apart between the records around it, in the order of its list', () => {
    const data = framed(partitionKey('a'), partitionKey('b'), userRecord(1, 'one'), userRecord(0, 'two'), userRecord(1, ''))
    const [before, after] = [aRecord(Buffer.from('before'), '41'), aRecord(Buffer.from('after'), '43')]
    const all = deaggregate([before, aRecord(data), after])
    expect(all.map((record) => [record.sequenceNumber, record.subSequenceNumber, record.partitionKey, textOf(record)])).toEqual([
      ['41', 0, 'outer', 'before'],
      ['42', 0, 'b', 'one'],
      ['42', 1, 'a', 'two'],
      ['42', 2, 'b', ''],
      ['43', 0, 'outer', 'after'],
    ])
    expect(all[0]).toBe(before)
    expect(all.map(({ aggregated }) => aggregated ?? false)).toEqual([false, true, true, true, false])
    expect(all[1]?.approximateArrivalTimestamp).toEqual(new Date(1_000))
  })

  test('of one aggregate in another is taken apart once', () => {
    const inner = framed(partitionKey('a'), userRecord(0, 'deep'))
    const { records } = outcome(framed(partitionKey('b'), userRecord(0, [...inner])))
    expect(records.map(({ data }) => Buffer.from(data))).toEqual([inner])
  })

  test('gives views of the bytes it came in, and no copies', () => {
    const data = framed(partitionKey('a'), userRecord(0, 'one'))
    expect(deaggregate([aRecord(data)])[0]?.data.buffer).toBe(data.buffer)
  })

  test('may name its fields in any order, twice, and with tags', () => {
    const twice = field(3, [...field(3, 'first'), ...number(1, 7), ...field(4, field(1, 'tag')), ...number(1, 0), ...field(3, 'last')])
    expect(outcome(framed(twice, partitionKey('a'))).texts).toEqual(['last'])
  })

  test('keeps a byte order mark and reads a key of any length', () => {
    const long = 'ключ '.repeat(50)
    const { records } = outcome(framed(partitionKey('\ufeffa'), partitionKey(long), userRecord(0, '1'), userRecord(1, '2')))
    expect(records.map((record) => record.partitionKey)).toEqual(['\ufeffa', long])
  })

  test('takes the lower 32 bits of an index, as the KCL does', () => {
    expect(outcome(framed(partitionKey('a'), userRecord(2n ** 32n, 'one'))).texts).toEqual(['one'])
  })

  test('skips fields of every wire type that it does not know', () => {
    const group = [...varint((9 << 3) | 3), ...number(1, 5), ...varint((9 << 3) | 4)]
    const fixed = [...varint((10 << 3) | 1), 1, 2, 3, 4, 5, 6, 7, 8, ...varint((11 << 3) | 5), 1, 2, 3, 4]
    const wrongType = number(1, 3)
    expect(outcome(framed(partitionKey('a'), group, fixed, wrongType, userRecord(0, 'one'))).texts).toEqual(['one'])
  })
})

describe('what is no aggregate stays as it is', () => {
  const good = [...partitionKey('a'), ...userRecord(0, 'one')]
  const nested = (depth: number): number[] => [
    ...Array.from({ length: depth }, () => varint((9 << 3) | 3)).flat(),
    ...Array.from({ length: depth }, () => varint((9 << 3) | 4)).flat(),
  ]
  test.each<[string, Uint8Array]>([
    ['the magic number and a digest of nothing', framed()],
    ['the magic number alone', Buffer.from('f3899ac2', 'hex')],
    ['part of the magic number', Buffer.from('f389', 'hex')],
    ['a user record without a partition key', framed(good, field(3, field(3, 'one')))],
    ['a user record without data', framed(good, field(3, number(1, 0)))],
    ['an index of the wrong wire type', framed(good, field(3, [...field(1, [0]), ...field(3, 'one')]))],
    ['a tag without a key', framed(good, field(3, [...number(1, 0), ...field(3, 'one'), ...field(4, field(2, 'value'))]))],
    ['a field number 0', framed(good, [0, 0])],
    ['a wire type 6', framed(good, [(9 << 3) | 6])],
    ['the end of a group that was not opened', framed(good, varint((9 << 3) | 4))],
    ['a group that another one ends', framed(good, varint((9 << 3) | 3), varint((10 << 3) | 4))],
    ['a group that is not ended', framed(good, varint((9 << 3) | 3))],
    ['groups nested 101 deep', framed(good, nested(101))],
    [
      'a varint of eleven bytes',
      framed(
        good,
        varint(9 << 3),
        Array.from({ length: 10 }, () => 0x80),
        [0],
      ),
    ],
    ['a varint that does not end', framed(good, varint(9 << 3), [0x80])],
    ['a length beyond the message', framed(good, [0x0a, 5, 1])],
    ['a length of 4 GiB', framed(good, [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f])],
    ['a field that reaches out of its record', framed(partitionKey('a'), [0x1a, 4, 8, 0, 0x1a, 3, 1, 2, 3])],
    ['a fixed field that is cut', framed(good, varint((9 << 3) | 1), [1, 2, 3])],
  ])('%s', (_, data) => {
    expect(outcome(data)).toEqual(raw(data))
  })

  test('a record whose digest is off by one bit', () => {
    const data = Uint8Array.from(framed(good))
    data[data.length - 1] = (data.at(-1) ?? 0) ^ 1
    expect(outcome(data)).toEqual(raw(data))
  })

  test('but 100 groups deep is not too deep', () => {
    expect(outcome(framed(good, nested(100))).texts).toEqual(['one'])
  })
})

describe('an aggregate with a key that cannot be used', () => {
  const tables = [...partitionKey('a'), ...explicitHashKey('x'), ...explicitHashKey('7')]
  test.each<[string, number[]]>([
    ['a partition key that is not in the table', userRecord(1, 'bad')],
    ['a partition key at an index of 31 bits', userRecord(2 ** 31, 'bad')],
    ['an explicit hash key that is not in the table', userRecord(0, 'bad', 2)],
    ['an explicit hash key that is no number', userRecord(0, 'bad', 0)],
  ])('%s: delivers what comes before it, and says so', (_, bad) => {
    const { texts, dropped } = outcome(framed(tables, userRecord(0, 'one', 1), userRecord(0, 'two'), bad, userRecord(0, 'four')))
    expect(texts).toEqual(['one', 'two'])
    expect(dropped).toEqual([{ sequenceNumber: '42', reason: 'malformed', delivered: 2, dropped: 2 }])
  })

  test('no records at all: delivers nothing, and says so', () => {
    expect(outcome(framed(partitionKey('a')))).toEqual({
      texts: [],
      records: [],
      dropped: [{ sequenceNumber: '42', reason: 'empty', delivered: 0, dropped: 0 }],
    })
  })
})

describe('the hash keys of the shard', () => {
  const inLower = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].filter((key) => md5Of(key) <= BigInt(lower.endingHashKey))
  const inUpper = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].filter((key) => md5Of(key) > BigInt(lower.endingHashKey))
  const [low = '', low2 = ''] = inLower
  const [high = ''] = inUpper

  test('drop the whole aggregate when one record is outside them, wherever it stands, and nothing else', () => {
    const wrong = framed(partitionKey(low), partitionKey(high), userRecord(0, 'one'), userRecord(0, 'two'), userRecord(1, 'three'))
    const right = framed(partitionKey(low), partitionKey(low2), userRecord(0, 'four'), userRecord(1, 'five'))
    const dropped: DroppedRecords[] = []
    const all = deaggregate([aRecord(right, '1'), aRecord(wrong, '2'), aRecord(right, '3')], {
      hashKeyRange: lower,
      onDropped: (one) => dropped.push(one),
    })
    expect(all.map(({ sequenceNumber, subSequenceNumber }) => [sequenceNumber, subSequenceNumber])).toEqual([
      ['1', 0],
      ['1', 1],
      ['3', 0],
      ['3', 1],
    ])
    expect(dropped).toEqual([{ sequenceNumber: '2', reason: 'outsideHashKeyRange', delivered: 0, dropped: 3 }])
  })

  test('say nothing of records that are not aggregated', () => {
    const plain = aRecord(Buffer.from('plain'))
    expect(deaggregate([{ ...plain, partitionKey: high }], { hashKeyRange: lower })).toHaveLength(1)
  })

  test.each([
    [lower.endingHashKey, ['one'], []],
    [upper.startingHashKey, [], ['one']],
    ['0', ['one'], []],
    ['+5', ['one'], []],
    ['-0', ['one'], []],
    [`${'0'.repeat(100)}5`, ['one'], []],
    [whole.endingHashKey, [], ['one']],
  ])('are inclusive at both ends: %s', (key, texts, textsOfUpper) => {
    const data = framed(partitionKey('a'), explicitHashKey(key), userRecord(0, 'one', 0))
    expect(outcome(data, lower).texts).toEqual(texts)
    expect(outcome(data, upper).texts).toEqual(textsOfUpper)
  })

  test.each(['-1', '340282366920938463463374607431768211456', '9'.repeat(100_000)])('are never those of %s', (key) => {
    const data = framed(partitionKey('a'), explicitHashKey(key), userRecord(0, 'one', 0))
    for (const range of [undefined, whole]) {
      const { texts, dropped } = outcome(data, range)
      expect([texts, dropped[0]?.reason]).toEqual([[], 'outsideHashKeyRange'])
    }
  })

  test('go by the explicit hash key where there is one, and by the MD5 of the partition key where there is none', () => {
    const data = framed(partitionKey(high), partitionKey(low), explicitHashKey('5'), userRecord(0, 'one', 0), userRecord(1, 'two'))
    expect(outcome(data, lower).texts).toEqual(['one', 'two'])
    expect(outcome(data, upper).texts).toEqual([])
  })

  test('must be readable', () => {
    for (const bad of ['', '-1', '1e3', '0x1', '340282366920938463463374607431768211456']) {
      expect(() => deaggregate([], { hashKeyRange: { ...whole, startingHashKey: bad } })).toThrow(
        `startingHashKey: expected a decimal number from 0 to 2^128 - 1, got ${JSON.stringify(bad)}`,
      )
    }
  })
})

test('refuses options that do not exist, or are of the wrong kind', () => {
  expect(() => deaggregate([], { range: whole } as never)).toThrow('range: unknown option; expected one of hashKeyRange, onDropped')
  expect(() => deaggregate([], { onDropped: 5 } as never)).toThrow('onDropped: expected a function, got 5')
})
