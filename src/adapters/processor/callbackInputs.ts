import type { AbortSignalLike, BatchHandle, ErrorFacts, HandlerContext, KinesisRecord, ShardId } from '@shardwise/effects'
import type { Checkpointer } from './checkpointer.ts'
import type { CallbackSignal, DeadLetterInput, ProcessRecordsInput, ShardEndedInput, ShutdownRequestedInput } from './recordProcessor.ts'

/**
 * What a callback is handed. The signal is made when it is asked for. It is a getter of the class: a getter in a literal gives each object a hidden class of
 * its own, and with it V8 keeps the records of every batch until a full collection.
 */
class CallbackInput implements ShutdownRequestedInput {
  readonly checkpointer: Checkpointer
  readonly #context: HandlerContext

  constructor(checkpointer: Checkpointer, context: HandlerContext) {
    this.checkpointer = checkpointer
    this.#context = context
  }

  get signal(): CallbackSignal {
    return signalOf(this.#context)
  }
}

/** What `processRecords` is handed. */
export class RecordsInput extends CallbackInput implements ProcessRecordsInput {
  readonly shardId: ShardId
  readonly records: readonly KinesisRecord[]
  readonly millisBehindLatest: number | undefined
  readonly isAtShardEnd: boolean
  readonly childShards: BatchHandle['childShards']
  readonly attempt: number
  readonly pause: () => () => void

  constructor(
    checkpointer: Checkpointer,
    pause: () => () => void,
    context: HandlerContext,
    { shardId, batch, attempt }: { readonly shardId: ShardId; readonly batch: BatchHandle; readonly attempt: number },
    records: readonly KinesisRecord[],
  ) {
    super(checkpointer, context)
    this.shardId = shardId
    this.records = records
    this.millisBehindLatest = batch.millisBehindLatest ?? undefined
    this.isAtShardEnd = batch.atShardEnd
    this.childShards = batch.childShards
    this.attempt = attempt
    this.pause = pause
  }
}

/** What `deadLetter` is handed. */
export class LetterInput implements DeadLetterInput {
  readonly shardId: ShardId
  readonly records: readonly KinesisRecord[]
  readonly attempts: number
  readonly error: ErrorFacts
  readonly #context: HandlerContext

  constructor(
    context: HandlerContext,
    { shardId, attempts, error }: Pick<DeadLetterInput, 'shardId' | 'attempts' | 'error'>,
    records: readonly KinesisRecord[],
  ) {
    this.shardId = shardId
    this.records = records
    this.attempts = attempts
    this.error = error
    this.#context = context
  }

  get signal(): CallbackSignal {
    return signalOf(this.#context)
  }
}

/** What `shutdownRequested` is handed. */
export class StopInput extends CallbackInput {}

/** What `shardEnded` is handed. */
export class EndInput extends CallbackInput implements ShardEndedInput {
  readonly attempt: number

  constructor(checkpointer: Checkpointer, context: HandlerContext, attempt: number) {
    super(checkpointer, context)
    this.attempt = attempt
  }
}

// Two signatures, for the two are one type only where the platform has no AbortSignal; where it has one, the driver's signals are made of it.
function signalOf(context: HandlerContext): CallbackSignal
function signalOf(context: HandlerContext): AbortSignalLike {
  return context.signal
}
