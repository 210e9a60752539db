/**
 * Every question of the statechart, by the name that it has there. Each is an export of its own, so that a bundle of the compiled statechart needs none of
 * the names.
 */
import { isShardEnd, type ShutdownReason } from '@shardwise/effects'
import { batchIsCovered, isLastBatch, nothingIsLeft } from './batches.ts'
import { answersTask, answersWrite } from './change.ts'
import { verdictOn } from './deliveryPolicy.ts'
import { effectiveReason } from './reasons.ts'
import { known, type ShardConsumerContext, type ShardEvent, type TaskEffectType } from './shardConsumerContext.ts'

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

/** The shard ends with this event, and no higher reason holds. */
export const shardEnded: Guard = holds('SHARD_END')
/** The lease is lost, with this event or before. */
export const leaseIsLost: Guard = holds('LEASE_LOST')
/** The shard has ended, or its lease is lost. */
export const consumptionEnded: Guard = (context, event) => shardEnded(context, event) || leaseIsLost(context, event)

const childrenKnown: Guard = ({ childShards }, event) =>
  (event.type === 'recordsRead' && event.batch.childShards.length > 0) || (childShards !== null && childShards.length > 0)

/** Some reason to shut down holds. */
export const shutdownRecorded: Guard = (context, event) => reasonUpon(context, event) !== null
/** A stop was requested, and no higher reason holds. */
export const shutdownRequested: Guard = holds('REQUESTED')
/** The shard ends, and its children are known. */
export const shardEndedWithChildren: Guard = (context, event) => shardEnded(context, event) && childrenKnown(context, event)
/** The shard has ended or its lease is lost, and no processor is there to be told. */
export const endedUninitialized: Guard = (context, event) => consumptionEnded(context, event) && !context.initialized

/** There is something to deliver: records, or an empty read where those are asked for. */
export const recordsDelivered: Guard = ofAnswer(
  ({ options }, event) =>
    event.type === 'recordsRead' &&
    (event.batch.count > 0 || (options.shouldCallProcessRecordsEvenForEmptyRecordList && !event.batch.atShardEnd)),
)
/** The shard is not paused. */
export const deliveryIsAllowed: Guard = (context) => !context.paused
/** The next read is to wait. */
export const tipReached: Guard = ofAnswer((context) => context.idleMs > 0)
/** The work that failed had failed before. */
export const failedBefore: Guard = ofAnswer((context) => context.attempt > 0)
/** The failed batch was checkpointed to its end meanwhile. */
export const coveredMeanwhile: Guard = ofAnswer(batchIsCovered)
/** Nothing is left of the batch that is held, and it is not the last of its shard. */
export const batchCovered: Guard = (context) => nothingIsLeft(context) && !isLastBatch(context)
/** The deliveries of a batch are exhausted, and it can be split. */
export const splitsBatch: Guard = ofAnswer((context, event) => verdictOn(context, event) === 'split')
/** The part that was split off has records. */
export const partFound: Guard = ofAnswer((_, event) => event.type === 'batchSplit' && event.batch.count > 0)
/** A part of a split batch is done, and others are suspected still. */
export const partIsDone: Guard = ofAnswer((context) => context.suspects > known(context, 'batch').count)
/** No part of the split batch is suspected any more. */
export const partsAreDone: Guard = ofAnswer((context) => context.whole !== null)
/** Nothing is left of the part that is held. */
export const partCovered: Guard = (context) => context.whole !== null && nothingIsLeft(context)
/** A record at fault is passed over, and what is left of its batch goes on. */
export const skipsPart: Guard = ofAnswer((context, event) => context.whole !== null && verdictOn(context, event) === 'skip')
/** The split is to be tried again. */
export const resumeSplitting: Guard = resumes('splitBatch')
/** The records at fault go to the dead letter. */
export const deadLettersBatch: Guard = ofAnswer((context, event) => verdictOn(context, event) === 'deadLetter')
/** The batch is passed over. */
export const skipsBatch: Guard = ofAnswer((context, event) => verdictOn(context, event) === 'skip')
/** The shard is given up for its batch; asked after all other verdicts. */
export const givesBatchUp: Guard = ofAnswer((context, event) => verdictOn(context, event) !== null)
/** The dead letter is to be delivered again. */
export const resumeDeadLetter: Guard = resumes('deliverDeadLetter')
/** The batch is to be delivered again. */
export const resumeProcessing: Guard = resumes('processRecords')
/** The shard is to be opened again. */
export const resumeReopening: Guard = resumes('openShard')

/** The shard has children by the listing. */
export const childrenListed: Guard = ofAnswer((_, event) => event.type === 'childShardsListed' && event.childShards.length > 0)
/** The children are to be listed again. */
export const resumeListing: Guard = resumes('listChildShards')
/** The leases of the children are to be created again. */
export const resumeCreating: Guard = resumes('createChildLeases')
/** shardEnded is to be called again. */
export const resumeShardEnded: Guard = resumes('notifyShardEnded')
/** leaseLost is to be called again. */
export const resumeLeaseLost: Guard = resumes('notifyLeaseLost')
/** The work of the shutdown has failed as often as the options allow. */
export const lastShutdownAttempt: Guard = ofAnswer((context) => context.attempt + 1 >= context.options.maxShutdownAttempts)

/** The owner is to hear that the notification is complete: nothing is being written any more. */
export const notificationDue: Guard = (context) => context.write === null && !context.notificationSignalled
/** SHARD_END is stored. */
export const shardEndStored: Guard = shardEndIsStored
/** A stop was requested and nothing is being written: the end of the shard is left to the next owner. */
export const stopsInstead: Guard = ofAnswer((context) => context.stopRequested && context.write === null)
/** The leases of the children are not waited for any longer: a stop was requested, or the attempts are over. */
export const givesCreationUp: Guard = ofAnswer(
  (context) => context.stopRequested || context.attempt + 1 >= context.options.maxShutdownAttempts,
)
/** A stop was requested before the end of the shard was stored. */
export const stopRequestedDuringShardEnd: Guard = (context) =>
  context.stopRequested && context.reason === 'SHARD_END' && context.write === null && reportsShardEnd(context)
/** No checkpoint is being written. */
export const nothingWritten: Guard = (context) => context.write === null
/** The lease is lost, and no write on its way may store the end of the shard. */
export const leaseLostDuringShardEnd: Guard = (context) =>
  context.reason === 'LEASE_LOST' && !shardEndIsStored(context) && !shardEndIsBeingWritten(context) && reportsShardEnd(context)
/** The lease is lost, while a write is out that may store the end of the shard. */
export const leaseLostWhileShardEndIsWritten: Guard = (context) =>
  context.reason === 'LEASE_LOST' && shardEndIsBeingWritten(context) && context.resume === 'notifyShardEnded'
/** SHARD_END was stored while shardEnded waited to be called again. */
export const shardEndStoredMeanwhile: Guard = (context) => shardEndIsStored(context) && context.resume === 'notifyShardEnded'
/** The end was not checkpointed, nothing is being written, and the processor is not asked again. */
export const missedForGood: Guard = ({ write, options }) => write === null && options.missedShardEndCheckpoint === 'replay'

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
