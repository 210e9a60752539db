import type { ChildShard as KinesisChildShard, HashKeyRange as KinesisHashKeyRange, Shard as KinesisShard } from '@aws-sdk/client-kinesis'
import type { ChildShard, HashKeyRange, Shard } from '@shardwise/effects'
import { invalidAnswer } from './invalidAnswer.ts'

/** A shard as ListShards describes it. An ending sequence number says that it is closed, by being there: some servers give a value that means nothing. */
export function shardOf(call: string, shard: KinesisShard): Shard {
  const { ShardId: shardId, HashKeyRange: range, SequenceNumberRange: numbers } = shard
  if (typeof shardId !== 'string' || typeof numbers?.StartingSequenceNumber !== 'string') {
    throw invalidAnswer(call, `a shard without id or starting sequence number: ${JSON.stringify(shard)}`)
  }
  return {
    shardId,
    parentShardIds: [shard.ParentShardId, shard.AdjacentParentShardId].filter((parent) => typeof parent === 'string'),
    hashKeyRange: hashKeyRangeOf(call, shardId, range),
    startingSequenceNumber: numbers.StartingSequenceNumber,
    closed: numbers.EndingSequenceNumber !== undefined,
  }
}

/** A child as the end of its parent names it. A child without parents makes the answer invalid. Source: KCL `DataRetrievalUtil`. */
export function childShardOf(call: string, child: KinesisChildShard): ChildShard {
  const { ShardId: shardId, ParentShards: parents, HashKeyRange: range } = child
  if (typeof shardId !== 'string' || !Array.isArray(parents) || parents.length === 0) {
    throw invalidAnswer(call, `a child shard without id or parents: ${JSON.stringify(child)}`)
  }
  return { shardId, parentShardIds: [...parents], hashKeyRange: hashKeyRangeOf(call, shardId, range) }
}

function hashKeyRangeOf(call: string, shardId: string, range: KinesisHashKeyRange | undefined): HashKeyRange {
  if (typeof range?.StartingHashKey !== 'string' || typeof range.EndingHashKey !== 'string') {
    throw invalidAnswer(call, `shard ${shardId} without a hash key range`)
  }
  return { startingHashKey: range.StartingHashKey, endingHashKey: range.EndingHashKey }
}
