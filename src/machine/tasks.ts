import { taskBackoffMs } from './backoff.ts'
import { deliveredThrough, openingPosition } from './batches.ts'
import { type Action, leaseOf, startTask, startTimer } from './change.ts'
import { known } from './shardConsumerContext.ts'

/** Asks whether the parents are done. */
export const checkParentShards: Action = (context) => startTask(context, 'checkParentShards', { parentShardIds: context.parentShardIds })

/** Asks for the stored checkpoint. */
export const readCheckpoint: Action = (context) => startTask(context, 'readCheckpoint', { ...leaseOf(context) })

/** Opens the shard where reading goes on. */
export const openShard: Action = (context) => startTask(context, 'openShard', { position: openingPosition(context) })

/** Has the record processor initialised. */
export const initialize: Action = (context) =>
  startTask(context, 'initialize', {
    ...leaseOf(context),
    checkpoint: known(context, 'checkpoint'),
    pendingCheckpoint: context.pendingCheckpoint,
  })

/** Asks for the next batch. */
export const readRecords: Action = (context) => {
  const { maxRecords, prefetchMaxRecords, prefetchMaxBytes } = context.options
  return startTask(context, 'readRecords', {
    after: deliveredThrough(context),
    maxRecords,
    prefetch: { maxRecords: prefetchMaxRecords, maxBytes: prefetchMaxBytes },
  })
}

/** Delivers what is left of the batch. */
export const processRecords: Action = (context) =>
  startTask(context, 'processRecords', {
    batch: known(context, 'batch'),
    after: deliveredThrough(context),
    attempt: context.batchFailures,
  })

/** Splits off the next part of the batch in which the record at fault is looked for. */
export const splitBatch: Action = (context) =>
  startTask(context, 'splitBatch', {
    batchId: known(context, 'whole').batchId,
    after: deliveredThrough(context),
    count: Math.ceil(context.suspects / 2),
  })

/** Hands what is left of the batch to the dead letter. */
export const deliverDeadLetter: Action = (context) =>
  startTask(context, 'deliverDeadLetter', {
    batch: known(context, 'batch'),
    after: deliveredThrough(context),
    attempts: context.batchFailures,
    error: known(context, 'lastError'),
  })

/** Tells the record processor of the requested shutdown. */
export const notifyShutdownRequested: Action = (context) => startTask(context, 'notifyShutdownRequested', {})

/** Asks for the children of the shard. */
export const listChildShards: Action = (context) => startTask(context, 'listChildShards', {})

/** Has the leases of the children created. */
export const createChildLeases: Action = (context) =>
  startTask(context, 'createChildLeases', { ...leaseOf(context), childShards: context.childShards ?? [] })

/** Tells the record processor of the end of the shard; from then on it may checkpoint that end. */
export const notifyShardEnded: Action = (context) => {
  const { context: started, effects } = startTask(context, 'notifyShardEnded', { attempt: context.attempt })
  return { context: { ...started, shardEndedStarted: true, processorDone: false }, effects }
}

/** Tells the record processor that the lease is lost. */
export const notifyLeaseLost: Action = (context) => startTask(context, 'notifyLeaseLost', { attempt: context.attempt })

/** Closes the shard. */
export const closeShard: Action = (context) => startTask(context, 'closeShard', {})

/** Waits before the next look at the parents. */
export const startParentPollTimer: Action = (context) => startTimer(context, context.options.parentShardPollIntervalMillis)

/** Waits before the next read. */
export const startIdleTimer: Action = (context) => startTimer(context, context.idleMs)

/** Waits before failed work is tried again. */
export const startBackoffTimer: Action = (context) => startTimer(context, taskBackoffMs(context, context.attempt))
