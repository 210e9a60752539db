import type { _Record, GetRecordsOutput } from '@aws-sdk/client-kinesis'
import { type BatchHandle, compareSequenceNumbers, type ExtendedSequenceNumber, type KinesisRecord } from '@shardwise/effects'
import { invalidAnswer } from './invalidAnswer.ts'
import type { Unpack } from './kpl/deaggregation.ts'
import { childShardOf } from './shardDescription.ts'

/** What one GetRecords answer says. `nextIterator` is null at the end of the shard. */
export interface Page {
  readonly records: readonly KinesisRecord[]
  readonly handle: Omit<BatchHandle, 'batchId'>
  readonly nextIterator: string | null
}

/**
 * Reads a GetRecords answer: takes aggregates apart, then leaves out the records at or below `after`.
 * @throws InvalidAnswer when the answer has no records field, a record lacks a field, children come beside a next iterator, or a child names no parents.
 */
export function pageOf(call: string, output: GetRecordsOutput, after: ExtendedSequenceNumber | null, unpack: Unpack | null): Page {
  // An empty body decodes to an object without any field, which must not pass for the end of the shard.
  if (!Array.isArray(output.Records)) throw invalidAnswer(call, 'the answer has no records')
  const nextIterator = output.NextShardIterator ?? null
  const childShards = (output.ChildShards ?? []).map((child) => childShardOf(call, child))
  if (nextIterator !== null && childShards.length > 0) throw invalidAnswer(call, 'the answer has both a next iterator and child shards')

  const received = recordsOf(call, output.Records)
  const all = unpack === null ? received : unpack(received)
  const dropped = after === null ? 0 : countUpTo(all, after)
  const records = dropped === 0 ? all : all.slice(dropped)
  let bytes = 0
  for (const record of records) bytes += record.data.byteLength
  const first = records[0]
  const last = records[records.length - 1]
  return {
    records,
    handle: {
      count: records.length,
      first: first === undefined ? null : placeOf(first),
      last: last === undefined ? null : placeOf(last),
      bytes,
      millisBehindLatest: output.MillisBehindLatest ?? null,
      atShardEnd: nextIterator === null,
      childShards,
    },
    nextIterator,
  }
}

// The hot path: up to 10,000 records a page.
function recordsOf(call: string, records: readonly _Record[]): KinesisRecord[] {
  return records.map((record) => {
    const { SequenceNumber: sequenceNumber, PartitionKey: partitionKey, Data: data } = record
    if (typeof sequenceNumber !== 'string' || typeof partitionKey !== 'string' || !(data instanceof Uint8Array)) {
      throw invalidAnswer(call, `record ${sequenceNumber} lacks its sequence number, partition key or data`)
    }
    const { ApproximateArrivalTimestamp: approximateArrivalTimestamp, EncryptionType: encryptionType } = record
    return { sequenceNumber, subSequenceNumber: 0, partitionKey, data, approximateArrivalTimestamp, encryptionType }
  })
}

/** How many records stand at or below a place. Records of a shard are in order, so the first one above it ends the count. */
function countUpTo(records: readonly KinesisRecord[], place: ExtendedSequenceNumber): number {
  const above = records.findIndex((record) => compareSequenceNumbers(record, place) > 0)
  return above === -1 ? records.length : above
}

function placeOf({ sequenceNumber, subSequenceNumber }: KinesisRecord): ExtendedSequenceNumber {
  return { sequenceNumber, subSequenceNumber }
}
