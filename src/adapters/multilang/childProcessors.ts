import {
  type AnswerBody,
  type BatchStore,
  compareSequenceNumbers,
  type EffectOf,
  type ErrorFacts,
  type ExtendedSequenceNumber,
  type HandlerContext,
  type Processor,
  parseShardId,
  type ShardId,
  TRIM_HORIZON,
} from '@shardwise/effects'
import { ChildProgram } from './childProgram.ts'
import { ChildProgress } from './childProgress.ts'
import { Conversation } from './conversation.ts'
import { type Action, initializeLine, plainLine, processRecordsLine, readMessage } from './messages.ts'
import { type ChildProcessorOptions, type ParsedOptions, parseOptions } from './options.ts'
import { printable } from './printable.ts'

/** A child asks for a checkpoint; the machine answers each `request` with one `settleCheckpoint`. A null position is the end of what was delivered. */
export interface ChildCheckpointRequested {
  readonly type: 'checkpointRequested'
  readonly request: string
  readonly position: ExtendedSequenceNumber | null
}

/** The shard consumer that a child works for. */
export interface ChildConsumer {
  readonly shardId: ShardId
  /** Where the record source puts the batches. */
  readonly batches: BatchStore
  /** Feeds the machine of this consumer. */
  readonly send: (event: ChildCheckpointRequested) => void
  /** Whether the error policy has a limit against which failed deliveries count; false unless given. */
  readonly limitsDeliveries?: boolean | undefined
}

/** Record processors in child processes, one for each shard consumer. */
export interface ChildProcessor {
  /** A worker leaves the hosting to it. */
  readonly version: 'hosted'
  /** A child hears of the end of its shard once, and ends: a missed checkpoint there asks for another one and a replay. */
  readonly shutdownOnce: true
  /** The processor's side of the effect table for one consumer; `close` says that the consumer has ended, and ends what is left of its child. */
  host(consumer: ChildConsumer): { readonly handlers: Processor; close(): void }
}

/** Makes what hosts the child of a shard; its `version` says so before a shard is there. */
export interface MakeChildProcessor {
  (shardId: ShardId): ChildProcessor
  readonly version: 'hosted'
}

/**
 * Runs record processors that speak the protocol of the KCL's MultiLangDaemon, such as those written for `aws-kcl` and `amazon_kclpy`: one process for each
 * shard consumer, from `initialize` on. A child that ends, breaks the protocol or does not answer in time is ended; the effect under way is answered
 * `initializeFailed` or `processorGone`, and what follows is the machine's to decide. With `limitsDeliveries`, a batch on which a child fails is answered
 * `recordsFailed`, once another child was initialised at the last checkpoint; but `processorGone` where the failed one had completed records that were not
 * checkpointed, since no other may go on after them.
 * @throws Error for a bad option.
 */
export function childProcessors(options: ChildProcessorOptions): MakeChildProcessor {
  const parsed = parseOptions(options)
  const processor: ChildProcessor = {
    version: 'hosted',
    shutdownOnce: true,
    host(consumer) {
      parseShardId(consumer.shardId)
      const host = new ChildHost(parsed, consumer)
      return {
        handlers: {
          initialize: (effect) => host.initialize(effect),
          processRecords: (effect, context) => host.processRecords(effect, context),
          // The protocol has no word for a dead letter: a worker refuses to be made with one.
          deliverDeadLetter: () => ({ type: 'processorGone' }),
          notifyShutdownRequested: () => host.notifyShutdownRequested(),
          notifyLeaseLost: () => host.notifyLeaseLost(),
          notifyShardEnded: () => host.notifyShardEnded(),
          settleCheckpoint: ({ request, error }) => host.settle(request, error),
        },
        close: () => host.close(),
      }
    },
  }
  return Object.assign(() => processor, { version: 'hosted' as const })
}

interface Child {
  readonly program: ChildProgram
  readonly conversation: Conversation
}

class ChildHost {
  readonly #options: ParsedOptions
  readonly #consumer: ChildConsumer
  #child: Child | undefined
  #progress = new ChildProgress(TRIM_HORIZON)
  #closed = false
  #requests = 0

  constructor(options: ParsedOptions, consumer: ChildConsumer) {
    this.#options = options
    this.#consumer = consumer
  }

  async initialize({ shardId, checkpoint }: EffectOf<'initialize'>): Promise<AnswerBody<'initialize'>> {
    if (this.#closed) throw new Error(`${shardId}: the consumer of the shard has ended`)
    this.#progress = new ChildProgress(checkpoint)
    const failure = await this.#begin()
    return failure === null ? { type: 'initialized' } : { type: 'initializeFailed', error: failure }
  }

  /** Starts a child at the last checkpoint. */
  #begin(): Promise<ErrorFacts | null> {
    this.#progress.restart()
    this.#child = this.#start()
    return this.#ask(this.#child, 'initialize', initializeLine(this.#consumer.shardId, this.#progress.checkpoint))
  }

