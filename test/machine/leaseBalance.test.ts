import type { Lease } from '@shardwise/effects'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type LeaseObservations, observeLeases, planLeases } from '../../src/machine/leasePlan.ts'
import { randomRuns } from '../randomRuns.ts'
import { aLease, at, idOf } from './shardGraphs.ts'

const failoverTimeMillis = 10_000
const scanIntervalMs = 5_000

/** Who plans, at what is listed: leases by owner, those of the empty name being free. */
function stolen(owners: Readonly<Record<string, number>>, maxLeasesToStealAtOneTime = 1): number | 'takes' {
  const leases = Object.entries(owners).flatMap(([leaseOwner, count]) =>
    Array.from({ length: count }, (_, n) => aLease({ leaseKey: `${leaseOwner}-${n}`, leaseOwner: leaseOwner === '' ? null : leaseOwner })),
  )
  const plan = planLeases({
    workerId: 'foo',
    leases,
    observations: observeLeases({}, leases, 0),
    workers: null,
    mine: new Set(leases.filter(({ leaseOwner }) => leaseOwner === 'foo').map(({ leaseKey }) => leaseKey)),
    unwanted: new Set(),
    nowMs: 0,
    failoverTimeMillis,
    gracefulLeaseHandoffTimeoutMillis: 30_000,
    maxLeasesForWorker: 100,
    maxLeasesToStealAtOneTime,
    lost: [],
    seed: 3,
  })
  return plan.take.length > 0 ? 'takes' : plan.steal.length
}

describe('a worker steals', () => {
  it('from the worker that has most, when that has more than its share', () => {
    expect(stolen({ bar: 1, baz: 5 })).toBe(1)
  })

  it('nothing from workers that have as much as itself, or one more', () => {
    expect(stolen({ bar: 2, baz: 2, foo: 1 })).toBe(0)
    expect(stolen({ bar: 2, baz: 2, foo: 2 })).toBe(0)
    expect(stolen({ bar: 1 })).toBe(0)
  })

  it('one from a worker that has just its share, when it needs more than one itself', () => {
    expect(stolen({ bar: 3, baz: 3, qux: 3, foo: 0 })).toBe(1)
    expect(stolen({ bar: 3, baz: 3, qux: 3, foo: 1 })).toBe(1)
    expect(stolen({ bar: 3, baz: 3, qux: 3, foo: 2 })).toBe(0)
  })

  it('nothing in a run that takes a free lease', () => {
    expect(stolen({ bar: 3, '': 1 })).toBe('takes')
  })

  it('as many at one time as it is allowed to, and not more than brings both to their share', () => {
    expect(stolen({ bar: 10 }, 3)).toBe(3)
    expect(stolen({ bar: 10 }, 30)).toBe(5)
    expect(stolen({ bar: 10 }, 0)).toBe(0)
  })

  it('nothing that is being handed over already, which counts for the next owner', () => {
    const mine = aLease({ leaseKey: 'mine', leaseOwner: 'foo', checkpointOwner: 'bar' })
    const plan = (leases: readonly Lease[]) =>
      planLeases({
        workerId: 'foo',
        leases,
        observations: observeLeases({}, leases, 0),
        workers: null,
        mine: new Set(),
        unwanted: new Set(),
        nowMs: 0,
        failoverTimeMillis,
        gracefulLeaseHandoffTimeoutMillis: 30_000,
        maxLeasesForWorker: 100,
        maxLeasesToStealAtOneTime: 5,
        lost: [],
        seed: 3,
      })
    const others = [1, 2].map((n) => aLease({ leaseKey: `bar-${n}`, leaseOwner: 'bar' }))
    const handedToBaz = aLease({ leaseKey: 'baz', leaseOwner: 'baz', checkpointOwner: 'bar' })

    expect(plan([mine, ...others])).toEqual({ take: [], steal: [] })
    expect(plan([handedToBaz])).toEqual({ take: [], steal: [] })
  })
})

/** A fleet on one table whose owners all live: a worker's plan is carried out at once, or after all have planned. */
class Fleet {
  #leases: Lease[]
  readonly #observations = new Map<string, LeaseObservations>()
  readonly workers: readonly string[]
  readonly #maxSteal: number
  #scans = 0
  changes = 0

  constructor(owners: readonly (string | null)[], workers: readonly string[], maxSteal: number) {
    this.#leases = owners.map((leaseOwner, n) => aLease({ leaseKey: idOf(n), leaseOwner }))
    this.workers = workers
    this.#maxSteal = maxSteal
  }

