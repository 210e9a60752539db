import type { KinesisRecord } from '@shardwise/effects'

/** How the records of a loop end: in order, or with an error because the lease is lost. */
type End = { readonly lost: Error | null }

/**
 * One call of a handler that iterates: it pulls records, and whoever feeds it waits until it comes back for more than it was fed. That a record is handled
 * shows when the next one is asked for.
 */
export class RecordLoop {
  /** Settles with what the handler rejects with, in an object; null when it returned. */
  readonly ended: Promise<{ readonly failure: unknown } | null>
  /** The record that the handler has and that is not known to be handled. */
  inHand: KinesisRecord | undefined
  hasEnded = false
  readonly #onHandled: (record: KinesisRecord) => Promise<void>
  readonly #lost: () => Error | null
  #records: readonly KinesisRecord[] = []
  #next = 0
  #end: End | undefined
  #wakeLoop: (() => void) | undefined
  #wakeFeeder: (() => void) | undefined

  /** `lost` says before each record whether the lease is gone; `onHandled` is awaited before the next one. */
  constructor(given: {
    readonly handler: (records: AsyncGenerator<KinesisRecord, void, void>) => void | Promise<void>
    readonly onHandled: (record: KinesisRecord) => Promise<void>
    readonly lost: () => Error | null
  }) {
    this.#onHandled = given.onHandled
    this.#lost = given.lost
    // In a promise of its own: a handler may throw, and it may be called before anything was fed.
    this.ended = Promise.resolve()
      .then(() => given.handler(this.#pull()))
      .then(
        () => null,
        (failure: unknown) => ({ failure }),
      )
      .finally(() => {
        this.hasEnded = true
        this.close(null)
        this.#wakeFeeder?.()
      })
  }

  /** Gives the loop records. Resolves when it has handled them and asks for more, or has ended. */
  async feed(records: readonly KinesisRecord[]): Promise<void> {
    if (this.hasEnded) return
    this.#records = records
    this.#next = 0
    await new Promise<void>((resolve) => {
      this.#wakeFeeder = resolve
      this.#wakeLoop?.()
    })
  }

  /** Ends the records: in order, or with an error. */
  close(lost: Error | null): void {
    this.#end ??= { lost }
    this.#wakeLoop?.()
  }

  async *#pull(): AsyncGenerator<KinesisRecord, void, void> {
    for (;;) {
      const record = await this.#take()
      if (record === undefined) return
      this.inHand = record
      yield record
      this.inHand = undefined
      await this.#onHandled(record)
    }
  }

  /** The next record, as soon as there is one; undefined after the last. */
  async #take(): Promise<KinesisRecord | undefined> {
    for (;;) {
      const lost = this.#end?.lost ?? this.#lost()
      if (lost !== null) throw lost
      const record = this.#records[this.#next]
      if (record !== undefined) {
        this.#next += 1
        return record
      }
      if (this.#end !== undefined) return undefined
      // Not to be kept until the next read.
      this.#records = []
      this.#next = 0
      this.#wakeFeeder?.()
      await new Promise<void>((resolve) => {
        this.#wakeLoop = resolve
      })
    }
  }
}
