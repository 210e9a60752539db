import type { Lease } from '@shardwise/effects'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { garbageSuspects, type LeaseObservations, leasesToDelete, observeLeases } from '../../src/machine/leasePlan.ts'
import { acquired, failoverTimeMillis } from './plannedLeases.ts'
import { aLease, at, idOf } from './shardGraphs.ts'

const a = aLease({ leaseKey: 'a' })
const othersLease = aLease({ leaseKey: 'a', leaseOwner: 'other', leaseCounter: 5 })
const finished = { checkpoint: at('SHARD_END') }

describe('a worker acquires', () => {
  it('a lease that nobody owns at once', () => {
    expect(acquired([a])).toEqual(['a'])
  })

  it('a lease that it owned before it was restarted at once', () => {
    expect(acquired([{ ...othersLease, leaseOwner: 'me' }])).toEqual(['a'])
  })

  it('a lease of another worker only when its counter has stood still for longer than the failover time', () => {
    expect(acquired([othersLease], { nowMs: failoverTimeMillis - 1 })).toEqual([])
    expect(acquired([othersLease], { nowMs: failoverTimeMillis })).toEqual([])
    expect(acquired([othersLease], { nowMs: failoverTimeMillis + 1 })).toEqual(['a'])
  })

  it('no lease of another worker that it sees for the first time, however late its clock is', () => {
    const nowMs = 9_000_000_000

    expect(acquired([othersLease], { observations: observeLeases({}, [othersLease], nowMs), nowMs })).toEqual([])
    expect(acquired([othersLease], { observations: {}, nowMs })).toEqual([])
  })

  it('no lease that another worker renews, whatever the counter becomes', () => {
    const nowMs = failoverTimeMillis + 1
    for (const leaseCounter of [6, 4, 0]) {
      const observations = observeLeases(observeLeases({}, [othersLease], 0), [{ ...othersLease, leaseCounter }], nowMs)

      expect(acquired([{ ...othersLease, leaseCounter }], { observations, nowMs: 2 * nowMs - 1 })).toEqual([])
    }
  })

  it('no lease during a hand-off to it while the old owner lives: that one may still checkpoint', () => {
    const handedOver = { ...othersLease, leaseOwner: 'me', checkpointOwner: 'other' }

    expect(acquired([handedOver], { nowMs: failoverTimeMillis })).toEqual([])
    expect(acquired([handedOver], { nowMs: failoverTimeMillis + 1 })).toEqual(['a'])
  })

  it('a lease during a hand-off away from it when it was restarted: nobody else may start yet', () => {
    expect(acquired([{ ...othersLease, checkpointOwner: 'me' }])).toEqual(['a'])
  })

  it('a lease that is not handed over in time since it was first seen to be, when the old owner renews it all the same', () => {
    const row = { ...othersLease, leaseOwner: 'me', checkpointOwner: 'other' }
    const seenAt = (nowMs: number): LeaseObservations => {
      let observations: LeaseObservations = observeLeases({}, [othersLease], 0)
      for (let ms = 5_000; ms <= nowMs; ms += 5_000) observations = observeLeases(observations, [{ ...row, leaseCounter: ms }], ms)
      return observations
    }
    const at = (nowMs: number, lease = row) => acquired([lease], { nowMs, observations: seenAt(nowMs) })

    expect(at(45_000)).toEqual([])
    expect(at(45_001)).toEqual(['a'])
    expect(at(45_001, { ...row, leaseOwner: 'third' })).toEqual([])
    expect(acquired([row], { nowMs: 45_001, observations: {} })).toEqual([])
  })

  it('no lease of a finished shard, whoever owns it', () => {
    const leases = [null, 'me', 'other'].map((leaseOwner, n) => aLease({ leaseKey: idOf(n), leaseOwner, ...finished }))

    expect(acquired(leases, { nowMs: 10 * failoverTimeMillis })).toEqual([])
  })

  it('no lease that it keeps, is acquiring or does not want', () => {
    expect(acquired([a, aLease({ leaseKey: 'b' })], { mine: new Set(['a']) })).toEqual(['b'])
    expect(acquired([a, aLease({ leaseKey: 'b' })], { unwanted: new Set(['a']) })).toEqual(['b'])
  })

  it('no more leases than its maximum allows, with those that it keeps', () => {
    const leases = [4, 2, 3, 1].map((n) => aLease({ leaseKey: idOf(n) }))

    expect(acquired(leases, { maxLeasesForWorker: 5, kept: 3 })).toEqual([idOf(1), idOf(2)])
    expect(acquired(leases, { maxLeasesForWorker: 3, kept: 3 })).toEqual([])
    expect(acquired(leases, { maxLeasesForWorker: 3, kept: 7 })).toEqual([])
  })

  it('no child of an unfinished shard while it cannot have all, for it would only wait where a parent needs the place', () => {
    const parents = [1, 2].map((n) => aLease({ leaseKey: idOf(n) }))
    const child = aLease({ leaseKey: idOf(0), parentShardIds: [idOf(1)] })

    expect(acquired([child, ...parents], { maxLeasesForWorker: 2 })).toEqual([idOf(1), idOf(2)])
    expect(acquired([child, ...parents], { maxLeasesForWorker: 3 })).toEqual([idOf(0), idOf(1), idOf(2)])
    expect(acquired([child, aLease({ leaseKey: idOf(1), ...finished })], { maxLeasesForWorker: 1 })).toEqual([idOf(0)])
  })

  it('what it lost or gave away after the others, the longest ago first', () => {
    const leases = [1, 2, 3].map((n) => aLease({ leaseKey: idOf(n) }))

    expect(acquired(leases, { lost: [idOf(2), idOf(1)] })).toEqual([3, 2, 1].map(idOf))
  })

  it('leases in the order of their shards, so that parents come before their children', () => {
    expect(acquired([10, 9, 2, 1].map((n) => aLease({ leaseKey: idOf(n) })))).toEqual([1, 2, 9, 10].map(idOf))
  })

  it('expired leases up to its share, and none beyond it before they stood still for three failover times', () => {
    const dead = [1, 2, 3, 4].map((n) => aLease({ leaseKey: idOf(n), leaseOwner: 'dead' }))
    const others = [5, 6].map((n) => aLease({ leaseKey: idOf(n), leaseOwner: 'other', leaseCounter: 1 }))
    const leases = [...dead, ...others]
    const seen = (nowMs: number) =>
      observeLeases(observeLeases({}, [...dead, ...others.map((lease) => ({ ...lease, leaseCounter: 0 }))], 0), leases, nowMs)
    const at = (nowMs: number) => acquired(leases, { nowMs, observations: seen(nowMs) })

    expect(at(failoverTimeMillis + 1)).toHaveLength(3)
    expect(at(3 * failoverTimeMillis)).toHaveLength(3)
    expect(at(3 * failoverTimeMillis + 1)).toHaveLength(4)
  })

  it('no more leases that somebody owned than its share, counting the free ones that it takes with them', () => {
    const dead = [1, 2, 3].map((n) => aLease({ leaseKey: idOf(n), leaseOwner: 'dead' }))
    const others = [4, 5, 6].map((n) => aLease({ leaseKey: idOf(n), leaseOwner: 'other', leaseCounter: 1 }))
    const leases = [aLease({ leaseKey: idOf(0) }), ...dead, ...others, aLease({ leaseKey: idOf(7) })]
    const seen = observeLeases({}, dead, 0)
    const nowMs = failoverTimeMillis + 1

    expect(acquired(leases, { nowMs, observations: seen })).toEqual([0, 7, 1, 2].map(idOf))
    expect(acquired(leases, { nowMs, observations: seen, maxLeasesForWorker: 1, lost: [idOf(0)] })).toEqual([idOf(7)])
  })

  it('only unfinished leases that are free, whatever the table holds', () => {
    const lease = fc.record({
      leaseOwner: fc.constantFrom(null, 'me', 'other'),
      leaseCounter: fc.nat({ max: 3 }),
      checkpoint: fc.constantFrom(at('TRIM_HORIZON'), at('17'), at('SHARD_END')),
    })
    const table = fc.array(lease, { maxLength: 6 }).map((rows) => rows.map((row, n) => aLease({ leaseKey: idOf(n), ...row })))
    const looks = fc.array(fc.record({ leases: table, waitMs: fc.nat({ max: 2 * failoverTimeMillis }) }), { minLength: 1, maxLength: 5 })

    fc.assert(
      fc.property(looks, fc.nat({ max: 4 }), fc.nat({ max: 4 }), (seen, maxLeasesForWorker, kept) => {
        let observations: LeaseObservations = {}
        let nowMs = 0
        const changedMs = new Map<string, { counter: number; ms: number }>()
        for (const { leases, waitMs } of seen) {
          nowMs += waitMs
          observations = observeLeases(observations, leases, nowMs)
          for (const key of changedMs.keys()) if (!leases.some(({ leaseKey }) => leaseKey === key)) changedMs.delete(key)
          for (const { leaseKey, leaseCounter } of leases) {
            if (changedMs.get(leaseKey)?.counter !== leaseCounter) changedMs.set(leaseKey, { counter: leaseCounter, ms: nowMs })
          }
        }
        const { leases = [] } = seen.at(-1) ?? {}
        const keys = acquired(leases, { observations, nowMs, maxLeasesForWorker, kept })

        expect(keys.length).toBeLessThanOrEqual(Math.max(0, maxLeasesForWorker - kept))
        for (const lease of leases.filter(({ leaseKey }) => keys.includes(leaseKey))) {
          expect(lease.checkpoint).not.toEqual(at('SHARD_END'))
          const stoodStillMs = nowMs - (changedMs.get(lease.leaseKey)?.ms ?? nowMs)
          expect(lease.leaseOwner !== 'other' || stoodStillMs > failoverTimeMillis).toBe(true)
        }
      }),
    )
  })
})

