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

/** What to do now: leases to take, which are free, and leases to steal, whose owners live. Never both. */
export interface LeasePlan {
  readonly take: readonly Lease[]
  readonly steal: readonly Lease[]
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
  const { maxLeasesForWorker, mine, lost } = situation
  const { free, alive, counts, own, total } = census(situation)
  const share = Math.min(Math.ceil(total / counts.size), maxLeasesForWorker)
  const need = share - own
  const wanted = wantedLeases(situation)
  const inOrder = (leases: readonly Lease[]): Lease[] =>
    leases
      .filter((lease) => wanted.has(lease))
      .sort((a, b) => lost.indexOf(a.leaseKey) - lost.indexOf(b.leaseKey) || (a.leaseKey < b.leaseKey ? -1 : 1))

  const places = Math.max(0, maxLeasesForWorker - Math.max(mine.size, own))
  const atOnce = inOrder(free.filter((lease) => isTakenAtOnce(lease, situation))).slice(0, places)
  const expired = inOrder(free.filter((lease) => !isTakenAtOnce(lease, situation)))
  const take = [...atOnce, ...expired.slice(0, Math.max(0, Math.min(need, places) - atOnce.length))]
  if (take.length > 0 || need <= 0) return { take, steal: [] }
  return {
    take,
    steal: leasesToSteal(
      alive.filter((lease) => wanted.has(lease)),
      counts,
      share,
      need,
      situation,
    ),
  }
}

/** Who has what: the unfinished leases that are free, those whose owners live, and how many each worker has or is about to have. */
function census(situation: LeaseSituation): {
  readonly free: readonly Lease[]
  readonly alive: readonly Lease[]
  readonly counts: ReadonlyMap<string, number>
  readonly own: number
  readonly total: number
} {
  const { workerId, leases, mine, failoverTimeMillis } = situation
  const free: Lease[] = []
  const alive: Lease[] = []
  const counts = new Map([[workerId, 0]])
  let total = 0
  const count = (owner: string): void => void counts.set(owner, (counts.get(owner) ?? 0) + 1)
  for (const lease of leases) {
    const { leaseKey, leaseOwner, checkpointOwner, checkpoint } = lease
    if (isShardEnd(checkpoint)) continue
    total += 1
    // During a hand-off the row names the next owner already, while the old one may still checkpoint.
    const holder = holderOf(lease)
    if (mine.has(leaseKey)) count(checkpointOwner === workerId && leaseOwner !== null ? leaseOwner : workerId)
    else if (holder === null || holder === workerId || isOverdue(lease, situation)) free.push(lease)
    else if (stoodStillMs(lease, situation) > failoverTimeMillis) free.push(lease)
    else {
      alive.push(lease)
      count(leaseOwner ?? holder)
    }
  }
  return { free, alive, counts, own: counts.get(workerId) ?? 0, total }
}

/** How long the owner gave no sign of life. One that is seen for the first time may have given it just now. */
function stoodStillMs(lease: Lease, { observations, workers, nowMs }: LeaseSituation): number {
  const seen = workers === null ? observations[lease.leaseKey] : workers[holderOf(lease) ?? '']
  return seen === undefined ? 0 : nowMs - seen.sinceMs
}

/** A hand-off to this worker whose old owner has had its time: it renews, and does not know hand-offs, or does not come to an end. */
function isOverdue({ leaseKey, leaseOwner, checkpointOwner }: Lease, situation: LeaseSituation): boolean {
  const { workerId, observations, nowMs, failoverTimeMillis, gracefulLeaseHandoffTimeoutMillis } = situation
  if (leaseOwner !== workerId || checkpointOwner === null) return false
  return nowMs - (observations[leaseKey]?.handoffSinceMs ?? nowMs) > gracefulLeaseHandoffTimeoutMillis + failoverTimeMillis
}

function isTakenAtOnce(lease: Lease, situation: LeaseSituation): boolean {
  const { workerId, failoverTimeMillis } = situation
  const holder = holderOf(lease)
  if (holder === null || holder === workerId || isOverdue(lease, situation)) return true
  return stoodStillMs(lease, situation) > veryOld * failoverTimeMillis
}

function wantedLeases({ leases, mine, unwanted, maxLeasesForWorker }: LeaseSituation): ReadonlySet<Lease> {
  const unfinished = leases.filter(({ checkpoint }) => !isShardEnd(checkpoint))
  const unfinishedKeys = new Set(unfinished.map(({ leaseKey }) => leaseKey))
  const scarce = unfinished.length > maxLeasesForWorker
  return new Set(
    unfinished.filter(
      ({ leaseKey, parentShardIds }) =>
        !mine.has(leaseKey) && !unwanted.has(leaseKey) && !(scarce && parentShardIds.some((parent) => unfinishedKeys.has(parent))),
    ),
  )
}

/**
 * Leases of the worker that has most, so many as bring neither above or below its share. From a worker that has just its share, one, and only when more than
 * one is needed: otherwise the two would swap their places for ever.
 */
function leasesToSteal(
  alive: readonly Lease[],
  counts: ReadonlyMap<string, number>,
  share: number,
  need: number,
  { workerId, maxLeasesToStealAtOneTime, seed }: LeaseSituation,
): readonly Lease[] {
  const others = [...counts]
    .filter(([owner]) => owner !== workerId)
    .sort(([a, most], [b, next]) => next - most || rankOf(seed, a) - rankOf(seed, b))
  for (const [owner, count] of others) {
    const wanted = count > share ? Math.min(need, count - share) : count === share && need > 1 ? 1 : 0
    const stolen = alive.filter(({ leaseOwner, checkpointOwner }) => leaseOwner === owner && checkpointOwner === null)
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
