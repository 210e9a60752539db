/**
 * The effect table: everything a machine may ask of the world, and every answer it may get.
 *
 * - An effect is plain JSON with a `type`, what it asks, and an `id` that its answer carries back. Effects without answers have no `id` of their own.
 * - One effect is one call or one callback, or one idempotent group of calls that its comment names.
 * - What the world may do is an answer here. What it should not do rejects, and reaches the machine as `effectFailed`.
 * - Effects of one step start in the order given. `lane` says what may run at once: per consumer one `task` or `read`, beside it one `checkpoint` write and
 *   timers; `coordinator` effects run at most once per lease or table; `notice` effects return at once.
 * - `idempotent`: starting it again after a crash changes nothing that the first run did not. The others are the read, and user callbacks, which are at
 *   least once by contract.
 * - `unanswered` says what waits if no answer ever comes. Nothing here times out by itself: adapters bound their calls and reject.
 */
import type { BatchHandle } from './batch.ts'
import type { Heartbeat, Lease, NewLease, ReportingWorker } from './lease.ts'
import type { InitialPosition, Position } from './position.ts'
import type { ExtendedSequenceNumber } from './sequenceNumber.ts'
import type { ChildShard, Shard, ShardId } from './shard.ts'
import type { ShutdownReason } from './shutdownReason.ts'

/** An error as data: its name (the KCL's, where it has one) and message. */
export interface ErrorFacts {
  readonly name: string
  readonly message: string
}

/**
 * How a finished shard consumer ended: shard end stored; lease gone; stopped before it was initialised, or by the error policy; failed by the error policy,
 * and the worker with it; or to be made anew from the last checkpoint.
 */
export type Outcome = 'finished' | 'leaseLost' | 'stopped' | 'failed' | 'replay'

/** A lease of this worker: `token` is the lease counter at acquisition, and fences every write made in its name. */
interface HeldLease {
  readonly leaseKey: string
  readonly token: number
}

interface OfShard {
  readonly shardId: ShardId
}

declare const shape: unique symbol
/** Carries a type inside a value. */
interface Shape<T> {
  readonly [shape]?: T
}
const of = <T>(): Shape<T> => ({})
const nothing = of<object>()
const failure = of<{ readonly error: ErrorFacts }>()

