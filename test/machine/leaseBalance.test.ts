import type { Lease } from '@shardwise/effects'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type LeaseObservations, observeLeases, planLeases } from '../../src/machine/leasePlan.ts'
import { randomRuns } from '../randomRuns.ts'
import { failoverTimeMillis } from './plannedLeases.ts'
import { aLease, idOf } from './shardGraphs.ts'

const scanIntervalMs = 5_000

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
