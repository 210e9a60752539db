import type { ChildShard, KinesisRecord, Shard, ShardId } from '@shardwise/effects'
import { type HashKeys, hashKeyRange } from './hashKeys.ts'

/** A record and its sequence number as a number. */
export interface PlacedRecord {
  readonly sequence: bigint
  readonly arrivedAtMs: number
  readonly record: KinesisRecord
}

/** A shard of a stream in memory: its facts, and the records that are kept, oldest first. */
export interface ShardState {
  readonly shardId: ShardId
  readonly parentShardIds: readonly ShardId[]
  readonly hashKeys: HashKeys
  readonly startingSequence: bigint
  /** null while the shard takes records. Epoch milliseconds. */
  closedAtMs: number | null
  records: PlacedRecord[]
  /** Iterators of an older generation have expired. */
  iteratorGeneration: number
}

/** A stream in memory, as its writing and its reading side share it. */
export interface StreamState {
  /** In the order of their creation. A shard that is gone is not here. */
  readonly shards: Map<ShardId, ShardState>
  readonly now: () => number
  readonly iteratorLifeMs: number
  readonly maxRecordsPerRead: number
  /** Greater than every sequence number in use. */
  nextSequence: bigint
  /** How many of the next calls are throttled. */
  throttledCalls: number
  deleted: boolean
}

/** The shard as a listing describes it. */
export function describe({ shardId, parentShardIds, hashKeys, startingSequence, closedAtMs }: ShardState): Shard {
  return {
    shardId,
    parentShardIds,
    hashKeyRange: hashKeyRange(hashKeys),
    startingSequenceNumber: String(startingSequence),
    closed: closedAtMs !== null,
  }
}

/** The children of a shard, which may itself be gone. */
export function childrenOf({ shards }: StreamState, shardId: ShardId): readonly ChildShard[] {
  return [...shards.values()]
    .filter(({ parentShardIds }) => parentShardIds.includes(shardId))
    .map((child) => ({ shardId: child.shardId, parentShardIds: child.parentShardIds, hashKeyRange: hashKeyRange(child.hashKeys) }))
}

/** The index of the first record at or above a sequence number; the number of records when there is none. */
export function indexAt(records: readonly PlacedRecord[], sequence: bigint): number {
  let low = 0
  let high = records.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const placed = records[middle]
    if (placed !== undefined && placed.sequence < sequence) low = middle + 1
    else high = middle
  }
  return low
}
