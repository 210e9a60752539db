import type { HashKeyRange } from '@shardwise/effects'

/** The greatest hash key of a stream: 2^128 - 1. */
const maxHashKey = (1n << 128n) - 1n

/** The hash keys of a shard, both ends inclusive. */
export interface HashKeys {
  readonly start: bigint
  readonly end: bigint
}

/** Cuts the space of hash keys into `count` ranges of the same width; the last takes what is over. */
export function evenRanges(count: number): readonly HashKeys[] {
  const width = (maxHashKey + 1n) / BigInt(count)
  return Array.from({ length: count }, (_, index) => ({
    start: BigInt(index) * width,
    end: index === count - 1 ? maxHashKey : BigInt(index + 1) * width - 1n,
  }))
}

/** Decimal strings, as shards and leases carry them. */
export function hashKeyRange({ start, end }: HashKeys): HashKeyRange {
  return { startingHashKey: String(start), endingHashKey: String(end) }
}

/** @throws Error that names `field` when the text is not a decimal number from 0 to 2^128 - 1. */
export function parseHashKey(field: string, text: string): bigint {
  if (typeof text !== 'string' || !/^[0-9]{1,39}$/.test(text) || BigInt(text) > maxHashKey) {
    throw new Error(`${field}: expected a decimal number from 0 to 2^128 - 1, got ${JSON.stringify(text)}`)
  }
  return BigInt(text)
}

/**
 * The hash key of a partition key: equal keys give equal hash keys, and different keys spread over the whole space. It is NOT the MD5 that Kinesis takes, for MD5
 * would need a crypto module: a key may go to another shard here than there. Give an explicit hash key where that matters.
 */
export function hashKeyOf(partitionKey: string): bigint {
  let key = 0n
  for (const seed of laneSeeds) key = (key << 32n) | BigInt(lane(partitionKey, seed))
  return key
}

const laneSeeds = [0x9e3779b9, 0x7f4a7c15, 0xf39cc060, 0x5cedc834]

/** 32 bits of the hash. The shifts at the end carry every character into the upper bits, which are those that choose the shard. */
function lane(text: string, seed: number): number {
  let hash = seed
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
