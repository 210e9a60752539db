import type { GetRecordsOutput } from '@aws-sdk/client-kinesis'
import type { HandlerContext, HashKeyRange, KinesisRecord, ShardId } from '@shardwise/effects'
import { looksAggregated } from './aggregateFormat.ts'
import { type DroppedRecords, expandRecords } from './deaggregate.ts'
import { type DroppedRecordsOfShard, describeDrop } from './dropReporter.ts'
import { everyHashKey, hashKeysOf } from './hashKeys.ts'
import type { ShardHashKeys } from './shardHashKeys.ts'

/** Makes the records of a batch of those of a page. */
export type Unpack = (records: readonly KinesisRecord[]) => readonly KinesisRecord[]

/** Takes the aggregates of one stream apart. */
export class Deaggregation {
  readonly hashKeys: ShardHashKeys
  readonly #rangeOf: ((shardId: ShardId) => HashKeyRange | null) | undefined
  readonly #onDropped: (dropped: DroppedRecordsOfShard) => void

  constructor(options: {
    readonly hashKeys: ShardHashKeys
    readonly hashKeyRangeOf?: ((shardId: ShardId) => HashKeyRange | null) | undefined
    readonly onDroppedRecords?: ((dropped: DroppedRecordsOfShard) => void) | undefined
  }) {
    this.hashKeys = options.hashKeys
    this.#rangeOf = options.hashKeyRangeOf
    this.#onDropped = options.onDroppedRecords ?? warnOnce()
  }

  /** Whether a page may hold aggregates. */
  isNeededFor({ Records: records }: GetRecordsOutput): boolean {
    return Array.isArray(records) && records.some(({ Data: data }) => data instanceof Uint8Array && looksAggregated(data))
  }

  /** Rejects with what looking for the hash keys of the shard rejected with. */
  async unpackFor(shardId: ShardId, context: HandlerContext): Promise<Unpack> {
    const report = (dropped: DroppedRecords): void => this.#onDropped({ shardId, ...dropped })
    if (this.#rangeOf === undefined) {
      const keys = await this.hashKeys.of(shardId, context)
      return (records) => expandRecords(records, keys, report)
    }
    const range = this.#rangeOf(shardId)
    const keys = range === null ? everyHashKey : hashKeysOf(range)
    return (records) => expandRecords(records, keys, report)
  }
}

/** Nothing is dropped in silence, and a stream that is resharded does not flood a log that nobody asked for. */
function warnOnce(): (dropped: DroppedRecordsOfShard) => void {
  let warned = false
  return (dropped) => {
    if (warned) return
    warned = true
    process.emitWarning(describeDrop(dropped), {
      code: 'SHARDWISE_DROPPED_RECORDS',
      detail: 'Later ones are not reported here: give the record source onDroppedRecords to hear of each.',
    })
  }
}
