import type { ShardConsumerInput } from '@shardwise/machine'
import { play } from '../scenarios/play.ts'
import {
  aBatch,
  answer,
  aShard,
  checkpoint,
  closed,
  error,
  type Move,
  record,
  splitChildren,
  untilReading,
  untilShardEnded,
} from '../scenarios/story.ts'
import { factsOf, shortenIn, stateText } from '../scenarios/transcriptText.ts'
import { asked, heard, inOrder, noneAfter, told, transcriptOfLife } from './life.ts'
import { consumer, type Piece } from './piece.ts'

const backoff = answer('startTimer', 'timerFired', { nowMs: 500 })
const firstBatch = answer('readRecords', 'recordsRead', aBatch({ records: [1, 3], millisBehindLatest: 5_000 }))
const secondBatch = answer('readRecords', 'recordsRead', aBatch({ batchId: 'b2', records: [4, 6], millisBehindLatest: 2_000 }))
const lastBatch = answer('readRecords', 'recordsRead', aBatch({ records: [1, 3], atShardEnd: true, childShards: splitChildren }))
const processed = answer('processRecords', 'recordsProcessed')
const writtenAndNotified: readonly Move[] = [
  answer('writeCheckpoint', 'checkpointWritten'),
  answer('notifyShardEnded', 'shardEndedNotified'),
  closed,
]

/** What a shard consumer does, with the checkpoint that it knows in every state. */
function withCheckpoints(input: ShardConsumerInput, moves: readonly Move[]): string {
  const played = play({ input, moves })
  const shorten = shortenIn(played)
  const life = played.map(({ event, after, effects }) => ({
    event: event === null ? 'start' : factsOf(event, shorten),
    state: `${stateText(after)} checkpoint=${shorten(after.context.checkpoint?.sequenceNumber ?? 'none')}`,
    effects: effects.map((effect) => factsOf(effect, shorten)),
  }))
  return `${transcriptOfLife(life)}\n`
}

