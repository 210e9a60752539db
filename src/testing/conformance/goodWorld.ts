import type { AnswerBody, AnsweredEffectType, BatchHandle, EffectOf, ExtendedSequenceNumber } from '@shardwise/effects'
import type { ShardConsumerInput, ShardEffect } from '@shardwise/machine'

/** What the shard consumers of the suite are started with. */
export const input: ShardConsumerInput = { shardId: 'shardId-000000000000', token: 7 }

/** A record processor asks for a checkpoint of everything that it was given. */
export const request = (name: string) => ({ type: 'checkpointRequested', request: name, position: null }) as const
/** The owner asks for a stop in order. */
export const stop = { type: 'shutdown', reason: 'REQUESTED' } as const
/** Another worker has the lease. */
export const leaseLost = { type: 'shutdown', reason: 'LEASE_LOST' } as const

const recordAt = (sequence: number): ExtendedSequenceNumber => ({ sequenceNumber: String(1000 + sequence), subSequenceNumber: 0 })

/** A batch of records from one sequence number to another. */
export function aBatch(from: number, to: number, { atShardEnd = false } = {}): BatchHandle {
  const child = {
    shardId: 'shardId-000000000001',
    parentShardIds: [input.shardId],
    hashKeyRange: { startingHashKey: '0', endingHashKey: '9' },
  }
  return {
    batchId: `b${from}`,
    count: to - from + 1,
    first: recordAt(from),
    last: recordAt(to),
    bytes: 10,
    millisBehindLatest: 0,
    atShardEnd,
    childShards: atShardEnd ? [child] : [],
  }
}

/** The effects of a shard consumer that are answered. */
export type AwaitedEffect = EffectOf<Extract<ShardEffect['type'], AnsweredEffectType>>

/** The answer of a world in which all goes well: two batches, then the end of the shard, with one child. */
export function goodAnswer(effect: AwaitedEffect): AnswerBody<AwaitedEffect['type']> {
  switch (effect.type) {
    case 'checkParentShards':
      return { type: 'parentShardsCompleted' }
    case 'readCheckpoint':
      return { type: 'checkpointRead', checkpoint: { sequenceNumber: 'TRIM_HORIZON', subSequenceNumber: 0 }, pendingCheckpoint: null }
    case 'writeCheckpoint':
      return { type: 'checkpointWritten' }
    case 'createChildLeases':
      return { type: 'childLeasesCreated' }
    case 'openShard':
      return { type: 'shardOpened', openedAtMs: 1_700_000_000_000 }
    case 'readRecords':
      return { type: 'recordsRead', batch: effect.after === null ? aBatch(0, 9) : aBatch(10, 19, { atShardEnd: true }) }
    case 'splitBatch':
      return { type: 'batchSplit', batch: aBatch(0, effect.count - 1) }
    case 'deliverDeadLetter':
      return { type: 'deadLetterDelivered' }
    case 'listChildShards':
      return { type: 'childShardsListed', childShards: aBatch(10, 19, { atShardEnd: true }).childShards }
    case 'closeShard':
      return { type: 'shardClosed' }
    case 'initialize':
      return { type: 'initialized' }
    case 'processRecords':
      return { type: 'recordsProcessed' }
    case 'notifyShutdownRequested':
      return { type: 'shutdownRequestedNotified' }
    case 'notifyLeaseLost':
      return { type: 'leaseLostNotified' }
    case 'notifyShardEnded':
      return { type: 'shardEndedNotified' }
    case 'startTimer':
      return { type: 'timerFired', nowMs: 0 }
  }
}

/** The request for a checkpoint that a record processor makes while this callback runs; null when it makes none. */
export function requestDuring(effect: ShardEffect): string | null {
  return effect.type === 'processRecords' || effect.type === 'notifyShardEnded' ? `during ${effect.type} #${effect.id}` : null
}
