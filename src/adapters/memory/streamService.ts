import {
  type ChildShard,
  type InitialPosition,
  isSentinel,
  type KinesisRecord,
  type Position,
  parseExtendedSequenceNumber,
  type Shard,
  type ShardId,
} from '@shardwise/effects'
import { childrenOf, describe, indexAt, type ShardState, type StreamState } from './shardState.ts'

/** A place in a shard that records are read from. It expires. */
export interface MemoryIterator {
  readonly shardId: ShardId
  /** The least sequence number that is still to be read. */
  readonly from: bigint
  readonly madeAtMs: number
  readonly generation: number
}

/** What one read of a shard gives. */
export interface MemoryRead {
  readonly type: 'recordsGot'
  readonly records: readonly KinesisRecord[]
  readonly next: MemoryIterator
  readonly millisBehindLatest: number
  readonly atShardEnd: boolean
  readonly childShards: readonly ChildShard[]
}

type Throttled = { readonly type: 'throttled' }
type ShardNotFound = { readonly type: 'shardNotFound' }

/** What Kinesis answers to the readers of a stream in memory: one method per call that a source makes. */
export interface MemoryStreamService {
  /** @throws Error for a time that has not come yet, and for a sequence number that is none. */
  getShardIterator(
    shardId: ShardId,
    position: Position,
  ): { readonly type: 'iteratorGot'; readonly iterator: MemoryIterator } | ShardNotFound | Throttled
  getRecords(iterator: MemoryIterator, limit: number): MemoryRead | { readonly type: 'iteratorExpired' } | ShardNotFound | Throttled
  listShards(
    from: InitialPosition | 'ALL',
  ): { readonly type: 'shardsListed'; readonly shards: readonly Shard[] } | { readonly type: 'streamNotFound' } | Throttled
  /** The children of a shard that is closed or gone. */
  listChildShards(
    shardId: ShardId,
  ):
    | { readonly type: 'childShardsListed'; readonly childShards: readonly ChildShard[] }
    | { readonly type: 'shardStillOpen' | 'streamNotFound' }
    | Throttled
}

/** The reading side of a stream. */
export function streamService(stream: StreamState): MemoryStreamService {
  const { shards, now } = stream

  /** Throttles the calls that were asked to be: those before they look at anything. */
  const isThrottled = (): boolean => {
    if (stream.throttledCalls === 0) return false
    stream.throttledCalls -= 1
    return true
  }
  const iteratorAt = ({ shardId, iteratorGeneration }: ShardState, from: bigint): MemoryIterator => ({
    shardId,
    from,
    madeAtMs: now(),
    generation: iteratorGeneration,
  })

  return {
    getShardIterator(shardId, position) {
      if (isThrottled()) return { type: 'throttled' }
      const shard = shards.get(shardId)
      if (shard === undefined) return { type: 'shardNotFound' }
      return { type: 'iteratorGot', iterator: iteratorAt(shard, startOf(position, shard, stream)) }
    },

    getRecords(iterator, limit) {
      if (isThrottled()) return { type: 'throttled' }
      const shard = shards.get(iterator.shardId)
      if (shard === undefined) return { type: 'shardNotFound' }
      const expired = iterator.generation !== shard.iteratorGeneration || now() - iterator.madeAtMs > stream.iteratorLifeMs
      if (expired) return { type: 'iteratorExpired' }
      const first = indexAt(shard.records, iterator.from)
      const got = shard.records.slice(first, first + Math.min(limit, stream.maxRecordsPerRead))
      const unread = shard.records[first + got.length]
      const atShardEnd = shard.closedAtMs !== null && unread === undefined
      return {
        type: 'recordsGot',
        records: got.map(({ record }) => record),
        next: iteratorAt(shard, (got.at(-1)?.sequence ?? iterator.from - 1n) + 1n),
        // 0 says that nothing is left to read, so a record of this very millisecond counts as 1.
        millisBehindLatest: unread === undefined ? 0 : Math.max(1, now() - unread.arrivedAtMs),
        atShardEnd,
        childShards: atShardEnd ? childrenOf(stream, shard.shardId) : [],
      }
    },

    listShards(from) {
      if (isThrottled()) return { type: 'throttled' }
      if (stream.deleted) return { type: 'streamNotFound' }
      return { type: 'shardsListed', shards: shardsFrom(from, [...shards.values()]).map(describe) }
    },

    listChildShards(shardId) {
      if (isThrottled()) return { type: 'throttled' }
      if (stream.deleted) return { type: 'streamNotFound' }
      if (shards.get(shardId)?.closedAtMs === null) return { type: 'shardStillOpen' }
      return { type: 'childShardsListed', childShards: childrenOf(stream, shardId) }
    },
  }
}

function startOf(position: Position, shard: ShardState, stream: StreamState): bigint {
  switch (position.type) {
    case 'TRIM_HORIZON':
      return shard.startingSequence
    case 'LATEST':
      return stream.nextSequence
    case 'AT_SEQUENCE_NUMBER':
      return sequenceOf(position.sequenceNumber)
    case 'AFTER_SEQUENCE_NUMBER':
      return sequenceOf(position.sequenceNumber) + 1n
    case 'AT_TIMESTAMP': {
      const { timestampMs } = position
      const nowMs = stream.now()
      if (!(timestampMs <= nowMs)) throw new Error(`timestampMs: expected a time until now, ${nowMs}, got ${timestampMs}`)
      return shard.records.find(({ arrivedAtMs }) => arrivedAtMs >= timestampMs)?.sequence ?? stream.nextSequence
    }
  }
}

function sequenceOf(sequenceNumber: string): bigint {
  if (isSentinel(sequenceNumber)) throw new Error(`sequenceNumber: expected decimal digits, got ${JSON.stringify(sequenceNumber)}`)
  return BigInt(parseExtendedSequenceNumber(sequenceNumber).sequenceNumber)
}

/**
 * The shards to start with so that every record from the position on is read once: of those that may hold such records the oldest, for their children follow from
 * them. A shard that was closed in the very millisecond counts as holding some.
 */
function shardsFrom(from: InitialPosition | 'ALL', shards: readonly ShardState[]): readonly ShardState[] {
  if (from === 'ALL') return shards
  const sinceMs = from.type === 'AT_TIMESTAMP' ? from.timestampMs : from.type === 'LATEST' ? Infinity : -Infinity
  const holding = shards.filter(({ closedAtMs }) => closedAtMs === null || closedAtMs >= sinceMs)
  const ids = new Set(holding.map(({ shardId }) => shardId))
  return holding.filter(({ parentShardIds }) => !parentShardIds.some((shardId) => ids.has(shardId)))
}
