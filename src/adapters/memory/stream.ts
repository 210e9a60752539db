import { type KinesisRecord, parseExtendedSequenceNumber, type Shard, type ShardId } from '@shardwise/effects'
import { evenRanges, type HashKeys, hashKeyOf, parseHashKey } from './hashKeys.ts'
import { expectFunction, expectKnownOptions, expectWholeNumber } from './options.ts'
import { describe, indexAt, type ShardState, type StreamState } from './shardState.ts'
import { type MemoryStreamService, streamService } from './streamService.ts'

/** A record to put. `explicitHashKey` is a decimal string from 0 to 2^128 - 1 and decides the shard instead of the partition key. */
export interface NewRecord {
  readonly partitionKey: string
  readonly data: Uint8Array
  readonly explicitHashKey?: string
}

/** A Kinesis stream in memory. Every method throws after `delete`, but for `listShards`, which is then empty. */
export interface MemoryStream {
  /** Appends a record to the open shard of its hash key. Sequence numbers have 56 digits and rise over the whole stream. */
  put(record: NewRecord): { readonly shardId: ShardId; readonly sequenceNumber: string }
  /** Closes an open shard and opens two in its place; `atHashKey`, the middle unless given, is where the second starts. */
  split(shardId: ShardId, atHashKey?: string): readonly [ShardId, ShardId]
  /** Closes two open shards whose hash keys touch, and opens one in their place. */
  merge(shardId: ShardId, adjacentShardId: ShardId): ShardId
  /** Forgets the records below a sequence number, or all of them. A closed shard of which nothing is left is gone, as after the retention period. */
  trim(shardId: ShardId, beforeSequenceNumber?: string): void
  /** Makes the iterators of one shard, or of all, expire now. */
  expireIterators(shardId?: ShardId): void
  /** Throttles the next `count` calls of sources. */
  throttle(count: number): void
  /** Deletes the stream: sources are told that there is no such stream or shard. */
  delete(): void
  /** Every shard, in the order of creation. */
  listShards(): readonly Shard[]
  /** The calls of Kinesis that a source makes. */
  readonly service: MemoryStreamService
}

// As long as those of Kinesis, and far beyond what a float can tell apart.
const firstSequence = 495n * 10n ** 53n

/**
 * Makes a stream whose shards share the hash keys 0 to 2^128 - 1 evenly.
 * `now` is epoch milliseconds, `Date.now` unless given. `iteratorLifeMs` is 300 000 and `maxRecordsPerRead` 10 000 unless given, as with Kinesis; `shardCount` is 1.
 * @throws Error for an unknown option or one out of range.
 */
