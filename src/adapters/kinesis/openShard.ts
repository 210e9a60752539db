import type { GetRecordsOutput } from '@aws-sdk/client-kinesis'
import type { AnswerBody, BatchStore, EffectOf, HandlerContext, ShardId } from '@shardwise/effects'
import { answerOf, type Call } from './call.ts'
import { namedError } from './invalidAnswer.ts'
import type { Deaggregation } from './kpl/deaggregation.ts'
import { type Page, pageOf } from './page.ts'

/** Starts one GetRecords. */
export type StartGetRecords = (shardId: ShardId, iterator: string, limit: number) => Call<GetRecordsOutput>

type ReadRecords = EffectOf<'readRecords'>

/**
 * An opened shard: its iterator, and at most one call, which asks for the page at that iterator. The iterator moves on only when the page has been handed
 * over, so a read that fails or is aborted is made again from the same place.
 */
export class OpenShard {
  readonly #shardId: ShardId
  readonly #batches: BatchStore
  readonly #start: StartGetRecords
  readonly #deaggregation: Deaggregation | null
  #iterator: string | null
  /** On its way, or answered and kept. */
  #call: { readonly limit: number; readonly get: Call<GetRecordsOutput> } | null = null
  /** The read that is out. */
  #reader: { aborted: boolean } | null = null

  constructor(shardId: ShardId, iterator: string, batches: BatchStore, start: StartGetRecords, deaggregation: Deaggregation | null) {
    this.#shardId = shardId
    this.#iterator = iterator
    this.#batches = batches
    this.#start = start
    this.#deaggregation = deaggregation
  }

  /** Whether there is an iterator: not after the end of the shard was handed over, and not after `close`. */
  get isOpen(): boolean {
    return this.#iterator !== null
  }

  /** Hands over the next page. Rejects with what the call rejected with, and keeps the iterator. */
  async read(effect: ReadRecords, context: HandlerContext): Promise<AnswerBody<'readRecords'>> {
    if (this.#iterator === null) return { type: 'shardNotOpen' }
    if (this.#reader !== null) {
      if (!this.#reader.aborted) throw new Error(`readRecords: shard ${this.#shardId} is being read already`)
      this.#forgetCall()
    }
    const reader = { aborted: false }
    this.#reader = reader
    context.onAbort(() => {
      reader.aborted = true
    })
    try {
      const page = await this.#nextPage(this.#iterator, effect, context)
      if (reader.aborted) throw namedError('AbortError', 'the answer came too late: the effect was cancelled')
      const batch = this.#batches.put({ shardId: this.#shardId, records: page.records, handle: page.handle })
      this.#iterator = page.nextIterator
      this.#call = null
      const tipReached = (batch.millisBehindLatest ?? 0) === 0 && batch.count < effect.maxRecords
      if (batch.count > 0 && !tipReached) this.#readAhead(effect.maxRecords, effect.prefetch, batch.bytes)
      return { type: 'recordsRead', batch }
    } finally {
      if (this.#reader === reader) this.#reader = null
    }
  }

  /** Forgets the iterator and what was read ahead; a read that is out rejects with AbortError. */
  close(): void {
    this.#iterator = null
    this.#forgetCall()
  }

  async #nextPage(iterator: string, { maxRecords, after }: ReadRecords, context: HandlerContext): Promise<Page> {
    // What was read ahead under a larger limit may hold more than may be handed over now.
    if (this.#call !== null && this.#call.limit > maxRecords) this.#forgetCall()
    this.#call ??= { limit: maxRecords, get: this.#start(this.#shardId, iterator, maxRecords) }
    const call = this.#call
    try {
      const output = await answerOf(call.get, context)
      const deaggregation = this.#deaggregation?.isNeededFor(output) === true ? this.#deaggregation : null
      const unpack = deaggregation === null ? null : await deaggregation.unpackFor(this.#shardId, context)
      if (this.#iterator === null) throw namedError('AbortError', `readRecords: shard ${this.#shardId} was closed`)
      return pageOf(`GetRecords of shard ${this.#shardId}`, output, after, unpack)
    } catch (error) {
      if (this.#call === call) this.#call = null
      throw error
    }
  }

  /** Starts the next call. The size of an answer is known only when it is there: it is guessed to be that of the last one, and may overshoot by one answer. */
  #readAhead(maxRecords: number, prefetch: ReadRecords['prefetch'], lastBytes: number): void {
    const limit = Math.min(maxRecords, prefetch.maxRecords)
    if (this.#iterator === null || limit <= 0 || lastBytes > prefetch.maxBytes) return
    this.#call = { limit, get: this.#start(this.#shardId, this.#iterator, limit) }
  }

  #forgetCall(): void {
    this.#call?.get.abort()
    this.#call = null
  }
}