/** Every effect by its type: its port, what may run beside it, whether it may be started again, and which answers it may get. */
export const effectTable = {
  // Lease store, asked by a shard consumer.

  /** Looks whether every parent is at SHARD_END; a parent without a row counts as completed. One read per parent. */
  checkParentShards: {
    port: 'leaseStore',
    lane: 'task',
    idempotent: true,
    unanswered: 'the shard stays blocked until it is shut down',
    asks: of<OfShard & { readonly parentShardIds: readonly ShardId[] }>(),
    answers: { parentShardsCompleted: nothing, parentShardsPending: of<{ readonly pendingShardId: ShardId }>() },
  },
  /** Reads the stored checkpoint, consistently; the last write of this process to a lease that it holds tells it as well. */
  readCheckpoint: {
    port: 'leaseStore',
    lane: 'task',
    idempotent: true,
    unanswered: 'the shard is not initialised',
    asks: of<OfShard & HeldLease>(),
    answers: {
      checkpointRead: of<{
        readonly checkpoint: ExtendedSequenceNumber
        readonly pendingCheckpoint: ExtendedSequenceNumber | null
      }>(),
      leaseNotFound: nothing,
      throttled: nothing,
    },
  },
  /** Stores a checkpoint, conditional on the lease counter. `checkpointRefused`: the lease is not held any more. */
  writeCheckpoint: {
    port: 'leaseStore',
    lane: 'checkpoint',
    idempotent: true,
    unanswered: 'checkpoint requests wait, and the shard cannot complete',
    asks: of<OfShard & HeldLease & { readonly checkpoint: ExtendedSequenceNumber }>(),
    answers: { checkpointWritten: nothing, checkpointRefused: nothing, throttled: nothing },
  },
  /**
   * Creates the leases of the children at TRIM_HORIZON where they do not exist, then notes the children in the parent's row.
   * `siblingLeaseMissing`: a merged child names another parent that has no row yet.
   */
  createChildLeases: {
    port: 'leaseStore',
    lane: 'task',
    idempotent: true,
    unanswered: 'the end of the shard is not reported',
    asks: of<OfShard & HeldLease & { readonly childShards: readonly ChildShard[] }>(),
    answers: { childLeasesCreated: nothing, siblingLeaseMissing: nothing, leaseNotFound: nothing, throttled: nothing },
  },

  // Lease store, asked by the coordinator.

  /** Looks at the table and asks for its creation where it is missing and that is allowed; `tablePending` until it can be used. */
  ensureTable: {
    port: 'leaseTable',
    lane: 'coordinator',
    idempotent: true,
    unanswered: 'the worker does not start',
    asks: nothing,
    answers: { tableReady: nothing, tablePending: nothing, tableRefused: failure },
  },
  /**
   * Reads every lease: all pages of one scan. `nowMs` is monotonic milliseconds, taken when the scan began. `reportingWorkers` are those that report to a leader
   * of the KCL 3, in the same table or in one beside it, and how long ago they did, by the wall clocks of both; left out where none are known. So are the
   * `heartbeats` of workers.
   */
  listLeases: {
    port: 'leaseTable',
    lane: 'coordinator',
    idempotent: true,
    unanswered: 'no lease is taken',
    asks: nothing,
    answers: {
      leasesListed: of<{
        readonly leases: readonly Lease[]
        readonly nowMs: number
        readonly reportingWorkers?: readonly ReportingWorker[]
        readonly heartbeats?: readonly Heartbeat[]
      }>(),
      throttled: nothing,
    },
  },
  /** Creates a lease that nobody owns, unless it exists. */
  createLease: {
    port: 'leaseTable',
    lane: 'coordinator',
    idempotent: true,
    unanswered: 'the shard is not consumed',
    asks: of<{ readonly lease: NewLease }>(),
    answers: { leaseCreated: nothing, leaseExists: nothing, throttled: nothing },
  },
  /** Takes a lease, conditional on the counter and the owner that were listed. One write. */
  acquireLease: {
    port: 'leaseTable',
    lane: 'coordinator',
    idempotent: true,
    unanswered: 'the shard is not consumed',
    asks: of<{
      readonly leaseKey: string
      readonly leaseCounter: number
      readonly leaseOwner: string | null
      readonly workerId: string
    }>(),
    answers: {
      leaseAcquired: of<{ readonly lease: Lease; readonly token: number; readonly nowMs: number }>(),
      leaseRefused: nothing,
      throttled: nothing,
    },
  },
  /**
   * Asks the owner of a lease to hand it over: names the worker as the next owner and the present one as the owner of the checkpoints, on the condition that
   * it is the one that was listed and that no hand-off is under way. The counter stays, so that the owner's writes go on.
   */
  requestHandoff: {
    port: 'leaseTable',
    lane: 'coordinator',
    idempotent: true,
    unanswered: 'the lease stays where it is',
    asks: of<{ readonly leaseKey: string; readonly leaseOwner: string; readonly workerId: string }>(),
    answers: { handoffRequested: nothing, handoffRefused: nothing, throttled: nothing },
  },
  /**
   * Bumps the counter of a held lease, unless another write in its name did since `freshSinceMs`, which then is the renewal. `nextOwner` is who asked for it to
   * be handed over; null when nobody did. `workerIdShared`: another process writes to the lease under the id of this worker.
   */
  renewLease: {
    port: 'leaseTable',
    lane: 'coordinator',
    idempotent: true,
    unanswered: 'the lease expires and others take it',
    asks: of<HeldLease & { readonly freshSinceMs: number }>(),
    answers: {
      leaseRenewed: of<{ readonly nowMs: number; readonly nextOwner: string | null }>(),
      leaseRefused: nothing,
      workerIdShared: nothing,
      throttled: nothing,
    },
  },
  /** Gives a held lease up: to the next owner of a hand-off, or, where that is null, so that any other takes it at once. */
  releaseLease: {
    port: 'leaseTable',
    lane: 'coordinator',
    idempotent: true,
    unanswered: 'the lease expires and others take it',
    asks: of<HeldLease & { readonly nextOwner: string | null }>(),
    answers: { leaseReleased: nothing, leaseRefused: nothing, workerIdShared: nothing, throttled: nothing },
  },
  /**
   * Writes the heartbeat of this worker: a row of its own, no lease, which is made with the counter 1 where `counter` is null, and otherwise grows from `counter`
   * by one. `heartbeatRefused`: another counter stands there; null where there is no row. `nowMs` is monotonic milliseconds, taken before the write.
   */
  writeHeartbeat: {
    port: 'leaseTable',
    lane: 'coordinator',
    idempotent: true,
    unanswered: 'the leases of the worker expire and others take them',
    asks: of<{ readonly workerId: string; readonly counter: number | null }>(),
    answers: {
      heartbeatWritten: of<{ readonly counter: number; readonly nowMs: number }>(),
      heartbeatRefused: of<{ readonly counter: number | null }>(),
      throttled: nothing,
    },
  },
  /** Deletes the heartbeat of a worker that has stopped or died, as long as it has this counter: `heartbeatRefused` tells another; none is deleted, too. */
  deleteHeartbeat: {
    port: 'leaseTable',
    lane: 'coordinator',
    idempotent: true,
    unanswered: 'the row stays',
    asks: of<{ readonly workerId: string; readonly counter: number }>(),
    answers: { heartbeatDeleted: nothing, heartbeatRefused: of<{ readonly counter: number | null }>(), throttled: nothing },
  },
  /** Deletes the lease of a finished shard. */
  deleteLease: {
    port: 'leaseTable',
    lane: 'coordinator',
    idempotent: true,
    unanswered: 'the row stays',
    asks: of<{ readonly leaseKey: string }>(),
    answers: { leaseDeleted: nothing, throttled: nothing },
  },

  // Record source.

  /** Gets an iterator. `openedAtMs` is epoch milliseconds, taken before the call: where LATEST was. */
  openShard: {
    port: 'recordSource',
    lane: 'task',
    idempotent: true,
    unanswered: 'the shard is not read',
    asks: of<OfShard & { readonly position: Position }>(),
    answers: { shardOpened: of<{ readonly openedAtMs: number }>(), shardNotFound: nothing, throttled: nothing },
  },
  /**
   * Reads the next batch, leaving out what is at or below `after`. `maxRecords` counts Kinesis records: a source that takes aggregates apart may deliver
   * more, and may list the shards for their hash keys. After a success that did not reach the tip the source may make the very call that would
   * come next, within `prefetch`, and keep its answer. `iteratorExpired` and `shardNotOpen` ask for `openShard` again. Not to be repeated when its answer
   * was lost: the source has moved on, so the shard is opened again.
   */
  readRecords: {
    port: 'recordSource',
    lane: 'read',
    idempotent: false,
    unanswered: 'nothing is delivered until the shard is shut down',
    asks: of<
      OfShard & {
        readonly after: ExtendedSequenceNumber | null
        readonly maxRecords: number
        /** What may be read ahead: 0 records for nothing. */
        readonly prefetch: { readonly maxRecords: number; readonly maxBytes: number }
      }
    >(),
    answers: {
      recordsRead: of<{ readonly batch: BatchHandle }>(),
      iteratorExpired: nothing,
      shardNotOpen: nothing,
      shardNotFound: nothing,
      throttled: nothing,
    },
  },
  /**
   * Puts the next `count` records of a batch above `after`, or what there is of them, into the store as a batch of their own: one that does not end the
   * shard. The batch itself stays. Asked again, it makes another, which is freed with the shard at the latest.
   */
  splitBatch: {
    port: 'recordSource',
    lane: 'task',
    idempotent: true,
    unanswered: 'nothing more is delivered, and a shutdown waits',
    asks: of<OfShard & { readonly batchId: string; readonly after: ExtendedSequenceNumber | null; readonly count: number }>(),
    answers: { batchSplit: of<{ readonly batch: BatchHandle }>(), batchGone: nothing },
  },
  /** Frees the records of a batch. */
  dropBatch: {
    port: 'recordSource',
    lane: 'notice',
    idempotent: true,
    unanswered: null,
    asks: of<OfShard & { readonly batchId: string }>(),
    answers: {},
  },
  /** Forgets the iterator, what was read ahead, and every batch of the shard. */
  closeShard: {
    port: 'recordSource',
    lane: 'task',
    idempotent: true,
    unanswered: 'the consumer does not complete',
    asks: of<OfShard>(),
    answers: { shardClosed: nothing },
  },
  /** Lists the shards that hold data from a position on, or all: every page of one listing. */
  listShards: {
    port: 'streamDirectory',
    lane: 'coordinator',
    idempotent: true,
    unanswered: 'the worker does not start',
    asks: of<{ readonly from: InitialPosition | 'ALL' }>(),
    answers: {
      shardsListed: of<{ readonly shards: readonly Shard[] }>(),
      streamNotFound: nothing,
      streamNotActive: nothing,
      throttled: nothing,
    },
  },
  /**
   * Lists the children of one shard, also of one that is listed no more: every page of one listing. `shardStillOpen`: the end of the shard was a false
   * one. With `streamNotFound` nothing is known of its end.
   */
  listChildShards: {
    port: 'recordSource',
    lane: 'task',
    idempotent: true,
    unanswered: 'the end of the shard is not reported',
    asks: of<OfShard>(),
    answers: {
      childShardsListed: of<{ readonly childShards: readonly ChildShard[] }>(),
      shardStillOpen: nothing,
      streamNotFound: nothing,
      throttled: nothing,
    },
  },

  // Record processor: user callbacks. A throwing callback is an expected answer. `processorGone`: the adapter has no processor for this consumer any more.

  /** Makes the processor of a shard ready, before its first records. `checkpoint` is the stored one. */
  initialize: {
    port: 'processor',
    lane: 'task',
    idempotent: false,
    unanswered: 'the shard is not read',
    asks: of<
      OfShard &
        HeldLease & {
          readonly checkpoint: ExtendedSequenceNumber
          readonly pendingCheckpoint: ExtendedSequenceNumber | null
        }
    >(),
    answers: { initialized: nothing, initializeFailed: failure },
  },
  /** Hands over the records of a batch that are above `after`. `attempt` counts from 0. */
  processRecords: {
    port: 'processor',
    lane: 'task',
    idempotent: false,
    unanswered: 'nothing more is delivered, and a shutdown waits',
    asks: of<
      OfShard & {
        readonly batch: BatchHandle
        readonly after: ExtendedSequenceNumber | null
        readonly attempt: number
      }
    >(),
    answers: { recordsProcessed: nothing, recordsFailed: failure, batchGone: nothing, processorGone: nothing },
  },
  /**
   * Hands the records of a batch that are above `after` to the dead letter: they were delivered `attempts` times, and last failed with `error`. Once it is
   * answered with success they may be passed over.
   */
  deliverDeadLetter: {
    port: 'processor',
    lane: 'task',
    idempotent: false,
    unanswered: 'nothing more is delivered, and a shutdown waits',
    asks: of<
      OfShard & {
        readonly batch: BatchHandle
        readonly after: ExtendedSequenceNumber | null
        readonly attempts: number
        readonly error: ErrorFacts
      }
    >(),
    answers: { deadLetterDelivered: nothing, deadLetterFailed: failure, batchGone: nothing, processorGone: nothing },
  },
  /** Tells the processor that the worker stops, while it may still checkpoint. */
  notifyShutdownRequested: {
    port: 'processor',
    lane: 'task',
    idempotent: false,
    unanswered: 'the lease is not released',
    asks: of<OfShard>(),
    answers: { shutdownRequestedNotified: nothing, shutdownRequestedFailed: failure, processorGone: nothing },
  },
  /** Tells the processor that its lease is gone, and with it the right to checkpoint. `attempt` counts from 0. */
  notifyLeaseLost: {
    port: 'processor',
    lane: 'task',
    idempotent: false,
    unanswered: 'the consumer does not complete',
    asks: of<OfShard & { readonly attempt: number }>(),
    answers: { leaseLostNotified: nothing, leaseLostFailed: failure, processorGone: nothing },
  },
  /** Tells the processor that its shard has ended. It is done when it has checkpointed the end. `attempt` counts from 0. */
  notifyShardEnded: {
    port: 'processor',
    lane: 'task',
    idempotent: false,
    unanswered: 'the children of the shard stay blocked',
    asks: of<OfShard & { readonly attempt: number }>(),
    answers: { shardEndedNotified: nothing, shardEndedFailed: failure, processorGone: nothing },
  },
  /** Ends a checkpoint request: `error` is null when it was stored or already stood. Unknown requests are ignored. */
  settleCheckpoint: {
    port: 'processor',
    lane: 'notice',
    idempotent: true,
    unanswered: null,
    asks: of<OfShard & { readonly request: string; readonly error: ErrorFacts | null }>(),
    answers: {},
  },

  // Timers.

  /** Answers after `delayMs`. `nowMs` is monotonic milliseconds. */
  startTimer: {
    port: 'timers',
    lane: 'timer',
    idempotent: true,
    unanswered: 'what waits for it waits on, until it is shut down; what is shutting down already, for ever',
    asks: of<{ readonly delayMs: number }>(),
    answers: { timerFired: of<{ readonly nowMs: number }>() },
  },

  // The owner of a shard consumer.

  /** The processor knows of the requested shutdown and its checkpoints are written: the lease may be released. */
  signalShutdownNotificationComplete: {
    port: 'consumerOwner',
    lane: 'notice',
    idempotent: true,
    unanswered: null,
    asks: of<OfShard & HeldLease>(),
    answers: {},
  },
  /** The store says that the lease is gone. */
  signalLeaseLost: {
    port: 'consumerOwner',
    lane: 'notice',
    idempotent: true,
    unanswered: null,
    asks: of<OfShard & HeldLease>(),
    answers: {},
  },
  /** A shutdown that was asked for has ended. */
  signalShutdownComplete: {
    port: 'consumerOwner',
    lane: 'notice',
    idempotent: true,
    unanswered: null,
    asks: of<OfShard & HeldLease & { readonly outcome: Outcome }>(),
    answers: {},
  },

  // The host of lease keepers and shard consumers, asked by the coordinator and by the keeper of a lease.

  /**
   * Keeps a lease that was acquired: renews it unless the heartbeat of the worker does, runs its shard consumer, and releases it in the end. `acquiredMs` is
   * monotonic milliseconds.
   */
  keepLease: {
    port: 'leaseHost',
    lane: 'notice',
    idempotent: true,
    unanswered: null,
    asks: of<
      HeldLease & OfShard & { readonly parentShardIds: readonly ShardId[]; readonly acquiredMs: number; readonly renews: boolean }
    >(),
    answers: {},
  },
  /** Ends the keeping of a lease: in order, or at once with `force`. */
  stopKeeping: {
    port: 'leaseHost',
    lane: 'notice',
    idempotent: true,
    unanswered: null,
    asks: of<{ readonly leaseKey: string; readonly force: boolean }>(),
    answers: {},
  },
  /** Ends the keeping of a lease that this worker does not hold any more: nothing is released. */
  loseLease: {
    port: 'leaseHost',
    lane: 'notice',
    idempotent: true,
    unanswered: null,
    asks: of<{ readonly leaseKey: string }>(),
    answers: {},
  },
  /** Ends the keeping of a lease in order, and releases it to the worker that asked for it. */
  handOverLease: {
    port: 'leaseHost',
    lane: 'notice',
    idempotent: true,
    unanswered: null,
    asks: of<{ readonly leaseKey: string; readonly nextOwner: string }>(),
    answers: {},
  },
  /**
   * Starts a shard consumer on a held lease, with a processor of its own. `openedAtMs` is when an earlier one of this tenure first opened the shard, epoch
   * milliseconds.
   */
  startConsumer: {
    port: 'consumerHost',
    lane: 'notice',
    idempotent: true,
    unanswered: null,
    asks: of<HeldLease & OfShard & { readonly parentShardIds: readonly ShardId[]; readonly openedAtMs: number | null }>(),
    answers: {},
  },
  /** Passes a shutdown on to the consumer of a lease. */
  shutDownConsumer: {
    port: 'consumerHost',
    lane: 'notice',
    idempotent: true,
    unanswered: null,
    asks: of<HeldLease & { readonly reason: ShutdownReason }>(),
    answers: {},
  },

  // The driver.

  /** Aborts the effect with this `id`; its answer, if one comes, is still an event. */
  cancel: { port: 'driver', lane: 'notice', idempotent: true, unanswered: null, asks: nothing, answers: {} },
} as const satisfies Record<string, EffectFacts>

