import { taskBackoffMs } from './backoff.ts'
import { deliveredThrough, openingPosition } from './batches.ts'
import { type Action, startTask, startTimer } from './change.ts'
import { known, type ShardConsumerContext } from './shardConsumerContext.ts'

const lease = ({ leaseKey, token }: ShardConsumerContext): { leaseKey: string; token: number } => ({ leaseKey, token })

/** Asks whether the parents are done. */
export const checkParentShards: Action = (context) =>
  startTask({ type: 'checkParentShards', id: context.nextId, shardId: context.shardId, parentShardIds: context.parentShardIds })

/** Asks for the stored checkpoint. */
export const readCheckpoint: Action = (context) =>
  startTask({ type: 'readCheckpoint', id: context.nextId, shardId: context.shardId, ...lease(context) })

/** Opens the shard where reading goes on. */
export const openShard: Action = (context) =>
  startTask({ type: 'openShard', id: context.nextId, shardId: context.shardId, position: openingPosition(context) })

/** Has the record processor initialised. */
export const initialize: Action = (context) =>
  startTask({
    type: 'initialize',
    id: context.nextId,
    shardId: context.shardId,
    ...lease(context),
    checkpoint: known(context.checkpoint, 'checkpoint'),
    pendingCheckpoint: context.pendingCheckpoint,
  })

/** Asks for the next batch. */
export const readRecords: Action = (context) => {
  const { maxRecords, prefetchMaxRecords, prefetchMaxBytes } = context.options
  return startTask({
    type: 'readRecords',
    id: context.nextId,
    shardId: context.shardId,
    after: deliveredThrough(context),
    maxRecords,
    prefetch: { maxRecords: prefetchMaxRecords, maxBytes: prefetchMaxBytes },
  })
}

/** Delivers what is left of the batch. */
export const processRecords: Action = (context) =>
  startTask({
    type: 'processRecords',
    id: context.nextId,
    shardId: context.shardId,
    batch: known(context.batch, 'batch'),
    after: deliveredThrough(context),
    attempt: context.batchFailures,
  })

/** Splits off the next part of the batch in which the record at fault is looked for. */
export const splitBatch: Action = (context) =>
  startTask({
    type: 'splitBatch',
    id: context.nextId,
    shardId: context.shardId,
    batchId: known(context.whole, 'whole').batchId,
    after: deliveredThrough(context),
    count: Math.ceil(context.suspects / 2),
  })

/** Hands what is left of the batch to the dead letter. */
export const deliverDeadLetter: Action = (context) =>
  startTask({
    type: 'deliverDeadLetter',
    id: context.nextId,
    shardId: context.shardId,
    batch: known(context.batch, 'batch'),
    after: deliveredThrough(context),
    attempts: context.batchFailures,
    error: known(context.lastError, 'lastError'),
  })

/** Tells the record processor of the requested shutdown. */
export const notifyShutdownRequested: Action = (context) =>
  startTask({ type: 'notifyShutdownRequested', id: context.nextId, shardId: context.shardId })

/** Asks for the children of the shard. */
export const listChildShards: Action = (context) => startTask({ type: 'listChildShards', id: context.nextId, shardId: context.shardId })

/** Has the leases of the children created. */
export const createChildLeases: Action = (context) =>
  startTask({
    type: 'createChildLeases',
    id: context.nextId,
    shardId: context.shardId,
    ...lease(context),
    childShards: context.childShards ?? [],
  })

/** Tells the record processor of the end of the shard; from then on it may checkpoint that end. */
export const notifyShardEnded: Action = (context) => {
  const { context: started, effects } = startTask({
    type: 'notifyShardEnded',
    id: context.nextId,
    shardId: context.shardId,
    attempt: context.attempt,
  })
  return { context: { ...started, shardEndedStarted: true, processorDone: false }, effects }
}

/** Tells the record processor that the lease is lost. */
export const notifyLeaseLost: Action = (context) =>
  startTask({ type: 'notifyLeaseLost', id: context.nextId, shardId: context.shardId, attempt: context.attempt })

/** Closes the shard. */
export const closeShard: Action = (context) => startTask({ type: 'closeShard', id: context.nextId, shardId: context.shardId })

/** Waits before the next look at the parents. */
export const startParentPollTimer: Action = (context) => startTimer(context, context.options.parentShardPollIntervalMillis)

/** Waits before the next read. */
export const startIdleTimer: Action = (context) => startTimer(context, context.idleMs)

/** Waits before failed work is tried again. */
export const startBackoffTimer: Action = (context) => startTimer(context, taskBackoffMs(context, context.attempt))
