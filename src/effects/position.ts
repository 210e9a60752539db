import { type ExtendedSequenceNumber, isSentinel } from './sequenceNumber.ts'

/** Where reading of a shard starts. `timestampMs` is epoch milliseconds. The five types are those of Kinesis GetShardIterator. */
export type Position =
  | { readonly type: 'TRIM_HORIZON' }
  | { readonly type: 'LATEST' }
  | { readonly type: 'AT_TIMESTAMP'; readonly timestampMs: number }
  | { readonly type: 'AT_SEQUENCE_NUMBER'; readonly sequenceNumber: string }
  | { readonly type: 'AFTER_SEQUENCE_NUMBER'; readonly sequenceNumber: string }

/** Where a stream is read from when a shard has no checkpoint yet. */
export type InitialPosition = Extract<Position, { type: 'TRIM_HORIZON' | 'LATEST' | 'AT_TIMESTAMP' }>

/**
 * The position at which a shard is opened for a stored checkpoint. A number opens AT it, so that the rest of a half-checkpointed KPL aggregate is read
 * again; what is at or below the checkpoint is dropped after reading. AT_TIMESTAMP, whose time is the configured one, opens at TRIM_HORIZON where none is
 * configured any more: nothing is skipped there. Source: KCL `IteratorBuilder`.
 * @throws Error for SHARD_END.
 */
export function positionOfCheckpoint(checkpoint: ExtendedSequenceNumber, configured: InitialPosition): Position {
  const { sequenceNumber } = checkpoint
  if (!isSentinel(sequenceNumber)) return { type: 'AT_SEQUENCE_NUMBER', sequenceNumber }
  if (sequenceNumber === 'SHARD_END') throw new Error('checkpoint: a shard at SHARD_END has no position to read from')
  if (sequenceNumber !== 'AT_TIMESTAMP') return { type: sequenceNumber }
  return configured.type === 'AT_TIMESTAMP' ? configured : { type: 'TRIM_HORIZON' }
}
