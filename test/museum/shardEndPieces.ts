import { SHARD_END } from '@shardwise/effects'
import {
  aBatch,
  answer,
  aShard,
  checkpoint,
  closed,
  error,
  type Move,
  repeatAnswer,
  shutdown,
  splitChildren,
  untilReading,
  untilShardEnded,
} from '../scenarios/story.ts'
import { asked, endsIn, heard, inOrder, told } from './life.ts'
import { consumer, type Piece } from './piece.ts'

const lastBatch = answer('readRecords', 'recordsRead', aBatch({ records: [1, 3], atShardEnd: true, childShards: splitChildren }))
const backoff = answer('startTimer', 'timerFired', { nowMs: 500 })
const writtenAndNotified: readonly Move[] = [
  answer('writeCheckpoint', 'checkpointWritten'),
  answer('notifyShardEnded', 'shardEndedNotified'),
  closed,
]

/** The end of a shard. */
export const shardEndPieces: readonly Piece[] = [
  {
    name: 'kcl-837-the-work-at-the-end-of-an-empty-shard-is-skipped',
    sources: ['awslabs/amazon-kinesis-client#837', 'awslabs/amazon-kinesis-client#1319'],
    happened:
      'The end of an empty shard was read while the initialisation was still being looked at, which took the answer for its own: the consumer completed without its shutdown task, and the children stayed blocked for ever.',
    known: 'issue #837 shows the logs, pull request #1319 names the race and fixed it in 2.6.1; 2.0.3 does it when its classes are run.',
    fact: 'the consumer of an empty shard completes only after its children have leases and SHARD_END is stored; an answer is taken once.',
    holds: (life) =>
      endsIn(life, 'SHUTDOWN_COMPLETE outcome=finished') &&
      inOrder(
        heard(life, 'childLeasesCreated'),
        asked(life, 'writeCheckpoint at=SHARD_END'),
        heard(life, 'shardEndedNotified'),
        heard(life, 'shardClosed'),
      ),
    there: told(
      ['initialized', 'PROCESSING', 'readRecords'],
      ['recordsRead count=0 atShardEnd children=shardId-000000000001,shardId-000000000002', 'SHUTTING_DOWN reason=SHARD_END'],
      ['the next tick', 'SHUTDOWN_COMPLETE outcome=finished'],
    ),
    here: consumer(aShard, [
      ...untilReading(),
      answer('readRecords', 'recordsRead', aBatch({ atShardEnd: true, childShards: splitChildren })),
      repeatAnswer('initialize'),
      answer('createChildLeases', 'childLeasesCreated'),
      checkpoint('r1'),
      ...writtenAndNotified,
    ]),
  },
  {
    name: 'kcl-887-a-rejected-shutdown-task-counts-as-done',
    sources: ['awslabs/amazon-kinesis-client#887'],
    happened: 'The executor was full and rejected the shutdown task; at the next tick the consumer completed as if it had run.',
    known: 'issue #887 reports it of 1.x and is open.',
    fact: 'shutdown work that could not be started is started again after a backoff, and the consumer completes only when it was answered.',
    holds: (life) =>
      endsIn(life, 'SHUTDOWN_COMPLETE outcome=finished') &&
      asked(life, 'createChildLeases').length === 2 &&
      inOrder(heard(life, 'effectFailed'), heard(life, 'childLeasesCreated'), heard(life, 'shardEndedNotified')),
    there: told(
      ['recordsProcessed', 'SHUTTING_DOWN reason=SHARD_END', 'createChildLeases children=shardId-000000000001,shardId-000000000002'],
      ['effectFailed error=RejectedExecutionException', 'SHUTTING_DOWN'],
      ['the next tick', 'SHUTDOWN_COMPLETE outcome=finished'],
    ),
    here: consumer(aShard, [
      ...untilReading(),
      lastBatch,
      answer('processRecords', 'recordsProcessed'),
      answer('createChildLeases', 'effectFailed', error('RejectedExecutionException')),
      backoff,
      answer('createChildLeases', 'childLeasesCreated'),
      checkpoint('r1'),
      ...writtenAndNotified,
    ]),
  },
  {
    name: 'kcl-3.5.1-a-shutdown-task-that-throws-counts-as-done',
    sources: ['awslabs/amazon-kinesis-client 3.5.1'],
    happened:
      'A shutdown task that threw, rather than to return its error, left the outcome of the task before it in place: at the next tick the consumer completed, with no end told, no leases for the children, and its reader running.',
    known: 'seen when the classes of 3.5.1 are run; the race of #837 has the same root.',
    fact: 'a callback that fails in any way is not taken for done: it is tried again, and the consumer completes when SHARD_END is stored.',
    holds: (life) =>
      endsIn(life, 'SHUTDOWN_COMPLETE outcome=finished') &&
      asked(life, 'notifyShardEnded').length === 2 &&
      inOrder(heard(life, 'effectFailed'), asked(life, 'writeCheckpoint at=SHARD_END'), heard(life, 'shardEndedNotified')),
    there: told(
      ['childLeasesCreated', 'SHUTTING_DOWN', 'notifyShardEnded'],
      ['effectFailed error=StackOverflowError', 'SHUTTING_DOWN'],
      ['the next tick', 'SHUTDOWN_COMPLETE outcome=finished'],
    ),
    here: consumer(aShard, [
      ...untilShardEnded,
      answer('notifyShardEnded', 'effectFailed', error('RangeError', 'Maximum call stack size exceeded')),
      backoff,
      checkpoint('r1'),
      ...writtenAndNotified,
    ]),
  },
  {
    name: 'kcl-69-a-deleted-stream-shuts-its-consumers-down-for-ever',
    sources: ['awslabs/amazon-kinesis-client#69'],
    happened:
      'After a stream was deleted, the shutdown task looked for the children of its shards, failed, and called the processor again every second.',
    known: 'issue #69 describes it of 1.x and is open.',
    fact: 'the consumer of a stream that is gone tells its processor once, completes, and stores no end.',
    holds: (life) =>
      endsIn(life, 'SHUTDOWN_COMPLETE outcome=leaseLost') &&
      asked(life, 'notifyLeaseLost').length === 1 &&
      asked(life, 'notifyShardEnded').length === 0,
    there: told(
      ['shardNotFound', 'SHUTTING_DOWN reason=SHARD_END', 'notifyShardEnded'],
      ['shardEndedNotified', 'SHUTTING_DOWN', 'listChildShards'],
      ['effectFailed error=ResourceNotFoundException', 'SHUTTING_DOWN', 'notifyShardEnded attempt=1'],
      ['shardEndedNotified', 'SHUTTING_DOWN', 'listChildShards'],
      ['effectFailed error=ResourceNotFoundException', 'SHUTTING_DOWN', 'notifyShardEnded attempt=2'],
    ),
    here: consumer(aShard, [
      ...untilReading(),
      answer('readRecords', 'shardNotFound'),
      answer('listChildShards', 'streamNotFound'),
      answer('notifyLeaseLost', 'leaseLostNotified'),
      closed,
    ]),
  },
  {
    name: 'kcl-954-a-processor-that-cannot-finish-its-shard-is-called-for-ever',
    sources: ['awslabs/amazon-kinesis-client#954'],
    happened: 'A processor that could only go back to its last checkpoint had no way to say so: shardEnded was called again without end.',
    known: 'issue #954 asks for a signal and is open.',
    fact: "with missedShardEndCheckpoint 'replay', a shardEnded that does not checkpoint is called once, and the shard is consumed anew from the last checkpoint by a fresh processor.",
    holds: (life) => endsIn(life, 'SHUTDOWN_COMPLETE outcome=replay') && asked(life, 'notifyShardEnded').length === 1,
    there: told(
      ['shardEndedFailed error=Error', 'SHUTTING_DOWN', 'notifyShardEnded attempt=1'],
      ['shardEndedFailed error=Error', 'SHUTTING_DOWN', 'notifyShardEnded attempt=2'],
      ['shardEndedFailed error=Error', 'SHUTTING_DOWN', 'notifyShardEnded attempt=3'],
    ),
    here: consumer({ ...aShard, options: { missedShardEndCheckpoint: 'replay' } }, [
      ...untilShardEnded,
      answer('notifyShardEnded', 'shardEndedFailed', error('Error', 'the aggregation is lost')),
      closed,
    ]),
  },
  {
    name: 'kcl-624-a-false-end-closes-an-open-shard',
    sources: ['awslabs/amazon-kinesis-client#624', 'awslabs/amazon-kinesis-client#623', 'awslabs/amazon-kinesis-client#684'],
    happened:
      'An answer without an iterator was taken for the end of a shard that was still open: SHARD_END was stored, and the rest of the shard was never read.',
    known: 'pull requests #623 and #624 add the check before the end is reported, since 2.2.5; #684 reworks it.',
    fact: 'an end that names no children is verified, and a false one ends as if the lease were lost, with no SHARD_END stored.',
    holds: (life) =>
      inOrder(asked(life, 'listChildShards'), asked(life, 'notifyLeaseLost')) &&
      asked(life, 'writeCheckpoint at=SHARD_END').length === 0 &&
      asked(life, 'notifyShardEnded').length === 0,
    there: told(
      ['recordsRead count=0 atShardEnd children=none', 'SHUTTING_DOWN reason=SHARD_END', 'notifyShardEnded'],
      ['checkpointRequested request=r1', 'SHUTTING_DOWN', 'writeCheckpoint at=SHARD_END'],
      ['shardEndedNotified', 'SHUTDOWN_COMPLETE outcome=finished'],
    ),
    here: consumer(aShard, [
      ...untilReading(),
      answer('readRecords', 'recordsRead', aBatch({ atShardEnd: true })),
      answer('listChildShards', 'shardStillOpen'),
      answer('notifyLeaseLost', 'leaseLostNotified'),
      closed,
    ]),
  },
  {
    name: 'kcl-548-a-finished-shard-is-begun-again',
    sources: ['awslabs/amazon-kinesis-client#548'],
    happened:
      'A consumer found SHARD_END as its checkpoint, opened the shard there, initialised a processor, and hung at the end of the shard.',
    known: 'issue #548 shows the logs of 1.9.0 and is open; 3.5.1 opens the shard at SHARD_END when its classes are run.',
    fact: 'a shard whose stored checkpoint is SHARD_END is neither opened nor given to a processor: its consumer completes as finished.',
    holds: (life) =>
      endsIn(life, 'SHUTDOWN_COMPLETE outcome=finished') && asked(life, 'openShard').length === 0 && asked(life, 'initialize').length === 0,
    there: told(
      ['checkpointRead at=SHARD_END', 'INITIALIZING', 'openShard from=SHARD_END'],
      ['shardOpened', 'INITIALIZING', 'initialize at=SHARD_END'],
      ['recordsRead count=0 atShardEnd children=none', 'SHUTTING_DOWN reason=SHARD_END', 'notifyShardEnded'],
    ),
    here: consumer(aShard, [
      answer('checkParentShards', 'parentShardsCompleted'),
      answer('readCheckpoint', 'checkpointRead', { checkpoint: SHARD_END, pendingCheckpoint: null }),
      closed,
    ]),
  },
  {
    name: 'kcl-3.5.1-a-failure-on-the-last-batch-is-taken-for-the-end',
    sources: ['awslabs/amazon-kinesis-client 3.5.1'],
    happened:
      'When the library failed on the batch that also ended the shard, the error was dropped and the end reported: the last records were never delivered.',
    known: 'seen when the classes of 3.5.1 are run.',
    fact: 'the last batch is delivered before the end of its shard is acted on, however often its delivery fails.',
    holds: (life) =>
      asked(life, 'processRecords batch=b1').length === 2 && inOrder(heard(life, 'recordsProcessed'), heard(life, 'childLeasesCreated')),
    there: told(
      ['recordsRead batch=b1 count=3 atShardEnd', 'PROCESSING', 'processRecords batch=b1'],
      ['effectFailed error=TypeError', 'SHUTTING_DOWN reason=SHARD_END', 'createChildLeases'],
      ['childLeasesCreated', 'SHUTTING_DOWN', 'notifyShardEnded'],
    ),
    here: consumer(aShard, [
      ...untilReading(),
      lastBatch,
      answer('processRecords', 'effectFailed', error('TypeError')),
      backoff,
      answer('processRecords', 'recordsProcessed'),
      answer('createChildLeases', 'childLeasesCreated'),
    ]),
  },
  {
    name: 'kcl-3.5.1-the-end-is-read-again-and-its-children-are-forgotten',
    sources: ['awslabs/amazon-kinesis-client 3.5.1', 'awslabs/amazon-kinesis-client#1744'],
    happened:
      'When the end of a shard had to be read a second time, the polling reader named no children the second time, and a fan-out reader could not begin there at all.',
    known: 'seen when the classes of 3.5.1 are run; pull request #1744 fixed the fan-out reader in 3.5.0.',
    fact: 'the children that the first end named get their leases, whatever a second end names.',
    holds: (life) => asked(life, 'createChildLeases children=shardId-000000000001,shardId-000000000002').length > 0,
    there: told(
      [
        'recordsRead batch=b1 count=3 atShardEnd children=shardId-000000000001,shardId-000000000002',
        'PROCESSING',
        'processRecords batch=b1',
      ],
      ['effectFailed error=Error', 'PROCESSING', 'openShard'],
      ['recordsRead batch=b2 count=0 atShardEnd children=none', 'SHUTTING_DOWN reason=SHARD_END', 'notifyShardEnded'],
    ),
    here: consumer(aShard, [
      ...untilReading(),
      lastBatch,
      answer('processRecords', 'batchGone'),
      answer('openShard', 'shardOpened', { openedAtMs: 1_700_000_100_000 }),
      answer('readRecords', 'recordsRead', aBatch({ batchId: 'b2', atShardEnd: true })),
    ]),
  },
  {
    name: 'kcl-2.0.3-the-end-is-stored-before-the-children-have-leases',
    sources: ['awslabs/amazon-kinesis-client 2.0.3'],
    happened:
      'SHARD_END was stored first and the leases of the children were created afterwards: a crash between the two orphaned them, and a failure called shardEnded again.',
    known: 'seen when the classes of 2.0.3 are run; the order was turned round in 2.3.0.',
    fact: 'SHARD_END is stored only when every child has a lease, and shardEnded is not called again after that.',
    holds: (life) =>
      inOrder(heard(life, 'childLeasesCreated'), asked(life, 'writeCheckpoint at=SHARD_END')) &&
      asked(life, 'notifyShardEnded').length === 1,
    there: told(
      ['recordsProcessed', 'SHUTTING_DOWN reason=SHARD_END', 'notifyShardEnded'],
      ['checkpointRequested request=r1', 'SHUTTING_DOWN', 'writeCheckpoint at=SHARD_END'],
      ['shardEndedNotified', 'SHUTTING_DOWN', 'createChildLeases'],
      ['effectFailed error=Error', 'SHUTTING_DOWN', 'notifyShardEnded attempt=1'],
    ),
    here: consumer(aShard, [
      ...untilReading(),
      lastBatch,
      answer('processRecords', 'recordsProcessed'),
      answer('createChildLeases', 'effectFailed', error('Error')),
      backoff,
      answer('createChildLeases', 'childLeasesCreated'),
      checkpoint('r1'),
      ...writtenAndNotified,
    ]),
  },
  {
    name: 'kcl-3.5.1-leaseLost-is-told-while-SHARD_END-stays-recorded',
    sources: ['awslabs/amazon-kinesis-client 3.5.1'],
    happened:
      'When the lease was found to be gone at the end of a shard, the processor was told leaseLost while the recorded reason stayed SHARD_END, so that the worker took the shard for finished.',
    known: 'seen when the classes of 3.5.1 are run.',
    fact: 'what the processor is told is the reason that is recorded, and the outcome.',
    holds: (life) => {
      const [step] = asked(life, 'notifyLeaseLost')
      return step !== undefined && life[step]?.state.includes('reason=LEASE_LOST') === true && endsIn(life, 'outcome=leaseLost')
    },
    there: told(
      ['recordsProcessed', 'SHUTTING_DOWN reason=SHARD_END', 'createChildLeases'],
      ['leaseNotFound', 'SHUTTING_DOWN', 'notifyLeaseLost'],
      ['leaseLostNotified', 'SHUTDOWN_COMPLETE outcome=finished'],
    ),
    here: consumer(aShard, [
      ...untilReading(),
      lastBatch,
      answer('processRecords', 'recordsProcessed'),
      answer('createChildLeases', 'leaseNotFound'),
      answer('notifyLeaseLost', 'leaseLostNotified'),
      closed,
      shutdown('LEASE_LOST'),
    ]),
  },
]
