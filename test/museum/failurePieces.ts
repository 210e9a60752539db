import { aBatch, answer, aShard, closed, error, record, shutdown, untilReading } from '../scenarios/story.ts'
import { asked, endsIn, heard, inOrder, told } from './life.ts'
import { consumer, type Piece } from './piece.ts'

const backoff = answer('startTimer', 'timerFired', { nowMs: 500 })
const firstBatch = answer('readRecords', 'recordsRead', aBatch({ records: [1, 3], millisBehindLatest: 5_000 }))
const secondBatch = answer('readRecords', 'recordsRead', aBatch({ batchId: 'b2', records: [4, 6], millisBehindLatest: 2_000 }))
const processed = answer('processRecords', 'recordsProcessed')
const reopened = answer('openShard', 'shardOpened', { openedAtMs: 1_700_000_100_000 })
const stored = record(7)

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
    holds: (life) => inOrder(heard(life, 'recordsRead batch=b2'), asked(life, 'openShard from=AT_SEQUENCE_NUMBER/4959…003')),
    there: told(
      ['recordsRead batch=b2 last=4959…006', 'PROCESSING', 'processRecords batch=b2'],
      ['shardNotOpen', 'PROCESSING', 'openShard from=AT_SEQUENCE_NUMBER/4959…006'],
    ),
    here: consumer(aShard, [...untilReading(), firstBatch, processed, secondBatch, answer('processRecords', 'batchGone'), reopened]),
  },
  {
    name: 'kcl-371-the-last-record-is-delivered-again-after-a-reconnection',
    sources: ['awslabs/amazon-kinesis-client#371'],
    happened: 'A reader that connected again did so at the last record rather than after it, which was then delivered twice.',
    known: 'fixed in 2.0.1.',
    fact: 'a shard whose iterator expired is opened again at the last processed record, and reads leave out what is at or below it.',
    holds: (life) =>
      inOrder(heard(life, 'iteratorExpired'), heard(life, 'shardOpened at=2023-11-14T22:15:00.000Z')) &&
      asked(life, 'openShard from=AT_SEQUENCE_NUMBER/4959…003').length === 1 &&
      asked(life, 'readRecords after=4959…003').length > 0,
    there: told(
      ['iteratorExpired', 'PROCESSING', 'openShard from=AT_SEQUENCE_NUMBER/4959…003'],
      ['shardOpened at=2023-11-14T22:15:00.000Z', 'PROCESSING', 'readRecords'],
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
]