/** What is checkpointed, and what is taken for it. */
export const checkpointPieces: readonly Piece[] = [
  {
    name: 'kcl-211-the-last-record-is-checkpointed-twice-and-the-end-never',
    sources: ['awslabs/amazon-kinesis-client#211', 'awslabs/amazon-kinesis-client#1733'],
    happened:
      'A processor that had checkpointed the last record did so again in shardEnded: the number was compared before it was turned into SHARD_END, nothing was written, and the shard failed as not checkpointed.',
    known: 'issue #211 is open, pull requests #261 and #345 were declined, #1733 reports it of 3.3.0.',
    fact: 'in shardEnded the last record stands for SHARD_END, also when its own number is stored already.',
    holds: (life) => inOrder(asked(life, 'writeCheckpoint at=4959…003'), asked(life, 'writeCheckpoint at=SHARD_END')),
    there: told(
      ['checkpointRequested request=r1 at=4959…003', 'PROCESSING', 'writeCheckpoint at=4959…003'],
      ['recordsProcessed', 'SHUTTING_DOWN reason=SHARD_END', 'notifyShardEnded'],
      ['checkpointRequested request=r2 at=4959…003', 'SHUTTING_DOWN', 'settleCheckpoint request=r2'],
      ['shardEndedNotified', 'SHUTTING_DOWN', 'notifyShardEnded attempt=1'],
    ),
    here: consumer(aShard, [
      ...untilReading(),
      lastBatch,
      checkpoint('r1', record(3)),
      answer('writeCheckpoint', 'checkpointWritten'),
      answer('processRecords', 'recordsProcessed'),
      answer('createChildLeases', 'childLeasesCreated'),
      checkpoint('r2', record(3)),
      ...writtenAndNotified,
    ]),
  },
  {
    name: 'kcl-63-the-last-record-no-longer-stands-for-the-end-when-shardEnded-is-tried-again',
    sources: ['awslabs/amazon-kinesis-client#63'],
    happened:
      'A second shardEnded noted SHARD_END itself as the last record of the shard, so the number of the last record was stored as a plain number, and the shard could not complete.',
    known: 'issue #63 found it in 1.6.2; 3.5.1 does it when its classes are run.',
    fact: 'the last record stands for SHARD_END however often shardEnded is tried.',
    holds: (life) => inOrder(asked(life, 'notifyShardEnded attempt=1'), asked(life, 'writeCheckpoint at=SHARD_END')),
    there: told(
      ['shardEndedFailed error=Error', 'SHUTTING_DOWN', 'notifyShardEnded attempt=1'],
      ['checkpointRequested request=r1 at=4959…003', 'SHUTTING_DOWN', 'writeCheckpoint at=4959…003'],
      ['shardEndedNotified', 'SHUTTING_DOWN', 'notifyShardEnded attempt=2'],
    ),
    here: consumer(aShard, [
      ...untilShardEnded,
      answer('notifyShardEnded', 'shardEndedFailed', error('Error', 'no database')),
      backoff,
      checkpoint('r1', record(3)),
      ...writtenAndNotified,
    ]),
  },
  {
    name: 'kcl-778-SHARD_END-is-overwritten-by-a-number',
    sources: ['awslabs/amazon-kinesis-client#778', 'awslabs/amazon-kinesis-client#779'],
    happened: 'A stale checkpoint was stored over SHARD_END during a reshard, and blocked the children of the shard.',
    known: 'issue #778 names it of 1.14.0; pull request #779 made the write of a number conditional.',
    fact: 'nothing is stored after SHARD_END.',
    holds: (life) => noneAfter(asked(life, 'writeCheckpoint at=SHARD_END'), asked(life, 'writeCheckpoint')),
    there: told(
      ['checkpointRequested request=r1', 'SHUTTING_DOWN', 'writeCheckpoint at=SHARD_END'],
      ['checkpointWritten', 'SHUTTING_DOWN', 'settleCheckpoint request=r1'],
      ['checkpointRequested request=r2 at=4959…002', 'SHUTTING_DOWN', 'writeCheckpoint at=4959…002'],
    ),
    here: consumer(aShard, [
      ...untilShardEnded,
      checkpoint('r1'),
      checkpoint('r2', record(2)),
      answer('writeCheckpoint', 'checkpointWritten'),
      checkpoint('r3', record(2)),
      answer('notifyShardEnded', 'shardEndedNotified'),
      closed,
    ]),
  },
  {
    name: 'kcl-3.5.1-a-checkpoint-passes-over-a-batch-that-failed',
    sources: ['awslabs/amazon-kinesis-client 3.5.1'],
    happened:
      'What may be checkpointed was raised before the records were delivered, so a later checkpoint without a position acknowledged records whose processing had failed.',
    known: 'seen when the classes of 3.5.1 are run.',
    fact: 'after a batch failed, a checkpoint without a position stores the end of the batch before it.',
    holds: (life) => asked(life, 'writeCheckpoint at=4959…003').length === 1 && asked(life, 'writeCheckpoint at=4959…006').length === 0,
    there: told(
      ['recordsRead batch=b2 count=3 last=4959…006', 'PROCESSING', 'processRecords batch=b2'],
      ['recordsFailed error=TypeError', 'PROCESSING', 'readRecords'],
      ['checkpointRequested request=r1', 'PROCESSING', 'writeCheckpoint at=4959…006'],
    ),
    here: consumer(aShard, [
      ...untilReading(),
      firstBatch,
      processed,
      secondBatch,
      answer('processRecords', 'recordsFailed', error('TypeError')),
      checkpoint('r1'),
      answer('writeCheckpoint', 'checkpointWritten'),
    ]),
  },
  {
    name: 'lifion-a-checkpoint-is-stored-before-its-records-are-delivered',
    sources: ['lifion/lifion-kinesis'],
    happened:
      'With automatic checkpoints, the last record that was read was stored as the checkpoint before the records were pushed to the stream: what a crash took in between was never delivered.',
    known: 'lib/polling-consumer.js, as of commit 09708ff, awaits setCheckpoint before it calls pushToStream.',
    fact: 'no record is checkpointed before it was handed to the processor, which asks for it.',
    holds: (life) =>
      inOrder(asked(life, 'processRecords batch=b1'), heard(life, 'checkpointRequested'), heard(life, 'checkpointWritten')) &&
      inOrder(asked(life, 'processRecords batch=b1'), asked(life, 'writeCheckpoint')),
    there: told(
      ['recordsRead batch=b1 count=3 last=4959…003', 'PROCESSING', 'writeCheckpoint at=4959…003'],
      ['checkpointWritten', 'PROCESSING', 'processRecords batch=b1'],
      ['checkpointRequested request=r1', 'PROCESSING', 'settleCheckpoint request=r1'],
    ),
    here: consumer(aShard, [...untilReading(), firstBatch, checkpoint('r1'), answer('writeCheckpoint', 'checkpointWritten'), processed]),
  },
  {
    name: 'kcl-40-an-empty-read-takes-back-what-may-be-checkpointed',
    sources: ['awslabs/amazon-kinesis-client#40'],
    happened:
      'A read that found nothing lowered the bound of what may be checkpointed to the last checkpoint: records that were delivered before could not be checkpointed any more.',
    known: 'issue #40 reports it; fixed in 1.6.1.',
    fact: 'a record that was processed can be checkpointed after any number of empty reads.',
    holds: (life) => inOrder(heard(life, 'recordsRead count=0'), asked(life, 'writeCheckpoint at=4959…003')),
    there: told(
      ['recordsRead batch=b1 count=3', 'PROCESSING', 'processRecords batch=b1'],
      ['recordsRead batch=b2 count=0', 'PROCESSING', 'readRecords'],
      ['checkpointRequested request=r1 at=4959…003', 'PROCESSING', 'settleCheckpoint request=r1 error=IllegalArgumentException'],
    ),
    here: consumer(aShard, [
      ...untilReading(),
      firstBatch,
      processed,
      answer('readRecords', 'recordsRead', aBatch({ batchId: 'b2' })),
      checkpoint('r1', record(3)),
      answer('writeCheckpoint', 'checkpointWritten'),
    ]),
  },
  {
    name: 'kcl-1354-a-checkpoint-that-was-not-stored-is-taken-for-stored',
    sources: ['awslabs/amazon-kinesis-client#1354', 'awslabs/amazon-kinesis-client#1788'],
    happened: 'When the write of a lease failed, the copy in memory kept the new values, as if DynamoDB had them.',
    known: 'pull request #1354 fixed it in 2.6.1, and #1788 again in 3.5.1.',
    fact: 'the checkpoint that a consumer knows is the last that was stored: it does not move when a write fails, and the request is told.',
    holds: (life) => {
      const known = life.findIndex(({ state }) => state.endsWith(' checkpoint=4959…003'))
      return (
        known === heard(life, 'checkpointWritten')[0] &&
        asked(life, 'settleCheckpoint request=r1 error=KinesisClientLibDependencyException').length === 1
      )
    },
    there: told(
      ['checkpointRequested request=r1 at=4959…003', 'PROCESSING checkpoint=TRIM_HORIZON', 'writeCheckpoint at=4959…003'],
      [
        'effectFailed error=ProvisionedThroughputExceededException',
        'PROCESSING checkpoint=4959…003',
        'settleCheckpoint request=r1 error=KinesisClientLibDependencyException',
      ],
      ['checkpointRequested request=r2 at=4959…003', 'PROCESSING checkpoint=4959…003', 'writeCheckpoint at=4959…003'],
      ['checkpointWritten', 'PROCESSING checkpoint=4959…003', 'settleCheckpoint request=r2'],
    ),
    here: () =>
      withCheckpoints(aShard, [
        ...untilReading(),
        firstBatch,
        checkpoint('r1', record(3)),
        answer('writeCheckpoint', 'effectFailed', error('TimeoutError')),
        checkpoint('r2', record(3)),
        answer('writeCheckpoint', 'checkpointWritten'),
      ]),
  },
  {
    name: 'kcl-3.5.1-the-sentinel-LATEST-is-stored-as-a-checkpoint',
    sources: ['awslabs/amazon-kinesis-client 3.5.1'],
    happened:
      'A processor could store LATEST over TRIM_HORIZON: the next owner of the lease would begin at the tip and skip everything between.',
    known: 'seen when the classes of 3.5.1 are run.',
    fact: 'a processor cannot store a sentinel: the request is refused, and nothing is written.',
    holds: (life) =>
      asked(life, 'settleCheckpoint request=r1 error=IllegalArgumentException').length === 1 && asked(life, 'writeCheckpoint').length === 0,
    there: told(
      ['checkpointRequested request=r1 at=LATEST', 'PROCESSING', 'writeCheckpoint at=LATEST'],
      ['checkpointWritten', 'PROCESSING', 'settleCheckpoint request=r1'],
    ),
    here: consumer(aShard, [...untilReading(), firstBatch, checkpoint('r1', { sequenceNumber: 'LATEST', subSequenceNumber: 0 })]),
  },
  {
    name: 'kcl-3.5.1-a-checkpoint-inside-an-aggregated-record-loses-its-sub-sequence-number',
    sources: ['awslabs/amazon-kinesis-client 3.5.1'],
    happened:
      'A checkpoint at a user record of an aggregated record was stored without its sub-sequence number: after a fail-over the whole aggregate was delivered again.',
    known: 'seen when the classes of 3.5.1 are run.',
    fact: 'the place that is stored is the place that was asked for, with its sub-sequence number.',
    holds: (life) => asked(life, 'writeCheckpoint at=4959…002/1').length === 1,
    there: told(['checkpointRequested request=r1 at=4959…002/1', 'PROCESSING', 'writeCheckpoint at=4959…002']),
    here: consumer(aShard, [...untilReading(), firstBatch, checkpoint('r1', record(2, 1)), answer('writeCheckpoint', 'checkpointWritten')]),
  },
]
