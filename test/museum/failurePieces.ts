import type { ShardConsumerInput } from '@shardwise/machine'
import { play } from '../scenarios/play.ts'
import { aBatch, answer, aShard, checkpoint, closed, error, type Move, record, shutdown, untilReading } from '../scenarios/story.ts'
import { factsOf, shortenIn, stateText } from '../scenarios/transcriptText.ts'
import { asked, endsIn, heard, inOrder, told, transcriptOfLife } from './life.ts'
import { consumer, type Piece } from './piece.ts'

const backoff = answer('startTimer', 'timerFired', { nowMs: 500 })
const firstBatch = answer('readRecords', 'recordsRead', aBatch({ records: [1, 3], millisBehindLatest: 5_000 }))
const secondBatch = answer('readRecords', 'recordsRead', aBatch({ batchId: 'b2', records: [4, 6], millisBehindLatest: 2_000 }))
const processed = answer('processRecords', 'recordsProcessed')
const reopened = answer('openShard', 'shardOpened', { openedAtMs: 1_700_000_100_000 })
const stored = record(7)

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

/** Records that are read and delivered, and what fails on the way. */
export const failurePieces: readonly Piece[] = [
  {
    name: 'kcl-10-records-are-skipped-when-the-processor-throws',
    sources: ['awslabs/amazon-kinesis-client#10', 'awslabs/amazon-kinesis-client#954', 'awslabs/amazon-kinesis-client#1403'],
    happened: 'A processRecords that threw was logged, its records were skipped, and the next batch was delivered.',
    known: 'issue #10 is open, #954 and #1403 ask for at least once; 3.5.1 does it when its classes are run.',
    fact: 'a batch whose delivery failed is delivered again, with the count of the failures, and no other batch is read before it succeeds.',
    holds: (life) => inOrder(asked(life, 'processRecords batch=b1 attempt=1'), asked(life, 'processRecords batch=b2')),
    there: told(
      ['recordsRead batch=b1 count=3', 'PROCESSING', 'processRecords batch=b1'],
      ['recordsFailed error=TypeError', 'PROCESSING', 'readRecords'],
      ['recordsRead batch=b2 count=3', 'PROCESSING', 'processRecords batch=b2'],
    ),
    here: consumer(aShard, [
      ...untilReading(),
      firstBatch,
      answer('processRecords', 'recordsFailed', error('TypeError')),
      backoff,
      processed,
      secondBatch,
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
    name: 'kcl-603-a-batch-that-was-not-handed-over-is-lost',
    sources: ['awslabs/amazon-kinesis-client#603'],
    happened:
      'A batch that the library itself failed to deliver was taken out of the queue: its records were lost, or the shard stood still.',
    known:
      'pull request #603 fixed the polling readers in 2.2.3; 3.5.1 still drops the batch of a process task that fails inside the library when its classes are run.',
    fact: 'a batch is given up only when it was processed; the failures of the library do not count as those of the processor.',
    holds: (life) => {
      const [first, second] = asked(life, 'processRecords batch=b1')
      const [dropped] = asked(life, 'dropBatch batch=b1')
      const [done] = heard(life, 'recordsProcessed')
      return first !== undefined && second !== undefined && dropped === done && asked(life, 'attempt=1').length === 0
    },
    there: told(
      ['recordsRead batch=b1 count=3', 'PROCESSING', 'processRecords batch=b1'],
      ['effectFailed error=TimeoutException', 'PROCESSING', 'dropBatch batch=b1', 'readRecords'],
    ),
    here: consumer(aShard, [
      ...untilReading(),
      firstBatch,
      answer('processRecords', 'effectFailed', error('TimeoutException')),
      backoff,
      processed,
    ]),
  },
  {
    name: 'kcl-492-reading-starts-again-after-what-was-read-not-after-what-was-processed',
    sources: ['awslabs/amazon-kinesis-client#492'],
    happened:
      'A reader that had to start again went on after the last batch it had queued, and skipped those that were queued and never processed.',
    known: 'pull request #492 fixed it in 2.1.2.',
    fact: 'a shard is opened again after the last record whose batch was processed.',
    holds: (life) => inOrder(heard(life, 'recordsRead batch=b2'), asked(life, 'openShard from=AFTER_SEQUENCE_NUMBER/4959…003')),
    there: told(
      ['recordsRead batch=b2 last=4959…006', 'PROCESSING', 'processRecords batch=b2'],
      ['shardNotOpen', 'PROCESSING', 'openShard from=AFTER_SEQUENCE_NUMBER/4959…006'],
    ),
    here: consumer(aShard, [...untilReading(), firstBatch, processed, secondBatch, answer('processRecords', 'batchGone'), reopened]),
  },
  {
    name: 'kcl-371-the-last-record-is-delivered-again-after-a-reconnection',
    sources: ['awslabs/amazon-kinesis-client#371'],
    happened: 'A reader that connected again did so at the last record rather than after it, which was then delivered twice.',
    known: 'fixed in 2.0.1.',
    fact: 'a shard whose iterator expired is opened again after the last processed record, and reads leave out what is at or below it.',
    holds: (life) =>
      inOrder(heard(life, 'iteratorExpired'), heard(life, 'shardOpened at=2023-11-14T22:15:00.000Z')) &&
      asked(life, 'openShard from=AFTER_SEQUENCE_NUMBER/4959…003').length === 1 &&
      asked(life, 'readRecords after=4959…003').length > 0,
    there: told(
      ['iteratorExpired', 'PROCESSING', 'openShard from=AT_SEQUENCE_NUMBER/4959…003'],
      ['shardOpened at=2023-11-14T22:15:00.000Z', 'PROCESSING', 'readRecords after=4959…003'],
    ),
    here: consumer(aShard, [...untilReading(), firstBatch, processed, answer('readRecords', 'iteratorExpired'), reopened]),
  },
  {
    name: 'kcl-560-a-rejected-task-counts-as-a-success',
    sources: ['awslabs/amazon-kinesis-client#560'],
    happened:
      'An initialisation that the executor rejected left the outcome of the task before it in place, and the consumer went on to the next state.',
    known: 'pull request #560 fixed it in 2.2.2; since then a rejection counts as a failure of whatever ran last.',
    fact: 'an effect that could not be started is tried again, and only its own answer leads on.',
    holds: (life) =>
      inOrder(heard(life, 'effectFailed'), heard(life, 'initialized'), heard(life, 'recordsRead')) &&
      asked(life, 'initialize').length === 2,
    there: told(
      ['shardOpened', 'INITIALIZING', 'initialize at=TRIM_HORIZON'],
      ['effectFailed error=RejectedExecutionException', 'PROCESSING', 'readRecords'],
      ['recordsRead batch=b1 count=3', 'PROCESSING', 'processRecords batch=b1'],
    ),
    here: consumer(aShard, [
      ...untilReading().slice(0, 3),
      answer('initialize', 'effectFailed', error('RejectedExecutionException')),
      backoff,
      ...untilReading().slice(1),
      firstBatch,
    ]),
  },
  {
    name: 'kcl-3.5.1-a-failed-batch-hides-a-shutdown-for-ever',
    sources: ['awslabs/amazon-kinesis-client 3.5.1', 'awslabs/amazon-kinesis-client 2.0.3'],
    happened:
      'When the last process task had failed and a shutdown was pending, the consumer stayed in PROCESSING and made process tasks without a batch, each of which failed: leaseLost never came, and the consumer was never removed.',
    known: 'seen when the classes of 2.0.3 and 3.5.1 are run; no thread upstream tells of it.',
    fact: 'a shutdown takes effect when the running task is answered, whatever the answer.',
    holds: (life) =>
      endsIn(life, 'SHUTDOWN_COMPLETE outcome=leaseLost') &&
      asked(life, 'processRecords').length === 1 &&
      heard(life, 'effectFailed')[0] === asked(life, 'notifyLeaseLost')[0],
    there: told(
      ['shutdown reason=LEASE_LOST', 'PROCESSING reason=LEASE_LOST'],
      ['effectFailed error=NullPointerException', 'PROCESSING', 'processRecords batch=none'],
      ['effectFailed error=NullPointerException', 'PROCESSING', 'processRecords batch=none'],
    ),
    here: consumer(aShard, [
      ...untilReading(),
      firstBatch,
      shutdown('LEASE_LOST'),
      answer('processRecords', 'effectFailed', error('TypeError')),
      answer('notifyLeaseLost', 'leaseLostNotified'),
      closed,
    ]),
  },
  {
    name: 'lifion-332-a-shard-stands-still-while-its-lease-is-renewed',
    sources: ['lifion/lifion-kinesis#332', 'lifion/lifion-kinesis#782'],
    happened:
      'An error of GetRecords that was not retried ended the polling of a shard, while its lease went on being renewed: nobody read it until the process was restarted.',
    known: 'pull request #782 describes issue #332 and fixed it.',
    fact: 'a read that fails is tried again after a backoff, for as long as the lease is held.',
    holds: (life) => {
      const reads = asked(life, 'readRecords')
      return heard(life, 'effectFailed').length > 0 && reads.some((read) => read > (heard(life, 'effectFailed').at(-1) ?? 0))
    },
    there: told(
      ['initialized', 'PROCESSING', 'readRecords'],
      ['effectFailed error=InvalidSignatureException', 'PROCESSING'],
      ['timerFired', 'PROCESSING', 'renewLease'],
      ['leaseRenewed', 'PROCESSING'],
    ),
    here: consumer(aShard, [
      ...untilReading(),
      answer('readRecords', 'effectFailed', error('InvalidSignatureException')),
      backoff,
      answer('readRecords', 'effectFailed', error('InvalidSignatureException')),
      answer('startTimer', 'timerFired', { nowMs: 1_500 }),
    ]),
  },
  {
    name: 'lifion-a-checkpoint-that-is-refused-is-replaced-by-LATEST',
    sources: ['lifion/lifion-kinesis'],
    happened:
      'When Kinesis refused the stored checkpoint as a place to begin at, the shard was read from LATEST instead, and everything between was skipped with a warning.',
    known: 'lib/polling-consumer.js, as of commit 09708ff, asks for LATEST after an InvalidArgumentException.',
    fact: 'a shard that cannot be opened at its checkpoint is opened there again after a backoff, and nowhere else.',
    holds: (life) => {
      const openings = life.flatMap(({ effects }) => effects.filter((effect) => effect.startsWith('openShard ')))
      return openings.length === 2 && openings.every((opening) => opening.endsWith(' from=AT_SEQUENCE_NUMBER/4959…007'))
    },
    there: told(
      ['checkpointRead at=4959…007', 'INITIALIZING', 'openShard from=AT_SEQUENCE_NUMBER/4959…007'],
      ['effectFailed error=InvalidArgumentException', 'INITIALIZING', 'openShard from=LATEST'],
      ['shardOpened', 'INITIALIZING', 'initialize at=4959…007'],
    ),
    here: consumer({ ...aShard, options: { initialPosition: { type: 'LATEST' } } }, [
      ...untilReading(stored).slice(0, 2),
      answer('openShard', 'effectFailed', error('InvalidArgumentException')),
      backoff,
      answer('readCheckpoint', 'checkpointRead', { checkpoint: stored, pendingCheckpoint: null }),
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
