import type { Lease } from '@shardwise/effects'
import type { LeaseObservations } from './leasePlan.ts'
import { holderOf, type WorkerObservations } from './workerObservations.ts'

/** Two listings, one after the other, as the worker `workerId` sees them. */
export interface ListingPair {
  readonly workerId: string
  readonly workersBefore: WorkerObservations
  readonly workers: WorkerObservations
  /** The leases as they were observed before the second listing. */
  readonly observations: LeaseObservations
  readonly leases: readonly Lease[]
}

/** The workers that wrote a heartbeat between the listings. */
export function workersWithHeartbeats({ workersBefore, workers }: ListingPair): readonly string[] {
  return Object.entries(workers).flatMap(([workerId, { counter }]) => {
    const before = workersBefore[workerId]?.counter ?? null
    return counter !== null && before !== null && counter !== before ? [workerId] : []
  })
}

/**
 * The workers that wrote to leases between the listings and have no heartbeat: they renew each lease, as the KCL does. An owner whose heartbeat was missing in
 * one listing alone is none of them, for a listing may be older in one part than in another.
 */
export function workersWithoutHeartbeats({ workerId, workersBefore, workers, observations, leases }: ListingPair): readonly string[] {
  const found = leases.flatMap((lease) => {
    const holder = holderOf(lease)
    if (holder === null || holder === workerId || workers[holder]?.counter !== null || workersBefore[holder]?.counter !== null) return []
    const { leaseKey, leaseCounter } = lease
    return leaseCounter > (observations[leaseKey]?.leaseCounter ?? leaseCounter) ? [holder] : []
  })
  return [...new Set(found)]
}
