import type { ShardId } from '@shardwise/effects'
import type { RecordProcessor } from '../recordProcessor.ts'
import { type HandlerOptions, parseHandlerOptions, requireHandler, wholeFrom1 } from './handlerOptions.ts'
import { handlerProcessor } from './handlerProcessor.ts'
import { type RecordHandler, RecordRun, type UnsettledRecords } from './recordRun.ts'

/** What `eachRecord` may be given. */
export interface EachRecordOptions extends HandlerOptions {
  /** How many records of a shard are handled at once, those of one partition key always one after another; 1 unless given: all in order. */
  readonly concurrency?: number | undefined
}

/**
 * Makes record processors from a function that handles one record. When one fails, no further one is started, those that run are waited for, and the batch
 * is handed over again: the function then gets the records for which it has not succeeded.
 * @throws Error for a handler that is no function, and for a bad option.
 */
export function eachRecord(handler: RecordHandler, options: EachRecordOptions = {}): (shardId: ShardId) => RecordProcessor {
  requireHandler('eachRecord', handler)
  const policy = parseHandlerOptions('eachRecord', options, ['concurrency'])
  const { concurrency = 1 } = options
  wholeFrom1('concurrency', concurrency)
  return () => {
    const unsettled: UnsettledRecords = { succeeded: new Set(), asked: [] }
    return handlerProcessor(policy, (delivery) => new RecordRun(delivery, handler, unsettled).run(concurrency))
  }
}