describe('an observation of the leases', () => {
  it('dates a change when it is first seen, and keeps the date while the counter stands still', () => {
    const first = observeLeases({}, [othersLease], 100)
    const second = observeLeases(first, [othersLease], 200)
    const third = observeLeases(second, [{ ...othersLease, leaseCounter: 6 }], 300)

    expect([first, second, third].map((seen) => seen['a'])).toEqual([
      { leaseCounter: 5, sinceMs: 100, handoffSinceMs: null },
      { leaseCounter: 5, sinceMs: 100, handoffSinceMs: null },
      { leaseCounter: 6, sinceMs: 300, handoffSinceMs: null },
    ])
  })

  it('forgets a lease that is gone, so that one of the same key and counter is new', () => {
    const gone = observeLeases(observeLeases({}, [othersLease], 0), [], 50)

    expect(gone).toEqual({})
    expect(observeLeases(gone, [othersLease], 100)).toEqual({ a: { leaseCounter: 5, sinceMs: 100, handoffSinceMs: null } })
  })
})

describe('the lease of a finished shard', () => {
  const afterMs = 300_000
  const parent = aLease({ leaseKey: 'parent', childShardIds: ['left', 'right'], ...finished })
  const left = aLease({ leaseKey: 'left', parentShardIds: ['parent'], checkpoint: at('17') })
  const right = aLease({ leaseKey: 'right', parentShardIds: ['parent'], checkpoint: at('LATEST') })
  const deleted = (leases: readonly Lease[], nowMs = afterMs): readonly string[] =>
    leasesToDelete(leases, observeLeases({}, leases, 0), nowMs, afterMs)

  it('is deleted when it has stood for long enough and all of its children have started', () => {
    expect(deleted([parent, left, right])).toEqual(['parent'])
    expect(deleted([parent, left, { ...right, ...finished }])).toEqual(['parent'])
  })

  it('is kept until it has stood still for long enough', () => {
    expect(deleted([parent, left, right], afterMs - 1)).toEqual([])
    expect(leasesToDelete([parent, left, right], {}, 10 * afterMs, afterMs)).toEqual([])
    const seenLater = observeLeases({}, [parent, left, right], afterMs)
    expect(leasesToDelete([parent, left, right], seenLater, 2 * afterMs - 1, afterMs)).toEqual([])
    expect(leasesToDelete([parent, left, right], seenLater, 2 * afterMs, afterMs)).toEqual(['parent'])
  })

  it.each([
    ['its shard is not finished', [{ ...parent, checkpoint: at('17') }, left, right]],
    ['a child has no lease', [parent, left]],
    ['a child has not started at the oldest record', [parent, left, { ...right, checkpoint: at('TRIM_HORIZON') }]],
    ['a child has not started at the timestamp', [parent, left, { ...right, checkpoint: at('AT_TIMESTAMP') }]],
    ['its children are not known', [{ ...parent, childShardIds: [] }, left, right]],
    [
      'a lease of its own parents is still there',
      [{ ...parent, parentShardIds: ['grandparent'] }, left, right, aLease({ leaseKey: 'grandparent', ...finished })],
    ],
  ])('is kept while %s', (_why, leases) => {
    expect(deleted(leases)).toEqual([])
  })

  it('is deleted when those of its own parents are gone', () => {
    expect(deleted([{ ...parent, parentShardIds: ['grandparent'] }, left, right])).toEqual(['parent'])
  })
})

