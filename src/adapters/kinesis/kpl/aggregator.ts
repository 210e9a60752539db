import { BinaryWriter } from '@bufbuild/protobuf/wire'
import type { HashKeyRange } from '@shardwise/effects'
import { looksAggregated } from './aggregateFormat.ts'
import { AggregateWriter } from './aggregateWriter.ts'
import { everyHashKey, hashKeyOfExplicit, hashKeyOfPartitionKey, hashKeysOf, isAmong, isExplicitHashKey } from './hashKeys.ts'

/** A record of a producer. `explicitHashKey` is a decimal string from 0 to 2^128 - 1 and decides the shard instead of the partition key. */
export interface UserRecord {
  readonly partitionKey: string
  readonly data: Uint8Array
  readonly explicitHashKey?: string | undefined
}

/** A record to put: an aggregate, or a user record that goes out alone and as it is. Its keys lead to the shard of its first user record. */
export interface OutgoingRecord {
  readonly partitionKey: string
  readonly explicitHashKey?: string
  readonly data: Uint8Array
  /** What is in it, in order: what to add again when it was put into another shard than that of its hash keys. */
  readonly userRecords: readonly UserRecord[]
}

/** How records are aggregated. */
export interface AggregatorOptions {
  /**
   * The most that partition key and data of an aggregate may take, bytes: 64 to 1,048,576, and 51,200 unless given, as in the KPL. A user record that takes more goes
   * out alone.
   */
  readonly maxBytes?: number | undefined
  /**
   * The hash keys of the open shards. Records are then aggregated with others of their shard alone, as they have to be: the KCL, and this package, leave out a whole
   * aggregate when one record in it belongs to another shard. Left out for a stream of one shard.
   */
  readonly hashKeyRanges?: readonly HashKeyRange[] | undefined
}

/** Collects records into aggregates. */
export interface Aggregator {
  /** Takes a record, and hands over what is full. @throws Error that names the field of the record which Kinesis would not take. */
  add(record: UserRecord): readonly OutgoingRecord[]
  /** Hands over what has been collected so far, one record for each shard that has some. */
  flush(): readonly OutgoingRecord[]
}

const known: ReadonlySet<string> = new Set(['maxBytes', 'hashKeyRanges'])

/** Makes an aggregator. It keeps the data that it is given until they are handed over: do not change them. @throws Error that names the option which is unknown or cannot be used. */
export function createAggregator(options: AggregatorOptions = {}): Aggregator {
  const unknown = Object.keys(options).find((name) => !known.has(name))
  if (unknown !== undefined) throw new Error(`${unknown}: unknown option; expected one of ${[...known].join(', ')}`)
  const { maxBytes = 51_200, hashKeyRanges } = options
  if (!Number.isInteger(maxBytes) || maxBytes < 64 || maxBytes > 1_048_576) {
    throw new Error(`maxBytes: expected a whole number from 64 to 1048576, got ${String(maxBytes)}`)
  }
  if (hashKeyRanges !== undefined && !Array.isArray(hashKeyRanges)) throw new Error('hashKeyRanges: expected a list of hash key ranges')
  const writer = new BinaryWriter()
  const shards = (hashKeyRanges?.map(hashKeysOf) ?? [everyHashKey]).map((keys) => ({ keys, collected: new AggregateWriter(writer) }))

  const collectionOf = ({ partitionKey, explicitHashKey }: UserRecord): AggregateWriter => {
    const [only] = shards
    if (hashKeyRanges === undefined && only !== undefined) return only.collected
    const key = explicitHashKey === undefined ? hashKeyOfPartitionKey(partitionKey) : (hashKeyOfExplicit(explicitHashKey) ?? '')
    const shard = shards.find(({ keys }) => isAmong(keys, key))
    if (shard === undefined) throw new Error(`hashKeyRanges: expected one that holds the hash key of ${JSON.stringify(partitionKey)}`)
    return shard.collected
  }

  return {
    add(record) {
      checkRecord(record)
      const collected = collectionOf(record)
      if (collected.add(record, maxBytes)) return []
      const full = takeOut(collected)
      return collected.add(record, maxBytes) ? full : [...full, outgoingOf(record, record.data, [record])]
    },
    flush: () => shards.flatMap(({ collected }) => takeOut(collected)),
  }
}

/** Empties a collection. */
function takeOut(collected: AggregateWriter): readonly OutgoingRecord[] {
  const userRecords = collected.records
  const [first] = userRecords
  if (first === undefined) return []
  // Alone, as it is, unless a consumer would take it for an aggregate: in one it comes back as it was.
  const isAlone = userRecords.length === 1 && !looksAggregated(first.data)
  const outgoing = outgoingOf(first, isAlone ? first.data : collected.write(), userRecords)
  collected.clear()
  return [outgoing]
}

function outgoingOf({ partitionKey, explicitHashKey }: UserRecord, data: Uint8Array, userRecords: readonly UserRecord[]): OutgoingRecord {
  return explicitHashKey === undefined ? { partitionKey, data, userRecords } : { partitionKey, explicitHashKey, data, userRecords }
}

function checkRecord({ partitionKey, data, explicitHashKey }: UserRecord): void {
  if (typeof partitionKey !== 'string' || partitionKey === '' || isTooLong(partitionKey)) {
    throw new Error(`partitionKey: expected 1 to 256 characters, got ${shown(partitionKey)}`)
  }
  if (!(data instanceof Uint8Array)) throw new Error(`data: expected a Uint8Array, got ${shown(data)}`)
  if (explicitHashKey !== undefined && !isExplicitHashKey(explicitHashKey)) {
    throw new Error(`explicitHashKey: expected a decimal number from 0 to 2^128 - 1, got ${shown(explicitHashKey)}`)
  }
}

// Characters, not the units of JavaScript: those are counted first, since nearly every key is short.
function isTooLong(partitionKey: string): boolean {
  return partitionKey.length > 512 || (partitionKey.length > 256 && Array.from(partitionKey).length > 256)
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 50)) : typeof value
}
