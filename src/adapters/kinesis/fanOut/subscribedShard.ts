import type { GetRecordsOutput, SubscribeToShardEvent } from '@aws-sdk/client-kinesis'
import type { AnswerBody, BatchStore, EffectOf, HandlerContext, Position, ShardId } from '@shardwise/effects'
import { invalidAnswer, namedError } from '../invalidAnswer.ts'
import type { Deaggregation } from '../kpl/deaggregation.ts'
import { type Page, pageOf } from '../page.ts'
import type { Subscription } from './subscription.ts'

type ReadRecords = EffectOf<'readRecords'>

/** Kinesis ends every subscription after five minutes; one that ends well before was broken off, though the client says no error. */
const leastLifeMs = 270_000

/** A position, and the sequence number after which reading gives the same as from there. */
interface Bookmark {
  readonly position: Position
  readonly continuation: string | null
  /** Whether the position is that of a record without user records of its own: reading at it, less what was delivered, gives the same as after it. */
  readonly isPlain: boolean
}

/** A shard that is subscribed to. Its place moves on only when a batch has been handed over, so a read that is aborted is made again from the same place. */
export class SubscribedShard {
  readonly #shardId: ShardId
  readonly #name: string
  readonly #subscription: Subscription
  readonly #batches: BatchStore
  readonly #deaggregation: Deaggregation | null
  readonly #ageMs: () => number
  /** How many records of the oldest event have been handed over. */
  #offset = 0
  #bookmark: Bookmark
  #open = true
  /** The read that is out. */
  #reader: { aborted: boolean } | null = null

  /** `bookmark` is where the subscription starts; `ageMs` says how long ago that was. */
  constructor(
    shardId: ShardId,
    subscription: Subscription,
    options: {
      readonly batches: BatchStore
      readonly deaggregation: Deaggregation | null
      readonly ageMs: () => number
      readonly bookmark: Bookmark
    },
  ) {
    this.#shardId = shardId
    this.#name = `SubscribeToShard of shard ${shardId}`
    this.#subscription = subscription
    this.#batches = options.batches
    this.#deaggregation = options.deaggregation
    this.#ageMs = options.ageMs
    this.#bookmark = options.bookmark
  }

  /** The continuation sequence number that stands for a position; null when there is none. It reaches over the gaps of a shard, where the position may not. */
  continuationOf(position: Position): string | null {
    const { position: known, continuation, isPlain } = this.#bookmark
    const isBehind = isPlain && position.type === 'AT_SEQUENCE_NUMBER' && isSame({ ...position, type: 'AFTER_SEQUENCE_NUMBER' }, known)
    return isBehind || isSame(position, known) ? continuation : null
  }

  /** A position may have a continuation that Kinesis does not take. */
  forgetContinuation(): void {
    this.#bookmark = { ...this.#bookmark, continuation: null }
  }

