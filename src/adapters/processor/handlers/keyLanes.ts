import type { KinesisRecord } from '@shardwise/effects'

/**
 * Gives out the records of a batch so that those of one partition key follow one another, each after the one before it was finished, and the earliest record
 * that may start comes first. Records are told by their index.
 */
export class KeyLanes {
  readonly #records: readonly KinesisRecord[]
  readonly #isSkipped: (index: number) => boolean
  /** The last record in line for a key that is busy. */
  readonly #tails = new Map<string, number>()
  /** The record that waits behind another of its key. */
  readonly #behind = new Map<number, number>()
  #cursor = 0

  /** Skipped records are never given out. */
  constructor(records: readonly KinesisRecord[], isSkipped: (index: number) => boolean) {
    this.#records = records
    this.#isSkipped = isSkipped
  }

  /** The earliest record whose key is not busy, which makes it busy; undefined when there is none, now and later. */
  next(): number | undefined {
    for (; this.#cursor < this.#records.length; this.#cursor += 1) {
      const index = this.#cursor
      if (this.#isSkipped(index)) continue
      const { partitionKey } = this.#records[index] as KinesisRecord
      const tail = this.#tails.get(partitionKey)
      this.#tails.set(partitionKey, index)
      if (tail === undefined) {
        this.#cursor += 1
        return index
      }
      this.#behind.set(tail, index)
    }
    return undefined
  }

  /** The record to go on with when one is finished: the next of its key, which stays busy; undefined when no more of it was met. */
  after(index: number): number | undefined {
    const following = this.#behind.get(index)
    this.#behind.delete(index)
    if (following === undefined) this.#tails.delete((this.#records[index] as KinesisRecord).partitionKey)
    return following
  }
}
