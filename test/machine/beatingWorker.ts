import type { Heartbeat, Lease } from '@shardwise/effects'
import type { CoordinatorOptions } from '@shardwise/machine'
import { aLedWorker, type LedWorker, leasesOf, listed, shardsListed, tiledShards } from './ledWorker.ts'

/** The failover time of these workers. */
export const failoverTimeMillis = 6_000
/** A heartbeat is due so long after the last one. */
export const intervalMs = 3_000
/** The shards of the stream. */
export const shards = tiledShards(2)
/** Their leases, which nobody owns. */
export const free = leasesOf(shards)
const options: Partial<CoordinatorOptions> = { leaseMode: 'workerHeartbeat', failoverTimeMillis }

/** A listing that began at `nowMs`, with these heartbeats. */
export const seen = (leases: readonly Lease[], nowMs: number, heartbeats: readonly Heartbeat[] = []) => ({
  ...listed(leases, nowMs),
  heartbeats,
})

/** A worker that waits for the answer to its first heartbeat. */
export function atItsFirstBeat(leases = free, heartbeats: readonly Heartbeat[] = [], facts: Partial<CoordinatorOptions> = {}): LedWorker {
  const worker = aLedWorker({ ...options, ...facts })
  worker.answer('ensureTable', { type: 'tableReady' })
  worker.answer('listLeases', seen(leases, 0, heartbeats))
  worker.answer('listShards', shardsListed(tiledShards(leases.length)))
  return worker
}

/** Fires the timer of the heartbeat. */
export function beat(worker: LedWorker, nowMs: number): void {
  const timer = worker.state.heartbeat?.awaited
  if (timer?.type !== 'startTimer') throw new Error(`heartbeat: expected a timer, got ${JSON.stringify(timer)}`)
  worker.send({ type: 'timerFired', id: timer.id, nowMs })
}

/** A heartbeat that was sent at `nowMs` and stands. */
export const written = (counter: number, nowMs: number) => ({ type: 'heartbeatWritten', counter, nowMs }) as const

/** A worker that lives since 0, and keeps both leases. */
export function keeping(): LedWorker {
  const worker = atItsFirstBeat()
  worker.answer('writeHeartbeat', written(1, 0))
  beat(worker, 1)
  worker.answer('listLeases', seen(free, 1, [{ workerId: 'me', counter: 1 }]))
  worker.settleCalls()
  return worker
}

/** The leases as this worker has acquired them. */
export const mine = (facts: Partial<Lease> = {}): readonly Lease[] => leasesOf(shards, { leaseOwner: 'me', leaseCounter: 1, ...facts })
/** What the last step tells those that keep a lease. */
export const told = (worker: LedWorker) => worker.effects.filter(({ type }) => type === 'loseLease' || type === 'handOverLease')

/** Lets the next listing begin at `nowMs`. */
export function list(worker: LedWorker, leases: readonly Lease[], nowMs: number, heartbeats: readonly Heartbeat[] = []): void {
  const { awaited } = worker.state
  if (awaited?.type === 'startTimer') worker.send({ type: 'timerFired', id: awaited.id, nowMs })
  worker.answer('listLeases', seen(leases, nowMs, [{ workerId: 'me', counter: 1 }, ...heartbeats]))
}
