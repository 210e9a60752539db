import { compareSequenceNumbers, type ExtendedSequenceNumber, type Lease } from '@shardwise/effects'

/** Where Kinesis put an order, or where a record processor found it. */
export interface Entry {
  readonly orderId: string
  readonly shardId: string
  readonly sequenceNumber: string
}

/** What became of the orders. */
export interface Balance {
  readonly put: number
  /** Orders delivered once or more. */
  readonly delivered: number
  readonly deliveredTwice: readonly string[]
  /** Orders below the checkpoint of their shard that were never delivered; in a run to the end, all that were never delivered. */
  readonly lost: readonly string[]
  /** Orders above the checkpoint of their shard that were not delivered: the next worker gets them. */
  readonly unread: number
  /** Orders delivered that nobody put. */
  readonly unknown: readonly string[]
  /** Deliveries with a sequence number below one that the same shard delivered before for the first time. */
  readonly outOfOrder: number
}

/** Keeps account of every order by its id. */
export class Ledger {
  readonly #put = new Map<string, Entry>()
  readonly #times = new Map<string, number>()
  readonly #last = new Map<string, ExtendedSequenceNumber>()
  #outOfOrder = 0
  readonly #listeners = new Set<() => void>()

  get put(): number {
    return this.#put.size
  }

  get delivered(): number {
    return this.#times.size
  }

  /** Kinesis has taken the order. */
  enterPut(entry: Entry): void {
    this.#put.set(entry.orderId, entry)
    this.#tell()
  }

  /** A record processor has got the orders. */
  enterDelivered(entries: readonly Entry[]): void {
    for (const { orderId, shardId, sequenceNumber } of entries) {
      const times = (this.#times.get(orderId) ?? 0) + 1
      this.#times.set(orderId, times)
      const place = { sequenceNumber, subSequenceNumber: 0 }
      const last = this.#last.get(shardId)
      if (last === undefined || compareSequenceNumbers(place, last) > 0) this.#last.set(shardId, place)
      else if (times === 1) this.#outOfOrder += 1
    }
    this.#tell()
  }

  /** Waits until so many orders are put; false when the signal fires before. */
  async reached(put: number, signal: AbortSignal): Promise<boolean> {
    while (this.#put.size < put && !signal.aborted) await this.#entry(signal)
    return !signal.aborted
  }

  /** Waits until every order that was put is delivered, or nothing was entered for `quietMs`, or the signal fires. */
  async settled(quietMs: number, signal: AbortSignal): Promise<void> {
    const missing = (): boolean => [...this.#put.keys()].some((orderId) => !this.#times.has(orderId))
    while (missing() && !signal.aborted) {
      if ((await this.#entry(signal, quietMs)) === 'quiet') return
    }
  }

  #entry(signal: AbortSignal, quietMs?: number): Promise<'heard' | 'quiet'> {
    return new Promise((resolve) => {
      const end = (how: 'heard' | 'quiet'): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', hear)
        this.#listeners.delete(hear)
        resolve(how)
      }
      const hear = (): void => end('heard')
      const timer = quietMs === undefined ? undefined : setTimeout(end, quietMs, 'quiet')
      this.#listeners.add(hear)
      signal.addEventListener('abort', hear, { once: true })
    })
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }

  /** Compares, order by order. `complete` says that the run was to its end, so that nothing may be left unread. */
  balance(leases: readonly Lease[], complete: boolean): Balance {
    const checkpoints = new Map(leases.map(({ leaseKey, checkpoint }) => [leaseKey, checkpoint]))
    const missing = [...this.#put.values()].filter(({ orderId }) => !this.#times.has(orderId))
    const isLost = ({ shardId, sequenceNumber }: Entry): boolean => {
      const checkpoint = checkpoints.get(shardId)
      return complete || (checkpoint !== undefined && compareSequenceNumbers({ sequenceNumber, subSequenceNumber: 0 }, checkpoint) <= 0)
    }
    const lost = missing.filter(isLost)
    return {
      put: this.#put.size,
      delivered: this.#times.size,
      deliveredTwice: [...this.#times].flatMap(([orderId, times]) => (times > 1 ? [orderId] : [])),
      lost: lost.map(({ orderId }) => orderId),
      unread: missing.length - lost.length,
      unknown: [...this.#times.keys()].filter((orderId) => !this.#put.has(orderId)),
      outOfOrder: this.#outOfOrder,
    }
  }
}
