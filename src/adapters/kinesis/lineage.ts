import type { ChildShard, InitialPosition, Shard, ShardId } from '@shardwise/effects'

/**
 * The shards to start from at a position, out of a listing whose filter the server may have ignored.
 *
 * - ALL: every shard.
 * - LATEST: the open shards.
 * - TRIM_HORIZON: the oldest shards, those none of whose parents is listed.
 * - AT_TIMESTAMP: the same, since a listing does not say when a shard was open. Where the server honoured the filter this leaves out only a child that opened
 *   in the very moment its parent closed. Where it ignored the filter, reading starts at the oldest shards: the children follow at their parents' ends, and may deliver
 *   records from before the timestamp, but none from after it is missed.
 */
export function startingShards(shards: readonly Shard[], from: InitialPosition | 'ALL'): readonly Shard[] {
  if (from === 'ALL') return shards
  if (from.type === 'LATEST') return shards.filter((shard) => !shard.closed)
  const listed = new Set(shards.map((shard) => shard.shardId))
  return shards.filter((shard) => !shard.parentShardIds.some((parent) => listed.has(parent)))
}

/** The children of a shard, out of a listing of all shards. */
export function childrenOf(shardId: ShardId, shards: readonly Shard[]): ChildShard[] {
  return shards
    .filter((shard) => shard.parentShardIds.includes(shardId))
    .map(({ shardId: childId, parentShardIds, hashKeyRange }) => ({ shardId: childId, parentShardIds, hashKeyRange }))
}
