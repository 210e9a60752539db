import { aBatch, answer, aShard, checkpoint, closed, error, type Move, shutdown, untilReading } from '../scenarios/story.ts'
import { asked, endsIn, heard, inOrder, told } from './life.ts'
import { consumer, type Piece } from './piece.ts'

const aParent = { ...aShard, parentShardIds: ['shardId-000000000009'] }
const parentPending = answer('checkParentShards', 'parentShardsPending', { pendingShardId: 'shardId-000000000009' })
const someRecords = answer('readRecords', 'recordsRead', aBatch({ records: [1, 3] }))
const released: readonly Move[] = [shutdown('LEASE_LOST'), answer('notifyLeaseLost', 'leaseLostNotified'), closed]

/** How a consumer is shut down. */
export const shutdownPieces: readonly Piece[] = [
  {
    name: 'kcl-616-a-graceful-shutdown-is-never-reported-complete',
    sources: ['awslabs/amazon-kinesis-client#616', 'awslabs/amazon-kinesis-client#1302'],
    happened:
      'The last state was never given a task, and with it the signal that a requested shutdown is complete: a graceful shutdown that went well answered false.',
    known: 'issue #616 with its analysis, and pull request #1302, which fixed it in 2.6.0; 2.0.3 does it when its classes are run.',
    fact: 'whoever asked for a shutdown is told its end exactly once, when the consumer has completed.',
    holds: (life) =>
      endsIn(life, 'SHUTDOWN_COMPLETE outcome=leaseLost') &&
      asked(life, 'signalShutdownComplete').length === 1 &&
      asked(life, 'signalShutdownComplete')[0] === heard(life, 'shardClosed')[0],
    there: told(
      ['shutdown reason=REQUESTED', 'SHUTDOWN_REQUESTED reason=REQUESTED', 'notifyShutdownRequested'],
      ['shutdownRequestedNotified', 'SHUTDOWN_REQUESTED', 'signalShutdownNotificationComplete'],
      ['shutdown reason=LEASE_LOST', 'SHUTTING_DOWN reason=LEASE_LOST', 'notifyLeaseLost'],
      ['leaseLostNotified', 'SHUTTING_DOWN', 'closeShard'],
      ['shardClosed', 'SHUTDOWN_COMPLETE outcome=leaseLost'],
    ),
    here: consumer(aShard, [
      ...untilReading(),
      shutdown('REQUESTED'),
      answer('notifyShutdownRequested', 'shutdownRequestedNotified'),
      ...released,
      shutdown('REQUESTED'),
    ]),
  },
  {
    name: 'kcl-3.5.1-a-request-after-the-end-is-never-answered',
    sources: ['awslabs/amazon-kinesis-client 3.5.1'],
    happened:
      'A shutdown that was requested when the consumer had just completed was noted by a consumer that looked at it no more: its end was never signalled.',
    known: 'seen when the classes of 3.5.1 are run.',
    fact: 'a consumer that has completed answers a request to shut down at once.',
    holds: (life) => {
      const [late] = heard(life, 'shutdown reason=REQUESTED')
      return late !== undefined && endsIn(life.slice(0, late), 'SHUTDOWN_COMPLETE') && asked(life, 'signalShutdownComplete')[0] === late
    },
    there: told(['shardClosed', 'SHUTDOWN_COMPLETE outcome=finished'], ['shutdown reason=REQUESTED', 'SHUTDOWN_COMPLETE']),
    here: consumer(aShard, [
      answer('checkParentShards', 'parentShardsCompleted'),
      answer('readCheckpoint', 'leaseNotFound'),
      closed,
      shutdown('REQUESTED'),
    ]),
  },
  {
    name: 'kcl-915-a-graceful-shutdown-ends-without-shutdownRequested',
    sources: ['awslabs/amazon-kinesis-client#915'],
    happened: 'startGracefulShutdown answered false almost at once, and shutdownRequested was never called.',
    known: 'issue #915 reports it, and its last comment names #1302 as the fix.',
    fact: 'the lease may be released only after shutdownRequested was called and the checkpoints it left behind are written.',
    holds: (life) =>
      inOrder(asked(life, 'notifyShutdownRequested'), asked(life, 'writeCheckpoint'), asked(life, 'signalShutdownNotificationComplete')) &&
      heard(life, 'checkpointWritten')[0] === asked(life, 'signalShutdownNotificationComplete')[0],
    there: told(
      ['shutdown reason=REQUESTED', 'PROCESSING reason=REQUESTED'],
      ['recordsProcessed', 'SHUTDOWN_REQUESTED', 'signalShutdownNotificationComplete'],
      ['shutdown reason=LEASE_LOST', 'SHUTTING_DOWN reason=LEASE_LOST', 'notifyLeaseLost'],
    ),
    here: consumer(aShard, [
      ...untilReading(),
      someRecords,
      shutdown('REQUESTED'),
      answer('processRecords', 'recordsProcessed'),
      checkpoint('r1'),
      answer('notifyShutdownRequested', 'shutdownRequestedNotified'),
      answer('writeCheckpoint', 'checkpointWritten'),
    ]),
  },
  {
    name: 'kcl-640-a-consumer-that-waits-for-its-parent-holds-a-shutdown-up',
    sources: ['awslabs/amazon-kinesis-client#640', 'awslabs/amazon-kinesis-client#621'],
    happened:
      'A consumer that was blocked on a parent shard went on failing and looking again, and a graceful shutdown waited for it until the parent was done.',
    known: 'pull requests #621 and #640 fixed it in 1.13.0; 2.0.3 and 3.5.1 do it when their classes are run.',
    fact: 'a consumer that waits for its parents completes at once when it is to shut down.',
    holds: (life) => {
      const [request] = heard(life, 'shutdown')
      return request !== undefined && endsIn(life.slice(0, request + 1), 'SHUTDOWN_COMPLETE outcome=stopped')
    },
    there: told(
      ['parentShardsPending pendingShardId=shardId-000000000009', 'WAITING_ON_PARENT_SHARDS', 'startTimer delay=10000ms'],
      ['shutdown reason=REQUESTED', 'WAITING_ON_PARENT_SHARDS reason=REQUESTED'],
      ['timerFired', 'WAITING_ON_PARENT_SHARDS', 'checkParentShards'],
    ),
    here: consumer(aParent, [parentPending, shutdown('REQUESTED')]),
  },
  {
    name: 'kcl-3.5.1-shutdownRequested-is-called-again-and-again-when-it-throws',
    sources: ['awslabs/amazon-kinesis-client 3.5.1'],
    happened:
      'A shutdownRequested that threw was called again at every tick, although its lease was dropped already; LEASE_LOST was ignored, and leaseLost never came.',
    known: 'seen when the classes of 3.5.1 are run; no thread upstream tells of it.',
    fact: 'shutdownRequested is called once, whether it throws or not, and LEASE_LOST leads on.',
    holds: (life) =>
      asked(life, 'notifyShutdownRequested').length === 1 &&
      asked(life, 'notifyLeaseLost').length === 1 &&
      endsIn(life, 'SHUTDOWN_COMPLETE outcome=leaseLost'),
    there: told(
      ['shutdown reason=REQUESTED', 'SHUTDOWN_REQUESTED reason=REQUESTED', 'notifyShutdownRequested'],
      ['shutdownRequestedFailed error=Error', 'SHUTDOWN_REQUESTED', 'signalShutdownNotificationComplete', 'notifyShutdownRequested'],
      ['shutdown reason=LEASE_LOST', 'SHUTDOWN_REQUESTED reason=LEASE_LOST'],
      ['shutdownRequestedFailed error=Error', 'SHUTDOWN_REQUESTED', 'notifyShutdownRequested'],
    ),
    here: consumer(aShard, [
      ...untilReading(),
      shutdown('REQUESTED'),
      answer('notifyShutdownRequested', 'shutdownRequestedFailed', error('Error', 'no database')),
      ...released,
    ]),
  },
  {
    name: 'kcl-870-leaseLost-comes-to-a-processor-that-was-never-initialised',
    sources: ['awslabs/amazon-kinesis-client#870', 'awslabs/amazon-kinesis-client#29'],
    happened: 'leaseLost was called on a processor that had not been initialised, which crashed on its own unset fields.',
    known: 'issue #870 reports it of 2.3.1, #29 of the MultiLangDaemon; 3.5.1 does it when its classes are run.',
    fact: 'a processor whose initialize did not succeed gets no other callback, nor initialize again once the lease is lost.',
    holds: (life) =>
      endsIn(life, 'SHUTDOWN_COMPLETE outcome=leaseLost') &&
      asked(life, 'initialize').length === 1 &&
      asked(life, 'notifyLeaseLost').length === 0,
    there: told(
      ['shardOpened', 'INITIALIZING', 'initialize at=TRIM_HORIZON'],
      ['shutdown reason=LEASE_LOST', 'INITIALIZING reason=LEASE_LOST'],
      ['initializeFailed error=Error', 'SHUTTING_DOWN', 'notifyLeaseLost'],
      ['leaseLostNotified', 'SHUTDOWN_COMPLETE outcome=leaseLost'],
    ),
    here: consumer(aShard, [
      ...untilReading().slice(0, 3),
      shutdown('LEASE_LOST'),
      answer('initialize', 'initializeFailed', error('Error', 'no database')),
      closed,
    ]),
  },
  {
    name: 'kcl-476-a-lease-that-is-gone-is-looked-for-for-ever',
    sources: ['awslabs/amazon-kinesis-client#476', 'awslabs/amazon-kinesis-client#558', 'awslabs/amazon-kinesis-client#781'],
    happened: 'The checkpoint of a lease whose row was gone was read again and again, failing on null each time.',
    known: 'issue #476 shows the errors of 1.8.10; pull request #558 gave them a name, and #781 ended the loop in 1.14.1, for 1.x only.',
    fact: 'a lease without a row is a lost lease: the consumer completes without a callback, and its owner is told.',
    holds: (life) =>
      endsIn(life, 'SHUTDOWN_COMPLETE outcome=leaseLost') &&
      asked(life, 'readCheckpoint').length === 1 &&
      asked(life, 'signalLeaseLost').length === 1,
    there: told(
      ['parentShardsCompleted', 'INITIALIZING', 'readCheckpoint'],
      ['effectFailed error=NullPointerException', 'INITIALIZING', 'startTimer delay=500ms'],
      ['timerFired', 'INITIALIZING', 'readCheckpoint'],
      ['effectFailed error=NullPointerException', 'INITIALIZING', 'startTimer delay=500ms'],
    ),
    here: consumer(aShard, [answer('checkParentShards', 'parentShardsCompleted'), answer('readCheckpoint', 'leaseNotFound'), closed]),
  },
  {
    name: 'kcl-501-a-lost-lease-waits-behind-a-processor-that-works-on',
    sources: ['awslabs/amazon-kinesis-client#501', 'awslabs/amazon-kinesis-client#549'],
    happened:
      'The loss of a lease was recorded under the lock that processRecords holds: the loop over all shards stood still until it returned, and the processor could not know that its work was void.',
    known: 'pull request #501 gave the reason a lock of its own in 2.1.2; #549, open, would tell the processor.',
    fact: 'a lost lease is recorded while the processor works, its callback is told to stop at once, and leaseLost follows when it has returned.',
    holds: (life) => {
      const [lost] = heard(life, 'shutdown reason=LEASE_LOST')
      return (
        lost !== undefined &&
        life[lost]?.state.includes('reason=LEASE_LOST') === true &&
        asked(life, 'cancel')[0] === lost &&
        inOrder(heard(life, 'shutdown'), asked(life, 'notifyLeaseLost'))
      )
    },
    there: told(
      ['recordsRead batch=b1 count=3', 'PROCESSING', 'processRecords batch=b1'],
      ['shutdown reason=LEASE_LOST', 'PROCESSING'],
      ['recordsProcessed', 'SHUTTING_DOWN reason=LEASE_LOST', 'notifyLeaseLost'],
    ),
    here: consumer(aShard, [
      ...untilReading(),
      someRecords,
      shutdown('LEASE_LOST'),
      answer('processRecords', 'recordsFailed', error('AbortError')),
      answer('notifyLeaseLost', 'leaseLostNotified'),
      closed,
    ]),
  },
  {
    name: 'kcl-3.5.1-a-leaseLost-that-always-throws-keeps-its-consumer-for-ever',
    sources: ['awslabs/amazon-kinesis-client 3.5.1'],
    happened: 'A leaseLost that always threw was called for ever: the reader was never shut down, and the consumer never removed.',
    known: 'seen when the classes of 3.5.1 are run.',
    fact: 'leaseLost is tried a bounded number of times; then the shard is closed without its success.',
    holds: (life) =>
      endsIn(life, 'SHUTDOWN_COMPLETE outcome=leaseLost') &&
      asked(life, 'notifyLeaseLost').length === 2 &&
      asked(life, 'closeShard').length === 1,
    there: told(
      ['shutdown reason=LEASE_LOST', 'SHUTTING_DOWN reason=LEASE_LOST', 'notifyLeaseLost'],
      ['leaseLostFailed error=Error', 'SHUTTING_DOWN', 'notifyLeaseLost attempt=1'],
      ['leaseLostFailed error=Error', 'SHUTTING_DOWN', 'notifyLeaseLost attempt=2'],
    ),
    here: consumer({ ...aShard, options: { maxShutdownAttempts: 2 } }, [
      ...untilReading(),
      shutdown('LEASE_LOST'),
      answer('notifyLeaseLost', 'leaseLostFailed', error('Error')),
      answer('startTimer', 'timerFired', { nowMs: 500 }),
      answer('notifyLeaseLost', 'leaseLostFailed', error('Error')),
      closed,
    ]),
  },
  {
    name: 'kcl-3.5.1-leaseLost-is-called-again-after-it-succeeded',
    sources: ['awslabs/amazon-kinesis-client 3.5.1'],
    happened:
      'When the executor rejected what came after a leaseLost that had succeeded, that counted as its failure, and it was called a second time.',
    known: 'seen when the classes of 3.5.1 are run.',
    fact: 'a failure counts for the effect that failed: a leaseLost that succeeded is not called again while the shard is closed.',
    holds: (life) =>
      endsIn(life, 'SHUTDOWN_COMPLETE outcome=leaseLost') &&
      asked(life, 'notifyLeaseLost').length === 1 &&
      inOrder(heard(life, 'leaseLostNotified'), heard(life, 'effectFailed'), heard(life, 'shardClosed')),
    there: told(
      ['shutdown reason=LEASE_LOST', 'SHUTTING_DOWN reason=LEASE_LOST', 'notifyLeaseLost'],
      ['leaseLostNotified', 'SHUTTING_DOWN', 'closeShard'],
      ['effectFailed error=RejectedExecutionException', 'SHUTTING_DOWN', 'notifyLeaseLost'],
      ['leaseLostNotified', 'SHUTTING_DOWN', 'closeShard'],
      ['shardClosed', 'SHUTDOWN_COMPLETE outcome=leaseLost'],
    ),
    here: consumer(aShard, [
      ...untilReading(),
      shutdown('LEASE_LOST'),
      answer('notifyLeaseLost', 'leaseLostNotified'),
      answer('closeShard', 'effectFailed', error('RejectedExecutionException')),
      answer('startTimer', 'timerFired', { nowMs: 500 }),
      closed,
    ]),
  },
]
