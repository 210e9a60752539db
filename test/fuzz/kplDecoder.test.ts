import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type DroppedRecords, deaggregate } from '@shardwise/kinesis'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { aRecord } from '../adapters/kplMessages.ts'
import { bytesNear } from './hostile.ts'

const file = new URL('../adapters/kplVectors.json', import.meta.url)
const { cases } = JSON.parse(readFileSync(file, 'utf8')) as { readonly cases: readonly { readonly data: string }[] }
/** The messages of aggregates of the KPL, without magic number and digest. */
const messages = cases.map(({ data }) => Buffer.from(data, 'base64')).map((data) => data.subarray(4, -16))
const half = { startingHashKey: '0', endingHashKey: '170141183460469231731687303715884105727' }

/** With a digest that is right: anyone can make one. */
const aggregateOf = (message: Uint8Array): Uint8Array =>
  Buffer.concat([Buffer.from('f3899ac2', 'hex'), message, createHash('md5').update(message).digest()])

/** Whether bytes are a part of others, and not a copy. */
const isPartOf = (part: Uint8Array, whole: Uint8Array): boolean =>
  part.buffer === whole.buffer && part.byteOffset >= whole.byteOffset && part.byteOffset + part.length <= whole.byteOffset + whole.length

describe('the decoder of aggregates', () => {
  it('gives, for whatever is near to an aggregate, the record as it is or parts of it, and accounts for the rest', () => {
    let takenApart = 0
    fc.assert(
      fc.property(bytesNear(messages), fc.boolean(), (message, filtered) => {
        const given = aRecord(aggregateOf(message))
        const dropped: DroppedRecords[] = []
        const records = deaggregate([given], { hashKeyRange: filtered ? half : null, onDropped: (drop) => dropped.push(drop) })

        if (records[0] === given) {
          expect([records.length, dropped]).toEqual([1, []])
          return
        }
        takenApart += 1
        expect(dropped.length).toBeLessThanOrEqual(1)
        expect(dropped.every(({ delivered }) => delivered === records.length)).toBe(true)
        // A user record takes six bytes at least, and its payload is not copied.
        const [{ dropped: left } = { dropped: 0 }] = dropped
        expect((records.length + left) * 6).toBeLessThanOrEqual(message.length)
        expect(records.every(({ data }) => isPartOf(data, given.data))).toBe(true)
        expect(records.map(({ subSequenceNumber }) => subSequenceNumber)).toEqual(records.map((_, index) => index))
      }),
      { numRuns: 1_000 },
    )
    // Otherwise nothing was tried but the digest.
    expect(takenApart).toBeGreaterThan(100)
  })

  it('takes no record for an aggregate whose digest is not that of its message', () => {
    fc.assert(
      fc.property(bytesNear(messages), fc.uint8Array({ minLength: 16, maxLength: 16 }), (message, digest) => {
        const given = aRecord(Buffer.concat([Buffer.from('f3899ac2', 'hex'), message, digest]))
        expect(deaggregate([given])).toEqual([given])
      }),
      { numRuns: 200 },
    )
  })
})
