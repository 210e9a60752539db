import type { Lease } from '@shardwise/effects'
import { type LeaseSituation, observeLeases, planLeases } from '../../src/machine/leasePlan.ts'

/** The failover time unless said otherwise. */
export const failoverTimeMillis = 10_000

interface Facts extends Partial<LeaseSituation> {
  /** How many leases this worker keeps that are not listed. */
  readonly kept?: number
}

/** The keys of what `me` plans to take and to steal, the leases having been seen first at 0 unless said otherwise. */
export function planned(leases: readonly Lease[], { kept = 0, ...facts }: Facts = {}) {
  const { take, steal } = planLeases({
    workerId: 'me',
    leases,
    observations: observeLeases({}, leases, 0),
    workers: null,
    mine: new Set(Array.from({ length: kept }, (_, n) => `kept-${n}`)),
    unwanted: new Set(),
    nowMs: 0,
    failoverTimeMillis,
    gracefulLeaseHandoffTimeoutMillis: 30_000,
    maxLeasesForWorker: 100,
    maxLeasesToStealAtOneTime: 1,
    lost: [],
    seed: 1,
    ...facts,
  })
  const keysOf = (chosen: readonly Lease[]): readonly string[] => chosen.map(({ leaseKey }) => leaseKey)
  return { take: keysOf(take), steal: keysOf(steal) }
}

/** The keys that `me` takes. */
export const acquired = (leases: readonly Lease[], facts: Facts = {}): readonly string[] => planned(leases, facts).take
