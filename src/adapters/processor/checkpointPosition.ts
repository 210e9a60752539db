import { type ExtendedSequenceNumber, isSentinel, parseExtendedSequenceNumber } from '@shardwise/effects'
import { kclError } from './kclError.ts'

/**
 * The position that the arguments of `checkpoint` name; null for everything delivered so far.
 * @throws Error named IllegalArgumentException when they name none. Whether the position is within what was delivered is the machine's to say.
 */
export function checkpointPosition(args: readonly unknown[]): ExtendedSequenceNumber | null {
  // By count: checkpoint(undefined) is a slip of the caller, and must not acknowledge everything.
  if (args.length === 0) return null
  const [first, subSequenceNumber] = args
  if (typeof first === 'string') return positionOf(first, subSequenceNumber ?? 0)
  if (typeof first !== 'object' || first === null) {
    throw illegalArgument(`checkpoint: expected a sequence number as a string, or a record, got ${named(first)}`)
  }
  if (subSequenceNumber !== undefined) {
    throw illegalArgument(`checkpoint: a record brings its own subSequenceNumber, got a second argument ${named(subSequenceNumber)}`)
  }
  const record = first as Partial<ExtendedSequenceNumber>
  if (typeof record.sequenceNumber !== 'string' || record.subSequenceNumber === undefined) {
    throw illegalArgument('checkpoint: expected a record with sequenceNumber and subSequenceNumber')
  }
  return positionOf(record.sequenceNumber, record.subSequenceNumber)
}

function positionOf(sequenceNumber: string, subSequenceNumber: unknown): ExtendedSequenceNumber {
  if (typeof subSequenceNumber !== 'number') {
    throw illegalArgument(`checkpoint: subSequenceNumber: expected a whole number from 0, got ${named(subSequenceNumber)}`)
  }
  // The KCL stores these when they fall in range, and a later owner then skips data.
  if (isSentinel(sequenceNumber) && sequenceNumber !== 'SHARD_END') {
    throw illegalArgument(`checkpoint: expected the sequence number of a record, or SHARD_END, got ${sequenceNumber}`)
  }
  try {
    return parseExtendedSequenceNumber(sequenceNumber, subSequenceNumber)
  } catch (error) {
    throw illegalArgument(`checkpoint: ${(error as Error).message}`)
  }
}

function illegalArgument(message: string): Error {
  return kclError({ name: 'IllegalArgumentException', message })
}

function named(value: unknown): string {
  return typeof value === 'object' && value !== null ? 'an object' : `${String(value)} (${typeof value})`
}
