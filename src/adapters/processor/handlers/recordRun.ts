import { compareSequenceNumbers, type ExtendedSequenceNumber, type KinesisRecord } from '@shardwise/effects'
import { leaseIsLost, leaseLostError, oneOf } from './failures.ts'
import type { RecordContext } from './handlerContext.ts'
import type { Delivery } from './handlerProcessor.ts'
import { KeyLanes } from './keyLanes.ts'
import { NotingContext } from './recordContext.ts'

/** Handles one record; it fails by throwing or rejecting. */
export type RecordHandler = (record: KinesisRecord, context: RecordContext) => void | Promise<void>

/** What is left of a batch that failed, for when it comes again. */
export interface UnsettledRecords {
  /** The places of records above the low watermark whose handlers have succeeded. */
  succeeded: ReadonlySet<string>
  /** Checkpoints that succeeded handlers asked for, and that the low watermark has not reached. */
  asked: readonly ExtendedSequenceNumber[]
}

/** The handling of one batch, record by record. */
export class RecordRun {
  readonly #delivery: Delivery
  readonly #handler: RecordHandler
  readonly #unsettled: UnsettledRecords
  readonly #lanes: KeyLanes
  readonly #failures: unknown[] = []
  /** Which records are handled, by index. */
  readonly #isHandled: boolean[]
  /** The index of the first record that is not handled. */
  #low = 0
  #storing: Promise<void> | undefined

  constructor(delivery: Delivery, handler: RecordHandler, unsettled: UnsettledRecords) {
    this.#delivery = delivery
    this.#handler = handler
    this.#unsettled = unsettled
    const { succeeded } = unsettled
    this.#isHandled = delivery.records.map((record) => succeeded.size > 0 && succeeded.has(placeOf(record)))
    this.#lanes = new KeyLanes(delivery.records, (index) => this.#isHandled[index] === true)
  }

  /** Resolves when every record was handled and what was asked for is stored; rejects, with nothing running, when something failed. */
  async run(concurrency: number): Promise<void> {
    this.#advance()
    await Promise.all(Array.from({ length: Math.min(concurrency, this.#delivery.records.length) }, () => this.#work()))
    await this.#storing
    this.#storeWhenWanted()
    await this.#storing
    this.#unsettled.succeeded = new Set(
      this.#delivery.records.filter((_, index) => index >= this.#low && this.#isHandled[index]).map(placeOf),
    )
    if (this.#failures.length > 0) throw oneOf(this.#failures)
  }

  async #work(): Promise<void> {
    for (let index = this.#start(() => this.#lanes.next()); index !== undefined; ) {
      await this.#handle(index)
      const finished = index
      index = this.#start(() => this.#lanes.after(finished) ?? this.#lanes.next())
    }
  }

  /** The next record, unless none may start any more. */
  #start(next: () => number | undefined): number | undefined {
    if (this.#failures.length > 0) return undefined
    const index = next()
    const { input } = this.#delivery
    if (index !== undefined && leaseIsLost(input)) {
      this.#failures.push(leaseLostError(input.shardId))
      return undefined
    }
    return index
  }

  async #handle(index: number): Promise<void> {
    const record = this.#recordAt(index)
    const context = new NotingContext(record, this.#delivery)
    try {
      await this.#handler(record, context)
    } catch (failure) {
      this.#failures.push(failure)
      return
    } finally {
      context.end()
    }
    this.#isHandled[index] = true
    if (context.asked.length > 0) this.#unsettled.asked = [...this.#unsettled.asked, ...context.asked]
    this.#advance()
    this.#storeWhenWanted()
  }

  /** Raises the low watermark to the last record before the first that is not handled. */
  #advance(): void {
    const from = this.#low
    while (this.#isHandled[this.#low] === true) this.#low += 1
    if (this.#low > from) this.#delivery.progress.advance(this.#recordAt(this.#low - 1), this.#low - from)
  }

  /** Lets one checkpoint be written while handlers go on: what the policy wants, or what handlers asked for. The next one is looked for when more is handled. */
  #storeWhenWanted(): void {
    const { progress, input } = this.#delivery
    if (this.#storing !== undefined || progress.storeFailed || leaseIsLost(input)) return
    const asked = this.#highestAsked()
    if (!progress.isDue && asked === undefined) return
    const storing = progress.isDue || asked === undefined ? progress.store(input.checkpointer) : progress.storeAt(input.checkpointer, asked)
    this.#storing = storing
      .catch((failure: unknown) => void this.#failures.push(failure))
      .finally(() => {
        this.#storing = undefined
      })
  }

  /** The highest position asked for that the low watermark has reached and that is not stored; what is stored is asked for no more. */
  #highestAsked(): ExtendedSequenceNumber | undefined {
    const { progress } = this.#delivery
    const { handled } = progress
    if (this.#unsettled.asked.length === 0 || handled === null) return undefined
    this.#unsettled.asked = this.#unsettled.asked.filter((position) => progress.isUnstored(position))
    return this.#unsettled.asked
      .filter((position) => compareSequenceNumbers(position, handled) <= 0)
      .reduce<ExtendedSequenceNumber | undefined>(
        (highest, position) => (highest === undefined || compareSequenceNumbers(position, highest) > 0 ? position : highest),
        undefined,
      )
  }

  #recordAt(index: number): KinesisRecord {
    return this.#delivery.records[index] as KinesisRecord
  }
}

function placeOf({ sequenceNumber, subSequenceNumber }: ExtendedSequenceNumber): string {
  return `${sequenceNumber}/${subSequenceNumber}`
}
