import { type ShardId, shown } from '@shardwise/effects'
import type { RecordProcessor } from '../recordProcessor.ts'
import { DeliveryContext } from './deliveryContext.ts'
import { leaseIsLost, leaseLostError } from './failures.ts'
import type { BatchContext } from './handlerContext.ts'
import { type HandlerOptions, parseHandlerOptions, requireHandler, wholeFrom1 } from './handlerOptions.ts'
import { type Delivery, handlerProcessor } from './handlerProcessor.ts'
import { judgeAnswer, type KinesisStreamBatchResponse, type KinesisStreamEvent, lambdaEvent } from './lambdaEvent.ts'

/** What `lambdaRecords` may be given. */
export interface LambdaRecordsOptions extends HandlerOptions {
  /** The ARN that events name as their source; their region is taken from it. */
  readonly eventSourceARN: string
  /** The most records of one event, 100 unless given, as with Lambda; 10,000 at most. */
  readonly batchSize?: number | undefined
}

/** A function as Lambda calls it; beside the event it gets the context of a batch, not that of Lambda. */
export type LambdaHandler = (
  event: KinesisStreamEvent,
  context: BatchContext,
) => KinesisStreamBatchResponse | null | undefined | void | Promise<KinesisStreamBatchResponse | null | undefined | void>

/**
 * Makes record processors from a handler written for Lambda. An event that it fails comes again; where it answers `batchItemFailures`, from the lowest of
 * them on, whether or not later ones succeeded.
 * @throws Error for a handler that is no function or calls back, and for a bad option.
 */
export function lambdaRecords(handler: LambdaHandler, options: LambdaRecordsOptions): (shardId: ShardId) => RecordProcessor {
  requireHandler('lambdaRecords', handler)
  if (handler.length > 2) throw new Error('lambdaRecords: expected a handler that returns a promise, got one that takes a callback')
  const policy = parseHandlerOptions('lambdaRecords', options, ['eventSourceARN', 'batchSize'])
  const { eventSourceARN, batchSize = 100 } = options
  if (typeof eventSourceARN !== 'string' || !/^arn:[^:]+:kinesis:[^:]+:[^:]*:.+/.test(eventSourceARN)) {
    throw new Error(`eventSourceARN: expected the ARN of a Kinesis stream, got ${shown(eventSourceARN)}`)
  }
  wholeFrom1('batchSize', batchSize, 10_000)
  return () => handlerProcessor(policy, (delivery) => invoke(handler, delivery, eventSourceARN, batchSize))
}

/** Calls the handler with one event after another. */
async function invoke(handler: LambdaHandler, delivery: Delivery, eventSourceARN: string, batchSize: number): Promise<void> {
  const { records, input, progress } = delivery
  for (let from = 0; from < records.length; from += batchSize) {
    if (leaseIsLost(input)) throw leaseLostError(input.shardId)
    const some = records.slice(from, from + batchSize)
    const answer = await handler(lambdaEvent(input.shardId, eventSourceARN, some), new DeliveryContext(delivery))
    const { succeeded, failure } = judgeAnswer(some, answer)
    const last = some[succeeded - 1]
    if (last !== undefined) progress.advance(last, succeeded)
    if (failure !== null) throw failure
    if (progress.isDue && from + batchSize < records.length) await progress.store(input.checkpointer)
  }
}
