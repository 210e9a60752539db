import type { EffectOf, ErrorFacts, Lease, MachineAnswer, Outcome } from '@shardwise/effects'
import type { CoordinatorOptions } from './coordinatorOptions.ts'
import type { Ask } from './draft.ts'
import type { LeaseObservations } from './leasePlan.ts'

/** The effects of a coordinator. */
export type CoordinatorEffectType =
  | 'ensureTable'
  | 'listLeases'
  | 'createLease'
  | 'acquireLease'
  | 'requestHandoff'
  | 'deleteLease'
  | 'listShards'
  | 'startTimer'
  | 'keepLease'
  | 'stopKeeping'
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
/** A call about a single lease. */
export type LeaseCall = Ask<EffectOf<'createLease' | 'acquireLease' | 'requestHandoff' | 'deleteLease'>>

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
