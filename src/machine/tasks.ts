import { backoffMs } from './backoff.ts'
import { deliveredThrough, openingPosition } from './batches.ts'
import { type Action, startTask } from './change.ts'
import type { ShardConsumerContext } from './shardConsumerContext.ts'

const lease = ({ leaseKey, token }: ShardConsumerContext): { leaseKey: string; token: number } => ({ leaseKey, token })

/** What each sub-state asks for when it is entered; the names are those of the effects. */
export const taskActions = {
  checkParentShards: (context) =>
    startTask(context, { type: 'checkParentShards', shardId: context.shardId, parentShardIds: context.parentShardIds }),
  readCheckpoint: (context) => startTask(context, { type: 'readCheckpoint', shardId: context.shardId, ...lease(context) }),
  openShard: (context) => startTask(context, { type: 'openShard', shardId: context.shardId, position: openingPosition(context) }),
  initialize: (context) => {
    const { shardId, checkpoint, pendingCheckpoint } = context
    if (checkpoint === null) throw new Error('checkpoint: the processor is initialised before the checkpoint was read')
    return startTask(context, { type: 'initialize', shardId, ...lease(context), checkpoint, pendingCheckpoint })
  },
  readRecords: (context) => {
    const { shardId, options } = context
    return startTask(context, {
      type: 'readRecords',
      shardId,
      after: deliveredThrough(context),
      maxRecords: options.maxRecords,
      prefetch: { maxRecords: options.prefetchMaxRecords, maxBytes: options.prefetchMaxBytes },
    })
  },
  processRecords: (context) => {
    const { shardId, batch, batchFailures } = context
    if (batch === null) throw new Error('batch: there is none to process')
    return startTask(context, { type: 'processRecords', shardId, batch, after: deliveredThrough(context), attempt: batchFailures })
  },
  notifyShutdownRequested: (context) => startTask(context, { type: 'notifyShutdownRequested', shardId: context.shardId }),
  listChildShards: (context) => startTask(context, { type: 'listChildShards', shardId: context.shardId }),
  createChildLeases: (context) =>
    startTask(context, {
      type: 'createChildLeases',
      shardId: context.shardId,
      ...lease(context),
      childShards: context.childShards ?? [],
    }),
  notifyShardEnded: (context) => {
    const { context: started, ...asked } = startTask(context, {
      type: 'notifyShardEnded',
      shardId: context.shardId,
      attempt: context.attempt,
    })
    return { ...asked, context: { ...started, shardEndedStarted: true, processorDone: false } }
  },
  notifyLeaseLost: (context) => startTask(context, { type: 'notifyLeaseLost', shardId: context.shardId, attempt: context.attempt }),
  closeShard: (context) => startTask(context, { type: 'closeShard', shardId: context.shardId }),
  startParentPollTimer: (context) => startTask(context, { type: 'startTimer', delayMs: context.options.parentShardPollIntervalMillis }),
  startIdleTimer: (context) => startTask(context, { type: 'startTimer', delayMs: context.idleMs }),
  startBackoffTimer: (context) => {
    const { taskBackoffTimeMillis, maxBackoffMillis } = context.options
    return startTask(context, {
      type: 'startTimer',
      delayMs: backoffMs(context.attempt, context.seed, taskBackoffTimeMillis, maxBackoffMillis),
    })
  },
} as const satisfies Readonly<Record<string, Action>>
