import {
  type BatchHandle,
  type ChildShard,
  type EffectOf,
  type EffectsOf,
  type ErrorFacts,
  type ExtendedSequenceNumber,
  type MachineAnswer,
  type Outcome,
  parseShardId,
  type ShardId,
  type ShutdownReason,
  unexpected,
} from '@shardwise/effects'
import { parseShardConsumerOptions, type ShardConsumerOptions } from './shardConsumerOptions.ts'

/** The effects that a shard consumer asks for. */
type ShardEffectType = EffectsOf<'leaseStore' | 'recordSource' | 'processor' | 'timers' | 'consumerOwner' | 'driver'>
/** An effect of a shard consumer. */
export type ShardEffect = EffectOf<ShardEffectType>

/** Asks for a shutdown. REQUESTED is a graceful stop, LEASE_LOST says that the lease is gone, SHARD_END that nothing of the shard is left to read. */
export interface ShutdownEvent {
  readonly type: 'shutdown'
  readonly reason: ShutdownReason
}

/** A record processor asks for a checkpoint, at a position or, with null, at everything that has been delivered. `request` comes back in `settleCheckpoint`. */
export interface CheckpointRequestedEvent {
  readonly type: 'checkpointRequested'
  readonly request: string
  readonly position: ExtendedSequenceNumber | null
}

/**
 * Has no batch handed to the record processor from now on, or has them handed over again. What is under way is not disturbed, the lease is kept, and
 * checkpoints are served.
 */
export interface PauseEvent {
  readonly type: 'pause' | 'resume'
}

/** Everything a shard consumer understands. */
export type ShardEvent = ShutdownEvent | PauseEvent | CheckpointRequestedEvent | MachineAnswer<ShardEffectType>

/** What a shard consumer is started with. Unknown options are errors. */
export interface ShardConsumerInput {
  readonly shardId: ShardId
  /** The key of the lease row; the shard id unless said otherwise. */
  readonly leaseKey?: string
  /** The lease counter at acquisition. */
  readonly token: number
  readonly parentShardIds?: readonly ShardId[]
  /** Seeds the jitter of backoffs. */
  readonly seed?: number
  /** Where LATEST was, epoch ms, when an earlier consumer of this tenure opened the shard. */
  readonly openedAtMs?: number | null
  readonly options?: Partial<ShardConsumerOptions>
}

/** The effects of which one at most is awaited: the task, the read, or the timer that the consumer waits for. */
export type TaskEffect = EffectOf<TaskEffectType>
/** The types of those effects. */
export type TaskEffectType =
  | Exclude<EffectsOf<'leaseStore'>, 'writeCheckpoint'>
  | Exclude<EffectsOf<'recordSource'>, 'dropBatch'>
  | Exclude<EffectsOf<'processor'>, 'settleCheckpoint'>
  | 'startTimer'

/** A checkpoint request that was accepted, with the value it stands for. */
export interface CheckpointRequest {
  readonly request: string
  readonly checkpoint: ExtendedSequenceNumber
}

/** The checkpoint write that is out: the write itself, or the timer before its next attempt. */
export interface CheckpointWrite extends CheckpointRequest {
  readonly effect: EffectOf<'writeCheckpoint' | 'startTimer'>
  readonly attempt: number
}

/** A batch that was given up: where it lies, how often it was delivered, and what the processor failed with last. */
interface GivenUpBatch {
  readonly first: ExtendedSequenceNumber | null
  readonly last: ExtendedSequenceNumber | null
  readonly attempts: number
  readonly error: ErrorFacts
}

