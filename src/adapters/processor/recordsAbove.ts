import { compareSequenceNumbers, type ExtendedSequenceNumber, type KinesisRecord } from '@shardwise/effects'

/** The records above a position. They ascend, so the first one above it starts the rest; the list itself where nothing is left out. */
export function recordsAbove(records: readonly KinesisRecord[], after: ExtendedSequenceNumber | null): readonly KinesisRecord[] {
  if (after === null) return records
  const start = records.findIndex((record) => compareSequenceNumbers(record, after) > 0)
  if (start === 0) return records
  return start === -1 ? [] : records.slice(start)
}
