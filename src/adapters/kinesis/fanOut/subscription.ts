import type { SubscribeToShardEvent, SubscribeToShardEventStream } from '@aws-sdk/client-kinesis'
import type { HandlerContext } from '@shardwise/effects'
import { type Call, startCall } from '../call.ts'
import { waitFor } from './attempt.ts'

/** How much may be kept that nobody has asked for yet. */
interface Bound {
  readonly maxRecords: number
  readonly maxBytes: number
}

interface KeptEvent {
  readonly event: SubscribeToShardEvent
  readonly records: number
  readonly bytes: number
}

/**
 * The events of one SubscribeToShard, in order. They are taken one at a time: when the next one is asked for, and ahead of that while those that are kept leave room
 * for another one as large as the last, which may turn out larger. What is not taken stays with Kinesis, by the flow control of HTTP/2.
 */
export class Subscription {
  readonly #name: string
  readonly #events: AsyncIterator<SubscribeToShardEventStream>
  readonly #release: () => void
  readonly #timeoutMs: number
  readonly #kept: KeptEvent[] = []
  #bound: Bound = { maxRecords: 0, maxBytes: 0 }
  #last: KeptEvent | null = null
  #taking: Promise<void> | null = null
  #call: Call<unknown> | null = null
  #end: { readonly error: unknown } | 'ended' | null = null

  /** `release` closes the connection: nothing else does. An event that does not come within `timeoutMs` fails the subscription. */
  constructor(name: string, events: AsyncIterable<SubscribeToShardEventStream>, release: () => void, timeoutMs: number) {
    this.#name = name
    this.#events = events[Symbol.asyncIterator]()
    this.#release = release
    this.#timeoutMs = timeoutMs
  }

  /**
   * The oldest event that was not shifted away, or null when the connection has ended behind the last one. Rejects with what the subscription failed with, or with AbortError, which
   * loses nothing. `bound` holds from now on.
   */
  async next(bound: Bound, context: HandlerContext): Promise<SubscribeToShardEvent | null> {
    this.#bound = bound
    if (this.#kept.length === 0 && this.#end === null) await waitFor(this.#name, this.#takeOne(), context)
    const [oldest] = this.#kept
    if (oldest !== undefined) return oldest.event
    if (this.#end !== null && this.#end !== 'ended') throw this.#end.error
    return null
  }

  /** Lets go of the oldest event, and reads ahead. */
  shift(): void {
    this.#kept.shift()
    this.#readAhead()
  }

  /** Closes the connection and forgets every event; a wait for one ends with null. */
  close(): void {
    this.#kept.length = 0
    this.#finish('ended')
  }

  #finish(end: 'ended' | { readonly error: unknown }): void {
    if (this.#end !== null) return
    this.#end = end
    this.#release()
    this.#call?.abort()
  }

  #takeOne(): Promise<void> {
    this.#taking ??= this.#take().then(() => {
      this.#taking = null
      this.#readAhead()
    })
    return this.#taking
  }

  async #take(): Promise<void> {
    try {
      const call = startCall(`${this.#name}: event`, this.#timeoutMs, () => this.#events.next())
      this.#call = call
      const result = await call.answer
      if (this.#end !== null) return
      if (result.done === true) this.#finish('ended')
      // A kind of event that is not known is left out: the next one is taken in its place.
      else if (result.value.SubscribeToShardEvent === undefined) await this.#take()
      else this.#keep(result.value.SubscribeToShardEvent)
    } catch (error) {
      this.#finish({ error })
    }
  }

  #keep(event: SubscribeToShardEvent): void {
    let bytes = 0
    for (const { Data: data } of event.Records ?? []) bytes += data?.byteLength ?? 0
    this.#last = { event, records: event.Records?.length ?? 0, bytes }
    this.#kept.push(this.#last)
    // Nothing follows the end of the shard.
    if (typeof event.ContinuationSequenceNumber !== 'string') this.#finish('ended')
  }

  #readAhead(): void {
    // At the tip one event without records is kept at most: they come every few seconds, and need no room.
    if (this.#end !== null || this.#last === null || this.#last.records === 0) return
    let { records, bytes } = this.#last
    for (const kept of this.#kept) {
      records += kept.records
      bytes += kept.bytes
    }
    if (records <= this.#bound.maxRecords && bytes <= this.#bound.maxBytes) void this.#takeOne()
  }
}
