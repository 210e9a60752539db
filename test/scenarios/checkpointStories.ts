import { aBatch, answer, aShard, checkpoint, error, fireWriteTimer, record, type Story, untilReading } from './story.ts'

/** How checkpoints are written, wait, and are refused. */
export const checkpointStories: readonly Story[] = [
  {
    name: 'throttled-checkpoint-writes',
    input: { ...aShard, options: { maxCheckpointAttempts: 3 } },
    moves: [
      ...untilReading(),
      answer('readRecords', 'recordsRead', aBatch({ records: [1, 10] })),
      checkpoint('r1', record(4)),
      answer('writeCheckpoint', 'throttled'),
      checkpoint('r2', record(8)),
      answer('processRecords', 'recordsProcessed'),
      fireWriteTimer,
      answer('writeCheckpoint', 'throttled'),
      fireWriteTimer,
      answer('writeCheckpoint', 'throttled'),
      answer('writeCheckpoint', 'checkpointWritten'),
    ],
  },
  {
    name: 'checkpoints-out-of-range',
    input: aShard,
    moves: [
      ...untilReading(record(10)),
      checkpoint('r1', record(11)),
      answer('readRecords', 'recordsRead', aBatch({ records: [11, 20] })),
      checkpoint('r2', record(9)),
      checkpoint('r3', record(21)),
      checkpoint('r4', record(20, 1)),
      checkpoint('r5', { sequenceNumber: 'LATEST', subSequenceNumber: 0 }),
      checkpoint('r6', { sequenceNumber: 'SHARD_END', subSequenceNumber: 0 }),
      checkpoint('r7', { sequenceNumber: 'twelve', subSequenceNumber: 0 }),
      checkpoint('r8', record(15, -1)),
      checkpoint('r9', record(10)),
      checkpoint('r10', record(20)),
      checkpoint('r11', record(15)),
      answer('writeCheckpoint', 'checkpointWritten'),
    ],
  },
  {
    name: 'a-checkpoint-write-that-fails',
    input: aShard,
    moves: [
      ...untilReading(),
      answer('readRecords', 'recordsRead', aBatch({ records: [1, 10] })),
      checkpoint('r1', record(4)),
      checkpoint('r2', record(8)),
      answer('writeCheckpoint', 'effectFailed', error('TimeoutError')),
      answer('writeCheckpoint', 'checkpointWritten'),
    ],
  },
]