  async processRecords(effect: EffectOf<'processRecords'>, context: HandlerContext): Promise<AnswerBody<'processRecords'>> {
    const { shardId, batch, after } = effect
    const child = this.#child
    if (child === undefined) return { type: 'processorGone' }
    const stored = this.#consumer.batches.take(batch.batchId)
    if (stored === undefined || stored.shardId !== shardId) return { type: 'batchGone' }
    const records = after === null ? stored.records : stored.records.filter((record) => compareSequenceNumbers(record, after) > 0)
    if (records.length === 0 && stored.records.length > 0) return { type: 'recordsProcessed' }
    const line = processRecordsLine(records, batch.millisBehindLatest)
    this.#progress.deliver(batch.last)
    const failure = await this.#ask(child, 'processRecords', line)
    // A child that had ended before it was sent the batch did not fail on it.
    if (failure !== null) return child.conversation.isUnsent ? { type: 'processorGone' } : this.#failed(failure, context)
    this.#progress.complete()
    return { type: 'recordsProcessed' }
  }

  /** Tells a failed batch as such only where another child is ready for it, and for whatever else is asked next. */
  async #failed(error: ErrorFacts, { signal }: HandlerContext): Promise<AnswerBody<'processRecords'>> {
    if (this.#consumer.limitsDeliveries !== true || this.#closed || signal.aborted) return { type: 'processorGone' }
    if (!this.#progress.isSaved) {
      this.#warn(
        'the failed delivery does not count: the child had completed records before it without a checkpoint, which are delivered again',
      )
      return { type: 'processorGone' }
    }
    return (await this.#begin()) === null ? { type: 'recordsFailed', error } : { type: 'processorGone' }
  }

  async notifyShutdownRequested(): Promise<AnswerBody<'notifyShutdownRequested'>> {
    const child = this.#child
    if (child === undefined) return { type: 'processorGone' }
    const failure = await this.#ask(child, 'shutdownRequested', plainLine('shutdownRequested'))
    return { type: failure === null ? 'shutdownRequestedNotified' : 'processorGone' }
  }

  async notifyLeaseLost(): Promise<AnswerBody<'notifyLeaseLost'>> {
    return { type: (await this.#sayLast('leaseLost')) ? 'leaseLostNotified' : 'processorGone' }
  }

  async notifyShardEnded(): Promise<AnswerBody<'notifyShardEnded'>> {
    return { type: (await this.#sayLast('shardEnded')) ? 'shardEndedNotified' : 'processorGone' }
  }

  settle(request: string, error: ErrorFacts | null): void {
    if (error !== null) this.#warn(`checkpoint refused: ${error.name}: ${error.message}`)
    this.#progress.settle(request, error === null)
    this.#child?.conversation.settle(request, error?.name ?? null)
  }

  close(): void {
    this.#closed = true
    const child = this.#child
    this.#child = undefined
    void child?.program.end()
    child?.conversation.break('the consumer of the shard has ended')
  }

  /** The last words to a child, which ends after them; false when it did not answer, or there is none. */
  async #sayLast(action: 'leaseLost' | 'shardEnded'): Promise<boolean> {
    const child = this.#child
    if (child === undefined) return false
    const failure = await this.#ask(child, action, plainLine(action))
    if (failure !== null) return false
    this.#child = undefined
    const ended = await child.program.end()
    if (ended !== 'exit code 0') this.#warn(`the child process ended after ${action}: ${ended}`)
    return true
  }

  /** Sends an action and waits for its status. A child that fails has ended by the time that its failure is told. */
  async #ask({ program, conversation }: Child, action: Action, line: string): Promise<ErrorFacts | null> {
    try {
      await conversation.ask(action, line)
      return null
    } catch (error) {
      this.#child = undefined
      const ended = await program.end({ atOnce: true })
      const message = `the child process failed during ${action}: ${(error as Error).message}: ${ended}`
      this.#warn(message)
      return { name: 'ChildProcessError', message }
    }
  }

  #start(): Child {
    const { command, timeoutMs } = this.#options
    const program: ChildProgram = new ChildProgram(command, this.#options, {
      onLine: (line, cut) => {
        const message = cut ? undefined : readMessage(line)
        if (message !== undefined) conversation.hear(message)
        else if (line.trim() !== '') this.#warn(`stdout: ${printable(line, cut)}`)
      },
      onErrorLine: (line, cut) => this.#warn(`stderr: ${printable(line, cut)}`),
      onSilent: (reason) => {
        // Gently: it may have more to write on its stderr.
        void program.end()
        conversation.break(reason)
      },
    })
    const conversation = new Conversation(
      {
        write: (line) => program.write(line),
        nextRequest: () => {
          this.#requests += 1
          return `c${this.#requests}`
        },
        requestCheckpoint: (request, { sequenceNumber, subSequenceNumber }) => {
          const position = sequenceNumber === null ? null : { sequenceNumber, subSequenceNumber: subSequenceNumber ?? 0 }
          this.#progress.ask(request, position)
          this.#consumer.send({ type: 'checkpointRequested', request, position })
        },
        warn: (message) => this.#warn(message),
      },
      timeoutMs,
    )
    return { program, conversation }
  }

  #warn(message: string): void {
    this.#options.logger.warn(`${this.#consumer.shardId}: ${message}`)
  }
}
