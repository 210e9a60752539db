import {
  type AnswerBody,
  type BatchStore,
  type EffectOf,
  type ErrorFacts,
  type HandlerContext,
  type KinesisRecord,
  type Processor,
  parseShardId,
  type ShardId,
} from '@shardwise/effects'
import { EndInput, LetterInput, RecordsInput, StopInput } from './callbackInputs.ts'
import { type CheckpointRequested, type PauseRequested, ShardCheckpointer } from './checkpointer.ts'
import { refuseUnknownOptions } from './options.ts'
import type { DeadLetter, RecordProcessor } from './recordProcessor.ts'
import { recordsAbove } from './recordsAbove.ts'
import { requireMethods } from './shapes.ts'
import { thrownFacts } from './thrownFacts.ts'

/** What a shard consumer needs to call its record processor. */
export interface RecordProcessorHostOptions {
  /** The processor of this consumer alone; pass older shapes through `adaptRecordProcessor` first. */
  readonly processor: RecordProcessor
  readonly shardId: ShardId
  /** Where the record source puts the batches. */
  readonly batches: BatchStore
  /** Takes the dead letters of a processor that has no `deadLetter` of its own. */
  readonly deadLetter?: DeadLetter | undefined
  /** Feeds the machine of this consumer. */
  readonly send: (event: CheckpointRequested | PauseRequested) => void
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
      deliverDeadLetter: (effect, context) => host.deliverDeadLetter(effect, context),
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
  readonly #deadLetter: DeadLetter | undefined
  readonly #pause: () => () => void
  /** Pauses that nobody has taken back since the last batch was handed over. */
  readonly #pauses = new Set<object>()
  #initialized = false

  constructor({ processor, shardId, batches, deadLetter, send }: RecordProcessorHostOptions) {
    this.checkpointer = new ShardCheckpointer(shardId, send)
    this.#processor = processor
    this.#batches = batches
    this.#deadLetter = deadLetter
    this.#pause = () => {
      const pause = {}
      this.#pauses.add(pause)
      send({ type: 'pause' })
      return () => {
        this.#pauses.delete(pause)
        if (this.#pauses.size === 0) send({ type: 'resume' })
      }
    }
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
    // Whatever paused the shard before, somebody has resumed it since.
    this.#pauses.clear()
    const records = this.#recordsOf(effect)
    if (records === undefined) return { type: 'batchGone' }
    // A checkpoint during a failed attempt can cover the whole batch. The KCL hands over no empty lists either.
    if (records.length === 0 && effect.batch.count > 0) return { type: 'recordsProcessed' }
    const input = new RecordsInput(this.checkpointer, this.#pause, context, effect, records)
    const error = await failureOf(() => this.#processor.processRecords(input))
    return error === null ? { type: 'recordsProcessed' } : { type: 'recordsFailed', error }
  }

  async deliverDeadLetter(effect: EffectOf<'deliverDeadLetter'>, context: HandlerContext): Promise<AnswerBody<'deliverDeadLetter'>> {
    if (!this.#initialized) return { type: 'processorGone' }
    const records = this.#recordsOf(effect)
    if (records === undefined) return { type: 'batchGone' }
    if (records.length === 0) return { type: 'deadLetterDelivered' }
    const letter = new LetterInput(context, effect, records)
    const error = await failureOf(() => this.#take(letter))
    return error === null ? { type: 'deadLetterDelivered' } : { type: 'deadLetterFailed', error }
  }

  #take(letter: LetterInput): void | Promise<void> {
    if (this.#processor.deadLetter !== undefined) return this.#processor.deadLetter(letter)
    if (this.#deadLetter === undefined) throw new Error('deadLetter: the consumer delivers dead letters, and there is nobody to take them')
    return this.#deadLetter(letter)
  }

  /** What is left of a batch; undefined when it is gone. */
  #recordsOf({ shardId, batch, after }: EffectOf<'processRecords' | 'deliverDeadLetter'>): readonly KinesisRecord[] | undefined {
    const stored = this.#batches.take(batch.batchId)
    // Ids count from 1 in every process, so a restored consumer can name a batch of another shard.
    return stored === undefined || stored.shardId !== shardId ? undefined : recordsAbove(stored.records, after)
  }

  async notifyShutdownRequested(context: HandlerContext): Promise<AnswerBody<'notifyShutdownRequested'>> {
    if (!this.#initialized) return { type: 'processorGone' }
    const error = await failureOf(() => this.#processor.shutdownRequested?.(new StopInput(this.checkpointer, context)))
    return error === null ? { type: 'shutdownRequestedNotified' } : { type: 'shutdownRequestedFailed', error }
  }

  async notifyLeaseLost(): Promise<AnswerBody<'notifyLeaseLost'>> {
    if (!this.#initialized) return { type: 'processorGone' }
    const error = await failureOf(() => this.#processor.leaseLost({}))
    return error === null ? { type: 'leaseLostNotified' } : { type: 'leaseLostFailed', error }
  }

  async notifyShardEnded(effect: EffectOf<'notifyShardEnded'>, context: HandlerContext): Promise<AnswerBody<'notifyShardEnded'>> {
    if (!this.#initialized) return { type: 'processorGone' }
    const error = await failureOf(() => this.#processor.shardEnded(new EndInput(this.checkpointer, context, effect.attempt)))
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

function requireOptions(options: RecordProcessorHostOptions): void {
  refuseUnknownOptions('hostRecordProcessor', options, ['processor', 'shardId', 'batches', 'deadLetter', 'send'])
  requireMethods(options.processor, 'KCL')
  parseShardId(options.shardId)
  if (typeof options.batches?.take !== 'function') throw new Error(`batches: expected a batch store, got ${String(options.batches)}`)
  const { deadLetter } = options
  if (deadLetter !== undefined && typeof deadLetter !== 'function')
    throw new Error(`deadLetter: expected a function that takes dead letters, got ${String(deadLetter)}`)
  if (typeof options.send !== 'function') throw new Error(`send: expected a function, got ${String(options.send)}`)
}
