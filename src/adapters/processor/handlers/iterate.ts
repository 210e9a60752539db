import type { KinesisRecord, ShardId } from '@shardwise/effects'
import type { RecordProcessor } from '../recordProcessor.ts'
import type { BatchContext } from './handlerContext.ts'
import { type HandlerOptions, parseHandlerOptions, requireHandler } from './handlerOptions.ts'
import { IteratedShard } from './iteratedShard.ts'

/**
 * Makes record processors from a function that iterates over the records of a shard. A record is handled when the next one is asked for, or the function
 * returns; the shard is not read further before. The records end with the shard and when the worker stops, and what follows the loop is awaited before the
 * last checkpoint. When the lease is lost, the loop throws ShutdownException. The function is called anew for what it left, and after it failed.
 * @throws Error for a handler that is no function, and for a bad option.
 */
export function iterate(
  handler: (records: AsyncIterable<KinesisRecord>, context: BatchContext) => void | Promise<void>,
  options: HandlerOptions = {},
): (shardId: ShardId) => RecordProcessor {
  requireHandler('iterate', handler)
  const policy = parseHandlerOptions('iterate', options)
  return () => new IteratedShard(policy, handler)
}
