import { isShardEnd, type Lease } from '@shardwise/effects'
import { scatter } from './backoff.ts'
import { holderOf, type WorkerObservations } from './workerObservations.ts'

/** When a lease was last seen to change: `sinceMs` is monotonic milliseconds of the observer. */
interface LeaseObservation {
  readonly leaseCounter: number
  readonly sinceMs: number
  /** When the hand-off that is under way was first seen; null when there is none. */
  readonly handoffSinceMs: number | null
}

/** What a worker has seen of each lease, by lease key. */
export type LeaseObservations = Readonly<Record<string, LeaseObservation>>

/** Notes which leases changed since they were last listed; leases that are gone are forgotten. */
export function observeLeases(before: LeaseObservations, leases: readonly Lease[], nowMs: number): LeaseObservations {
  return Object.fromEntries(
    leases.map(({ leaseKey, leaseCounter, checkpointOwner }) => {
      const seen = before[leaseKey]
      const handoffSinceMs = checkpointOwner === null ? null : (seen?.handoffSinceMs ?? nowMs)
      const sinceMs = seen?.leaseCounter === leaseCounter ? seen.sinceMs : nowMs
      return [leaseKey, { leaseCounter, sinceMs, handoffSinceMs }]
    }),
  )
}

/** What the planner goes by. Times are monotonic milliseconds. */
export interface LeaseSituation {
  readonly workerId: string
  readonly leases: readonly Lease[]
  readonly observations: LeaseObservations
  /** What shows that the owners live; null where that is the counter of each lease. */
  readonly workers: WorkerObservations | null
  /** Lease keys that this worker keeps or is acquiring. */
  readonly mine: ReadonlySet<string>
  /** Lease keys that this worker does not take again. */
  readonly unwanted: ReadonlySet<string>
  readonly nowMs: number
  readonly failoverTimeMillis: number
  /** How long an owner that was asked for a lease may take to hand it over. */
  readonly gracefulLeaseHandoffTimeoutMillis: number
  readonly maxLeasesForWorker: number
  /** How many leases are taken at most, in one run, from a worker that lives: 0 for none. */
  readonly maxLeasesToStealAtOneTime: number
  /** Lease keys that this worker lost or gave away, the longest ago first: they come after the others. */
  readonly lost: readonly string[]
  /** Decides what is stolen among leases that are as good as each other, so that workers do not all reach for the same one. */
  readonly seed: number
}

/** A lease that somebody owns. */
type OwnedLease = Lease & { readonly leaseOwner: string }

/** What to do now: leases to take, which are free, and leases to steal, whose owners live. Never both. */
export interface LeasePlan {
  readonly take: readonly Lease[]
  readonly steal: readonly OwnedLease[]
}

/** Leases that stood still for this many failover times are taken without regard to balance. */
const veryOld = 3

/**
 * Plans one run, by the KCL's rules. Leases that nobody owns, and those that this worker owned before it was restarted, are taken at once; those of workers
 * that died, up to this worker's share, which is the leases over the workers, rounded up. With nothing to take, it steals from the worker that has most, as
 * long as that does not only swap their places.
 *
 * Leases of finished shards are neither taken nor counted: here they are released, and would make every share too large. A worker that cannot have all leases
 * takes none whose parents are unfinished: it would only wait for those it has no place for.
 */
export function planLeases(situation: LeaseSituation): LeasePlan {
  const { workerId, leases, maxLeasesForWorker, mine, lost } = situation
  const unfinished = leases.filter(({ checkpoint }) => !isShardEnd(checkpoint))
  const counts = countByOwner(unfinished, situation)
  const own = counts.get(workerId) ?? 0
  const share = Math.min(Math.ceil(unfinished.length / counts.size), maxLeasesForWorker)
  const need = Math.max(0, share - own)
  const wanted = wantedLeases(unfinished, situation).map((lease) => ({ lease, standing: standingOf(lease, situation) }))
  const those = (standing: Standing): Lease[] => wanted.filter((each) => each.standing === standing).map(({ lease }) => lease)
  const inOrder = (chosen: Lease[]): Lease[] =>
    chosen.sort((a, b) => lost.indexOf(a.leaseKey) - lost.indexOf(b.leaseKey) || (a.leaseKey < b.leaseKey ? -1 : 1))

  const places = Math.max(0, maxLeasesForWorker - Math.max(mine.size, own))
  const free = inOrder(those('free')).slice(0, places)
  const expired = inOrder(those('expired')).slice(0, Math.max(0, Math.min(need, places) - free.length))
  const take = [...free, ...expired]
  return { take, steal: take.length > 0 ? [] : leasesToSteal(those('held'), counts, share, need, situation) }
}

/** Whether a lease is taken at once, up to the share of who takes it, or only from an owner that lives. */
type Standing = 'free' | 'expired' | 'held'

function standingOf(lease: Lease, situation: LeaseSituation): Standing {
  const { workerId, observations, workers, nowMs, failoverTimeMillis } = situation
  // During a hand-off the row names the next owner already, while the old one may still checkpoint.
  const holder = holderOf(lease)
  if (holder === null || holder === workerId || isOverdue(lease, situation)) return 'free'
  const seen = workers === null ? observations[lease.leaseKey] : workers[holder]
  // One that is seen for the first time may have shown that it lives just now.
  const stoodStillMs = seen === undefined ? 0 : nowMs - seen.sinceMs
  if (stoodStillMs > veryOld * failoverTimeMillis) return 'free'
  return stoodStillMs > failoverTimeMillis ? 'expired' : 'held'
}