  /** Hands over the next records. When it rejects with anything but AbortError, it may be that the subscription is over: the next read then answers `shardNotOpen`. */
  async read(effect: ReadRecords, context: HandlerContext): Promise<AnswerBody<'readRecords'>> {
    if (!this.#open) return { type: 'shardNotOpen' }
    if (this.#reader !== null && !this.#reader.aborted) throw new Error(`readRecords: shard ${this.#shardId} is being read already`)
    const reader = { aborted: false }
    this.#reader = reader
    context.onAbort(() => {
      reader.aborted = true
    })
    try {
      if (reader.aborted) throw namedError('AbortError', 'readRecords: the effect was cancelled')
      const event = await this.#nextEvent(effect, context, reader)
      if (event === null) return this.#end()
      const records = this.#recordsOf(event).slice(this.#offset, this.#offset + effect.maxRecords)
      const output = this.#outputOf(event, records)
      const unpack = this.#deaggregation?.isNeededFor(output) === true ? await this.#deaggregation.unpackFor(this.#shardId, context) : null
      this.#expectOpen(reader)
      const page = this.#pageOf(() => pageOf(this.#name, output, effect.after, unpack))
      const batch = this.#batches.put({ shardId: this.#shardId, records: page.records, handle: page.handle })
      this.#moveOn(page, records.length, event, unpack === null)
      return { type: 'recordsRead', batch }
    } finally {
      if (this.#reader === reader) this.#reader = null
    }
  }

  /** Ends the subscription; a read that is out rejects with AbortError. */
  close(): void {
    this.#open = false
    this.#subscription.close()
  }

  async #nextEvent(
    { prefetch }: ReadRecords,
    context: HandlerContext,
    reader: { readonly aborted: boolean },
  ): Promise<SubscribeToShardEvent | null> {
    try {
      const event = await this.#subscription.next(prefetch, context)
      this.#expectOpen(reader)
      return event
    } catch (error) {
      if (!(error instanceof Error && error.name === 'AbortError')) this.close()
      throw error
    }
  }

  #end(): AnswerBody<'readRecords'> {
    const ageMs = this.#ageMs()
    this.close()
    if (ageMs >= leastLifeMs) return { type: 'iteratorExpired' }
    throw namedError('SubscriptionBroken', `${this.#name}: it ended after ${ageMs} ms, without an error and before its time`)
  }

  #expectOpen(reader: { readonly aborted: boolean }): void {
    if (!this.#open) throw namedError('AbortError', `readRecords: shard ${this.#shardId} was closed`)
    if (reader.aborted) throw namedError('AbortError', 'the answer came too late: the effect was cancelled')
  }

  /** What cannot be understood will not be understood later: the subscription is given up with it. */
  #pageOf<T>(understand: () => T): T {
    try {
      return understand()
    } catch (error) {
      this.close()
      throw error
    }
  }

  #recordsOf({ Records: records }: SubscribeToShardEvent) {
    return this.#pageOf(() => {
      if (!Array.isArray(records)) throw invalidAnswer(this.#name, 'the event has no records')
      return records
    })
  }

  /** Some records of an event in the form of a GetRecords answer, whose iterator is then the sequence number to continue after. */
  #outputOf(event: SubscribeToShardEvent, records: readonly NonNullable<GetRecordsOutput['Records']>[number][]): GetRecordsOutput {
    const isLast = this.#offset + records.length >= (event.Records?.length ?? 0)
    if (!isLast) {
      return {
        Records: [...records],
        NextShardIterator: records.at(-1)?.SequenceNumber,
        // 0 would say that nothing is left to read.
        MillisBehindLatest: Math.max(1, event.MillisBehindLatest ?? 1),
      }
    }
    const { ContinuationSequenceNumber: continuation, ChildShards: childShards } = event
    return this.#pageOf(() => {
      // Source: KCL `DataRetrievalUtil`. Without this an event that lost a field would end the shard.
      if (typeof continuation !== 'string' && (childShards ?? []).length === 0) {
        throw invalidAnswer(this.#name, 'the event has neither a continuation sequence number nor child shards')
      }
      return {
        Records: [...records],
        NextShardIterator: continuation,
        MillisBehindLatest: event.MillisBehindLatest,
        ChildShards: childShards,
      }
    })
  }

  #moveOn({ handle, nextIterator }: Page, count: number, event: SubscribeToShardEvent, isPlain: boolean): void {
    const { continuation } = this.#bookmark
    this.#bookmark =
      handle.last === null
        ? { ...this.#bookmark, continuation: nextIterator ?? continuation }
        : { position: { type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: handle.last.sequenceNumber }, continuation: nextIterator, isPlain }
    this.#offset += count
    if (this.#offset < (event.Records?.length ?? 0)) return
    this.#offset = 0
    if (nextIterator === null) this.close()
    else this.#subscription.shift()
  }
}

function isSame(a: Position, b: Position): boolean {
  if ('sequenceNumber' in a) return a.type === b.type && 'sequenceNumber' in b && a.sequenceNumber === b.sequenceNumber
  if ('timestampMs' in a) return a.type === b.type && 'timestampMs' in b && a.timestampMs === b.timestampMs
  return a.type === b.type
}
