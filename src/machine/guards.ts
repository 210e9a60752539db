import { isShardEnd, type ShutdownReason } from '@shardwise/effects'
import { batchIsCovered } from './batches.ts'
import { answersTask, answersWrite } from './change.ts'
import { effectiveReason } from './reasons.ts'
import type { ResumableWork, ShardConsumerContext, ShardEvent } from './shardConsumerContext.ts'

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

const resumes = (work: ResumableWork): Guard => ofAnswer((context) => context.resume === work)

const holds =
  (reason: ShutdownReason): Guard =>
  (context, event) =>
    reasonUpon(context, event) === reason

const shardEnded = holds('SHARD_END')
const leaseIsLost = holds('LEASE_LOST')
const consumptionEnded: Guard = (context, event) => shardEnded(context, event) || leaseIsLost(context, event)

const childrenKnown: Guard = ({ childShards }, event) =>
  (event.type === 'recordsRead' && event.batch.childShards.length > 0) || (childShards !== null && childShards.length > 0)

export const guards = {
  answered: answersTask,
  shutdownRecorded: (context, event) => reasonUpon(context, event) !== null,
  shutdownRequested: holds('REQUESTED'),
  leaseIsLost,
  shardEnded,
  shardEndedWithChildren: (context, event) => shardEnded(context, event) && childrenKnown(context, event),
  consumptionEnded,
  endedUninitialized: (context, event) => consumptionEnded(context, event) && !context.initialized,

  recordsDelivered: ofAnswer(
    ({ options }, event) =>
      event.type === 'recordsRead' &&
      (event.batch.count > 0 || (options.shouldCallProcessRecordsEvenForEmptyRecordList && !event.batch.atShardEnd)),
  ),
  tipReached: ofAnswer((context) => context.idleMs > 0),
  failedBefore: ofAnswer((context) => context.attempt > 0),
  batchCovered: ofAnswer(batchIsCovered),
  resumeProcessing: resumes('processing'),
  resumeReopening: resumes('reopening'),

  childrenListed: ofAnswer((_, event) => event.type === 'childShardsListed' && event.childShards.length > 0),
  resumeListing: resumes('listingChildShards'),
  resumeCreating: resumes('creatingChildLeases'),
  resumeShardEnded: resumes('notifyingShardEnded'),
  resumeLeaseLost: resumes('notifyingLeaseLost'),
  lastShutdownAttempt: ofAnswer((context) => context.attempt + 1 >= context.options.maxShutdownAttempts),
  answeredAndShardEndStored: ofAnswer(shardEndIsStored),
  answeredWhileWriting: ofAnswer((context) => context.write !== null),
  answeredAndMissedForGood: ofAnswer(replaysMissedShardEnd),

  answersWrite,
  notificationDue: (context) => context.write === null && !context.notificationSignalled,
  shardEndStored: shardEndIsStored,
  stopsInstead: ofAnswer((context) => context.stopRequested && context.write === null),
  givesCreationUp: ofAnswer((context) => context.stopRequested || context.attempt + 1 >= context.options.maxShutdownAttempts),
  stopRequestedDuringShardEnd: (context) =>
    context.stopRequested && context.reason === 'SHARD_END' && context.write === null && reportsShardEnd(context),
  nothingWritten: (context) => context.write === null,
  leaseLostDuringShardEnd: (context) =>
    context.reason === 'LEASE_LOST' && !shardEndIsStored(context) && !shardEndIsBeingWritten(context) && reportsShardEnd(context),
  leaseLostWhileShardEndIsWritten: (context) =>
    context.reason === 'LEASE_LOST' && shardEndIsBeingWritten(context) && context.resume === 'notifyingShardEnded',
  shardEndStoredMeanwhile: (context) => shardEndIsStored(context) && context.resume === 'notifyingShardEnded',
  missedForGood: (context) => context.write === null && replaysMissedShardEnd(context),
} as const satisfies Readonly<Record<string, Guard>>

function replaysMissedShardEnd({ options }: ShardConsumerContext): boolean {
  return options.missedShardEndCheckpoint === 'replay'
}

/** Whether the work that failed or waits is on the way to a stored SHARD_END. */
function reportsShardEnd({ resume }: ShardConsumerContext): boolean {
  return resume !== 'notifyingLeaseLost' && resume !== 'closing'
}

/** Whether the answer to a write may yet say that SHARD_END is stored. */
function shardEndIsBeingWritten({ write }: ShardConsumerContext): boolean {
  return write !== null && isShardEnd(write.checkpoint)
}

function shardEndIsStored({ checkpoint }: ShardConsumerContext): boolean {
  return checkpoint !== null && isShardEnd(checkpoint)
}
