import { higherReason, isShardEnd, type Outcome, parseShutdownReason, type ShutdownReason } from '@shardwise/effects'
import { batchIsCovered, isLastBatch } from './batches.ts'
import { type Action, abortTask, answersTask, leaseOf } from './change.ts'
import { refuseWaiting } from './checkpoints.ts'
import { verdictOn } from './deliveryPolicy.ts'
import { known, type ShardConsumerContext, type ShardEffect, type ShardEvent } from './shardConsumerContext.ts'

/** The reason that an event itself brings: asked for from outside, or found in an answer; null when it brings none. */
function reasonIn(context: ShardConsumerContext, event: ShardEvent): ShutdownReason | null {
  if (event.type === 'shutdown') return parseShutdownReason(event.reason)
  if (event.type === 'checkpointRefused') return 'LEASE_LOST'
  if (!answersTask(context, event)) return null
  switch (event.type) {
    case 'leaseNotFound':
    case 'shardStillOpen':
    case 'streamNotFound':
      return 'LEASE_LOST'
    case 'checkpointRead':
      return isShardEnd(event.checkpoint) ? 'SHARD_END' : null
    case 'recordsRead':
      return event.batch.count === 0 && event.batch.atShardEnd ? 'SHARD_END' : null
    case 'recordsProcessed':
      return isLastBatch(context) ? 'SHARD_END' : null
    case 'timerFired':
      return (batchIsCovered(context) || verdictOn(context, event) === 'skip') && isLastBatch(context) ? 'SHARD_END' : null
    case 'recordsFailed':
    case 'deadLetterDelivered':
      // A failed batch for which a shutdown was to come first is left to the next owner.
      return (event.type !== 'recordsFailed' || context.reason === null) && verdictOn(context, event) === 'skip' && isLastBatch(context)
        ? 'SHARD_END'
        : null
    case 'shardNotFound':
      // Before the processor is initialised, it first learns of the shard, then of its end.
      return context.initialized ? 'SHARD_END' : null
    case 'initialized':
      return context.atShardEnd ? 'SHARD_END' : null
    default:
      return null
  }
}

/** The reason that holds once the event is counted in. */
export function effectiveReason(context: ShardConsumerContext, event: ShardEvent): ShutdownReason | null {
  const brought = reasonIn(context, event)
  return brought === null ? context.reason : higherReason(context.reason, brought)
}

/** Tells whoever asked for a shutdown how it ended. */
export function shutdownCompleted(context: ShardConsumerContext, outcome: Outcome): ShardEffect {
  return { type: 'signalShutdownComplete', shardId: context.shardId, ...leaseOf(context), outcome }
}

/** Tells the owner of the consumer that the lease is gone, or given away. */
function leaseLost(context: ShardConsumerContext): ShardEffect {
  return { type: 'signalLeaseLost', shardId: context.shardId, ...leaseOf(context) }
}

const callbacks: ReadonlySet<unknown> = new Set([
  'initialize',
  'processRecords',
  'deliverDeadLetter',
  'notifyShutdownRequested',
  'notifyShardEnded',
])

/**
 * Records the reason that holds. With LEASE_LOST, what waits for a checkpoint is refused and a running callback is told to stop; its answer is still
 * awaited. When the store brought the news, the owner is told.
 */
export const recordReason: Action = (context, event) => {
  const reason = effectiveReason(context, event)
  const shutdownAsked = context.shutdownAsked || event.type === 'shutdown'
  const stopRequested = context.stopRequested || (event.type === 'shutdown' && event.reason === 'REQUESTED')
  const recorded = { reason, shutdownAsked, stopRequested }
  if (reason !== 'LEASE_LOST' || context.reason === 'LEASE_LOST') return { context: recorded }
  const refused = refuseWaiting(context)
  const effects = [...refused.effects]
  if (callbacks.has(context.task?.type)) effects.push(...abortTask(context, event))
  if (event.type !== 'shutdown') effects.push(leaseLost(context))
  return { context: { ...refused.context, ...recorded }, effects }
}

/** The end of the shard cannot be reported here: the lease is given away, and its next owner reports it. */
export const giveUpShardEnd: Action = (context) => {
  const refused = refuseWaiting(context)
  return { context: { ...refused.context, reason: 'LEASE_LOST' }, effects: [...refused.effects, leaseLost(context)] }
}

/** The batch is given up, and the shard with it: the lease is given away, and what failed is kept for the owner of the consumer. */
export const giveUpDelivery: Action = (context, event) => {
  const { first, last } = known(context, 'batch')
  const given = giveUpShardEnd(context, event)
  const gaveUp = { first, last, attempts: context.batchFailures, error: known(context, 'lastError') }
  return { ...given, context: { ...given.context, gaveUp } }
}
