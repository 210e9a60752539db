import type { ExtendedSequenceNumber } from '@shardwise/effects'
import type { Checkpointer } from './checkpointer.ts'

/** A checkpointer that notes whether any of its checkpoints succeeded. */
export class TerminateCheckpointer implements Checkpointer {
  readonly #checkpointer: Checkpointer
  readonly #missed: () => void
  #pending = 0
  #stored = false
  #returned = false
  #judged = false

  /** `missed` is called once, when the callback has returned and none of the checkpoints that it asked for succeeded. */
  constructor(checkpointer: Checkpointer, missed: () => void) {
    this.#checkpointer = checkpointer
    this.#missed = missed
  }

  checkpoint(): Promise<void>
  checkpoint(sequenceNumber: string, subSequenceNumber?: number): Promise<void>
  checkpoint(record: ExtendedSequenceNumber): Promise<void>
  checkpoint(...args: []): Promise<void> {
    this.#pending += 1
    // The caller gets the promise that follows: a rejection that nobody awaits stays the caller's.
    return this.#checkpointer.checkpoint(...args).then(
      () => this.#settled(true),
      (error: unknown) => {
        this.#settled(false)
        throw error
      },
    )
  }

  /** Says that the callback has returned. A checkpoint that it did not await is judged when it settles. */
  judge(): void {
    this.#returned = true
    if (this.#pending > 0 || this.#judged) return
    this.#judged = true
    if (!this.#stored) this.#missed()
  }

  #settled(stored: boolean): void {
    this.#pending -= 1
    this.#stored ||= stored
    if (this.#returned) this.judge()
  }
}
