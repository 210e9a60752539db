import type { Lease } from '@shardwise/effects'
import { describe, expect, it } from 'vitest'
import { planned } from './plannedLeases.ts'
import { aLease, at } from './shardGraphs.ts'

type Owners = Readonly<Record<string, number>>

/** So many leases of each owner, in this order; those of the empty name are free. */
const owned = (owners: Owners, facts: Partial<Lease> = {}): readonly Lease[] =>
  Object.entries(owners).flatMap(([owner, count]) =>
    Array.from({ length: count }, (_, n) => aLease({ leaseKey: `${owner}-${n}`, leaseOwner: owner === '' ? null : owner, ...facts })),
  )

/** The keys that `me` steals, which keeps every lease that has its name. */
function stolen(leases: readonly Lease[], maxLeasesToStealAtOneTime = 1, facts: Parameters<typeof planned>[1] = {}): readonly string[] {
  const mine = new Set(leases.filter(({ leaseOwner }) => leaseOwner === 'me').map(({ leaseKey }) => leaseKey))
  const { take, steal } = planned(leases, { mine, maxLeasesToStealAtOneTime, ...facts })
  expect(take).toEqual([])
  return steal
}

const ownerOf = (leaseKey: string | undefined): string | undefined => leaseKey?.replace(/-\d+$/, '')
const seeds = Array.from({ length: 30 }, (_, n) => n * 7_919)

describe('a worker steals', () => {
  it.each<[string, Owners, number, number]>([
    ['one from a worker that has more than its share', { bar: 1, baz: 5 }, 1, 1],
    ['nothing from workers that have one more than itself', { bar: 2, baz: 2, me: 1 }, 1, 0],
    ['nothing from workers that have as much as itself', { bar: 2, baz: 2, me: 2 }, 1, 0],
    ['nothing from the only worker, for the only lease', { bar: 1 }, 1, 0],
    ['nothing when it has more than its share itself', { bar: 5, baz: 1, me: 5 }, 4, 0],
    ['one from a worker that has just its share, when it has nothing', { bar: 3, baz: 3, qux: 3 }, 9, 1],
    ['one from a worker that has just its share, when it lacks two', { bar: 3, baz: 3, qux: 3, me: 1 }, 9, 1],
    ['none from a worker that has just its share, when it lacks one', { bar: 3, baz: 3, qux: 3, me: 2 }, 9, 0],
    ['as many at one time as it may', { bar: 10 }, 3, 3],
    ['no more than brings it to its share', { bar: 10 }, 30, 5],
    ['no more than brings the other to its share', { bar: 5, baz: 4, qux: 3 }, 9, 2],
    ['nothing where nothing may be stolen', { bar: 10 }, 0, 0],
  ])('%s', (_what, owners, atOnce, count) => {
    expect(stolen(owned(owners), atOnce)).toHaveLength(count)
  })

  it('from the worker that has most, wherever it stands in the table', () => {
    for (const seed of seeds) {
      expect(ownerOf(stolen(owned({ bar: 4, baz: 6 }), 1, { seed })[0])).toBe('baz')
      expect(ownerOf(stolen(owned({ bar: 6, baz: 4 }), 1, { seed })[0])).toBe('bar')
      expect(ownerOf(stolen(owned({ bar: 4, baz: 6, qux: 5 }), 1, { seed })[0])).toBe('baz')
    }
  })

  it('from one or another of those that have most, and one lease or another, as the seed says', () => {
    const leases = owned({ bar: 4, baz: 4 })
    const wanted = seeds.map((seed) => stolen(leases, 1, { seed })[0])

    expect(new Set(wanted).size).toBeGreaterThan(4)
    expect(new Set(wanted.map(ownerOf))).toEqual(new Set(['bar', 'baz']))
    expect(seeds.map((seed) => stolen(leases, 1, { seed })[0])).toEqual(wanted)
    expect(new Set(stolen(owned({ bar: 9 }), 4)).size).toBe(4)
  })

  it('nothing in a run that takes a free lease', () => {
    const plan = planned(owned({ bar: 3, '': 1 }))

    expect(plan).toEqual({ take: ['-0'], steal: [] })
  })

  it('nothing from workers that have less than their share, though it has nothing: what is missing is free, and not for it', () => {
    const unwanted = new Set([0, 1, 2, 3, 4].map((n) => `-${n}`))

    expect(stolen(owned({ bar: 1, '': 5 }), 1, { unwanted })).toEqual([])
  })

  it('nothing that its own consumer has refused, and from the next worker where that is all that the first one has', () => {
    const leases = owned({ bar: 4, baz: 3 })
    const allOfBar = [0, 1, 2, 3].map((n) => `bar-${n}`)
    for (const seed of seeds) {
      expect(stolen(leases, 1, { seed, unwanted: new Set(allOfBar.slice(1)) })).toEqual(['bar-0'])
    }

    expect(ownerOf(stolen(leases, 1, { unwanted: new Set(allOfBar) })[0])).toBe('baz')
    expect(stolen(leases, 1, { unwanted: new Set(leases.map(({ leaseKey }) => leaseKey)) })).toEqual([])
  })

  it('nothing because of the leases of finished shards, which count for nobody', () => {
    const leases = [...owned({ '': 10 }, { checkpoint: at('SHARD_END') }), ...owned({ bar: 4 })]

    expect(stolen(leases, 10)).toHaveLength(2)
  })
})

describe('a lease that is being handed over', () => {
  const handed = (from: string, to: string | null, n = 0): Lease =>
    aLease({ leaseKey: `handed-${n}`, leaseOwner: to, checkpointOwner: from })

  it('is not stolen', () => {
    expect(stolen([handed('bar', 'baz'), handed('bar', 'baz', 1), handed('bar', 'baz', 2)], 3)).toEqual([])
  })

  it('counts for the next owner, that being another or this worker', () => {
    const leases = [...owned({ bar: 3, baz: 3 }), handed('bar', 'baz', 0), handed('bar', 'baz', 1)]
    for (const seed of seeds) expect(ownerOf(stolen(leases, 1, { seed })[0])).toBe('baz')

    expect(planned([handed('bar', 'me'), ...owned({ bar: 2 })], { maxLeasesToStealAtOneTime: 5 })).toEqual({ take: [], steal: [] })
  })

  it('counts for the old owner where no next one is named', () => {
    const leases = [handed('bar', null), ...owned({ bar: 3 })]

    expect(stolen(leases, 5)).toHaveLength(2)
  })

  it('counts for the next owner while this worker still keeps it', () => {
    const leases = [handed('me', 'bar'), ...owned({ bar: 4, me: 2 })]

    expect(stolen(leases, 5, { mine: new Set(['handed-0', 'me-0', 'me-1']) })).toHaveLength(1)
  })

  it('counts for this worker while it keeps it for a next owner that has gone', () => {
    const leases = [handed('me', null), ...owned({ bar: 4, me: 1 })]

    expect(stolen(leases, 5, { mine: new Set(['handed-0', 'me-0']) })).toHaveLength(1)
  })

  it('counts for this worker that is acquiring it, whoever the row names', () => {
    const leases = owned({ bar: 5, baz: 2 })

    expect(stolen(leases, 5, { mine: new Set(['baz-0', 'baz-1']) })).toHaveLength(1)
    expect(stolen([...owned({ bar: 4 }), handed('baz', 'bar')], 5, { mine: new Set(['handed-0']) })).toHaveLength(1)
  })
})
