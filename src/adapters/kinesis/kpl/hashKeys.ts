import { hash } from 'node:crypto'
import type { HashKeyRange } from '@shardwise/effects'

/**
 * A hash key as 32 hexadecimal digits, so that their order is that of the texts. What lies outside 0 to 2^128 - 1 is a text above them all.
 */
export type HashKey = string

/** Hash keys from `start` to `end`, both inclusive. */
export interface HashKeys {
  readonly start: HashKey
  readonly end: HashKey
}

const outside: HashKey = 'outside'
const greatest = (1n << 128n) - 1n

/** The hash keys of a whole stream. */
export const everyHashKey: HashKeys = { start: '0'.repeat(32), end: 'f'.repeat(32) }

/** @throws Error that names the end of the range which is not a decimal number from 0 to 2^128 - 1. */
export function hashKeysOf({ startingHashKey, endingHashKey }: HashKeyRange): HashKeys {
  return { start: parsed('startingHashKey', startingHashKey), end: parsed('endingHashKey', endingHashKey) }
}

/** Whether a hash key is among these. */
export function isAmong(keys: HashKeys, key: HashKey): boolean {
  return keys.start <= key && key <= keys.end
}

/** The hash key of a record without an explicit one: the MD5 of its partition key as UTF-8, as Kinesis takes it. */
export function hashKeyOfPartitionKey(partitionKey: string): HashKey {
  return hash('md5', partitionKey, 'hex')
}

/** The hash key that an explicit one stands for; undefined when it is not a whole number. A sign is read, as the KCL does. */
export function hashKeyOfExplicit(explicitHashKey: string): HashKey | undefined {
  if (!/^[+-]?[0-9]+$/.test(explicitHashKey)) return undefined
  const digits = explicitHashKey.replace(/^[+-]?0*/, '')
  // Before it is read as a number: that takes long for a text of a mebibyte.
  if (digits.length > 39 || (digits !== '' && explicitHashKey.startsWith('-'))) return outside
  const value = BigInt(digits)
  return value > greatest ? outside : value.toString(16).padStart(32, '0')
}

/** Whether Kinesis takes a text for an explicit hash key. */
export function isExplicitHashKey(text: unknown): text is string {
  return typeof text === 'string' && /^(0|[1-9][0-9]{0,38})$/.test(text) && BigInt(text) <= greatest
}

function parsed(field: string, text: string): HashKey {
  if (!isExplicitHashKey(text)) throw new Error(`${field}: expected a decimal number from 0 to 2^128 - 1, got ${JSON.stringify(text)}`)
  return BigInt(text).toString(16).padStart(32, '0')
}
