import type { Heartbeat, Lease } from '@shardwise/effects'

/** When a worker was last seen to live: `sinceMs` is monotonic milliseconds of the observer. */
interface WorkerObservation {
  /** The counter of its heartbeat; null where it holds leases and has none. */
  readonly counter: number | null
  readonly sinceMs: number
}

/** What a worker has seen of the heartbeats of all, by worker id. */
export type WorkerObservations = Readonly<Record<string, WorkerObservation>>

/** Who may checkpoint: during a hand-off that is still the old owner. */
export function holderOf({ checkpointOwner, leaseOwner }: Lease): string | null {
  return checkpointOwner ?? leaseOwner
}

/** Notes which workers lived since the leases were last listed; workers without a heartbeat and a lease are forgotten. */
export function observeWorkers(
  before: WorkerObservations,
  heartbeats: readonly Heartbeat[],
  leases: readonly Lease[],
  nowMs: number,
): WorkerObservations {
  const counters = new Map<string, number | null>()
  for (const lease of leases) {
    const holder = holderOf(lease)
    if (holder !== null) counters.set(holder, null)
  }
  for (const { workerId, counter } of heartbeats) counters.set(workerId, counter)
  return Object.fromEntries(
    [...counters].map(([workerId, counter]) => {
      const seen = before[workerId]
      return [workerId, { counter, sinceMs: seen !== undefined && seen.counter === counter ? seen.sinceMs : nowMs }]
    }),
  )
}
