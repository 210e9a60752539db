import { compareSequenceNumbers, type ExtendedSequenceNumber, type KinesisRecord } from '@shardwise/effects'
import type { Checkpointer } from '../checkpointer.ts'
import { checkpointPosition } from '../checkpointPosition.ts'
import { kclError } from '../kclError.ts'
import type {
  CallbackSignal,
  DeadLetterInput,
  InitializationInput,
  ProcessRecordsInput,
  RecordProcessor,
  ShardEndedInput,
  ShutdownRequestedInput,
} from '../recordProcessor.ts'
import { recordsAbove } from '../recordsAbove.ts'
import { leaseIsLost, leaseLostError } from './failures.ts'
import type { BatchContext } from './handlerContext.ts'
import type { ParsedPolicy } from './handlerOptions.ts'
import { deadLetterOf, settleBatch } from './handlerProcessor.ts'
import { Progress } from './progress.ts'
import { RecordLoop } from './recordLoop.ts'

type Handler = (records: AsyncIterable<KinesisRecord>, context: BatchContext) => void | Promise<void>
/** What every callback in which the handler may run brings with it. */
type Callback = { readonly checkpointer: Checkpointer; readonly signal: CallbackSignal }

/** A record processor whose handler runs from one callback to the next. */
export class IteratedShard implements RecordProcessor {
  /** What the handler holds in its own variables at the end of the shard cannot be given to it again. */
  readonly shutdownOnce = true
  readonly deadLetter?: (letter: DeadLetterInput) => void | Promise<void>
  readonly #policy: ParsedPolicy
  readonly #handler: Handler
  readonly #progress: Progress
  #opening: InitializationInput | undefined
  #batch: ProcessRecordsInput | undefined
  #callback: Callback | undefined
  #loop: RecordLoop | undefined
  #wasEnded = false

  constructor(policy: ParsedPolicy, handler: Handler) {
    this.#policy = policy
    this.#handler = handler
    this.#progress = new Progress(policy)
    Object.assign(this, deadLetterOf(policy, this.#progress))
  }

  initialize(input: InitializationInput): void {
    this.#opening = input
    this.#progress.begin(input.extendedSequenceNumber)
  }

  async processRecords(input: ProcessRecordsInput): Promise<void> {
    this.#batch = input
    this.#callback = input
    await settleBatch(this.#policy, this.#progress, input, async () => {
      // It may have ended between two batches.
      if (this.#loop?.hasEnded === true) await this.#finish(this.#loop)
      let rest = recordsAbove(input.records, this.#progress.handled)
      while (rest.length > 0) rest = await this.#feed(rest)
    })
  }

  async leaseLost(): Promise<void> {
    const loop = this.#loop
    const lost = leaseLostError(this.#batch?.shardId ?? '')
    loop?.close(lost)
    this.#loop = undefined
    const ended = await loop?.ended
    if (ended !== undefined && ended !== null && ended.failure !== lost) throw ended.failure
  }

  async shardEnded(input: ShardEndedInput): Promise<void> {
    if (this.#wasEnded)
      throw new Error('iterate: the end of the shard was reported already, and the handler that ran then gets no second call')
    this.#wasEnded = true
    await this.#closeLoop(input)
    await input.checkpointer.checkpoint()
  }

  async shutdownRequested(input: ShutdownRequestedInput): Promise<void> {
    await this.#closeLoop(input)
    if (this.#policy.automatic && this.#progress.isAhead) await input.checkpointer.checkpoint()
  }

  /** Feeds the records to the handler, which is called if it does not run. Resolves with those that it left when it returned. */
  async #feed(records: readonly KinesisRecord[]): Promise<readonly KinesisRecord[]> {
    const loop = (this.#loop ??= this.#start())
    await loop.feed(records)
    if (loop.hasEnded) await this.#finish(loop)
    const left = recordsAbove(records, this.#progress.handled)
    if (left.length === records.length)
      throw new Error('iterate: expected a handler that takes records, got one that returned without taking any')
    return left
  }

  #start(): RecordLoop {
    const progress = this.#progress
    return new RecordLoop({
      handler: (records) => this.#handler(records, this.#context()),
      onHandled: async (record) => {
        progress.advance(record, 1)
        const batch = this.#batch
        // The last one of a batch is left to its end.
        if (batch !== undefined && progress.isDue && record !== batch.records.at(-1)) await progress.store(batch.checkpointer)
      },
      lost: () => (this.#batch !== undefined && leaseIsLost(this.#batch) ? leaseLostError(this.#batch.shardId) : null),
    })
  }

  /** A handler has ended. @throws what it failed with. If it returned, the record that it held is handled. */
  async #finish(loop: RecordLoop): Promise<void> {
    this.#loop = undefined
    const ended = await loop.ended
    if (ended !== null) throw ended.failure
    if (loop.inHand !== undefined) this.#progress.advance(loop.inHand, 1)
  }

  /** Ends the records, and waits for the handler. */
  async #closeLoop(callback: Callback): Promise<void> {
    this.#callback = callback
    const loop = this.#loop
    if (loop === undefined) return
    loop.close(null)
    await this.#finish(loop)
  }

  #context(): BatchContext {
    const batch = (): ProcessRecordsInput | undefined => this.#batch
    const pause = this.#batch?.pause
    if (pause === undefined) throw new Error('iterate: the handler runs before any batch')
    const running = (): Callback => this.#running
    return {
      shardId: this.#opening?.shardId ?? '',
      token: this.#opening?.token ?? 0,
      get millisBehindLatest() {
        return batch()?.millisBehindLatest
      },
      get attempt() {
        return batch()?.attempt ?? 0
      },
      get signal() {
        return running().signal
      },
      pause,
      checkpoint: (position) => this.#checkpoint(position),
    }
  }

  get #running(): Callback {
    if (this.#callback === undefined) throw new Error('iterate: the handler runs before any callback')
    return this.#callback
  }

  async #checkpoint(given: ExtendedSequenceNumber): Promise<void> {
    const last = this.#loop?.inHand ?? this.#progress.handled
    const position = checkpointPosition([given])
    if (position !== null && (last === null || compareSequenceNumbers(position, last) > 0)) {
      throw kclError({
        name: 'IllegalArgumentException',
        message: `checkpoint: expected a position up to the last record taken, got ${position.sequenceNumber}/${position.subSequenceNumber}`,
      })
    }
    await this.#progress.storeAt(this.#running.checkpointer, given)
  }
}
