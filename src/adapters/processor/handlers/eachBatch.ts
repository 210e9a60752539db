import type { KinesisRecord, ShardId } from '@shardwise/effects'
import type { RecordProcessor } from '../recordProcessor.ts'
import { DeliveryContext } from './deliveryContext.ts'
import type { BatchContext } from './handlerContext.ts'
import { type HandlerOptions, parseHandlerOptions, requireHandler } from './handlerOptions.ts'
import { handlerProcessor } from './handlerProcessor.ts'

/**
 * Makes record processors from a function that handles a batch. When it throws or rejects, the batch comes again, but for what it has checkpointed.
 * @throws Error for a handler that is no function, and for a bad option.
 */
export function eachBatch(
  handler: (records: readonly KinesisRecord[], context: BatchContext) => void | Promise<void>,
  options: HandlerOptions = {},
): (shardId: ShardId) => RecordProcessor {
  requireHandler('eachBatch', handler)
  const policy = parseHandlerOptions('eachBatch', options)
  return () =>
    handlerProcessor(policy, async (delivery) => {
      const { records, input, progress } = delivery
      // A batch without records is handed over when the consumer is told to; one that was handled before is not.
      if (records.length === 0 && input.records.length > 0) return
      await handler(records, new DeliveryContext(delivery))
      const last = records.at(-1)
      if (last !== undefined) progress.advance(last, records.length)
    })
}
