/**
 * Every action of the statechart, by the name that it has there. Those named like an effect start it as the task; the others change the memory, or say what
 * they emit. Each is an export of its own, so that a bundle of the compiled statechart needs none of the names.
 */
import type { Outcome } from '@shardwise/effects'
import { isShardEnd } from '@shardwise/effects'
import { dropBatch, laterOf } from './batches.ts'
import { type Action, abortTask, leaseOf } from './change.ts'
import { verdictOn } from './deliveryPolicy.ts'
import { shutdownCompleted } from './reasons.ts'
import { known, type ShardConsumerContext } from './shardConsumerContext.ts'

export { beginSplit, completeBatch, dropBatch, takeBatch, takePart, takeWhole } from './batches.ts'
export { requestCheckpoint, takeWriteAnswer } from './checkpoints.ts'
export { countDeliveryFailure, noteFailing } from './deliveryPolicy.ts'
export { giveUpDelivery, giveUpShardEnd, recordReason } from './reasons.ts'
export * from './tasks.ts'

/** The next work begins with no failures. */
const atFirst = { task: null, attempt: 0, resume: null }

function outcomeOf({ checkpoint, reason, initialized, replay, gaveUp, options }: ShardConsumerContext): Outcome {
  if (checkpoint !== null && isShardEnd(checkpoint)) return 'finished'
  if (gaveUp !== null) return options.onDeliveryFailure === 'fail' ? 'failed' : 'stopped'
  if (reason === 'LEASE_LOST') return 'leaseLost'
  if (replay) return 'replay'
  // Without a processor, SHARD_END can only be what the sender read in the lease row.
  return reason === 'SHARD_END' && !initialized ? 'finished' : 'stopped'
}

/** The next work begins, with no failures; what is awaited still is aborted. */
export const advance: Action = (context, event) => ({ context: atFirst, effects: abortTask(context, event) })

/** Notes that the shard is paused, or goes on. */
export const notePause: Action = (_, event) => ({ context: { paused: event.type === 'pause' } })
/** A batch that is held awaits nothing. */
export const endTask: Action = () => ({ context: { task: null } })

/** The consumption ends: what is awaited is aborted, what was read and not processed is freed. */
export const leave: Action = (context, event) => {
  const dropped = dropBatch(context)
  return { context: { ...atFirst, ...dropped.context }, effects: [...abortTask(context, event), ...dropped.effects] }
}
/** The records of the last batch count as processed where the error policy passes them over, and no shutdown was to come first. */
export const passOver: Action = (context, event) =>
  context.reason === null && verdictOn(context, event) === 'skip'
    ? { context: { completed: laterOf(context.completed, known(context, 'batch').last) } }
    : {}
/** What failed is taken up again after a backoff. */
export const countFailure: Action = (context) => ({
  context: { attempt: context.attempt + 1, resume: known(context, 'task').type, task: null },
})
/** The work to take up again is the opening of the shard. */
export const thenReopen: Action = () => ({ context: { resume: 'openShard' } })
/** Takes over the checkpoint that was read. */
export const storeCheckpoint: Action = (_, event) =>
  event.type === 'checkpointRead' ? { context: { checkpoint: event.checkpoint, pendingCheckpoint: event.pendingCheckpoint } } : {}
/** Notes when the shard was first opened, or that it is gone. */
export const noteOpened: Action = (context, event) =>
  event.type === 'shardOpened'
    ? { context: { openedAtMs: context.openedAtMs ?? event.openedAtMs, atShardEnd: false } }
    : { context: { atShardEnd: true } }
/** Notes that the processor is initialised; it has seen the pending checkpoint. */
export const noteInitialized: Action = () => ({ context: { initialized: true, pendingCheckpoint: null } })
/** Notes the children that were listed. */
export const noteChildren: Action = (_, event) =>
  event.type === 'childShardsListed' ? { context: { childShards: event.childShards } } : {}
/** The processor is to be made anew. */
export const markReplay: Action = () => ({ context: { replay: true } })
/** The processor may not checkpoint any more. */
export const endCheckpoints: Action = () => ({ context: { processorDone: true } })
/** Tells the owner that the processor was told of the requested shutdown. */
export const signalNotificationComplete: Action = (context) => ({
  context: { notificationSignalled: true },
  effects: [{ type: 'signalShutdownNotificationComplete', shardId: context.shardId, ...leaseOf(context) }],
})
/** The consumer has ended: notes how, and tells whoever asked for it. */
export const complete: Action = (context) => {
  const outcome = outcomeOf(context)
  return {
    context: { outcome, task: null, processorDone: true },
    effects: context.shutdownAsked ? [shutdownCompleted(context, outcome)] : [],
  }
}