describe('a lease that is looked for because its shard may be gone', () => {
  const afterMs = 1_800_000
  const ended = aLease({ leaseKey: 'ended', childShardIds: ['left', 'right'], ...finished })
  const left = aLease({ leaseKey: 'left', checkpoint: at('17') })
  const suspected = (leases: readonly Lease[], nowMs = afterMs): readonly string[] =>
    garbageSuspects(leases, observeLeases({}, leases, 0), nowMs, afterMs)

  it('is a finished one that has stood still for long enough, though some of its children have no lease', () => {
    expect(suspected([ended, left])).toEqual(['ended'])
    expect(suspected([ended])).toEqual(['ended'])
    expect(suspected([{ ...ended, childShardIds: [] }])).toEqual(['ended'])
    expect(suspected([ended, left], afterMs - 1)).toEqual([])
    expect(garbageSuspects([ended], {}, 10 * afterMs, afterMs)).toEqual([])
  })

  it.each(['TRIM_HORIZON', 'AT_TIMESTAMP'])('is none while a child is still at %s: it may wait for the end of its parent', (sentinel) => {
    expect(suspected([ended, left, aLease({ leaseKey: 'right', checkpoint: at(sentinel) })])).toEqual([])
  })

  it('is none that is unfinished', () => {
    expect(suspected([{ ...ended, checkpoint: at('17') }, left])).toEqual([])
  })
})
