import type { EffectOf, ErrorFacts, Lease, MachineAnswer, Outcome } from '@shardwise/effects'
import type { CoordinatorOptions } from './coordinatorOptions.ts'
import type { Ask } from './draft.ts'
import type { LeaseObservations } from './leasePlan.ts'
import type { WorkerObservations } from './workerObservations.ts'

/** The effects of a coordinator. */
export type CoordinatorEffectType =
  | 'ensureTable'
  | 'listLeases'
  | 'createLease'
  | 'acquireLease'
  | 'requestHandoff'
  | 'deleteLease'
  | 'writeHeartbeat'
  | 'deleteHeartbeat'
  | 'listShards'
  | 'startTimer'
  | 'keepLease'
  | 'stopKeeping'
  | 'loseLease'
  | 'handOverLease'
  | 'cancel'
/** An effect of a coordinator. */
export type CoordinatorEffect = EffectOf<CoordinatorEffectType>

/** What a coordinator hears: from its owner, of the leases it kept, and the answers to its effects. */
export type CoordinatorEvent =
  | { readonly type: 'stop'; readonly force: boolean }
  /** A kept lease was given up; `outcome` is how its shard consumer ended, `workerIdShared` whether another process took it under the id of this worker. */
  | { readonly type: 'leaseGone'; readonly leaseKey: string; readonly outcome: Outcome | null; readonly workerIdShared?: boolean }
  | MachineAnswer<CoordinatorEffectType>

type Phase = 'starting' | 'syncing' | 'running' | 'stopping' | 'stopped'
/** A call about a single lease, or the heartbeat of a worker that died. */
export type LeaseCall = Ask<EffectOf<'createLease' | 'acquireLease' | 'requestHandoff' | 'deleteLease' | 'deleteHeartbeat'>>

/** What the audits have found. Times are monotonic milliseconds. */
interface Audit {
  readonly dueMs: number
  /** The hole that was found last, and how often in a row. */
  readonly hole: string | null
  readonly seen: number
  /** When finished leases are to be looked for next whose shards are gone. */
  readonly garbageDueMs: number
  /** What the shards are listed for: whether to fill a hole, and which finished leases to delete if their shards are gone. */
  readonly fills: boolean
  readonly suspects: readonly string[]
}

/** One acquisition of a lease. */
interface Tenure {
  readonly token: number
  /** Monotonic milliseconds. */
  readonly acquiredMs: number
}

/** The heartbeat that this worker writes. Times are monotonic milliseconds. */
export interface OwnHeartbeat {
  /** The counter that stands in the row, as far as is known; null where there is no row. */
  readonly counter: number | null
  /** When the last beat was sent; null before the first one counts, and after the failover time without another: then this worker holds no lease. */
  readonly writtenMs: number | null
  /** When a beat was sent that is written; null once a timer has told how long its answer took, without which a first one does not count. */
  readonly unconfirmedMs: number | null
  /** The write, or the timer before the next one; in the end the deletion. */
  readonly awaited: EffectOf<'startTimer' | 'writeHeartbeat' | 'deleteHeartbeat'> | null
  /** Fires when the failover time has passed since the last beat; out while one is due. */
  readonly deadline: EffectOf<'startTimer'> | null
  /** When the beat that is out was due. */
  readonly beatMs: number
  /** Since when a beat has been out that failed and may be in the row nevertheless. */
  readonly inDoubtSinceMs: number | null
  readonly failures: number
}

/** The memory of a coordinator: plain JSON. */
export interface CoordinatorState {
  readonly options: CoordinatorOptions
  readonly phase: Phase
  readonly nextId: number
  /** The one call or timer that leads on to the next: to the table, the leases, the shards, or the next listing. */
  readonly awaited: EffectOf<'ensureTable' | 'listLeases' | 'listShards' | 'startTimer'> | null
  /** What the timer leads to. */
  readonly next: 'ensureTable' | 'listLeases' | 'listShards'
  readonly attempts: number
  /** How often the table was not ready. */
  readonly tablePolls: number
  /** Calls about single leases that are out, by id, and those that wait for a place among them. */
  readonly calls: Readonly<Record<string, LeaseCall>>
  readonly queue: readonly LeaseCall[]
  readonly leases: readonly Lease[]
  readonly observations: LeaseObservations
  readonly kept: readonly string[]
  /** The acquisition of each kept lease. */
  readonly tenures: Readonly<Record<string, Tenure>>
  /** What was seen of the heartbeats of all workers, and of owners that have none. */
  readonly workers: WorkerObservations
  /** The heartbeat of this worker; null before the first one, and where leases are renewed one by one. */
  readonly heartbeat: OwnHeartbeat | null
  /** Whether heartbeats were seen of which it is not known yet whether their workers live; leases that are renewed one by one are not taken beside them. */
  readonly heartbeatsInDoubt: boolean
  /** Leases whose consumer ended by policy; this worker does not take them again. */
  readonly unwanted: readonly string[]
  /** Leases that were lost or given away, the longest ago first; this worker takes others first. */
  readonly lost: readonly string[]
  /** Whether the shards were synchronised since the start. */
  readonly synced: boolean
  /** Whether a lease was lost since the stream was last seen: it may be gone, or be another one of the same name. */
  readonly streamInDoubt: boolean
  readonly audit: Audit
  /** Whether a shard finished while the leases were being listed: the listing may be older than its children. */
  readonly listAgain: boolean
  /** Whether the stop is a forced one. */
  readonly force: boolean
  readonly failure: ErrorFacts | null
}
