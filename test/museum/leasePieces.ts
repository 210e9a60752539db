import type { AnswerBody, AnsweredEffectType, ExtendedSequenceNumber } from '@shardwise/effects'
import { createMemoryLeaseTable, type MemoryLeaseTable } from '@shardwise/memory'
import { startDynalite } from '../../servers/dynalite.ts'
import { startDynamoDbProxy } from '../adapters/dynamodbProxy.ts'
import { clientOf, workerAt } from '../adapters/dynamodbTable.ts'
import { neverAborted } from '../adapters/handlerContext.ts'
import { aLease, at } from '../machine/shardGraphs.ts'
import { aBatch, answer, aShard, checkpoint, closed, type Move, mergedChild, record, untilReading } from '../scenarios/story.ts'
import { asked, endsIn, heard, inOrder, told } from './life.ts'
import { consumer, type Piece } from './piece.ts'

const [first, second] = ['shardId-000000000000', 'shardId-000000000001']

type Store = ReturnType<MemoryLeaseTable['store']>

/** The calls of one worker on a table in memory. */
function workerOf(store: Store, workerId: string) {
  return {
    take: async (leaseKey: string, leaseCounter: number, leaseOwner: string | null = null) =>
      store.acquireLease({ type: 'acquireLease', id: 0, leaseKey, leaseCounter, leaseOwner, workerId }, neverAborted),
    write: async (leaseKey: string, token: number, value: ExtendedSequenceNumber) =>
      store.writeCheckpoint({ type: 'writeCheckpoint', id: 0, shardId: leaseKey, leaseKey, token, checkpoint: value }, neverAborted),
    createChildren: async (leaseKey: string, token: number, childShards: typeof mergedChild) =>
      store.createChildLeases({ type: 'createChildLeases', id: 0, shardId: leaseKey, leaseKey, token, childShards }, neverAborted),
    checkParents: async (shardId: string, parentShardIds: readonly string[]) =>
      store.checkParentShards({ type: 'checkParentShards', id: 0, shardId, parentShardIds }, neverAborted),
  }
}

/** The answer that an adapter gave. */
const answered = <K extends AnsweredEffectType>(effect: K, body: AnswerBody<K>): Move => ({ move: 'answer', effect, answer: body })

/** Two parents, of which one has ended, and their merged child, whose consumer asks the table before it begins. */
async function mergedChildHere(): Promise<string> {
  const table = createMemoryLeaseTable({ leases: [aLease({ leaseKey: first }), aLease({ leaseKey: second })] })
  const worker = workerOf(table.store(), 'me')
  await worker.take(first, 0)
  await worker.take(second, 0)
  await worker.createChildren(first, 1, mergedChild)
  await worker.write(first, 1, at('SHARD_END'))
  const { leaseKey = '', parentShardIds = [] } = table.rows().find(({ leaseKey: key }) => key === mergedChild[0].shardId) ?? {}
  const early = answered('checkParentShards', await worker.checkParents(leaseKey, parentShardIds))
  await worker.write(second, 1, at('SHARD_END'))
  const late = answered('checkParentShards', await worker.checkParents(leaseKey, parentShardIds))
  return consumer({ shardId: leaseKey, token: 1, parentShardIds }, [early, answer('startTimer', 'timerFired', { nowMs: 10_000 }), late])()
}

/** A consumer whose lease another worker takes before it checkpoints. */
async function fencedHere(): Promise<string> {
  const table = createMemoryLeaseTable({ leases: [aLease({ leaseKey: first })] })
  const [mine, others] = [workerOf(table.store(), 'me'), workerOf(table.store(), 'other')]
  await mine.take(first, 0)
  await others.take(first, 1, 'me')
  return consumer({ ...aShard, token: 1 }, [
    ...untilReading(),
    answer('readRecords', 'recordsRead', aBatch({ records: [1, 3] })),
    checkpoint('r1'),
    answered('writeCheckpoint', await mine.write(first, 1, record(3))),
    answer('processRecords', 'recordsProcessed'),
    answer('notifyLeaseLost', 'leaseLostNotified'),
    closed,
  ])()
}

/** A consumer whose checkpoint DynamoDB stores, while the answer is lost and the client sends the request again. */
async function lostAnswerHere(): Promise<string> {
  const server = await startDynalite()
  const proxy = await startDynamoDbProxy(server)
  const client = clientOf(proxy.endpoint, { maxAttempts: 3 })
  try {
    const worker = workerAt({ client, tableName: 'orders' })
    while ((await worker.ensureTable()).type !== 'tableReady');
    await worker.create(first)
    const token = await worker.hold(first)
    proxy.spoil('UpdateItem', { kind: 'loseAnswer' })
    const stored = await worker.checkpoint(first, token, record(3))
    const renewed = await worker.renew(first, token)
    if (renewed.type !== 'leaseRenewed') throw new Error(`renewLease: expected leaseRenewed, got ${renewed.type}`)
    return consumer({ ...aShard, token }, [
      ...untilReading(),
      answer('readRecords', 'recordsRead', aBatch({ records: [1, 3] })),
      checkpoint('r1'),
      answered('writeCheckpoint', stored),
      answer('processRecords', 'recordsProcessed'),
    ])()
  } finally {
    client.destroy()
    await proxy.stop()
    await server.stop()
  }
}

