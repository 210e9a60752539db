import type { HashKeyRange, KinesisRecord } from '@shardwise/effects'
import { type AggregateMessage, none, readAggregate } from './aggregateFormat.ts'
import { everyHashKey, type HashKey, type HashKeys, hashKeyOfExplicit, hashKeyOfPartitionKey, hashKeysOf, isAmong } from './hashKeys.ts'

/**
 * User records of an aggregate that are not delivered. `outsideHashKeyRange`: one of them belongs to another shard, and the whole aggregate is left out, since the
 * KPL sends its records again; `malformed`: a key index outside the tables, or an explicit hash key that is not a number, and the records from there on are left out;
 * `empty`: the aggregate held none. Source: KCL `AggregatorUtil`.
 */
export interface DroppedRecords {
  /** Of the Kinesis record. */
  readonly sequenceNumber: string
  readonly reason: 'outsideHashKeyRange' | 'malformed' | 'empty'
  /** How many user records of the aggregate are delivered, and how many are not. */
  readonly delivered: number
  readonly dropped: number
}

/**
 * Takes aggregates of the Kinesis Producer Library apart, as the KCL does: their user records stand in their place, with sub-sequence numbers from 0. Other records, and
 * what only looks like an aggregate, stay as they are. Data are views of the data that were given. `hashKeyRange` is that of the shard; null or left out where every
 * record is wanted. `onDropped` hears what is left out. @throws Error when the range cannot be read.
 */
export function deaggregate(
  records: readonly KinesisRecord[],
  options: {
    readonly hashKeyRange?: HashKeyRange | null | undefined
    readonly onDropped?: ((dropped: DroppedRecords) => void) | undefined
  } = {},
): KinesisRecord[] {
  const { hashKeyRange, onDropped = () => undefined } = options
  const unknown = Object.keys(options).find((name) => name !== 'hashKeyRange' && name !== 'onDropped')
  if (unknown !== undefined) throw new Error(`${unknown}: unknown option; expected one of hashKeyRange, onDropped`)
  if (typeof onDropped !== 'function') throw new Error(`onDropped: expected a function, got ${String(onDropped)}`)
  return expandRecords(records, hashKeyRange === undefined || hashKeyRange === null ? everyHashKey : hashKeysOf(hashKeyRange), onDropped)
}

/** The same for a range that was read before. */
export function expandRecords(
  records: readonly KinesisRecord[],
  keys: HashKeys,
  onDropped: (dropped: DroppedRecords) => void,
): KinesisRecord[] {
  const expanded: KinesisRecord[] = []
  for (const record of records) {
    const message = readAggregate(record.data)
    if (message === null) {
      expanded.push(record)
      continue
    }
    const before = expanded.length
    const reason = expand(record, message, keys, expanded)
    if (reason === null) continue
    const delivered = expanded.length - before
    onDropped({ sequenceNumber: record.sequenceNumber, reason, delivered, dropped: message.payloads.length - delivered })
  }
  return expanded
}

/** Appends the user records of a message; why not all of them, or null. */
function expand(
  outer: KinesisRecord,
  message: AggregateMessage,
  keys: HashKeys,
  expanded: KinesisRecord[],
): DroppedRecords['reason'] | null {
  const { partitionKeys, explicitHashKeys, partitionKeyIndexes, explicitHashKeyIndexes, payloads } = message
  const { sequenceNumber, approximateArrivalTimestamp, encryptionType } = outer
  const before = expanded.length
  const judge = new Judge(message, keys)
  for (let subSequenceNumber = 0; subSequenceNumber < payloads.length; subSequenceNumber += 1) {
    const data = payloads[subSequenceNumber]
    const partitionKeyIndex = partitionKeyIndexes[subSequenceNumber] ?? none
    const explicitHashKeyIndex = explicitHashKeyIndexes[subSequenceNumber] ?? none
    const partitionKey = partitionKeys[partitionKeyIndex]
    const explicitHashKey = explicitHashKeys[explicitHashKeyIndex]
    if (data === undefined || partitionKey === undefined || (explicitHashKey === undefined && explicitHashKeyIndex !== none))
      return 'malformed'
    const verdict = judge.verdictOn(partitionKeyIndex, explicitHashKeyIndex)
    if (verdict === 'outsideHashKeyRange') expanded.length = before
    if (verdict !== 'inside') return verdict
    expanded.push({
      sequenceNumber,
      subSequenceNumber,
      partitionKey,
      data,
      approximateArrivalTimestamp,
      aggregated: true,
      explicitHashKey,
      encryptionType,
    })
  }
  return payloads.length === 0 ? 'empty' : null
}

type Verdict = 'inside' | 'outsideHashKeyRange' | 'malformed'

/** Judges user records by the indexes of their keys. Each key of the tables is looked at once, however many records share it. */
class Judge {
  readonly #message: AggregateMessage
  readonly #keys: HashKeys
  readonly #everyKeyIsInside: boolean
  readonly #partitionKeys: Verdict[] = []
  readonly #explicitHashKeys: Verdict[] = []

  constructor(message: AggregateMessage, keys: HashKeys) {
    this.#message = message
    this.#keys = keys
    this.#everyKeyIsInside = keys.start === everyHashKey.start && keys.end === everyHashKey.end
  }

  verdictOn(partitionKeyIndex: number, explicitHashKeyIndex: number): Verdict {
    const { partitionKeys, explicitHashKeys } = this.#message
    if (explicitHashKeyIndex !== none) {
      return (this.#explicitHashKeys[explicitHashKeyIndex] ??= this.#look(hashKeyOfExplicit(explicitHashKeys[explicitHashKeyIndex] ?? '')))
    }
    if (this.#everyKeyIsInside) return 'inside'
    return (this.#partitionKeys[partitionKeyIndex] ??= this.#look(hashKeyOfPartitionKey(partitionKeys[partitionKeyIndex] ?? '')))
  }

  #look(key: HashKey | undefined): Verdict {
    if (key === undefined) return 'malformed'
    return isAmong(this.#keys, key) ? 'inside' : 'outsideHashKeyRange'
  }
}
