import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import { compareSequenceNumbers, parseExtendedSequenceNumber } from '@shardwise/effects'
import { start } from '@shardwise/machine'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isForeign, parseLeaseItem } from '../../src/adapters/dynamodb/leaseItem.ts'
import { hostileText, unfitForALog } from './hostile.ts'

type Item = Record<string, AttributeValue>

const lease: Item = {
  leaseKey: { S: 'shardId-000000000007' },
  leaseOwner: { S: 'alice' },
  leaseCounter: { N: '12' },
  checkpoint: { S: '49590338271490256608559692540925702759324208523137515618' },
  checkpointSubSequenceNumber: { N: '3' },
  pendingCheckpoint: { S: 'LATEST' },
  pendingCheckpointSubSequenceNumber: { N: '0' },
  ownerSwitchesSinceCheckpoint: { N: '1' },
  parentShardId: { SS: ['shardId-000000000001', 'shardId-000000000002'] },
  childShardIds: { SS: ['shardId-000000000008'] },
  startingHashKey: { S: '0' },
  endingHashKey: { S: '340282366920938463463374607431768211455' },
  checkpointOwner: { S: 'bob' },
  entityType: { S: 'LEASE' },
}

const text = fc.oneof(
  hostileText(300),
  fc.constantFrom('', '0', '-1', '1e3', '0x10', ' 7 ', '٣', 'LATEST', '__proto__', 'shardId-000000000000', '\u001b[2J\n', '\u009b31m'),
  fc.bigInt({ min: -(2n ** 500n), max: 2n ** 500n }).map(String),
)
/** What DynamoDB keeps in an attribute. */
const attribute: fc.Arbitrary<AttributeValue> = fc.oneof(
  text.map((S) => ({ S })),
  fc
    .oneof(fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n }).map(String), fc.constantFrom('0.5', '1E+30', '-0', '1E-100'))
    .map((N) => ({ N })),
  fc.array(text, { minLength: 1, maxLength: 4 }).map((SS) => ({ SS })),
  fc.boolean().map((BOOL) => ({ BOOL })),
  fc.constant({ NULL: true as const }),
  fc.uint8Array({ maxLength: 20 }).map((B) => ({ B })),
  fc.array(text, { maxLength: 3 }).map((texts) => ({ L: texts.map((S) => ({ S })) })),
  text.map((S) => ({ M: { [S]: { S } } })),
)
/** A lease with some attributes replaced, removed or added. */
const item: fc.Arbitrary<Item> = fc
  .tuple(
    fc.array(fc.tuple(fc.constantFrom(...Object.keys(lease)), fc.option(attribute, { nil: undefined })), { maxLength: 3 }),
    fc.array(fc.tuple(text, attribute), { maxLength: 2 }),
  )
  .map(([replaced, added]) => {
    const entries = [...Object.entries(lease), ...added, ...replaced].filter(([, value]) => value !== undefined)
    const removed = new Set(replaced.filter(([, value]) => value === undefined).map(([name]) => name))
    return Object.fromEntries(entries.filter(([name]) => !removed.has(name))) as Item
  })

describe('the reader of lease rows', () => {
  it('makes a lease of any item, on which a consumer can be started, or one error that is fit for a log', () => {
    const seen = { read: 0, refused: 0, foreign: 0 }
    fc.assert(
      fc.property(item, (row) => {
        if (isForeign(row)) {
          seen.foreign += 1
          return
        }
        let read: ReturnType<typeof parseLeaseItem>
        try {
          read = parseLeaseItem(row)
        } catch (error) {
          seen.refused += 1
          expect((error as Error).message).toMatch(/^(lease "|not a lease table: )/)
          expect(unfitForALog((error as Error).message)).toBeUndefined()
          return
        }
        seen.read += 1
        const { leaseKey, leaseCounter, parentShardIds, checkpoint, pendingCheckpoint } = read
        // Neither throws, nor takes long: every number is of a bounded length.
        const [snapshot] = start({ shardId: leaseKey, leaseKey, token: leaseCounter, parentShardIds })
        expect(snapshot.status).toBe('active')
        for (const place of [checkpoint, pendingCheckpoint ?? checkpoint]) {
          expect(parseExtendedSequenceNumber(place.sequenceNumber, place.subSequenceNumber)).toEqual(place)
          expect(compareSequenceNumbers(place, place)).toBe(0)
        }
        expect(JSON.parse(JSON.stringify(read))).toEqual(read)
      }),
      { numRuns: 600 },
    )
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(10)
  })

  it('looks at each character of the longest texts once, and tells of the beginning alone', () => {
    const longest = 400_000
    const rows: readonly Item[] = ['checkpoint', 'pendingCheckpoint', 'startingHashKey', 'leaseKey'].flatMap((name) =>
      ['0', '9', ' '].map((digit) => ({ ...lease, [name]: { S: `${digit.repeat(longest)}x` } })),
    )
    const wide = { ...lease, parentShardId: { SS: Array.from({ length: 40_000 }, (_, n) => `no shard ${n}`) } }
    // Often enough that a look at each character for each other would not end in time.
    for (let round = 0; round < 5; round += 1) {
      for (const row of [...rows, wide]) {
        const message = messageOf(row)
        expect(message).toMatch(/^lease ".*: expected .*, got \{"\w+":.*…$/)
        expect(unfitForALog(message)).toBeUndefined()
      }
    }
  })

  it('tells of the attributes of what is no lease, however they are named', () => {
    const names = ['colour', '\u001b[2J\nforged line', ...Array.from({ length: 1_000 }, (_, n) => `attribute-${n}`)]
    const message = messageOf(Object.fromEntries(names.map((name) => [name, { S: '' }])))

    expect(message).toMatch(
      /^not a lease table: expected items with the key leaseKey \(S\), got one with \["\\u001b\[2J\\nforged line",.*…$/,
    )
    expect(unfitForALog(message)).toBeUndefined()
  })
})

function messageOf(row: Item): string {
  try {
    parseLeaseItem(row)
  } catch (error) {
    return (error as Error).message
  }
  return 'it was read'
}
