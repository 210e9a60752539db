import type { ShardConsumerInput } from '@shardwise/machine'
import {
  aBatch,
  answer,
  checkpoint,
  error,
  type Move,
  pause,
  record,
  shutdown,
  splitChildren,
  untilReading,
  untilShardEnded,
} from '../scenarios/story.ts'

/** A place in the life of a shard consumer, and how one comes there. */
interface Arrival {
  /** Reads on from "a shard consumer". */
  readonly where: string
  readonly moves: readonly Move[]
  readonly input?: Partial<ShardConsumerInput>
}

const batch = answer('readRecords', 'recordsRead', aBatch({ records: [1, 3], millisBehindLatest: 5_000 }))
const lastBatch = answer('readRecords', 'recordsRead', aBatch({ records: [1, 3], atShardEnd: true }))
const failed = error('TimeoutError')

/** One way to every sub-state, and to both kinds of a checkpoint that is out. */
export const arrivals: readonly Arrival[] = [
  { where: 'that looks at its parents', moves: [] },
  {
    where: 'that is blocked on a parent',
    moves: [answer('checkParentShards', 'parentShardsPending', { pendingShardId: 'shardId-000000000009' })],
  },
  { where: 'that reads its checkpoint', moves: untilReading().slice(0, 1) },
  { where: 'that opens its shard', moves: untilReading().slice(0, 2) },
  { where: 'that initialises its processor', moves: untilReading().slice(0, 3) },
  { where: 'that backs off from its initialisation', moves: [...untilReading().slice(0, 1), answer('readCheckpoint', 'throttled')] },
  { where: 'that reads', moves: untilReading() },
  { where: 'that processes a batch', moves: [...untilReading(), batch] },
  { where: 'that holds a batch', moves: [...untilReading(), pause, batch] },
  { where: 'that idles', moves: [...untilReading(), answer('readRecords', 'recordsRead', aBatch({}))] },
  { where: 'that opens its shard again', moves: [...untilReading(), answer('readRecords', 'iteratorExpired')] },
  { where: 'that backs off from a read', moves: [...untilReading(), answer('readRecords', 'throttled')] },
  { where: 'that backs off from a batch', moves: [...untilReading(), batch, answer('processRecords', 'recordsFailed', failed)] },
  {
    where: 'that backs off from opening its shard again',
    moves: [...untilReading(), answer('readRecords', 'iteratorExpired'), answer('openShard', 'throttled')],
  },
  { where: 'that tells its processor of a requested shutdown', moves: [...untilReading(), shutdown('REQUESTED')] },
  {
    where: 'that waits to be released',
    moves: [...untilReading(), shutdown('REQUESTED'), answer('notifyShutdownRequested', 'shutdownRequestedNotified')],
  },
  { where: 'that lists the children of its shard', moves: [...untilReading(), lastBatch, answer('processRecords', 'recordsProcessed')] },
  { where: 'that creates the leases of the children', moves: untilShardEnded.slice(0, -1) },
  { where: 'that tells its processor of the end of the shard', moves: untilShardEnded },
  {
    where: 'that waits for the checkpoint of shardEnded',
    moves: [...untilShardEnded, checkpoint('r1'), answer('notifyShardEnded', 'shardEndedNotified')],
  },
  { where: 'that tells its processor of a lost lease', moves: [...untilReading(), shutdown('LEASE_LOST')] },
  { where: 'that closes its shard', moves: [...untilReading(), shutdown('LEASE_LOST'), answer('notifyLeaseLost', 'leaseLostNotified')] },
  {
    where: 'that has closed its shard, and waits for a checkpoint that is being written',
    moves: [
      ...untilReading(),
      batch,
      checkpoint('r1', record(2)),
      shutdown('LEASE_LOST'),
      answer('processRecords', 'recordsProcessed'),
      answer('notifyLeaseLost', 'leaseLostNotified'),
      answer('closeShard', 'shardClosed'),
    ],
  },
  {
    where: 'that backs off from listing the children',
    moves: [...untilReading(), lastBatch, answer('processRecords', 'recordsProcessed'), answer('listChildShards', 'throttled')],
  },
  {
    where: 'that backs off from creating the leases of the children',
    moves: [...untilShardEnded.slice(0, -1), answer('createChildLeases', 'siblingLeaseMissing')],
  },
  { where: 'that backs off from shardEnded', moves: [...untilShardEnded, answer('notifyShardEnded', 'shardEndedNotified')] },
  {
    where: 'that backs off from leaseLost',
    moves: [...untilReading(), shutdown('LEASE_LOST'), answer('notifyLeaseLost', 'effectFailed', failed)],
  },
  {
    where: 'that backs off from closing its shard',
    moves: [
      ...untilReading(),
      shutdown('LEASE_LOST'),
      answer('notifyLeaseLost', 'leaseLostNotified'),
      answer('closeShard', 'effectFailed', failed),
    ],
  },
  { where: 'that writes a checkpoint beside a batch', moves: [...untilReading(), batch, checkpoint('r1', record(2))] },
  {
    where: 'whose checkpoint waits to be written again',
    moves: [...untilReading(), batch, checkpoint('r1', record(2)), answer('writeCheckpoint', 'throttled')],
  },
  {
    where: 'that has ended',
    moves: [shutdown('LEASE_LOST'), answer('checkParentShards', 'parentShardsCompleted')],
  },
  {
    where: 'that reports the end of its shard, whose children are known',
    moves: [...untilReading(), answer('readRecords', 'recordsRead', aBatch({ atShardEnd: true, childShards: splitChildren }))],
  },
]
