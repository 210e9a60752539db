/** One record at a time of each customer, many customers at once. */
import { eachRecord } from '@shardwise/processor'

/** Sends an order to whom it concerns. */
export type Send = (customer: string, order: string, signal: AbortSignal) => Promise<void>

/**
 * Partition keys are customers here: the orders of one are sent in their order, those of sixteen at once. A checkpoint is stored every hundred orders, every
 * second while orders come, before a failed order is sent again, and when the worker stops.
 */
export const sendOrders = (send: Send) =>
  eachRecord(({ partitionKey, data }, { signal }) => send(partitionKey, new TextDecoder().decode(data), signal), {
    concurrency: 16,
    checkpoint: { everyRecords: 100, everyMs: 1_000 },
  })
