import { deaggregate } from '@shardwise/kinesis'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { randomRuns } from '../randomRuns.ts'
import { aRecord, explicitHashKey, field, framed, number, partitionKey, userRecord, varint } from './kplMessages.ts'

const half = { startingHashKey: '0', endingHashKey: '170141183460469231731687303715884105727' }

/** Pieces of messages, most of them wrong in some way. */
const piece = fc.oneof(
  fc.uint8Array({ maxLength: 30 }).map((bytes) => [...bytes]),
  fc.string({ maxLength: 5 }).map(partitionKey),
  fc.oneof(fc.string({ maxLength: 5 }), fc.bigInt({ min: 0n, max: 2n ** 130n }).map(String)).map(explicitHashKey),
  fc
    .tuple(fc.bigInt({ min: 0n, max: 3n }), fc.string({ maxLength: 5 }), fc.option(fc.bigInt({ min: 0n, max: 3n }), { nil: undefined }))
    .map(([key, data, explicit]) => userRecord(key, data, explicit)),
  fc.tuple(fc.nat(20), fc.bigInt({ min: 0n, max: 2n ** 70n })).map(([fieldNumber, value]) => number(fieldNumber, value)),
  fc.tuple(fc.nat(20), fc.uint8Array({ maxLength: 10 })).map(([fieldNumber, bytes]) => field(fieldNumber, [...bytes])),
  fc.nat(2 ** 31).map(varint),
)

describe('any bytes at all', () => {
  test('are passed on as they are, or taken apart into parts of themselves, or reported: never an error', () => {
    const data = fc.oneof(
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
      { weight: 5, arbitrary: fc.array(piece, { maxLength: 12 }).map((pieces) => framed(...pieces)) },
    )
    fc.assert(
      fc.property(data, fc.boolean(), (bytes, filtered) => {
        let dropped = 0
        const given = aRecord(bytes)
        const records = deaggregate([given], { hashKeyRange: filtered ? half : null, onDropped: () => (dropped += 1) })
        if (records[0] === given) return records.length === 1 && dropped === 0
        const size = records.reduce((sum, record) => sum + record.data.length, 0)
        const inOrder = records.every((record, index) => record.subSequenceNumber === index && record.sequenceNumber === '42')
        return inOrder && size <= bytes.length && (dropped === 1 || records.length > 0)
      }),
      { numRuns: randomRuns(2_000) },
    )
  })

  test('do not depend on where in a buffer they stand', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.nat(9), (pieces, offset) => {
        const bytes = framed(...pieces)
        const moved = new Uint8Array(bytes.length + 20)
        moved.set(bytes, offset)
        const inside = moved.subarray(offset, offset + bytes.length)
        expect(deaggregate([aRecord(inside)]).map(plain)).toEqual(deaggregate([aRecord(bytes)]).map(plain))
      }),
      { numRuns: 300 },
    )
  })
})

const mebibyte = 1_048_576

describe('a mebibyte', () => {
  test.each<[string, readonly number[], number]>([
    ['of records of no length', [0x1a, 0], 1],
    ['of empty keys', [0x0a, 0], 0],
    ['of groups in groups', varint((9 << 3) | 3), 1],
    ['of one varint', [0x80], 1],
    ['of unknown empty fields', field(9, ''), 0],
  ])('%s is read once from one end to the other', (_, repeated, delivered) => {
    const data = framed(Buffer.alloc(mebibyte, Buffer.from(repeated)))
    expect(deaggregate([aRecord(data)])).toHaveLength(delivered)
  })

  test('of the shortest records, all with one long key, gives a record for each', () => {
    const key = 'k'.repeat(mebibyte / 2)
    const count = Math.floor(mebibyte / 2 / 6)
    const data = framed(partitionKey(key), Buffer.alloc(count * 6, Buffer.from(userRecord(0, ''))))
    // With a range. Were the key hashed for each record, this would take minutes.
    const records = deaggregate([aRecord(data)], { hashKeyRange: { ...half, endingHashKey: '340282366920938463463374607431768211454' } })
    expect(records).toHaveLength(count)
    expect(records.at(-1)?.subSequenceNumber).toBe(count - 1)
  })

  test('of digits is no number that anybody waits for', () => {
    const data = framed(partitionKey('a'), explicitHashKey('9'.repeat(mebibyte)), userRecord(0, 'one', 0))
    expect(deaggregate([aRecord(data)])).toEqual([])
  })
})

function plain({ subSequenceNumber, partitionKey: key, explicitHashKey: explicit, data }: ReturnType<typeof deaggregate>[number]): unknown {
  return [subSequenceNumber, key, explicit, Buffer.from(data).toString('hex')]
}
