import { isShardEnd, type Lease } from '@shardwise/effects'

/** When a lease was last seen to change: `sinceMs` is monotonic milliseconds of the observer. */
interface LeaseObservation {
  readonly leaseCounter: number
  readonly sinceMs: number
}

/** What a worker has seen of each lease, by lease key. */
export type LeaseObservations = Readonly<Record<string, LeaseObservation>>

/** Notes which leases changed since they were last listed; leases that are gone are forgotten. */
export function observeLeases(before: LeaseObservations, leases: readonly Lease[], nowMs: number): LeaseObservations {
  return Object.fromEntries(
    leases.map(({ leaseKey, leaseCounter }) => {
      const seen = before[leaseKey]
      return [leaseKey, seen?.leaseCounter === leaseCounter ? seen : { leaseCounter, sinceMs: nowMs }]
    }),
  )
}

/** What the planner goes by. Times are monotonic milliseconds. */
export interface LeaseSituation {
  readonly workerId: string
  readonly leases: readonly Lease[]
  readonly observations: LeaseObservations
  /** Lease keys that this worker keeps, is acquiring, or does not want. */
  readonly taken: ReadonlySet<string>
  readonly nowMs: number
  readonly failoverTimeMillis: number
  readonly maxLeasesForWorker: number
  /** How many leases this worker keeps. */
  readonly kept: number
  /** Lease keys that this worker lost or gave away, the longest ago first: they come after the others. */
  readonly lost: readonly string[]
}

/**
 * The leases to acquire now: unfinished ones that nobody owns, that this worker owned before it was restarted, or whose counter has stood still for longer
 * than the failover time. A worker that cannot have all leases takes none whose parents are unfinished: it would only wait for those it has no place for.
 */
export function leasesToAcquire(situation: LeaseSituation): Lease[] {
  const { workerId, leases, observations, taken, nowMs, failoverTimeMillis, maxLeasesForWorker, kept, lost } = situation
  const expired = ({ leaseKey }: Lease): boolean => {
    const seen = observations[leaseKey]
    return seen !== undefined && nowMs - seen.sinceMs > failoverTimeMillis
  }
  const unfinished = new Set(leases.filter(({ checkpoint }) => !isShardEnd(checkpoint)).map(({ leaseKey }) => leaseKey))
  const scarce = unfinished.size > maxLeasesForWorker
  return leases
    .filter((lease) => !taken.has(lease.leaseKey) && !isShardEnd(lease.checkpoint))
    .filter((lease) => {
      // During a hand-off of KCL 3.x the row names the next owner already, while the old one may still checkpoint.
      const owner = lease.checkpointOwner ?? lease.leaseOwner
      return owner === null || owner === workerId || expired(lease)
    })
    .filter(({ parentShardIds }) => !scarce || !parentShardIds.some((parent) => unfinished.has(parent)))
    .sort((a, b) => lost.indexOf(a.leaseKey) - lost.indexOf(b.leaseKey) || (a.leaseKey < b.leaseKey ? -1 : 1))
    .slice(0, Math.max(0, maxLeasesForWorker - kept))
}

/**
 * The leases of finished shards that may be deleted: every child has a lease and has started, the parents' leases are gone, and the row has stood still for
 * `afterMs`. Source: the KCL's lease clean-up.
 */
export function leasesToDelete(leases: readonly Lease[], observations: LeaseObservations, nowMs: number, afterMs: number): string[] {
  const byKey = new Map(leases.map((lease) => [lease.leaseKey, lease]))
  const started = (key: string): boolean => {
    const child = byKey.get(key)
    return child !== undefined && !['TRIM_HORIZON', 'AT_TIMESTAMP'].includes(child.checkpoint.sequenceNumber)
  }
  return leases
    .filter(({ leaseKey, checkpoint, childShardIds, parentShardIds }) => {
      const seen = observations[leaseKey]
      if (!isShardEnd(checkpoint) || seen === undefined || nowMs - seen.sinceMs < afterMs) return false
      return childShardIds.length > 0 && childShardIds.every(started) && !parentShardIds.some((parent) => byKey.has(parent))
    })
    .map(({ leaseKey }) => leaseKey)
}
