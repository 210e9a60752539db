import { unexpected } from './shown.ts'

/** A sentinel that stands in a checkpoint where no record has been checkpointed yet, or none is left. */
export type CheckpointSentinel = 'AT_TIMESTAMP' | 'TRIM_HORIZON' | 'LATEST' | 'SHARD_END'

/**
 * A place in a shard: the sequence number of a Kinesis record and the index of a user record inside its KPL aggregate.
 * `sequenceNumber` is decimal digits without leading zeros, or a sentinel; `subSequenceNumber` is 0 for plain records and sentinels.
 * Plain JSON. Source: KCL `ExtendedSequenceNumber`.
 */
export interface ExtendedSequenceNumber {
  readonly sequenceNumber: string
  readonly subSequenceNumber: number
}

const sentinelOrder: Readonly<Record<CheckpointSentinel, bigint | number>> = {
  AT_TIMESTAMP: -3,
  TRIM_HORIZON: -2,
  LATEST: -1,
  SHARD_END: Infinity,
}

/** The checkpoint of a shard that has been processed to its end. Greater than every other. */
export const SHARD_END: ExtendedSequenceNumber = { sequenceNumber: 'SHARD_END', subSequenceNumber: 0 }
/** The checkpoint of a shard that starts at its oldest record. */
export const TRIM_HORIZON: ExtendedSequenceNumber = { sequenceNumber: 'TRIM_HORIZON', subSequenceNumber: 0 }
/** The checkpoint of a shard that starts after its newest record. */
export const LATEST: ExtendedSequenceNumber = { sequenceNumber: 'LATEST', subSequenceNumber: 0 }
/** The checkpoint of a shard that starts at the configured time, which is not part of the checkpoint. */
export const AT_TIMESTAMP: ExtendedSequenceNumber = { sequenceNumber: 'AT_TIMESTAMP', subSequenceNumber: 0 }

/** Whether a sequence number names a sentinel and not a record. */
export function isSentinel(sequenceNumber: string): sequenceNumber is CheckpointSentinel {
  return Object.hasOwn(sentinelOrder, sequenceNumber)
}

/**
 * Reads an extended sequence number and normalises it, so that equal places are equal JSON: no leading zeros, sentinels with sub-sequence number 0.
 * @throws Error when `sequenceNumber` is neither 1 to 129 decimal digits, as Kinesis defines it, nor a sentinel, or `subSequenceNumber` is not a whole number from 0.
 */
export function parseExtendedSequenceNumber(sequenceNumber: string, subSequenceNumber = 0): ExtendedSequenceNumber {
  if (!Number.isSafeInteger(subSequenceNumber) || subSequenceNumber < 0) {
    throw unexpected('subSequenceNumber', 'a whole number from 0', subSequenceNumber)
  }
  if (typeof sequenceNumber === 'string') {
    if (isSentinel(sequenceNumber)) return { sequenceNumber, subSequenceNumber: 0 }
    // One look at each character: a row or a child may say something very long.
    const digits = sequenceNumber.replace(/^0+(?=[0-9])/, '')
    if (/^[0-9]{1,129}$/.test(digits)) return { sequenceNumber: digits, subSequenceNumber }
  }
  throw unexpected('sequenceNumber', 'decimal digits, 129 at most, TRIM_HORIZON, LATEST, AT_TIMESTAMP or SHARD_END', sequenceNumber)
}

/** AT_TIMESTAMP < TRIM_HORIZON < LATEST < numbers by value < SHARD_END, then by sub-sequence number: negative, zero or positive. */
export function compareSequenceNumbers(a: ExtendedSequenceNumber, b: ExtendedSequenceNumber): number {
  if (a.sequenceNumber !== b.sequenceNumber) {
    const [left, right] = [orderOf(a.sequenceNumber), orderOf(b.sequenceNumber)]
    if (left !== right) return left < right ? -1 : 1
  }
  return isSentinel(a.sequenceNumber) ? 0 : a.subSequenceNumber - b.subSequenceNumber
}

/** Whether a checkpoint says that its shard has been processed to its end. */
export function isShardEnd(checkpoint: ExtendedSequenceNumber): boolean {
  return checkpoint.sequenceNumber === 'SHARD_END'
}

function orderOf(sequenceNumber: string): bigint | number {
  return isSentinel(sequenceNumber) ? sentinelOrder[sequenceNumber] : BigInt(sequenceNumber)
}
