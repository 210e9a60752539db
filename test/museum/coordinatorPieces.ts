import type { EffectOf } from '@shardwise/effects'
import { createMemoryLeaseTable } from '@shardwise/memory'
import { neverAborted } from '../adapters/handlerContext.ts'
import { aKeptLease } from '../machine/keptLease.ts'
import { aLedWorker, type LedWorker, leasesOf, listed, tiledShards, untilRunning } from '../machine/ledWorker.ts'
import { recorded } from './leaseLife.ts'
import { asked, endsIn, heard, inOrder, noneAfter, told } from './life.ts'
import type { Piece } from './piece.ts'

const shards = tiledShards(2)
const [first, second] = ['shardId-000000000000', 'shardId-000000000001']

/** A worker that keeps the leases of two shards. */
function keepingTwo(): LedWorker {
  const worker = untilRunning(leasesOf(shards))
  worker.settleCalls()
  return worker
}

/** The listing that is out. */
function listingOf({ outstanding }: LedWorker): EffectOf<'listLeases'> {
  const listing = outstanding.awaited.find(({ type }) => type === 'listLeases')
  if (listing?.type !== 'listLeases') throw new Error('listLeases: expected one to be out')
  return listing
}

function stopDuringTheStart(): string {
  const worker = aLedWorker()
  const life = recorded(worker)
  life.answer('ensureTable', { type: 'tableReady' })
  const { id } = listingOf(worker)
  life.tell({ type: 'stop', force: false })
  life.tell({ ...listed(leasesOf(shards)), id })
  return life.transcript
}

function stopOfTwo(): string {
  const life = recorded(keepingTwo())
  life.tell({ type: 'stop', force: false })
  life.tell({ type: 'leaseGone', leaseKey: first, outcome: 'leaseLost' })
  life.tell({ type: 'leaseGone', leaseKey: second, outcome: 'leaseLost' })
  return life.transcript
}

function stopDuringALook(): string {
  const worker = keepingTwo()
  worker.wait()
  const { id } = listingOf(worker)
  const life = recorded(worker)
  life.tell({ type: 'stop', force: false })
  life.tell({ type: 'leaseGone', leaseKey: first, outcome: 'leaseLost' })
  life.tell({ ...listed(leasesOf(shards)), id })
  life.tell({ type: 'leaseGone', leaseKey: second, outcome: 'leaseLost' })
  return life.transcript
}

function stopOfABlockedConsumer(): string {
  const life = recorded(aKeptLease())
  life.answer('startTimer', { type: 'timerFired', nowMs: 3_000 })
  life.answer('renewLease', { type: 'leaseRenewed', nowMs: 3_000, nextOwner: null })
  life.tell({ type: 'stop', force: false })
  life.tell({ type: 'consumerEnded', outcome: 'stopped', openedAtMs: null })
  life.answer('releaseLease', { type: 'leaseReleased' })
  return life.transcript
}

function stopWithoutAConsumer(): string {
  const life = recorded(aKeptLease())
  life.tell({ type: 'consumerEnded', outcome: 'replay', openedAtMs: null })
  life.tell({ type: 'stop', force: false })
  life.answer('releaseLease', { type: 'leaseReleased' })
  return life.transcript
}

/** One worker looks at the table before and after another has released its lease there. */
async function releaseSeenByAnother(): Promise<string> {
  const [lease] = leasesOf(tiledShards(1))
  if (lease === undefined) throw new Error('leases: expected one')
  const table = createMemoryLeaseTable({ nowMs: () => 0, leases: [lease] })
  const [other, mine] = [table.store(), table.store()]
  const { leaseKey } = lease
  await other.acquireLease({ type: 'acquireLease', id: 0, leaseKey, leaseCounter: 0, leaseOwner: null, workerId: 'other' }, neverAborted)
  const look = async () => {
    const answered = await mine.listLeases({ type: 'listLeases', id: 0 }, neverAborted)
    if (answered.type !== 'leasesListed') throw new Error(`listLeases: expected leasesListed, got ${answered.type}`)
    return answered
  }
  const worker = untilRunning(table.rows())
  worker.wait()
  const life = recorded(worker)
  life.answer('listLeases', await look())
  await other.releaseLease({ type: 'releaseLease', id: 0, leaseKey, token: 1, nextOwner: null }, neverAborted)
  life.answer('startTimer', { type: 'timerFired', nowMs: 0 })
  life.answer('listLeases', await look())
  const acquire = worker.outstanding.awaited.find(({ type }) => type === 'acquireLease')
  if (acquire?.type === 'acquireLease') life.answer('acquireLease', await mine.acquireLease(acquire, neverAborted))
  return life.transcript
}

