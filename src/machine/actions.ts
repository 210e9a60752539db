import type { Outcome } from '@shardwise/effects'
import { isShardEnd } from '@shardwise/effects'
import { completeBatch, dropBatch, freeBatch, takeBatch } from './batches.ts'
import { type Action, abortTask } from './change.ts'
import { requestCheckpoint, takeWriteAnswer } from './checkpoints.ts'
import { giveUpShardEnd, recordReason, shutdownCompleted } from './reasons.ts'
import type { ResumableWork, ShardConsumerContext } from './shardConsumerContext.ts'
import { taskActions } from './tasks.ts'

const resume =
  (work: ResumableWork): Action =>
  () => ({ context: { resume: work } })

/** The next work begins with no failures. */
const atFirst = { task: null, attempt: 0, resume: null }

function outcomeOf({ checkpoint, reason, initialized, replay }: ShardConsumerContext): Outcome {
  if (checkpoint !== null && isShardEnd(checkpoint)) return 'finished'
  if (reason === 'LEASE_LOST') return 'leaseLost'
  if (replay) return 'replay'
  // Without a processor, SHARD_END can only be what the sender read in the lease row.
  return reason === 'SHARD_END' && !initialized ? 'finished' : 'stopped'
}

/** Every action of the statechart. Those named like an effect start it as the task; the others change the memory, or say what they emit. */
export const actions = {
  ...taskActions,
  recordReason,
  giveUpShardEnd,
  requestCheckpoint,
  takeWriteAnswer,
  takeBatch,
  completeBatch,
  dropBatch,
  advance: (context, event) => ({ context: atFirst, effects: abortTask(context, event) }),
  /** The consumption ends: what is awaited is aborted, what was read and not processed is freed. */
  leave: (context, event) => ({
    context: { ...atFirst, batch: null },
    effects: [...abortTask(context, event), ...freeBatch(context)],
  }),
  countFailure: ({ attempt }) => ({ context: { attempt: attempt + 1, task: null } }),
  countDeliveryFailure: ({ batchFailures }) => ({ context: { batchFailures: batchFailures + 1 } }),
  thenRead: resume('reading'),
  thenReopen: resume('reopening'),
  thenProcess: resume('processing'),
  thenListChildren: resume('listingChildShards'),
  thenCreateLeases: resume('creatingChildLeases'),
  thenNotifyShardEnded: resume('notifyingShardEnded'),
  thenNotifyLeaseLost: resume('notifyingLeaseLost'),
  thenClose: resume('closing'),
  storeCheckpoint: (_, event) =>
    event.type === 'checkpointRead' ? { context: { checkpoint: event.checkpoint, pendingCheckpoint: event.pendingCheckpoint } } : {},
  noteOpened: (context, event) =>
    event.type === 'shardOpened'
      ? { context: { openedAtMs: context.openedAtMs ?? event.openedAtMs, atShardEnd: false } }
      : { context: { atShardEnd: true } },
  noteInitialized: () => ({ context: { initialized: true, pendingCheckpoint: null } }),
  noteChildren: (_, event) => (event.type === 'childShardsListed' ? { context: { childShards: event.childShards } } : {}),
  markReplay: () => ({ context: { replay: true } }),
  endCheckpoints: () => ({ context: { processorDone: true } }),
  signalNotificationComplete: ({ shardId, leaseKey, token }) => ({
    context: { notificationSignalled: true },
    effects: [{ type: 'signalShutdownNotificationComplete', shardId, leaseKey, token }],
  }),
  complete: (context) => {
    const outcome = outcomeOf(context)
    return {
      context: { outcome, task: null, processorDone: true },
      effects: context.shutdownAsked ? [shutdownCompleted(context, outcome)] : [],
    }
  },
} as const satisfies Readonly<Record<string, Action>>
