import { compareSequenceNumbers, type ExtendedSequenceNumber, isSentinel } from '@shardwise/effects'
import type { Checkpointer } from '../checkpointer.ts'
import type { ParsedPolicy } from './handlerOptions.ts'

/** How far one processor has come in its shard, and how far that is stored. */
export class Progress {
  readonly #policy: ParsedPolicy
  #handled: ExtendedSequenceNumber | null = null
  #stored: ExtendedSequenceNumber | null = null
  #sinceStored = 0
  #storedAtMs = 0
  #storeFailed = false

  constructor(policy: ParsedPolicy) {
    this.#policy = policy
  }

  /** Starts over at the stored checkpoint. */
  begin(checkpoint: ExtendedSequenceNumber): void {
    this.#stored = isSentinel(checkpoint.sequenceNumber) ? null : checkpoint
    this.#handled = this.#stored
    this.#sinceStored = 0
    this.#storedAtMs = this.#policy.nowMs()
  }

  /** A new batch comes: storing may work again. */
  beginBatch(): void {
    this.#storeFailed = false
  }

  /** Whether a checkpoint of this batch has failed. The machine has tried it several times by then, so nobody tries the same again at once. */
  get storeFailed(): boolean {
    return this.#storeFailed
  }

  /** The low watermark: this record and every one before it was handled. null before the first. */
  get handled(): ExtendedSequenceNumber | null {
    return this.#handled
  }

  /** Whether something was handled that is not stored. */
  get isAhead(): boolean {
    return this.#handled !== null && this.isUnstored(this.#handled)
  }

  /** Whether a position is above what is stored. */
  isUnstored(position: ExtendedSequenceNumber): boolean {
    return this.#stored === null || compareSequenceNumbers(position, this.#stored) > 0
  }

  /** Whether the policy wants a checkpoint now, in the midst of a batch or at its end. */
  get isDue(): boolean {
    const { everyRecords, everyMs, nowMs } = this.#policy
    return this.#sinceStored >= everyRecords || (everyMs !== Infinity && this.isAhead && nowMs() - this.#storedAtMs >= everyMs)
  }

  /** Notes that the next `count` records, up to `last`, were handled. Only the position is kept, for a record would keep its read in memory. */
  advance({ sequenceNumber, subSequenceNumber }: ExtendedSequenceNumber, count: number): void {
    this.#handled = { sequenceNumber, subSequenceNumber }
    this.#sinceStored += count
  }

  /** Stores the low watermark, if it is not stored yet. */
  async store(checkpointer: Checkpointer): Promise<void> {
    const handled = this.#handled
    if (handled === null || !this.isAhead) return
    const covered = this.#sinceStored
    await this.storeAt(checkpointer, handled)
    // More may have been handled meanwhile.
    this.#sinceStored -= covered
  }

  /** Stores a position that somebody vouches for. */
  async storeAt(checkpointer: Checkpointer, position: ExtendedSequenceNumber): Promise<void> {
    this.#storeFailed = true
    await checkpointer.checkpoint(position)
    this.#storeFailed = false
    const { sequenceNumber, subSequenceNumber } = position
    if (this.isUnstored(position)) this.#stored = { sequenceNumber, subSequenceNumber }
    this.#storedAtMs = this.#policy.nowMs()
  }
}