/** What a lease table answers to a shard consumer. */
export const leasePieces: readonly Piece[] = [
  {
    name: 'lifion-a-merged-child-waits-for-one-of-its-parents',
    sources: ['lifion/lifion-kinesis', 'vmware/vmware-go-kcl-v2'],
    happened: 'The child of a merge was begun when one of its two parents was done: records of the other came after those of the child.',
    known:
      'lib/stream.js, as of commit 03247fe, reads ParentShardId of a shard and never AdjacentParentShardId; vmware-go-kcl-v2 keeps one parent, too.',
    fact: 'the lease of a merged child names both parents, and its consumer begins when both are at SHARD_END.',
    holds: (life) =>
      inOrder(
        asked(life, `checkParentShards parents=${first},${second}`),
        heard(life, `parentShardsPending pendingShardId=${second}`),
        heard(life, 'parentShardsCompleted'),
      ) && heard(life, 'parentShardsCompleted')[0] === asked(life, 'readCheckpoint')[0],
    there: told(
      [`start shardId-000000000002 parents=${first}`, 'WAITING_ON_PARENT_SHARDS', `checkParentShards parents=${first}`],
      ['parentShardsCompleted', 'INITIALIZING', 'readCheckpoint'],
    ),
    here: mergedChildHere,
  },
  {
    name: 'vmware-go-kcl-v2-a-worker-overwrites-the-checkpoint-of-the-next-owner',
    sources: ['vmware/vmware-go-kcl-v2'],
    happened:
      'A checkpoint was written without a condition: a worker that had lost its lease overwrote the checkpoint, and the owner, of the next one.',
    known:
      'clientlibrary/checkpoint/dynamodb-checkpointer.go, as of commit 0066d09, saves the checkpoint with the owner that the worker remembers, and without a condition.',
    fact: 'a checkpoint is stored only under the token of the lease as it was acquired; a refused one means that the lease is lost.',
    holds: (life) =>
      endsIn(life, 'SHUTDOWN_COMPLETE outcome=leaseLost') &&
      asked(life, 'settleCheckpoint request=r1 error=ShutdownException').length === 1 &&
      heard(life, 'checkpointWritten').length === 0,
    there: told(
      ['checkpointRequested request=r1', 'PROCESSING', 'writeCheckpoint at=4959…003'],
      ['checkpointWritten', 'PROCESSING', 'settleCheckpoint request=r1'],
      ['shutdown reason=LEASE_LOST', 'SHUTDOWN_COMPLETE outcome=leaseLost'],
    ),
    here: fencedHere,
  },
  {
    name: 'kcl-537-a-checkpoint-that-was-stored-counts-as-a-lost-lease',
    sources: ['awslabs/amazon-kinesis-client#537', 'awslabs/amazon-kinesis-client#777', 'awslabs/amazon-kinesis-client#2'],
    happened:
      'DynamoDB stored a write whose answer was lost; the request was sent again, its condition failed on the write itself, and the worker gave up a lease that it held.',
    known: 'issues #2 and #537 show it; renewals were mended in 1.8.8 (#247), and pull request #777, open, would mend checkpoints.',
    fact: 'a failed condition is read again before it is answered: what this worker itself has stored counts as stored, and the lease is kept.',
    holds: (life) =>
      endsIn(life, 'PROCESSING.idling') &&
      heard(life, 'checkpointWritten').length === 1 &&
      asked(life, 'settleCheckpoint request=r1').length === 1 &&
      asked(life, 'signalLeaseLost').length === 0,
    there: told(
      ['checkpointRequested request=r1', 'PROCESSING', 'writeCheckpoint at=4959…003'],
      ['checkpointRefused', 'PROCESSING reason=LEASE_LOST', 'settleCheckpoint request=r1 error=ShutdownException', 'signalLeaseLost'],
      ['recordsProcessed', 'SHUTTING_DOWN', 'notifyLeaseLost'],
    ),
    here: lostAnswerHere,
  },
  {
    name: 'zio-kinesis-845-a-shard-that-ends-without-a-further-record-cannot-be-checkpointed',
    sources: ['svroonland/zio-kinesis#845', 'svroonland/zio-kinesis#902'],
    happened: 'A shard whose last record was checkpointed before, and that ended without another one, could not store its end.',
    known: 'pull request #902 describes it and fixed it.',
    fact: 'a shard that ends with nothing delivered stores SHARD_END all the same.',
    holds: (life) =>
      asked(life, 'processRecords').length === 0 &&
      inOrder(
        asked(life, 'openShard from=AT_SEQUENCE_NUMBER/4959…003'),
        asked(life, 'writeCheckpoint at=SHARD_END'),
        heard(life, 'shardClosed'),
      ) &&
      endsIn(life, 'outcome=finished'),
    there: told(
      ['checkpointRead at=4959…003', 'INITIALIZING', 'openShard from=AT_SEQUENCE_NUMBER/4959…003'],
      ['recordsRead count=0 atShardEnd', 'SHUTTING_DOWN reason=SHARD_END', 'notifyShardEnded'],
      ['checkpointRequested request=r1', 'SHUTTING_DOWN', 'settleCheckpoint request=r1'],
    ),
    here: consumer(aShard, [
      ...untilReading(record(3)),
      answer('readRecords', 'recordsRead', aBatch({ atShardEnd: true, childShards: mergedChild })),
      answer('createChildLeases', 'childLeasesCreated'),
      checkpoint('r1'),
      answer('writeCheckpoint', 'checkpointWritten'),
      answer('notifyShardEnded', 'shardEndedNotified'),
      closed,
    ]),
  },
]
