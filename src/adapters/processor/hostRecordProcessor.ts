import {
  type AbortSignalLike,
  type AnswerBody,
  type BatchStore,
  compareSequenceNumbers,
  type EffectOf,
  type ErrorFacts,
  type ExtendedSequenceNumber,
  type HandlerContext,
  type KinesisRecord,
  type Processor,
  parseShardId,
  type ShardId,
} from '@shardwise/effects'
import { type CheckpointRequested, ShardCheckpointer } from './checkpointer.ts'
import { refuseUnknownOptions } from './options.ts'
import type { CallbackSignal, RecordProcessor } from './recordProcessor.ts'
import { requireMethods } from './shapes.ts'
import { thrownFacts } from './thrownFacts.ts'

/** What a shard consumer needs to call its record processor. */
export interface RecordProcessorHostOptions {
  /** The processor of this consumer alone; pass older shapes through `adaptRecordProcessor` first. */
  readonly processor: RecordProcessor
  readonly shardId: ShardId
  /** Where the record source puts the batches. */
  readonly batches: BatchStore
  /** Feeds the machine of this consumer. */
  readonly send: (event: CheckpointRequested) => void
}

/** A record processor, hosted. */
export interface RecordProcessorHost {
  /** Its side of the effect table. Each function stands alone, so that the object may be spread. */
  readonly handlers: Processor
  /** Says that the consumer has ended: checkpoints that wait, and later ones, reject with ShutdownException. */
  close(): void
}

/**
 * Calls the record processor of one shard consumer. What a callback throws is an answer with its name and message. Until `initialize` has
 * succeeded here, the other effects are answered `processorGone`, which is what a restored consumer hears.
 * @throws Error for a bad option.
 */
export function hostRecordProcessor(options: RecordProcessorHostOptions): RecordProcessorHost {
  requireOptions(options)
  const host = new Host(options)
  return {
    handlers: {
      initialize: (effect) => host.initialize(effect),
      processRecords: (effect, context) => host.processRecords(effect, context),
      notifyShutdownRequested: (_effect, context) => host.notifyShutdownRequested(context),
      notifyLeaseLost: () => host.notifyLeaseLost(),
      notifyShardEnded: (effect, context) => host.notifyShardEnded(effect, context),
      settleCheckpoint: ({ request, error }) => host.checkpointer.settle(request, error),
    },
    close: () => host.checkpointer.close(),
  }
}

class Host {
  readonly checkpointer: ShardCheckpointer
  readonly #processor: RecordProcessor
  readonly #batches: BatchStore
  #initialized = false

  constructor({ processor, shardId, batches, send }: RecordProcessorHostOptions) {
    this.checkpointer = new ShardCheckpointer(shardId, send)
    this.#processor = processor
    this.#batches = batches
  }

  async initialize(effect: EffectOf<'initialize'>): Promise<AnswerBody<'initialize'>> {
    const { shardId, checkpoint, pendingCheckpoint, token } = effect
    const error = await failureOf(() =>
      this.#processor.initialize({
        shardId,
        extendedSequenceNumber: checkpoint,
        pendingCheckpointSequenceNumber: pendingCheckpoint ?? undefined,
        token,
      }),
    )
    if (error !== null) return { type: 'initializeFailed', error }
    this.#initialized = true
    return { type: 'initialized' }
  }

  async processRecords(effect: EffectOf<'processRecords'>, context: HandlerContext): Promise<AnswerBody<'processRecords'>> {
    // Before the batch: who lost both needs a replay, and reopening the shard would only find that out later.
    if (!this.#initialized) return { type: 'processorGone' }
    const { shardId, batch, after, attempt } = effect
    const stored = this.#batches.take(batch.batchId)
    // Ids count from 1 in every process, so a restored consumer can name a batch of another shard.
    if (stored === undefined || stored.shardId !== shardId) return { type: 'batchGone' }
    const records = recordsAbove(stored.records, after)
    // A checkpoint during a failed attempt can cover the whole batch. The KCL hands over no empty lists either.
    if (records.length === 0 && stored.records.length > 0) return { type: 'recordsProcessed' }
    const error = await failureOf(() =>
      this.#processor.processRecords({
        shardId,
        records,
        checkpointer: this.checkpointer,
        millisBehindLatest: batch.millisBehindLatest ?? undefined,
        isAtShardEnd: batch.atShardEnd,
        childShards: batch.childShards,
        attempt,
        get signal() {
          return signalOf(context)
        },
      }),
    )
    return error === null ? { type: 'recordsProcessed' } : { type: 'recordsFailed', error }
  }

  async notifyShutdownRequested(context: HandlerContext): Promise<AnswerBody<'notifyShutdownRequested'>> {
    if (!this.#initialized) return { type: 'processorGone' }
    const error = await failureOf(() =>
      this.#processor.shutdownRequested?.({
        checkpointer: this.checkpointer,
        get signal() {
          return signalOf(context)
        },
      }),
    )
    return error === null ? { type: 'shutdownRequestedNotified' } : { type: 'shutdownRequestedFailed', error }
  }

  async notifyLeaseLost(): Promise<AnswerBody<'notifyLeaseLost'>> {
    if (!this.#initialized) return { type: 'processorGone' }
    const error = await failureOf(() => this.#processor.leaseLost({}))
    return error === null ? { type: 'leaseLostNotified' } : { type: 'leaseLostFailed', error }
  }

  async notifyShardEnded(effect: EffectOf<'notifyShardEnded'>, context: HandlerContext): Promise<AnswerBody<'notifyShardEnded'>> {
    if (!this.#initialized) return { type: 'processorGone' }
    const error = await failureOf(() =>
      this.#processor.shardEnded({
        checkpointer: this.checkpointer,
        attempt: effect.attempt,
        get signal() {
          return signalOf(context)
        },
      }),
    )
    return error === null ? { type: 'shardEndedNotified' } : { type: 'shardEndedFailed', error }
  }
}

/** The facts of what the callback throws or rejects with; null when it succeeds. */
async function failureOf(callback: () => unknown): Promise<ErrorFacts | null> {
  try {
    await callback()
    return null
  } catch (thrown) {
    return thrownFacts(thrown)
  }
}

// Two signatures, for the two are one type only where the platform has no AbortSignal; where it has one, the driver's signals are made of it.
function signalOf(context: HandlerContext): CallbackSignal
function signalOf(context: HandlerContext): AbortSignalLike {
  return context.signal
}

/** The records above a position. They ascend, so the first one above it starts the rest; the list itself where nothing is left out. */
function recordsAbove(records: readonly KinesisRecord[], after: ExtendedSequenceNumber | null): readonly KinesisRecord[] {
  if (after === null) return records
  const start = records.findIndex((record) => compareSequenceNumbers(record, after) > 0)
  if (start === 0) return records
  return start === -1 ? [] : records.slice(start)
}

function requireOptions(options: RecordProcessorHostOptions): void {
  refuseUnknownOptions('hostRecordProcessor', options, ['processor', 'shardId', 'batches', 'send'])
  requireMethods(options.processor, 'KCL')
  parseShardId(options.shardId)
  if (typeof options.batches?.take !== 'function') throw new Error(`batches: expected a batch store, got ${String(options.batches)}`)
  if (typeof options.send !== 'function') throw new Error(`send: expected a function, got ${String(options.send)}`)
}
