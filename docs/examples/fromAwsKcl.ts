/** What a record processor for `aws-kcl` becomes in TypeScript: promises for its callbacks, bytes for its base64. */
import type { RecordProcessor } from '@shardwise/processor'

/** Books an order. */
export type Book = (customer: string, order: string) => Promise<void>

/** Makes the record processor of a shard. */
export const bookOrders = (book: Book) => (): RecordProcessor => ({
  initialize() {},
  async processRecords({ records, checkpointer }) {
    for (const { partitionKey, data } of records) await book(partitionKey, new TextDecoder().decode(data))
    await checkpointer.checkpoint()
  },
  leaseLost() {},
  shardEnded: ({ checkpointer }) => checkpointer.checkpoint(),
  shutdownRequested: ({ checkpointer }) => checkpointer.checkpoint(),
})