/** The memory of a shard consumer: plain JSON. */
export interface ShardConsumerContext {
  readonly shardId: ShardId
  readonly leaseKey: string
  readonly token: number
  readonly parentShardIds: readonly ShardId[]
  readonly seed: number
  readonly options: ShardConsumerOptions
  /** The id of the next effect. */
  readonly nextId: number
  /** The highest reason recorded; it never falls. */
  readonly reason: ShutdownReason | null
  /** Whether someone outside asked for a shutdown and awaits its end. */
  readonly shutdownAsked: boolean
  /** Whether a graceful stop was among what was asked for. */
  readonly stopRequested: boolean
  /** Whether no batch is to be handed to the processor. */
  readonly paused: boolean
  readonly task: TaskEffect | null
  /** Failures in a row of the present work; sets the backoff. */
  readonly attempt: number
  /** The work that failed, by the effect it began with: what follows the backoff. */
  readonly resume: TaskEffectType | null
  readonly initialized: boolean
  /** The stored checkpoint; null before it was read. */
  readonly checkpoint: ExtendedSequenceNumber | null
  readonly pendingCheckpoint: ExtendedSequenceNumber | null
  /** The last record whose batch completed without error. */
  readonly completed: ExtendedSequenceNumber | null
  /** When the shard was first opened, epoch ms: where LATEST was. */
  readonly openedAtMs: number | null
  readonly batch: BatchHandle | null
  /** The batch of which the present one is a part, while the record at fault is looked for. */
  readonly whole: BatchHandle | null
  /** How many records the part was taken from that failed last, less those that have succeeded since. */
  readonly suspects: number
  /** How often the processor failed on the present batch. */
  readonly batchFailures: number
  /** When it failed first, monotonic ms, where its age counts and a backoff has told the time. */
  readonly failingSinceMs: number | null
  /** What it failed with last; long messages are cut. */
  readonly lastError: ErrorFacts | null
  /** The batch for which the error policy gave the shard up. */
  readonly gaveUp: GivenUpBatch | null
  /** How long to wait before the next read, in ms. */
  readonly idleMs: number
  /** Whether everything in the shard has been delivered. */
  readonly atShardEnd: boolean
  /** The children of the ended shard; null until they are known. */
  readonly childShards: readonly ChildShard[] | null
  /** Whether shardEnded was started: a checkpoint of everything is then SHARD_END. */
  readonly shardEndedStarted: boolean
  /** Whether the processor may not checkpoint any more, short of a lost lease. */
  readonly processorDone: boolean
  /** Whether the owner was told that the notification of a requested shutdown is complete. */
  readonly notificationSignalled: boolean
  /** Whether the processor must be made anew, where SHARD_END is not stored. */
  readonly replay: boolean
  readonly write: CheckpointWrite | null
  readonly waiting: readonly CheckpointRequest[]
  readonly outcome: Outcome | null
}

/** Checks the input and makes the memory of a consumer that has not begun. @throws Error naming the field that is wrong. */
export function createShardConsumerContext(input: ShardConsumerInput): ShardConsumerContext {
  const { token, seed = 0, openedAtMs = null } = input
  const shardId = parseShardId(input.shardId)
  const { leaseKey = shardId } = input
  if (!Number.isSafeInteger(token) || token < 0) throw unexpected('token', 'a whole number from 0', token)
  if (!Number.isSafeInteger(seed)) throw unexpected('seed', 'a whole number', seed)
  if (!leaseKey) throw unexpected('leaseKey', 'a text', leaseKey)
  return copyContext({
    shardId,
    leaseKey,
    token,
    parentShardIds: (input.parentShardIds ?? []).map(parseShardId),
    seed,
    options: parseShardConsumerOptions(input.options ?? {}),
    openedAtMs,
  })
}

/** What the memory of a consumer begins with; the rest is empty. */
type FirstMemory = Pick<ShardConsumerContext, 'shardId' | 'leaseKey' | 'token' | 'parentShardIds' | 'seed' | 'options' | 'openedAtMs'>

/** A copy, field by field: of so many, a spread takes twenty times as long. Fields that are left out are those of a consumer that has not begun. */
export function copyContext(from: FirstMemory & Partial<ShardConsumerContext>): ShardConsumerContext {
  return {
    shardId: from.shardId,
    leaseKey: from.leaseKey,
    token: from.token,
    parentShardIds: from.parentShardIds,
    seed: from.seed,
    options: from.options,
    nextId: from.nextId ?? 1,
    reason: from.reason ?? null,
    shutdownAsked: from.shutdownAsked ?? false,
    stopRequested: from.stopRequested ?? false,
    paused: from.paused ?? false,
    task: from.task ?? null,
    attempt: from.attempt ?? 0,
    resume: from.resume ?? null,
    initialized: from.initialized ?? false,
    checkpoint: from.checkpoint ?? null,
    pendingCheckpoint: from.pendingCheckpoint ?? null,
    completed: from.completed ?? null,
    openedAtMs: from.openedAtMs,
    batch: from.batch ?? null,
    whole: from.whole ?? null,
    suspects: from.suspects ?? 0,
    batchFailures: from.batchFailures ?? 0,
    failingSinceMs: from.failingSinceMs ?? null,
    lastError: from.lastError ?? null,
    gaveUp: from.gaveUp ?? null,
    idleMs: from.idleMs ?? 0,
    atShardEnd: from.atShardEnd ?? false,
    childShards: from.childShards ?? null,
    shardEndedStarted: from.shardEndedStarted ?? false,
    processorDone: from.processorDone ?? false,
    notificationSignalled: from.notificationSignalled ?? false,
    replay: from.replay ?? false,
    write: from.write ?? null,
    waiting: from.waiting ?? [],
    outcome: from.outcome ?? null,
  }
}

/** A field of the memory that the present state cannot be without. @throws Error naming it when it is missing. */
export function known<K extends keyof ShardConsumerContext>(context: ShardConsumerContext, name: K): NonNullable<ShardConsumerContext[K]> {
  const value = context[name]
  if (value === null) throw new Error(`${name}: there is none yet`)
  return value
}
