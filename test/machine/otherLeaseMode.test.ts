import { describe, expect, it } from 'vitest'
import { type ListingPair, workersWithHeartbeats, workersWithoutHeartbeats } from '../../src/machine/otherLeaseMode.ts'
import { aLease } from './shardGraphs.ts'

const sinceMs = 0
const heartbeat = (counter: number | null) => ({ x: { counter, sinceMs } })
const aPair = (facts: Partial<ListingPair>): ListingPair => ({
  workerId: 'me',
  workersBefore: {},
  workers: {},
  observations: {},
  leases: [],
  ...facts,
})

describe('a worker that wrote a heartbeat between two listings', () => {
  it.each([
    ['has another counter in the second one', 5, 6, ['x']],
    ['is none whose counter is the same', 5, 5, []],
    ['is none whose heartbeat is new: it may be old', null, 6, []],
    ['is none whose heartbeat is gone', 5, null, []],
  ] as const)('%s', (_what, before, after, found) => {
    expect(workersWithHeartbeats(aPair({ workersBefore: heartbeat(before), workers: heartbeat(after) }))).toEqual(found)
    if (before === null) expect(workersWithHeartbeats(aPair({ workers: heartbeat(after) }))).toEqual(found)
  })
})

describe('a worker that renewed its leases between two listings, and has no heartbeat,', () => {
  const observed = (leaseCounter: number) => ({ leaseCounter, sinceMs, handoffSinceMs: null })
  const observations = { a: observed(5), b: observed(5) }
  const lease = (leaseKey: string, leaseCounter: number, leaseOwner: string | null = 'x') => aLease({ leaseKey, leaseCounter, leaseOwner })
  const without = { workersBefore: heartbeat(null), workers: heartbeat(null), observations }

  it('is named once, however many of them it renewed', () => {
    expect(workersWithoutHeartbeats(aPair({ ...without, leases: [lease('a', 6), lease('b', 7)] }))).toEqual(['x'])
  })

  it('is the old owner during a hand-off', () => {
    const handed = aLease({ leaseKey: 'a', leaseCounter: 6, leaseOwner: 'me', checkpointOwner: 'x' })

    expect(workersWithoutHeartbeats(aPair({ ...without, leases: [handed] }))).toEqual(['x'])
  })

  it.each<[string, Partial<ListingPair>]>([
    ['whose lease stood still', { leases: [lease('a', 5)] }],
    ['whose lease begins to count anew', { leases: [lease('a', 0)] }],
    ['whose lease was not listed before', { leases: [lease('c', 6)] }],
    ['that has a heartbeat now', { workers: heartbeat(1), leases: [lease('a', 6)] }],
    ['that had a heartbeat before', { workersBefore: heartbeat(1), leases: [lease('a', 6)] }],
    ['that was not seen before', { workersBefore: {}, leases: [lease('a', 6)] }],
    ['that is not seen now', { workers: {}, leases: [lease('a', 6)] }],
    ['where nobody owns the lease', { leases: [lease('a', 6, null)] }],
    [
      'but the worker that looks',
      { workersBefore: { me: { counter: null, sinceMs } }, workers: { me: { counter: null, sinceMs } }, leases: [lease('a', 6, 'me')] },
    ],
  ])('is none %s', (_what, facts) => {
    expect(workersWithoutHeartbeats(aPair({ ...without, ...facts }))).toEqual([])
  })
})
