import type { ShardId } from '@shardwise/effects'
import type { DroppedRecords } from './deaggregate.ts'

/** User records of a shard that are not delivered. */
export interface DroppedRecordsOfShard extends DroppedRecords {
  readonly shardId: ShardId
}

const reasons: Readonly<Record<DroppedRecords['reason'], string>> = {
  outsideHashKeyRange: 'one of them belongs to another shard',
  malformed: 'a key of the next one cannot be read',
  empty: 'it holds none',
}

/** Makes log lines of dropped records: a warning for each aggregate. */
export function createDropReporter(log: { readonly warn: (message: string) => void }): (dropped: DroppedRecordsOfShard) => void {
  return (dropped) => log.warn(describeDrop(dropped))
}

/** One sentence. */
export function describeDrop({ shardId, sequenceNumber, reason, delivered, dropped }: DroppedRecordsOfShard): string {
  const all = delivered + dropped
  return `Shard ${shardId} delivers ${delivered} of the ${all} records in the aggregate ${sequenceNumber}: ${reasons[reason]}`
}
