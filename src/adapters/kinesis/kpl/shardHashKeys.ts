import type { HandlerContext, HashKeyRange, Shard, ShardId } from '@shardwise/effects'
import { answerOf, type Call } from '../call.ts'
import { namedError } from '../invalidAnswer.ts'
import { everyHashKey, type HashKeys, hashKeysOf } from './hashKeys.ts'

/** Lists every shard of the stream. */
type ListShards = (context: HandlerContext) => Promise<readonly Pick<Shard, 'shardId' | 'hashKeyRange'>[]>

/** One listing, and how many reads wait for it. */
interface Listing {
  readonly done: Promise<void>
  abort(): void
  waiting: number
}

/** The hash keys of the shards of one stream: those that were listed for whatever reason, or are listed when they are first asked for. */
export class ShardHashKeys {
  readonly #list: ListShards
  /** null for a shard that was not in the listing. */
  readonly #known = new Map<ShardId, HashKeyRange | null>()
  #listing: Listing | null = null

  constructor(list: ListShards) {
    this.#list = list
  }

  remember(shards: readonly Pick<Shard, 'shardId' | 'hashKeyRange'>[]): void {
    for (const { shardId, hashKeyRange } of shards) this.#known.set(shardId, hashKeyRange)
  }

  forget(shardId: ShardId): void {
    this.#known.delete(shardId)
  }

  /** All hash keys for a shard that is not listed, as in the KCL. Rejects with what the listing rejected with, or with AbortError. */
  async of(shardId: ShardId, context: HandlerContext): Promise<HashKeys> {
    if (!this.#known.has(shardId)) {
      await this.#listed(context)
      if (!this.#known.has(shardId)) this.#known.set(shardId, null)
    }
    const range = this.#known.get(shardId) ?? null
    return range === null ? everyHashKey : hashKeysOf(range)
  }

  /** Waits for a listing. All reads that need one share it: a thousand shards may need one at once. */
  async #listed(context: HandlerContext): Promise<void> {
    this.#listing ??= this.#startListing()
    const listing = this.#listing
    listing.waiting += 1
    try {
      await answerOf(callOf(listing.done), context)
    } finally {
      listing.waiting -= 1
      if (listing.waiting === 0) {
        if (this.#listing === listing) this.#listing = null
        listing.abort()
      }
    }
  }

  #startListing(): Listing {
    const aborts: (() => void)[] = []
    const context: HandlerContext = {
      get signal(): never {
        throw new Error('signal: a listing is aborted by its listeners')
      },
      onAbort: (listener) => void aborts.push(listener),
    }
    const done = this.#list(context).then((shards) => this.remember(shards))
    return { done, abort: () => aborts.forEach((abort) => abort()), waiting: 0 }
  }
}

/** One reader's wait, which ends alone. */
function callOf(done: Promise<void>): Call<void> {
  let giveUp = (_error: Error): void => undefined
  const answer = new Promise<void>((resolve, reject) => {
    giveUp = reject
    done.then(resolve, reject)
  })
  return { answer, abort: () => giveUp(namedError('AbortError', 'ListShards: aborted')) }
}
