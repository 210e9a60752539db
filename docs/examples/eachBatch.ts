/** Batches into a store of yours, which refuses the writes of an owner that has lost its lease without knowing. */
import type { KinesisRecord } from '@shardwise/effects'
import { type BatchContext, eachBatch } from '@shardwise/processor'

/** Totals per shard. It keeps the highest fencing token of each: whoever writes with a lower one comes too late. */
export class Totals {
  readonly #shards = new Map<string, { readonly token: number; readonly total: number }>()

  async add(shardId: string, token: number, amount: number): Promise<void> {
    const { token: highest, total } = this.#shards.get(shardId) ?? { token: 0, total: 0 }
    if (token < highest) throw new Error(`${shardId}: token ${token} is older than ${highest}`)
    this.#shards.set(shardId, { token, total: total + amount })
  }

  of(shardId: string): number {
    return this.#shards.get(shardId)?.total ?? 0
  }
}

const amountOf = ({ data }: KinesisRecord): number => Number(new TextDecoder().decode(data))

/** Adds the amounts of each batch. The batch is checkpointed when this has resolved; when it throws, the batch comes again. */
export const addAmounts = (totals: Totals) =>
  eachBatch(async (records, { shardId, token, signal }: BatchContext) => {
    const amount = records.map(amountOf).reduce((sum, next) => sum + next, 0)
    signal.throwIfAborted()
    await totals.add(shardId, token, amount)
  })
