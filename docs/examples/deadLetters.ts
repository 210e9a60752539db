/** Orders that cannot be read go to a dead letter, one by one, and all others are handled. */
import type { KinesisRecord } from '@shardwise/effects'
import { type DeadLetterInput, eachBatch } from '@shardwise/processor'

const orderOf = ({ data }: KinesisRecord): unknown => JSON.parse(new TextDecoder().decode(data))

/** Options of a worker: a batch is tried three times, then split until the record at fault is alone, which is tried three times as well. */
export const withDeadLetters = (
  handle: (orders: readonly unknown[]) => Promise<void>,
  keep: (letter: { readonly shardId: string; readonly sequenceNumber: string; readonly error: string }) => Promise<void>,
) => ({
  processor: eachBatch((records) => handle(records.map(orderOf))),
  maxDeliveryAttempts: 3,
  bisectBatchOnError: true,
  // When this rejects, it is called again after a backoff: no checkpoint passes the record before it was kept.
  async deadLetter({ shardId, records, error }: DeadLetterInput) {
    for (const { sequenceNumber } of records) await keep({ shardId, sequenceNumber, error: `${error.name}: ${error.message}` })
  },
})
