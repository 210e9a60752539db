import {
  AT_TIMESTAMP,
  compareSequenceNumbers,
  type ExtendedSequenceNumber,
  isSentinel,
  isShardEnd,
  LATEST,
  parseExtendedSequenceNumber,
  SHARD_END,
  shown,
  TRIM_HORIZON,
} from '@shardwise/effects'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const sentinels = [AT_TIMESTAMP, TRIM_HORIZON, LATEST, SHARD_END]
// Close together as often as far apart: neighbours are where an order goes wrong.
const value = fc.oneof(
  fc.bigInt({ min: 0n, max: 12n }),
  fc.bigInt({ min: 0n, max: 1n << 186n }),
  fc.bigInt({ min: 0n, max: 10n ** 129n - 1n }),
)
const digits = fc.tuple(value, fc.nat({ max: 3 })).map(([number, zeros]) => '0'.repeat(zeros) + number.toString())
const sub = fc.oneof(fc.nat({ max: 3 }), fc.maxSafeNat())
const place = fc.tuple(digits, sub).map(([sequenceNumber, subSequenceNumber]) => ({ sequenceNumber, subSequenceNumber }))
const any = fc.oneof(place, fc.constantFrom(...sentinels))
const sign = (a: ExtendedSequenceNumber, b: ExtendedSequenceNumber): number => Math.sign(compareSequenceNumbers(a, b))

describe('the order of sequence numbers', () => {
  it('is that of their values, then that of their sub-sequence numbers', () => {
    fc.assert(
      fc.property(place, place, (a, b) => {
        const byValue = BigInt(a.sequenceNumber) - BigInt(b.sequenceNumber)
        const expected = byValue === 0n ? BigInt(a.subSequenceNumber) - BigInt(b.subSequenceNumber) : byValue
        expect(sign(a, b)).toBe(expected < 0n ? -1 : expected > 0n ? 1 : 0)
      }),
    )
  })

  it('is total: reflexive, antisymmetric and transitive, sentinels included', () => {
    fc.assert(
      fc.property(any, any, any, (a, b, c) => {
        expect(sign(a, a)).toBe(0)
        expect(sign(a, b) + sign(b, a)).toBe(0)
        const [x, y, z] = [a, b, c].sort(compareSequenceNumbers) as [ExtendedSequenceNumber, ExtendedSequenceNumber, ExtendedSequenceNumber]
        expect(sign(x, y)).toBeLessThanOrEqual(0)
        expect(sign(y, z)).toBeLessThanOrEqual(0)
        expect(sign(x, z)).toBeLessThanOrEqual(0)
      }),
    )
  })

  it('puts AT_TIMESTAMP, TRIM_HORIZON and LATEST below every number and SHARD_END above', () => {
    fc.assert(
      fc.property(place, (number) => {
        const ascending = [AT_TIMESTAMP, TRIM_HORIZON, LATEST, number, SHARD_END]
        expect([...ascending].reverse().sort(compareSequenceNumbers)).toEqual(ascending)
      }),
    )
    const enormous = { sequenceNumber: '9'.repeat(500), subSequenceNumber: 0 }
    expect([sign(SHARD_END, enormous), sign(enormous, SHARD_END)]).toEqual([1, -1])
  })

  it('takes two equal sentinels for the same place whatever their sub-sequence numbers', () => {
    for (const sentinel of sentinels) expect(sign({ ...sentinel, subSequenceNumber: 5 }, sentinel)).toBe(0)
  })
})

describe('reading a sequence number', () => {
  it('gives equal JSON for equal places', () => {
    fc.assert(
      fc.property(place, fc.nat({ max: 5 }), ({ sequenceNumber, subSequenceNumber }, zeros) => {
        const read = parseExtendedSequenceNumber(sequenceNumber, subSequenceNumber)
        expect(read).toEqual({ sequenceNumber: BigInt(sequenceNumber).toString(), subSequenceNumber })
        expect(parseExtendedSequenceNumber('0'.repeat(zeros) + sequenceNumber, subSequenceNumber)).toEqual(read)
        expect(parseExtendedSequenceNumber(read.sequenceNumber, read.subSequenceNumber)).toEqual(read)
      }),
    )
  })

  it('gives sentinels the sub-sequence number 0, and 0 to a number without one', () => {
    for (const sentinel of sentinels) expect(parseExtendedSequenceNumber(sentinel.sequenceNumber, 7)).toEqual(sentinel)
    expect(parseExtendedSequenceNumber('000')).toEqual({ sequenceNumber: '0', subSequenceNumber: 0 })
  })

  it.each(['', '-1', '+1', '1.0', '1e3', '0x10', ' 1', '1\n', 'bogus', 'latest', 'SHARD_END ', '__proto__', '٣'])(
    'refuses the text %j',
    (text) => {
      expect(() => parseExtendedSequenceNumber(text)).toThrow(`got ${JSON.stringify(text)}`)
      expect(isSentinel(text)).toBe(false)
    },
  )

  it('takes as many digits as Kinesis may give, and no more', () => {
    expect(parseExtendedSequenceNumber('9'.repeat(129)).sequenceNumber).toHaveLength(129)
    expect(parseExtendedSequenceNumber(`000${'9'.repeat(129)}`).sequenceNumber).toHaveLength(129)
    expect(() => parseExtendedSequenceNumber('9'.repeat(130))).toThrow('129 at most')
  })

  it.each([[null], [undefined], [5], [5n], [['LATEST']], [{}]])('refuses %s, which is no text', (given) => {
    expect(() => parseExtendedSequenceNumber(given as never)).toThrow(/^sequenceNumber: expected decimal digits/)
  })

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, null, '1'])('refuses the sub-sequence number %s', (given) => {
    expect(() => parseExtendedSequenceNumber('1', given as never)).toThrow(
      `subSequenceNumber: expected a whole number from 0, got ${shown(given)}`,
    )
  })
})

it('knows the end of a shard by its name alone', () => {
  expect(isShardEnd({ sequenceNumber: 'SHARD_END', subSequenceNumber: 3 })).toBe(true)
  expect([LATEST, TRIM_HORIZON, AT_TIMESTAMP, { sequenceNumber: '1', subSequenceNumber: 0 }].some(isShardEnd)).toBe(false)
})
