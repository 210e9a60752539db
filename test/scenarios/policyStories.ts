import { aBatch, answer, aShard, checkpoint, closed, error, record, type Story, shutdown, splitChildren, untilReading } from './story.ts'

const failed = answer('processRecords', 'recordsFailed', error('TypeError'))
const processed = answer('processRecords', 'recordsProcessed')
const lettered = answer('deliverDeadLetter', 'deadLetterDelivered')
const part = (batchId: string, first: number, last: number) =>
  answer('splitBatch', 'batchSplit', aBatch({ batchId, records: [first, last] }))

/** What the error policy does with records on which the processor fails. */
export const policyStories: readonly Story[] = [
  {
    name: 'a-poison-record-that-is-found-and-goes-to-the-dead-letter',
    input: { ...aShard, options: { maxDeliveryAttempts: 2, bisectBatchOnError: true, deadLetter: true } },
    moves: [
      ...untilReading(),
      answer('readRecords', 'recordsRead', aBatch({ records: [1, 8], atShardEnd: true, childShards: splitChildren })),
      failed,
      answer('startTimer', 'timerFired', { nowMs: 500 }),
      failed,
      part('b2', 1, 4),
      processed,
      part('b3', 5, 6),
      failed,
      answer('splitBatch', 'effectFailed', error('StoreFull')),
      answer('startTimer', 'timerFired', { nowMs: 1_000 }),
      part('b4', 5, 5),
      processed,
      part('b5', 6, 6),
      failed,
      answer('startTimer', 'timerFired', { nowMs: 1_500 }),
      failed,
      checkpoint('r1', record(6)),
      checkpoint('r2'),
      answer('writeCheckpoint', 'checkpointWritten'),
      lettered,
      processed,
      answer('createChildLeases', 'childLeasesCreated'),
      checkpoint('r3'),
      answer('writeCheckpoint', 'checkpointWritten'),
      answer('notifyShardEnded', 'shardEndedNotified'),
      closed,
    ],
  },
  {
    name: 'a-dead-letter-that-fails-until-the-lease-is-lost',
    input: { ...aShard, options: { maxDeliveryAttempts: 1, deadLetter: true } },
    moves: [
      ...untilReading(),
      answer('readRecords', 'recordsRead', aBatch({ records: [1, 3] })),
      failed,
      answer('deliverDeadLetter', 'deadLetterFailed', error('QueueDown')),
      checkpoint('r1', record(3)),
      answer('startTimer', 'timerFired', { nowMs: 500 }),
      shutdown('LEASE_LOST'),
      answer('deliverDeadLetter', 'deadLetterFailed', error('AbortError')),
      answer('notifyLeaseLost', 'leaseLostNotified'),
      closed,
    ],
  },
  {
    name: 'a-batch-that-is-skipped-when-its-age-is-exhausted',
    input: { ...aShard, options: { maxDeliveryAgeMillis: 1_000, onDeliveryFailure: 'skip' } },
    moves: [
      ...untilReading(),
      answer('readRecords', 'recordsRead', aBatch({ records: [1, 3] })),
      failed,
      answer('startTimer', 'timerFired', { nowMs: 10_400 }),
      failed,
      answer('startTimer', 'timerFired', { nowMs: 10_900 }),
      failed,
      answer('startTimer', 'timerFired', { nowMs: 12_500 }),
      answer('readRecords', 'recordsRead', aBatch({ batchId: 'b2', records: [4, 5] })),
      processed,
      checkpoint('r1'),
      answer('writeCheckpoint', 'checkpointWritten'),
    ],
  },
  {
    name: 'a-last-batch-that-is-skipped',
    input: { ...aShard, options: { maxDeliveryAttempts: 1, onDeliveryFailure: 'skip' } },
    moves: [
      ...untilReading(),
      answer('readRecords', 'recordsRead', aBatch({ records: [1, 3], atShardEnd: true, childShards: splitChildren })),
      failed,
      answer('createChildLeases', 'childLeasesCreated'),
    ],
  },
  {
    name: 'a-batch-that-stops-its-shard',
    input: { ...aShard, options: { maxDeliveryAttempts: 2 } },
    moves: [
      ...untilReading(),
      answer('readRecords', 'recordsRead', aBatch({ records: [1, 3] })),
      failed,
      answer('startTimer', 'timerFired', { nowMs: 500 }),
      failed,
      answer('notifyLeaseLost', 'leaseLostNotified'),
      shutdown('LEASE_LOST'),
      closed,
    ],
  },
  {
    name: 'a-batch-that-fails-the-worker-after-its-dead-letter',
    input: { ...aShard, options: { maxDeliveryAttempts: 1, deadLetter: true, onDeliveryFailure: 'fail' } },
    moves: [
      ...untilReading(),
      answer('readRecords', 'recordsRead', aBatch({ records: [1, 3] })),
      failed,
      lettered,
      answer('notifyLeaseLost', 'leaseLostNotified'),
      closed,
    ],
  },
  {
    name: 'a-graceful-shutdown-while-a-batch-is-split',
    input: { ...aShard, options: { maxDeliveryAttempts: 1, bisectBatchOnError: true } },
    moves: [
      ...untilReading(),
      answer('readRecords', 'recordsRead', aBatch({ records: [1, 4] })),
      failed,
      shutdown('REQUESTED'),
      part('b2', 1, 2),
      answer('notifyShutdownRequested', 'shutdownRequestedNotified'),
      shutdown('LEASE_LOST'),
      answer('notifyLeaseLost', 'leaseLostNotified'),
      closed,
    ],
  },
]
