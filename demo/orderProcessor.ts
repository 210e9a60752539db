import type { ProcessRecordsInput, RecordProcessor, ShardEndedInput, ShutdownRequestedInput } from '@shardwise/processor'
import type { Ledger } from './ledger.ts'
import type { Order } from './orders.ts'

/** Enters the orders of one shard into the ledger, and checkpoints after each batch. */
export class OrderProcessor implements RecordProcessor {
  readonly #ledger: Ledger

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  initialize(): void {
    // The ledger is all there is to prepare.
  }

  async processRecords({ shardId, records, checkpointer }: ProcessRecordsInput): Promise<void> {
    for (const { data, sequenceNumber } of records) {
      const { orderId } = JSON.parse(new TextDecoder().decode(data)) as Order
      this.#ledger.enterDelivered({ orderId, shardId, sequenceNumber })
    }
    await checkpointer.checkpoint()
  }

  leaseLost(): void {
    // Another worker goes on from the last checkpoint.
  }

  async shardEnded({ checkpointer }: ShardEndedInput): Promise<void> {
    await checkpointer.checkpoint()
  }

  async shutdownRequested({ checkpointer }: ShutdownRequestedInput): Promise<void> {
    await checkpointer.checkpoint()
  }
}
