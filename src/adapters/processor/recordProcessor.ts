import type { AbortSignalLike, ChildShard, ErrorFacts, ExtendedSequenceNumber, KinesisRecord, ShardId } from '@shardwise/effects'
import type { Checkpointer } from './checkpointer.ts'

/** The platform's own AbortSignal where it has one, so that it can be handed on to `fetch`; otherwise what every such signal offers. */
export type CallbackSignal = typeof globalThis extends { AbortSignal: { prototype: infer Signal extends AbortSignalLike } }
  ? Signal
  : AbortSignalLike

/** Where a processor starts. Source: KCL `InitializationInput`. */
export interface InitializationInput {
  readonly shardId: ShardId
  /** The stored checkpoint: records above it follow. */
  readonly extendedSequenceNumber: ExtendedSequenceNumber
  /** A checkpoint that an earlier owner prepared and did not complete. */
  readonly pendingCheckpointSequenceNumber: ExtendedSequenceNumber | undefined
  /** Tells this tenure of the lease from earlier ones; it grows with each owner. */
  readonly token: number
}

/** One batch of a shard, in order. Source: KCL `ProcessRecordsInput`. */
export interface ProcessRecordsInput {
  readonly shardId: ShardId
  readonly records: readonly KinesisRecord[]
  readonly checkpointer: Checkpointer
  /** Milliseconds; undefined when Kinesis did not say. */
  readonly millisBehindLatest: number | undefined
  readonly isAtShardEnd: boolean
  readonly childShards: readonly ChildShard[]
  /** How often this batch was handed over before: 0 the first time. */
  readonly attempt: number
  /** Fires when the lease is lost while the callback runs. */
  readonly signal: CallbackSignal
  /**
   * Has no further batch of this shard handed over, nor this one again, until the function that is returned is called, or the lease leaves the worker. This
   * call goes on; the lease is kept. Both stand alone, and may be kept and used between callbacks.
   */
  readonly pause: () => () => void
}

/** Records on which a processor failed until the error policy was exhausted. */
export interface DeadLetterInput {
  readonly shardId: ShardId
  /** In order; one, where batches are bisected. */
  readonly records: readonly KinesisRecord[]
  /** How often they were handed over. */
  readonly attempts: number
  /** What the processor failed with last; long messages are cut. */
  readonly error: ErrorFacts
  /** Fires when the lease is lost while the callback runs. */
  readonly signal: CallbackSignal
}

/** Takes dead letters. It fails by throwing or rejecting, and is then called again, with no limit: until it succeeds, no checkpoint passes the records. */
export type DeadLetter = (letter: DeadLetterInput) => void | Promise<void>

/** Empty: nothing can be done for a shard whose lease is gone. Source: KCL `LeaseLostInput`. */
export type LeaseLostInput = Readonly<Record<never, never>>

/** The shard was processed to its end, and `checkpointer.checkpoint()` must be called for its children to start. Source: KCL `ShardEndedInput`. */
export interface ShardEndedInput {
  readonly checkpointer: Checkpointer
  /** How often the end was reported before without a checkpoint: 0 the first time. */
  readonly attempt: number
  readonly signal: CallbackSignal
}

/** The worker stops: the last moment to checkpoint. Source: KCL `ShutdownRequestedInput`. */
export interface ShutdownRequestedInput {
  readonly checkpointer: Checkpointer
  readonly signal: CallbackSignal
}

/**
 * Processes the records of one shard; one instance per shard and tenure of its lease, never two callbacks at once. A callback fails by throwing or
 * rejecting. Source: KCL `ShardRecordProcessor`.
 */
export interface RecordProcessor {
  readonly version?: 3 | undefined
  /** Whether a second callback at the end of the shard breaks a promise, so that a missed checkpoint there asks for a new processor and a replay. */
  readonly shutdownOnce?: boolean | undefined
  initialize(input: InitializationInput): void | Promise<void>
  processRecords(input: ProcessRecordsInput): void | Promise<void>
  leaseLost(input: LeaseLostInput): void | Promise<void>
  shardEnded(input: ShardEndedInput): void | Promise<void>
  /** Where it is given, records that the error policy would pass over or give up come here first. */
  deadLetter?(letter: DeadLetterInput): void | Promise<void>
  shutdownRequested?(input: ShutdownRequestedInput): void | Promise<void>
}
