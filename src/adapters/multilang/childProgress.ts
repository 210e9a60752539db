import { compareSequenceNumbers, type ExtendedSequenceNumber, parseExtendedSequenceNumber } from '@shardwise/effects'

/** How far the children of one consumer have come: what is checkpointed, and what only the memory of the present child knows. */
export class ChildProgress {
  #checkpoint: ExtendedSequenceNumber
  /** The last record of the batches that the present child has completed. */
  #completed: ExtendedSequenceNumber | null = null
  /** The last record that the present child was handed. */
  #delivered: ExtendedSequenceNumber | null = null
  /** Checkpoints that were asked for and are not settled; null for everything that was delivered by then. */
  readonly #asked = new Map<string, ExtendedSequenceNumber | null>()

  constructor(checkpoint: ExtendedSequenceNumber) {
    this.#checkpoint = checkpoint
  }

  /** The last checkpoint that was stored: where a child begins. */
  get checkpoint(): ExtendedSequenceNumber {
    return this.#checkpoint
  }

  /** Whether every batch that the present child has completed is checkpointed, so that another goes on where it stands. */
  get isSaved(): boolean {
    return this.#completed === null || compareSequenceNumbers(this.#checkpoint, this.#completed) >= 0
  }

  /** Another child begins, at the last checkpoint. */
  restart(): void {
    this.#completed = null
    this.#delivered = null
  }

  /** Records up to `last` are handed over; null where there are none. */
  deliver(last: ExtendedSequenceNumber | null): void {
    this.#delivered = last ?? this.#delivered
  }

  /** The child has completed what was handed over. */
  complete(): void {
    this.#completed = this.#delivered
  }

  /** The child asks for a checkpoint. */
  ask(request: string, position: ExtendedSequenceNumber | null): void {
    this.#asked.set(request, position ?? this.#delivered)
  }

  /** A checkpoint was stored, or refused; one that nobody asked for changes nothing. */
  settle(request: string, isStored: boolean): void {
    const asked = this.#asked.get(request) ?? null
    this.#asked.delete(request)
    if (!isStored || asked === null) return
    // What was stored was in range, so it can be read; a child may have written its digits in its own way.
    const stored = parseExtendedSequenceNumber(asked.sequenceNumber, asked.subSequenceNumber)
    if (compareSequenceNumbers(stored, this.#checkpoint) > 0) this.#checkpoint = stored
  }
}