/** A hand-off to this worker whose old owner has had its time: it renews, and does not know hand-offs, or does not come to an end. */
function isOverdue({ leaseKey, leaseOwner }: Lease, situation: LeaseSituation): boolean {
  const { workerId, observations, nowMs, failoverTimeMillis, gracefulLeaseHandoffTimeoutMillis } = situation
  const sinceMs = observations[leaseKey]?.handoffSinceMs ?? nowMs
  return leaseOwner === workerId && nowMs - sinceMs > gracefulLeaseHandoffTimeoutMillis + failoverTimeMillis
}

/** How many leases each worker that lives has or is about to have, this one being among them. */
function countByOwner(unfinished: readonly Lease[], situation: LeaseSituation): ReadonlyMap<string, number> {
  const { workerId, mine } = situation
  const counts = new Map([[workerId, 0]])
  for (const lease of unfinished) {
    const { leaseKey, leaseOwner, checkpointOwner } = lease
    const isMine = mine.has(leaseKey)
    if (!isMine && standingOf(lease, situation) !== 'held') continue
    // What this worker is acquiring has the name of another in its row; what it hands over, that of the next owner.
    const owner = isMine && checkpointOwner !== workerId ? workerId : (leaseOwner ?? checkpointOwner ?? workerId)
    counts.set(owner, (counts.get(owner) ?? 0) + 1)
  }
  return counts
}

function wantedLeases(unfinished: readonly Lease[], { mine, unwanted, maxLeasesForWorker }: LeaseSituation): Lease[] {
  const unfinishedKeys = new Set(unfinished.map(({ leaseKey }) => leaseKey))
  const scarce = unfinished.length > maxLeasesForWorker
  return unfinished.filter(
    ({ leaseKey, parentShardIds }) =>
      !mine.has(leaseKey) && !unwanted.has(leaseKey) && !(scarce && parentShardIds.some((parent) => unfinishedKeys.has(parent))),
  )
}

/**
 * Leases of the worker that has most, so many as bring neither above or below its share. From a worker that has just its share, one, and only when more than
 * one is needed: otherwise the two would swap their places for ever.
 */
function leasesToSteal(
  held: readonly Lease[],
  counts: ReadonlyMap<string, number>,
  share: number,
  need: number,
  { maxLeasesToStealAtOneTime, seed }: LeaseSituation,
): readonly OwnedLease[] {
  const owners = [...counts].sort(([a, most], [b, next]) => next - most || rankOf(seed, a) - rankOf(seed, b))
  for (const [owner, count] of owners) {
    const wanted = count > share ? Math.min(need, count - share) : count === share && need > 1 ? 1 : 0
    // What is being handed over is on its way already.
    const stolen = held.filter((lease): lease is OwnedLease => lease.leaseOwner === owner && lease.checkpointOwner === null)
    if (stolen.length > 0)
      return stolen
        .sort((a, b) => rankOf(seed, a.leaseKey) - rankOf(seed, b.leaseKey))
        .slice(0, Math.min(wanted, maxLeasesToStealAtOneTime))
  }
  return []
}

/** A place in an order that differs from seed to seed. */
function rankOf(seed: number, text: string): number {
  let hash = seed | 0
  for (let n = 0; n < text.length; n += 1) hash = Math.imul(hash ^ text.charCodeAt(n), 0x01000193)
  return scatter(hash)
}

/** Whether the row of a lease stood still for so long. */
function stands(seen: LeaseObservation | undefined, nowMs: number, forMs: number): boolean {
  return seen !== undefined && nowMs - seen.sinceMs >= forMs
}

/** The finished leases that stood still for `afterMs` and whose children, where they have leases, have started: garbage, if their shards are gone. */
export function garbageSuspects(leases: readonly Lease[], observations: LeaseObservations, nowMs: number, afterMs: number): string[] {
  const unstarted = new Set(leases.filter((lease) => !hasStarted(lease)).map(({ leaseKey }) => leaseKey))
  return leases
    .filter(({ leaseKey, checkpoint }) => isShardEnd(checkpoint) && stands(observations[leaseKey], nowMs, afterMs))
    .filter(({ childShardIds }) => !childShardIds.some((child) => unstarted.has(child)))
    .map(({ leaseKey }) => leaseKey)
}

function hasStarted({ checkpoint }: Lease): boolean {
  return !['TRIM_HORIZON', 'AT_TIMESTAMP'].includes(checkpoint.sequenceNumber)
}

/**
 * The leases of finished shards that may be deleted: every child has a lease and has started, the parents' leases are gone, and the row has stood still for
 * `afterMs`. Source: the KCL's lease clean-up.
 */
export function leasesToDelete(leases: readonly Lease[], observations: LeaseObservations, nowMs: number, afterMs: number): string[] {
  const byKey = new Map(leases.map((lease) => [lease.leaseKey, lease]))
  const started = (key: string): boolean => {
    const child = byKey.get(key)
    return child !== undefined && hasStarted(child)
  }
  return leases
    .filter(({ leaseKey, checkpoint, childShardIds, parentShardIds }) => {
      if (!isShardEnd(checkpoint) || !stands(observations[leaseKey], nowMs, afterMs)) return false
      return childShardIds.length > 0 && childShardIds.every(started) && !parentShardIds.some((parent) => byKey.has(parent))
    })
    .map(({ leaseKey }) => leaseKey)
}
