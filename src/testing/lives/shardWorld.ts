import {
  AT_TIMESTAMP,
  type BatchHandle,
  type ChildShard,
  compareSequenceNumbers,
  type EffectOf,
  type ExtendedSequenceNumber,
  LATEST,
  type Position,
  SHARD_END,
  TRIM_HORIZON,
} from '@shardwise/effects'
import type { ShardConsumerInput } from '@shardwise/machine'

/** The shard in which a life is lived, and how its consumer is set. */
export interface WorldPlan {
  /** The checkpoint in the lease row: a sentinel, or the n-th user record. */
  readonly stored: 'TRIM_HORIZON' | 'LATEST' | 'AT_TIMESTAMP' | 'SHARD_END' | number
  /** How many user records beyond it a checkpoint was prepared; null for none. */
  readonly pending: number | null
  /** How many Kinesis records the shard holds; each is an aggregate of two user records. */
  readonly length: number
  readonly children: number
  /** Whether the last read names the children; if not, they must be listed. */
  readonly namesChildren: boolean
  readonly options: NonNullable<ShardConsumerInput['options']>
}

/** The n-th user record of the shard. */
export const recordAt = (index: number): ExtendedSequenceNumber => ({
  sequenceNumber: String(5_000 + Math.floor(index / 2)),
  subSequenceNumber: index % 2,
})

/** The place of a user record in its shard. */
export const indexOf = ({ sequenceNumber, subSequenceNumber }: ExtendedSequenceNumber): number =>
  (Number(sequenceNumber) - 5_000) * 2 + subSequenceNumber

const sentinels = { TRIM_HORIZON, LATEST, AT_TIMESTAMP, SHARD_END }

/** A shard with its records and its stored checkpoint. An honest one: it says what it would say if nothing failed. */
export class ShardWorld {
  readonly childShards: readonly ChildShard[]
  #stored: ExtendedSequenceNumber
  #pending: ExtendedSequenceNumber | null
  readonly #plan: WorldPlan
  #cursor = 0
  #tip = 1
  #batches = 0
  /** The first and the last record of each batch, by number. */
  readonly #ends = new Map<string, readonly [first: number, last: number]>()

  constructor(plan: WorldPlan) {
    this.#plan = plan
    this.#stored = typeof plan.stored === 'number' ? recordAt(plan.stored) : sentinels[plan.stored]
    this.#pending =
      plan.pending === null || plan.stored === 'SHARD_END'
        ? null
        : recordAt((typeof plan.stored === 'number' ? plan.stored : 0) + 1 + plan.pending)
    this.childShards = Array.from({ length: plan.children }, (_, index) => ({
      shardId: `shardId-00000000000${index + 1}`,
      parentShardIds: ['shardId-000000000000'],
      hashKeyRange: { startingHashKey: '0', endingHashKey: '340282366920938463463374607431768211455' },
    }))
  }

  get stored(): ExtendedSequenceNumber {
    return this.#stored
  }

  /** The checkpoint that was prepared by an earlier processor; a stored one clears it. */
  get pending(): ExtendedSequenceNumber | null {
    return this.#pending
  }

  store(checkpoint: ExtendedSequenceNumber): void {
    this.#stored = checkpoint
    this.#pending = null
  }

  /** Opens the shard; the time is where the tip was, in records. Time goes on with every opening. */
  open(position: Position): { type: 'shardOpened'; openedAtMs: number } {
    const openedAtMs = 1_000 + this.#tip
    this.#cursor = this.#startOf(position)
    this.#tip = Math.min(this.#tip + 1, this.#plan.length)
    return { type: 'shardOpened', openedAtMs }
  }

  /** Reads up to `count` Kinesis records, leaving out what is at or below `after`. */
  read({ after }: EffectOf<'readRecords'>, count: number): { type: 'recordsRead'; batch: BatchHandle } {
    const until = Math.min(this.#cursor + count, this.#plan.length)
    const records = Array.from({ length: (until - this.#cursor) * 2 }, (_, index) => recordAt(this.#cursor * 2 + index)).filter(
      (record) => after === null || compareSequenceNumbers(record, after) > 0,
    )
    this.#cursor = until
    this.#batches += 1
    const atShardEnd = until === this.#plan.length
    const batchId = `b${this.#batches}`
    const [first] = records
    if (first !== undefined) this.#ends.set(batchId, [indexOf(first), until * 2 - 1])
    const batch = {
      batchId,
      count: records.length,
      first: records[0] ?? null,
      last: records.at(-1) ?? null,
      bytes: records.length,
      millisBehindLatest: this.#batches % 3 === 0 ? null : (this.#plan.length - until) * 1_000,
      atShardEnd,
      childShards: atShardEnd && this.#plan.namesChildren ? this.childShards : [],
    }
    return { type: 'recordsRead', batch }
  }

  /** Splits off the next records of a batch that was read; it holds those that were above `after` when it was. */
  split({ batchId, after, count }: EffectOf<'splitBatch'>): { type: 'batchSplit'; batch: BatchHandle } | { type: 'batchGone' } {
    const ends = this.#ends.get(batchId)
    if (ends === undefined) return { type: 'batchGone' }
    const from = after === null ? ends[0] : Math.max(indexOf(after) + 1, ends[0])
    const places = Array.from({ length: Math.max(0, Math.min(count, ends[1] - from + 1)) }, (_, index) => recordAt(from + index))
    this.#batches += 1
    const batch = {
      batchId: `b${this.#batches}`,
      count: places.length,
      first: places[0] ?? null,
      last: places.at(-1) ?? null,
      bytes: places.length,
      millisBehindLatest: null,
      atShardEnd: false,
      childShards: [],
    }
    return { type: 'batchSplit', batch }
  }

  #startOf(position: Position): number {
    switch (position.type) {
      case 'TRIM_HORIZON':
        return 0
      case 'LATEST':
        return this.#tip
      case 'AT_TIMESTAMP':
        return position.timestampMs - 1_000
      case 'AT_SEQUENCE_NUMBER':
        return Number(position.sequenceNumber) - 5_000
      case 'AFTER_SEQUENCE_NUMBER':
        return Number(position.sequenceNumber) - 4_999
    }
  }
}