interface EffectFacts {
  readonly port: string
  readonly lane: 'task' | 'read' | 'checkpoint' | 'coordinator' | 'timer' | 'notice'
  readonly idempotent: boolean
  readonly unanswered: string | null
  readonly asks: Shape<object>
  readonly answers: Readonly<Record<string, Shape<object>>>
}

type Table = typeof effectTable
type Inside<S> = S extends Shape<infer T> ? T : never
type Distribute<T> = T extends unknown ? { [K in keyof T]: T[K] } : never

/** The type of every effect. */
export type EffectType = keyof Table
/** The adapters' sides of the table. */
export type Port = Table[EffectType]['port']

/** The answer types of one effect. */
type AnswerTypesOf<K extends EffectType> = keyof Table[K]['answers'] & string

/** An effect of the table. The `id` of `cancel` is that of the effect it aborts; other effects without an answer have none. */
export type EffectOf<K extends EffectType> = K extends EffectType
  ? Distribute<
      { readonly type: K } & (K extends AnsweredEffectType | 'cancel' ? { readonly id: number } : object) & Inside<Table[K]['asks']>
    >
  : never

/** Any effect. */
export type Effect = EffectOf<EffectType>

/** An answer to an effect of type K, before the driver gives it the effect's id. */
export type AnswerBody<K extends EffectType> = {
  [E in K]: {
    [A in AnswerTypesOf<E>]: Distribute<{ readonly type: A } & Inside<Table[E]['answers'][A]>>
  }[AnswerTypesOf<E>]
}[K]

/** The answer to an effect whose handler rejected. */
export interface EffectFailed {
  readonly type: 'effectFailed'
  readonly id: number
  readonly error: ErrorFacts
}

/** Any answer, as the driver feeds it to the machine. */
export type Answer = (AnswerBody<EffectType> & { readonly id: number }) | EffectFailed

/** The type of every answer. */
export type AnswerType = Answer['type']

/** The effects that some answer follows. */
export type AnsweredEffectType = {
  [K in EffectType]: [AnswerTypesOf<K>] extends [never] ? never : K
}[EffectType]

/** Whether an answer follows the effect; those without one are never outstanding. */
export function isAnswered(type: EffectType): type is AnsweredEffectType {
  return Object.keys(effectTable[type].answers).length > 0
}
