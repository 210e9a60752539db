/** A handler written for Lambda, without Lambda: it gets the same events, and its answer counts as it does there. */
import { type KinesisStreamBatchResponse, type KinesisStreamEvent, lambdaRecords } from '@shardwise/processor'

/** Books an order. */
export type Book = (order: string) => Promise<void>

/** The handler. It stops at the first order that cannot be booked, and says which one that is. */
const handlerOf =
  (book: Book) =>
  async (event: KinesisStreamEvent): Promise<KinesisStreamBatchResponse> => {
    for (const { kinesis } of event.Records) {
      try {
        await book(Buffer.from(kinesis.data, 'base64').toString())
      } catch {
        return { batchItemFailures: [{ itemIdentifier: kinesis.sequenceNumber }] }
      }
    }
    return { batchItemFailures: [] }
  }

/** Record processors that call it with up to a hundred records at a time. */
export const bookOrders = (book: Book) =>
  lambdaRecords(handlerOf(book), { eventSourceARN: 'arn:aws:kinesis:eu-west-1:123456789012:stream/orders' })