export function createMemoryStream(
  options: {
    readonly shardCount?: number
    readonly now?: () => number
    readonly iteratorLifeMs?: number
    readonly maxRecordsPerRead?: number
  } = {},
): MemoryStream {
  expectKnownOptions('createMemoryStream', options, ['shardCount', 'now', 'iteratorLifeMs', 'maxRecordsPerRead'])
  const { shardCount = 1, now = Date.now, iteratorLifeMs = 300_000, maxRecordsPerRead = 10_000 } = options
  expectWholeNumber('shardCount', shardCount, 1, 10_000)
  expectFunction('now', now)
  expectWholeNumber('iteratorLifeMs', iteratorLifeMs, 0, Number.MAX_SAFE_INTEGER)
  expectWholeNumber('maxRecordsPerRead', maxRecordsPerRead, 1, Number.MAX_SAFE_INTEGER)

  const stream: StreamState = {
    shards: new Map(),
    now,
    iteratorLifeMs,
    maxRecordsPerRead,
    nextSequence: firstSequence,
    throttledCalls: 0,
    deleted: false,
  }
  const { shards } = stream
  let shardsMade = 0

  const takeSequence = (): bigint => {
    const sequence = stream.nextSequence
    stream.nextSequence += 1n
    return sequence
  }
  const openShard = (hashKeys: HashKeys, parentShardIds: readonly ShardId[]): ShardId => {
    const shardId = `shardId-${String(shardsMade).padStart(12, '0')}`
    shardsMade += 1
    shards.set(shardId, {
      shardId,
      parentShardIds,
      hashKeys,
      startingSequence: takeSequence(),
      closedAtMs: null,
      records: [],
      iteratorGeneration: 0,
    })
    return shardId
  }
  const shardOf = (shardId: ShardId): ShardState => {
    const shard = shards.get(shardId)
    if (shard === undefined) throw new Error(`shardId: expected a shard of the stream, got ${JSON.stringify(shardId)}`)
    return shard
  }
  const openShardOf = (shardId: ShardId): ShardState => {
    const shard = shardOf(shardId)
    if (shard.closedAtMs !== null) throw new Error(`shardId: expected an open shard, got ${shardId}, which is closed`)
    return shard
  }
  for (const range of evenRanges(shardCount)) openShard(range, [])

  return {
    put({ partitionKey, data, explicitHashKey }) {
      if (typeof partitionKey !== 'string' || partitionKey === '') {
        throw new Error(`partitionKey: expected a text that is not empty, got ${JSON.stringify(partitionKey)}`)
      }
      if (!(data instanceof Uint8Array)) throw new Error(`data: expected a Uint8Array, got ${typeof data}`)
      const hashKey = explicitHashKey === undefined ? hashKeyOf(partitionKey) : parseHashKey('explicitHashKey', explicitHashKey)
      const shard = [...shards.values()].find(
        ({ closedAtMs, hashKeys }) => closedAtMs === null && hashKeys.start <= hashKey && hashKey <= hashKeys.end,
      )
      if (shard === undefined) throw new Error('stream: it was deleted')
      const arrivedAtMs = now()
      const sequence = takeSequence()
      const record: KinesisRecord = {
        sequenceNumber: String(sequence),
        subSequenceNumber: 0,
        partitionKey,
        data: data.slice(),
        approximateArrivalTimestamp: new Date(arrivedAtMs),
      }
      shard.records.push({ sequence, arrivedAtMs, record })
      return { shardId: shard.shardId, sequenceNumber: record.sequenceNumber }
    },

    split(shardId, atHashKey) {
      const shard = openShardOf(shardId)
      const { start, end } = shard.hashKeys
      const middle = atHashKey === undefined ? start + (end - start + 1n) / 2n : parseHashKey('atHashKey', atHashKey)
      if (middle <= start || middle > end) throw new Error(`atHashKey: expected a hash key above ${start} and up to ${end}, got ${middle}`)
      shard.closedAtMs = now()
      return [openShard({ start, end: middle - 1n }, [shardId]), openShard({ start: middle, end }, [shardId])]
    },

    merge(shardId, adjacentShardId) {
      const pair = [openShardOf(shardId), openShardOf(adjacentShardId)] as const
      const [low, high] = pair[0].hashKeys.start < pair[1].hashKeys.start ? pair : [pair[1], pair[0]]
      if (low.hashKeys.end + 1n !== high.hashKeys.start) {
        throw new Error(`adjacentShardId: expected a shard whose hash keys touch those of ${shardId}, got ${adjacentShardId}`)
      }
      for (const shard of pair) shard.closedAtMs = now()
      return openShard({ start: low.hashKeys.start, end: high.hashKeys.end }, [shardId, adjacentShardId])
    },

    trim(shardId, beforeSequenceNumber) {
      const shard = shardOf(shardId)
      const before =
        beforeSequenceNumber === undefined ? stream.nextSequence : BigInt(parseExtendedSequenceNumber(beforeSequenceNumber).sequenceNumber)
      shard.records = shard.records.slice(indexAt(shard.records, before))
      if (shard.closedAtMs !== null && shard.records.length === 0) shards.delete(shardId)
    },

    expireIterators(shardId) {
      for (const shard of shardId === undefined ? shards.values() : [shardOf(shardId)]) shard.iteratorGeneration += 1
    },

    throttle(count) {
      expectWholeNumber('count', count, 0, Number.MAX_SAFE_INTEGER)
      stream.throttledCalls = count
    },

    delete() {
      shards.clear()
      stream.deleted = true
    },

    listShards: () => [...shards.values()].map(describe),

    service: streamService(stream),
  }
}
