import { higherReason, parseShutdownReason, rankOf, type ShutdownReason } from '@shardwise/effects'
import fc from 'fast-check'
import { expect, it } from 'vitest'

const reasons: readonly ShutdownReason[] = ['REQUESTED', 'SHARD_END', 'LEASE_LOST']

it('ranks a lost lease above the end of the shard, and both above a request', () => {
  expect([...reasons].reverse().sort((a, b) => rankOf(a) - rankOf(b))).toEqual(reasons)
})

it('only raises a recorded reason, in whatever order reasons come', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...reasons), { minLength: 1 }), (heard) => {
      const recorded = heard.reduce<ShutdownReason | null>(higherReason, null)
      expect(recorded).toBe(reasons.findLast((reason) => heard.includes(reason)))
    }),
  )
})

it('reads the three reasons and refuses all else', () => {
  expect(reasons.map(parseShutdownReason)).toEqual(reasons)
  for (const text of ['ZOMBIE', 'requested', '', 'toString', null, undefined, ['REQUESTED']]) {
    expect(() => parseShutdownReason(text as never)).toThrow('reason: expected REQUESTED, SHARD_END or LEASE_LOST')
  }
})