  get counts(): readonly number[] {
    return this.workers.map((worker) => this.#leases.filter(({ leaseOwner }) => leaseOwner === worker).length)
  }

  /** Every worker scans once, in this order; with `atOnce` they all see the table as it was before. */
  round(order: readonly string[], atOnce: boolean): void {
    const nowMs = this.#scans * scanIntervalMs
    this.#scans += 1
    this.#leases = this.#leases.map((lease) => (lease.leaseOwner === null ? lease : { ...lease, leaseCounter: lease.leaseCounter + 1 }))
    const plans = order.map((worker) => {
      const plan = this.#plan(worker, nowMs)
      if (!atOnce) this.#carryOut(worker, plan)
      return { worker, plan }
    })
    if (atOnce) for (const { worker, plan } of plans) this.#carryOut(worker, plan)
  }

  #plan(worker: string, nowMs: number): readonly Lease[] {
    const observations = observeLeases(this.#observations.get(worker) ?? {}, this.#leases, nowMs)
    this.#observations.set(worker, observations)
    const { take, steal } = planLeases({
      workerId: worker,
      leases: this.#leases,
      observations,
      workers: null,
      mine: new Set(this.#leases.filter(({ leaseOwner }) => leaseOwner === worker).map(({ leaseKey }) => leaseKey)),
      unwanted: new Set(),
      nowMs,
      failoverTimeMillis,
      gracefulLeaseHandoffTimeoutMillis: 30_000,
      maxLeasesForWorker: 1_000,
      maxLeasesToStealAtOneTime: this.#maxSteal,
      lost: [],
      seed: this.#scans * 31 + this.workers.indexOf(worker),
    })
    const own = [...take, ...steal].filter(({ leaseOwner }) => leaseOwner === worker)
    expect(own).toEqual([])
    expect(take.length === 0 || steal.length === 0).toBe(true)
    return [...take, ...steal]
  }

  #carryOut(worker: string, plan: readonly Lease[]): void {
    for (const { leaseKey, leaseCounter } of plan) {
      this.#leases = this.#leases.map((row) => {
        if (row.leaseKey !== leaseKey || row.leaseCounter !== leaseCounter) return row
        this.changes += 1
        return { ...row, leaseOwner: worker, leaseCounter: leaseCounter + 1 }
      })
    }
  }
}

const fleets = fc
  .record({ workers: fc.integer({ min: 1, max: 8 }), leases: fc.integer({ min: 1, max: 40 }), maxSteal: fc.integer({ min: 1, max: 4 }) })
  .chain(({ workers, leases, maxSteal }) => {
    const names = Array.from({ length: workers }, (_, n) => `worker-${n}`)
    return fc.record({
      names: fc.constant(names),
      owners: fc.array(fc.constantFrom(...names, names[0] ?? '', null), { minLength: leases, maxLength: leases }),
      maxSteal: fc.constant(maxSteal),
      orders: fc.array(fc.shuffledSubarray(names, { minLength: workers, maxLength: workers }), { minLength: 1, maxLength: 5 }),
    })
  })

const boundOf = (leases: number): number => 3 * leases + 10

describe('a fleet of workers that all live', () => {
  it('comes to rest with no worker above its share and none more than one below, when each sees what the others did', () => {
    fc.assert(
      fc.property(fleets, ({ names, owners, maxSteal, orders }) => {
        const fleet = new Fleet(owners, names, maxSteal)
        const share = Math.ceil(owners.length / names.length)
        const steps = boundOf(owners.length)
        for (let n = 0; n < steps; n += 1) fleet.round(orders[n % orders.length] ?? names, false)
        const before = fleet.changes
        for (let n = 0; n < 10; n += 1) fleet.round(orders[n % orders.length] ?? names, false)

        expect(fleet.changes).toBe(before)
        expect(Math.max(...fleet.counts)).toBe(share)
        expect(Math.min(...fleet.counts)).toBeGreaterThanOrEqual(share - 1)
      }),
      { numRuns: randomRuns(60) },
    )
  })

  it('does not move more leases than it must, when each sees what the others did and may steal what it needs', () => {
    fc.assert(
      fc.property(fleets, ({ names, owners, orders }) => {
        const fleet = new Fleet(owners, names, 100)
        const share = Math.ceil(owners.length / names.length)
        const free = owners.filter((owner) => owner === null).length
        for (let n = 0; n < boundOf(owners.length); n += 1) fleet.round(orders[n % orders.length] ?? names, false)

        // What is free may all go to one worker first; from there each lease moves once, and one more for each worker that evens out.
        expect(fleet.changes).toBeLessThanOrEqual(free + owners.length + names.length * share)
      }),
      { numRuns: randomRuns(40) },
    )
  })

  it('comes to rest even when all look at the same moment, as long as their orders differ', () => {
    fc.assert(
      fc.property(fleets, ({ names, owners, orders }) => {
        const fleet = new Fleet(owners, names, 1)
        const share = Math.ceil(owners.length / names.length)
        for (let n = 0; n < boundOf(owners.length); n += 1) fleet.round(orders[n % orders.length] ?? names, true)

        expect(Math.max(...fleet.counts)).toBeLessThanOrEqual(share + names.length)
        for (let n = 0; n < boundOf(owners.length); n += 1) fleet.round(orders[n % orders.length] ?? names, false)
        const before = fleet.changes
        fleet.round(names, true)
        expect(fleet.changes).toBe(before)
        expect(Math.max(...fleet.counts)).toBe(share)
      }),
      { numRuns: randomRuns(30) },
    )
  })
})

describe('finished shards', () => {
  it('count for nobody, or every share would be too large', () => {
    const leases = [
      ...Array.from({ length: 10 }, (_, n) => aLease({ leaseKey: `end-${n}`, checkpoint: at('SHARD_END') })),
      ...Array.from({ length: 4 }, (_, n) => aLease({ leaseKey: `open-${n}`, leaseOwner: 'bar' })),
    ]
    const { steal } = planLeases({
      workerId: 'foo',
      leases,
      observations: observeLeases({}, leases, 0),
      workers: null,
      mine: new Set(),
      unwanted: new Set(),
      nowMs: 0,
      failoverTimeMillis,
      gracefulLeaseHandoffTimeoutMillis: 30_000,
      maxLeasesForWorker: 100,
      maxLeasesToStealAtOneTime: 10,
      lost: [],
      seed: 3,
    })

    expect(steal).toHaveLength(2)
  })
})
