import { taskBackoffMs } from './backoff.ts'
import { deliveredThrough, openingPosition } from './batches.ts'
import { type Action, startTask } from './change.ts'
import { known, type ShardConsumerContext } from './shardConsumerContext.ts'

const lease = ({ leaseKey, token }: ShardConsumerContext): { leaseKey: string; token: number } => ({ leaseKey, token })

/** What each sub-state asks for when it is entered; the names are those of the effects. */
export const taskActions = {
  checkParentShards: (context) =>
    startTask({ type: 'checkParentShards', id: context.nextId, shardId: context.shardId, parentShardIds: context.parentShardIds }),
  readCheckpoint: (context) => startTask({ type: 'readCheckpoint', id: context.nextId, shardId: context.shardId, ...lease(context) }),
  openShard: (context) =>
    startTask({ type: 'openShard', id: context.nextId, shardId: context.shardId, position: openingPosition(context) }),
  initialize: (context) =>
    startTask({
      type: 'initialize',
      id: context.nextId,
      shardId: context.shardId,
      ...lease(context),
      checkpoint: known(context.checkpoint, 'checkpoint'),
      pendingCheckpoint: context.pendingCheckpoint,
    }),
  readRecords: (context) => {
    const { shardId, options } = context
    return startTask({
      type: 'readRecords',
      id: context.nextId,
      shardId,
      after: deliveredThrough(context),
      maxRecords: options.maxRecords,
      prefetch: { maxRecords: options.prefetchMaxRecords, maxBytes: options.prefetchMaxBytes },
    })
  },
  processRecords: (context) =>
    startTask({
      type: 'processRecords',
      id: context.nextId,
      shardId: context.shardId,
      batch: known(context.batch, 'batch'),
      after: deliveredThrough(context),
      attempt: context.batchFailures,
    }),
  notifyShutdownRequested: (context) => startTask({ type: 'notifyShutdownRequested', id: context.nextId, shardId: context.shardId }),
  listChildShards: (context) => startTask({ type: 'listChildShards', id: context.nextId, shardId: context.shardId }),
  createChildLeases: (context) =>
    startTask({
      type: 'createChildLeases',
      id: context.nextId,
      shardId: context.shardId,
      ...lease(context),
      childShards: context.childShards ?? [],
    }),
  notifyShardEnded: (context) => {
    const { context: started, effects } = startTask({
      type: 'notifyShardEnded',
      id: context.nextId,
      shardId: context.shardId,
      attempt: context.attempt,
    })
    return { context: { ...started, shardEndedStarted: true, processorDone: false }, effects }
  },
  notifyLeaseLost: (context) =>
    startTask({ type: 'notifyLeaseLost', id: context.nextId, shardId: context.shardId, attempt: context.attempt }),
  closeShard: (context) => startTask({ type: 'closeShard', id: context.nextId, shardId: context.shardId }),
  startParentPollTimer: (context) =>
    startTask({ type: 'startTimer', id: context.nextId, delayMs: context.options.parentShardPollIntervalMillis }),
  startIdleTimer: (context) => startTask({ type: 'startTimer', id: context.nextId, delayMs: context.idleMs }),
  startBackoffTimer: (context) => startTask({ type: 'startTimer', id: context.nextId, delayMs: taskBackoffMs(context, context.attempt) }),
} as const satisfies Readonly<Record<string, Action>>
