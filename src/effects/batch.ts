import { compareSequenceNumbers, type ExtendedSequenceNumber } from './sequenceNumber.ts'
import type { ChildShard, ShardId } from './shard.ts'

/** A record as a record processor receives it. `data` is the payload, already decoded from base64. */
export interface KinesisRecord extends ExtendedSequenceNumber {
  readonly partitionKey: string
  readonly data: Uint8Array
  /** When Kinesis received it; millisecond precision, no promise of order. */
  readonly approximateArrivalTimestamp: Date | undefined
  /** Whether it came out of an aggregate of the Kinesis Producer Library: `subSequenceNumber` is then its place in there. */
  readonly aggregated?: boolean | undefined
  /** Decimal; known of records out of an aggregate only. */
  readonly explicitHashKey?: string | undefined
  /** How Kinesis stored it, where it said so: `KMS` or `NONE`. */
  readonly encryptionType?: string | undefined
}

/**
 * What the machine knows of a batch of records; the records stay in the batch store. `first` and `last` are null when `count` is 0.
 * `count` is taken after dropping what is at or below the last checkpoint; `bytes` sums the payloads; `millisBehindLatest` is null when Kinesis did not say.
 */
export interface BatchHandle {
  readonly batchId: string
  readonly count: number
  readonly first: ExtendedSequenceNumber | null
  readonly last: ExtendedSequenceNumber | null
  readonly bytes: number
  readonly millisBehindLatest: number | null
  /** Whether nothing follows this batch in its shard. */
  readonly atShardEnd: boolean
  /** The children that the answer named; empty when it named none. */
  readonly childShards: readonly ChildShard[]
}

/** A batch with its records. */
export interface StoredBatch {
  readonly shardId: ShardId
  readonly records: readonly KinesisRecord[]
  readonly handle: BatchHandle
}

/** Holds the records of batches between the read and the end of their processing, within a bound. */
export interface BatchStore {
  /** @throws Error when the store already holds `maxBatches` batches. */
  put(batch: Omit<StoredBatch, 'handle'> & { readonly handle: Omit<BatchHandle, 'batchId'> }): BatchHandle
  /** Reads a batch and keeps it; undefined when it was dropped or never put. */
  take(batchId: string): StoredBatch | undefined
  /**
   * Puts the next `count` records above `after` of a batch of this shard as a batch of their own, beside it, and never as the last of the shard; undefined
   * when there is no such batch.
   * @throws Error as `put` does.
   */
  split(part: {
    readonly shardId: ShardId
    readonly batchId: string
    readonly after: ExtendedSequenceNumber | null
    readonly count: number
  }): BatchHandle | undefined
  /** Forgets a batch; nothing happens when it is not there. */
  drop(batchId: string): void
  /** Forgets every batch of a shard. */
  dropShard(shardId: ShardId): void
  /** How many batches are held. */
  readonly size: number
}

/**
 * A batch store in memory. A shard consumer holds one batch at a time, and a part of it while it looks for a record at fault, so `maxBatches` bounds the shards
 * consumed at once.
 * @throws Error when `maxBatches` is not a whole number from 1.
 */
export function createBatchStore({ maxBatches = 100_000 } = {}): BatchStore {
  if (!Number.isSafeInteger(maxBatches) || maxBatches < 1) {
    throw new Error(`maxBatches: expected a whole number from 1, got ${String(maxBatches)}`)
  }
  const batches = new Map<string, StoredBatch>()
  let made = 0
  const store: BatchStore = {
    put({ shardId, records, handle }) {
      if (batches.size >= maxBatches) throw new Error(`maxBatches: the batch store already holds ${maxBatches} batches`)
      made += 1
      const stored = { shardId, records, handle: { ...handle, batchId: `b${made}` } }
      batches.set(stored.handle.batchId, stored)
      return stored.handle
    },
    split({ shardId, batchId, after, count }) {
      const whole = batches.get(batchId)
      // Ids count from 1 in every process: a restored consumer may name a batch of another shard.
      if (whole === undefined || whole.shardId !== shardId) return undefined
      const start = after === null ? 0 : whole.records.findIndex((record) => compareSequenceNumbers(record, after) > 0)
      const records = start === -1 ? [] : whole.records.slice(start, start + count)
      const bytes = records.reduce((sum, { data }) => sum + data.length, 0)
      const { millisBehindLatest } = whole.handle
      const [first, last] = [placeOf(records[0]), placeOf(records.at(-1))]
      const handle = { count: records.length, first, last, bytes, millisBehindLatest, atShardEnd: false, childShards: [] }
      return store.put({ shardId, records, handle })
    },
    take: (batchId) => batches.get(batchId),
    drop(batchId) {
      batches.delete(batchId)
    },
    dropShard(shardId) {
      for (const [batchId, batch] of batches) if (batch.shardId === shardId) batches.delete(batchId)
    },
    get size() {
      return batches.size
    },
  }
  return store
}

function placeOf(record: KinesisRecord | undefined): ExtendedSequenceNumber | null {
  return record === undefined ? null : { sequenceNumber: record.sequenceNumber, subSequenceNumber: record.subSequenceNumber }
}
