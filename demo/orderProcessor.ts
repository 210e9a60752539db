import type { ProcessRecordsInput, RecordProcessor, ShardEndedInput, ShutdownRequestedInput } from '@shardwise/processor'
import type { Entry } from './ledger.ts'
import type { Order } from './orders.ts'

/** Hears of orders that were delivered. */
export type Deliver = (entries: readonly Entry[]) => void | Promise<void>

/** Delivers the orders of one shard, and checkpoints after each batch. */
export class OrderProcessor implements RecordProcessor {
  readonly #deliver: Deliver

  constructor(deliver: Deliver) {
    this.#deliver = deliver
  }

  initialize(): void {
    // There is nothing to prepare.
  }

  async processRecords({ shardId, records, checkpointer }: ProcessRecordsInput): Promise<void> {
    await this.#deliver(
      records.map(({ data, sequenceNumber }) => {
        const { orderId } = JSON.parse(new TextDecoder().decode(data)) as Order
        return { orderId, shardId, sequenceNumber }
      }),
    )
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
