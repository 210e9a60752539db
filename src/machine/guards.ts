/**
 * Every question of the statechart, by the name that it has there. Each is an export of its own, so that a bundle of the compiled statechart needs none of
 * the names.
 */
import { isShardEnd, type ShutdownReason } from '@shardwise/effects'
import { batchIsCovered } from './batches.ts'
import { answersTask, answersWrite } from './change.ts'
import { verdictOn } from './deliveryPolicy.ts'
import { effectiveReason } from './reasons.ts'
import type { ShardConsumerContext, ShardEvent, TaskEffectType } from './shardConsumerContext.ts'

export { answersTask as answered, answersWrite } from './change.ts'

/** A question of the statechart: pure, of the memory and the event that is being handled. */
export type Guard = (context: ShardConsumerContext, event: ShardEvent) => boolean

/** A question that only the answer to the awaited task is asked. */
const ofAnswer =
  (guard: Guard): Guard =>
  (context, event) =>
    answersTask(context, event) && guard(context, event)

/** The reason that holds, for those whom it concerns: a shutdown, the answer to the awaited task, and a refused checkpoint; null for all other events. */
const reasonUpon = (context: ShardConsumerContext, event: ShardEvent): ShutdownReason | null =>
  answersTask(context, event) || event.type === 'shutdown' || (event.type === 'checkpointRefused' && answersWrite(context, event))
    ? effectiveReason(context, event)
    : null

const resumes = (work: TaskEffectType): Guard => ofAnswer((context) => context.resume === work)

const holds =
  (reason: ShutdownReason): Guard =>
  (context, event) =>
    reasonUpon(context, event) === reason

export const shardEnded: Guard = holds('SHARD_END')
export const leaseIsLost: Guard = holds('LEASE_LOST')
export const consumptionEnded: Guard = (context, event) => shardEnded(context, event) || leaseIsLost(context, event)

const childrenKnown: Guard = ({ childShards }, event) =>
  (event.type === 'recordsRead' && event.batch.childShards.length > 0) || (childShards !== null && childShards.length > 0)

export const shutdownRecorded: Guard = (context, event) => reasonUpon(context, event) !== null
export const shutdownRequested: Guard = holds('REQUESTED')
export const shardEndedWithChildren: Guard = (context, event) => shardEnded(context, event) && childrenKnown(context, event)
export const endedUninitialized: Guard = (context, event) => consumptionEnded(context, event) && !context.initialized

export const recordsDelivered: Guard = ofAnswer(
  ({ options }, event) =>
    event.type === 'recordsRead' &&
    (event.batch.count > 0 || (options.shouldCallProcessRecordsEvenForEmptyRecordList && !event.batch.atShardEnd)),
)
export const deliveryIsAllowed: Guard = (context) => !context.paused
export const tipReached: Guard = ofAnswer((context) => context.idleMs > 0)
export const failedBefore: Guard = ofAnswer((context) => context.attempt > 0)
export const batchCovered: Guard = ofAnswer(batchIsCovered)
export const splitsBatch: Guard = ofAnswer((context, event) => verdictOn(context, event) === 'split')
export const partFound: Guard = ofAnswer(
  (context, event) =>
    event.type === 'batchSplit' && event.batch.count > 0 && !batchIsCovered({ checkpoint: context.checkpoint, batch: event.batch }),
)
export const partIsDone: Guard = ofAnswer((context) => context.whole !== null && context.suspects > (context.batch?.count ?? 0))
export const partsAreDone: Guard = ofAnswer((context) => context.whole !== null)
export const partCovered: Guard = ofAnswer((context) => context.whole !== null && batchIsCovered(context))
export const skipsPart: Guard = ofAnswer((context, event) => context.whole !== null && verdictOn(context, event) === 'skip')
export const resumeSplitting: Guard = resumes('splitBatch')
export const deadLettersBatch: Guard = ofAnswer((context, event) => verdictOn(context, event) === 'deadLetter')
export const skipsBatch: Guard = ofAnswer((context, event) => verdictOn(context, event) === 'skip')
export const givesBatchUp: Guard = ofAnswer((context, event) => verdictOn(context, event) !== null)
export const resumeDeadLetter: Guard = resumes('deliverDeadLetter')
export const resumeProcessing: Guard = resumes('processRecords')
export const resumeReopening: Guard = resumes('openShard')

export const childrenListed: Guard = ofAnswer((_, event) => event.type === 'childShardsListed' && event.childShards.length > 0)
export const resumeListing: Guard = resumes('listChildShards')
export const resumeCreating: Guard = resumes('createChildLeases')
export const resumeShardEnded: Guard = resumes('notifyShardEnded')
export const resumeLeaseLost: Guard = resumes('notifyLeaseLost')
export const lastShutdownAttempt: Guard = ofAnswer((context) => context.attempt + 1 >= context.options.maxShutdownAttempts)
export const answeredAndShardEndStored: Guard = ofAnswer(shardEndIsStored)
export const answeredWhileWriting: Guard = ofAnswer((context) => context.write !== null)
export const answeredAndMissedForGood: Guard = ofAnswer(replaysMissedShardEnd)

export const notificationDue: Guard = (context) => context.write === null && !context.notificationSignalled
export const shardEndStored: Guard = shardEndIsStored
export const stopsInstead: Guard = ofAnswer((context) => context.stopRequested && context.write === null)
export const givesCreationUp: Guard = ofAnswer(
  (context) => context.stopRequested || context.attempt + 1 >= context.options.maxShutdownAttempts,
)
export const stopRequestedDuringShardEnd: Guard = (context) =>
  context.stopRequested && context.reason === 'SHARD_END' && context.write === null && reportsShardEnd(context)
export const nothingWritten: Guard = (context) => context.write === null
export const leaseLostDuringShardEnd: Guard = (context) =>
  context.reason === 'LEASE_LOST' && !shardEndIsStored(context) && !shardEndIsBeingWritten(context) && reportsShardEnd(context)
export const leaseLostWhileShardEndIsWritten: Guard = (context) =>
  context.reason === 'LEASE_LOST' && shardEndIsBeingWritten(context) && context.resume === 'notifyShardEnded'
export const shardEndStoredMeanwhile: Guard = (context) => shardEndIsStored(context) && context.resume === 'notifyShardEnded'
export const missedForGood: Guard = (context) => context.write === null && replaysMissedShardEnd(context)

function replaysMissedShardEnd({ options }: ShardConsumerContext): boolean {
  return options.missedShardEndCheckpoint === 'replay'
}

/** Whether the work that failed or waits is on the way to a stored SHARD_END. */
function reportsShardEnd({ resume }: ShardConsumerContext): boolean {
  return resume !== 'notifyLeaseLost' && resume !== 'closeShard'
}

/** Whether the answer to a write may yet say that SHARD_END is stored. */
function shardEndIsBeingWritten({ write }: ShardConsumerContext): boolean {
  return write !== null && isShardEnd(write.checkpoint)
}

function shardEndIsStored({ checkpoint }: ShardConsumerContext): boolean {
  return checkpoint !== null && isShardEnd(checkpoint)
}