/** Leases, and the worker that takes and gives up. */
export const coordinatorPieces: readonly Piece[] = [
  {
    name: 'kcl-427-a-shutdown-during-the-start-leaves-the-lease-taker-running',
    sources: [
      'awslabs/amazon-kinesis-client#427',
      'awslabs/amazon-kinesis-client#745',
      'awslabs/amazon-kinesis-client#900',
      'awslabs/amazon-kinesis-client#1385',
    ],
    happened:
      'A scheduler that was shut down before its start was over stopped what had not been started yet: the lease taker started afterwards and went on, or the shutdown failed on null.',
    known: 'issue #427 describes the race; #745, #900 and #1385 report others of the same start, the last of 2.6.0.',
    fact: 'a worker that is stopped during its start is stopped: what its start had asked for is cancelled, and a late answer takes no lease.',
    holds: (life) =>
      endsIn(life, 'stopped') &&
      noneAfter(heard(life, 'stop'), [...asked(life, 'acquireLease'), ...asked(life, 'listLeases'), ...asked(life, 'listShards')]) &&
      asked(life, 'cancel')[0] === heard(life, 'stop')[0] &&
      inOrder(heard(life, 'stop'), heard(life, 'leasesListed')),
    there: told(
      ['tableReady', 'starting', 'listLeases'],
      ['stop force=false', 'stopped', 'cancel'],
      [`leasesListed leases=${first},${second}`, 'stopped', `acquireLease leaseKey=${first}`, `acquireLease leaseKey=${second}`],
    ),
    here: stopDuringTheStart,
  },
  {
    name: 'kcl-542-a-graceful-shutdown-is-over-before-its-processors-are-told',
    sources: ['awslabs/amazon-kinesis-client#542'],
    happened:
      'The map of the consumers was emptied before their processors had been shut down, and the graceful shutdown took that for its end, and for a failure.',
    known: 'issue #542 describes the race and is open; #1302 waits for the final shutdown since 2.6.0.',
    fact: 'a worker is stopped when the last consumer that it asked to stop has ended, and not before.',
    holds: (life) => {
      const ends = heard(life, 'leaseGone')
      const stopped = life.findIndex(({ state }) => state === 'stopped')
      return ends.length === asked(life, 'stopKeeping').length && ends.at(-1) === stopped
    },
    there: told(
      ['stop force=false', 'stopping', `stopKeeping leaseKey=${first}`, `stopKeeping leaseKey=${second}`],
      [`leaseGone leaseKey=${first} outcome=leaseLost`, 'stopped'],
      [`leaseGone leaseKey=${second} outcome=leaseLost`, 'stopped'],
    ),
    here: stopOfTwo,
  },
  {
    name: 'kcl-780-a-lease-that-was-given-up-for-a-shutdown-is-consumed-again',
    sources: ['awslabs/amazon-kinesis-client#780'],
    happened:
      'During a graceful shutdown a consumer that had ended with LEASE_LOST was made anew for the lease that was still assigned, and records went on being delivered.',
    known: 'issue #780 describes it and is open.',
    fact: 'a worker that stops takes no lease and starts no consumer, whatever answer comes late.',
    holds: (life) =>
      endsIn(life, 'stopped') &&
      inOrder(heard(life, 'stop'), heard(life, 'leaseGone')) &&
      noneAfter(heard(life, 'stop'), [...asked(life, 'acquireLease'), ...asked(life, 'keepLease')]),
    there: told(
      ['stop force=false', 'stopping', `stopKeeping leaseKey=${first}`],
      [`leaseGone leaseKey=${first} outcome=leaseLost`, 'stopping', `keepLease leaseKey=${first}`],
      [`leaseGone leaseKey=${first} outcome=leaseLost`, 'stopped'],
    ),
    here: stopDuringALook,
  },
  {
    name: 'kcl-1729-a-lease-is-renewed-for-ever-although-its-consumer-has-ended',
    sources: ['awslabs/amazon-kinesis-client#1729', 'awslabs/amazon-kinesis-client#1743', 'awslabs/amazon-kinesis-client#1718'],
    happened:
      'A consumer that was asked to hand its lease over while it waited for its parents ended without the notification that would have released the lease, which went on being renewed: no worker consumed the shard.',
    known:
      'pull request #1729 describes it and fixed it in 3.4.3; #1743, closed, shows two more ways to it, and #1718 is counted among its kind.',
    fact: 'the lease of a consumer that has ended is released at once, whatever way it ended, and then renewed no more.',
    holds: (life) =>
      endsIn(life, 'gone') &&
      heard(life, 'consumerEnded')[0] === asked(life, 'releaseLease')[0] &&
      noneAfter(heard(life, 'leaseReleased'), asked(life, 'renewLease')),
    there: told(
      ['stop force=false', 'keeping', 'shutDownConsumer reason=REQUESTED'],
      ['consumerEnded outcome=stopped', 'keeping'],
      ['timerFired', 'keeping', 'renewLease'],
      ['leaseRenewed', 'keeping', 'startTimer delay=3000ms'],
    ),
    here: stopOfABlockedConsumer,
  },
  {
    name: 'kcl-129-a-shutdown-fails-on-a-lease-that-has-no-consumer',
    sources: ['awslabs/amazon-kinesis-client#129', 'awslabs/amazon-kinesis-client#139'],
    happened:
      'A shutdown was requested while a lease had no consumer: one that was not there was notified, and the request failed on null.',
    known: 'issue #129 shows the error, pull request #139 handled it, also for a lease that is lost meanwhile.',
    fact: 'a lease that has no consumer when the worker is stopped is released at once.',
    holds: (life) =>
      endsIn(life, 'gone') &&
      heard(life, 'stop')[0] === asked(life, 'releaseLease')[0] &&
      asked(life, 'shutDownConsumer reason=REQUESTED').length === 0,
    there: told(['consumerEnded outcome=replay', 'keeping'], ['stop force=false', 'keeping', 'shutDownConsumer reason=REQUESTED']),
    here: stopWithoutAConsumer,
  },
  {
    name: 'kcl-845-a-lease-that-was-given-up-keeps-its-owner',
    sources: ['awslabs/amazon-kinesis-client#845', 'awslabs/amazon-kinesis-client#1005'],
    happened:
      'A worker that shut down in order left its name in the lease table, and others waited until its leases expired, for up to 40 s.',
    known:
      'issue #845, and pull request #1005, open, which measured it; since 2.6 a lease without an owner is free at once, but a worker still leaves its name.',
    fact: 'a released lease has no owner in the table, and another worker takes it at its next look.',
    holds: (life) => {
      const [look] = heard(life, `leasesListed leases=${first}`)
      return (
        look !== undefined &&
        asked(life, `acquireLease leaseKey=${first}`)[0] === look &&
        inOrder(heard(life, `leasesListed leases=${first}@other`), [look])
      )
    },
    there: told(
      [`leasesListed leases=${first}@other`, 'running', 'startTimer delay=10000ms'],
      ['timerFired', 'running', 'listLeases'],
      [`leasesListed leases=${first}@other`, 'running', 'startTimer delay=10000ms'],
    ),
    here: releaseSeenByAnother,
  },
]
