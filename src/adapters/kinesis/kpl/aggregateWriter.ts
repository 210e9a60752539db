import { Buffer } from 'node:buffer'
import { BinaryWriter } from '@bufbuild/protobuf/wire'
import { digestBytes, digestOf, magic, none, tags } from './aggregateFormat.ts'
import type { UserRecord } from './aggregator.ts'

/** Writes user records into one aggregate, and knows its size before it is written. */
export class AggregateWriter {
  #records: UserRecord[] = []
  #partitionKeys = new KeyTable()
  #explicitHashKeys = new KeyTable()
  #messageBytes = 0

  /** In the order in which they were added. */
  get records(): readonly UserRecord[] {
    return this.#records
  }

  /** The bytes of the outgoing record, its partition key included, if this one were added. */
  bytesWith(record: UserRecord): number {
    const first = this.#records[0] ?? record
    return Buffer.byteLength(first.partitionKey) + magic.length + this.#messageBytes + this.#bytesOf(record) + digestBytes
  }

  add(record: UserRecord): void {
    this.#messageBytes += this.#bytesOf(record)
    this.#records.push(record)
    this.#partitionKeys.indexOf(record.partitionKey)
    if (record.explicitHashKey !== undefined) this.#explicitHashKeys.indexOf(record.explicitHashKey)
  }

  /** The data of the aggregate: magic number, message and digest. The writer is empty then. */
  finish(): Uint8Array {
    const writer = new BinaryWriter().raw(magic)
    for (const key of this.#partitionKeys.keys()) writer.uint32(tags.partitionKey).string(key)
    for (const key of this.#explicitHashKeys.keys()) writer.uint32(tags.explicitHashKey).string(key)
    for (const record of this.#records) this.#write(writer, record)
    const written = writer.raw(new Uint8Array(digestBytes)).finish()
    const end = written.length - digestBytes
    written.set(digestOf(written.subarray(magic.length, end)), end)
    this.clear()
    return written
  }

  clear(): void {
    this.#records = []
    this.#partitionKeys = new KeyTable()
    this.#explicitHashKeys = new KeyTable()
    this.#messageBytes = 0
  }

  #write(writer: BinaryWriter, { partitionKey, explicitHashKey, data }: UserRecord): void {
    const partitionKeyIndex = this.#partitionKeys.indexOf(partitionKey)
    const explicitHashKeyIndex = explicitHashKey === undefined ? none : this.#explicitHashKeys.indexOf(explicitHashKey)
    writer.uint32(tags.record).uint32(bytesOfRecord(partitionKeyIndex, explicitHashKeyIndex, data.length))
    writer.uint32(tags.partitionKeyIndex).uint32(partitionKeyIndex)
    if (explicitHashKeyIndex !== none) writer.uint32(tags.explicitHashKeyIndex).uint32(explicitHashKeyIndex)
    writer.uint32(tags.data).bytes(data)
  }

  /** What a record adds to the message: itself, and those of its keys that are not in the tables. */
  #bytesOf({ partitionKey, explicitHashKey, data }: UserRecord): number {
    const partitionKeyIndex = this.#partitionKeys.peek(partitionKey)
    const explicitHashKeyIndex = explicitHashKey === undefined ? none : this.#explicitHashKeys.peek(explicitHashKey)
    const record = bytesOfRecord(partitionKeyIndex, explicitHashKeyIndex, data.length)
    const ofKeys =
      this.#partitionKeys.bytesToAdd(partitionKey) +
      (explicitHashKey === undefined ? 0 : this.#explicitHashKeys.bytesToAdd(explicitHashKey))
    return ofKeys + bytesOfField(record)
  }
}

/** A table of keys without repetitions, each at the index of its first appearance. */
class KeyTable {
  // A map: the properties of an object would put `10` before `a`, and lose `__proto__`.
  readonly #indexes = new Map<string, number>()

  keys(): Iterable<string> {
    return this.#indexes.keys()
  }

  /** The index of a key, which is added when it is not there. */
  indexOf(key: string): number {
    const index = this.peek(key)
    if (index === this.#indexes.size) this.#indexes.set(key, index)
    return index
  }

  /** The index that a key has or would get. */
  peek(key: string): number {
    return this.#indexes.get(key) ?? this.#indexes.size
  }

  bytesToAdd(key: string): number {
    return this.#indexes.has(key) ? 0 : bytesOfField(Buffer.byteLength(key))
  }
}

function bytesOfRecord(partitionKeyIndex: number, explicitHashKeyIndex: number, dataBytes: number): number {
  return (
    1 +
    bytesOfVarint(partitionKeyIndex) +
    (explicitHashKeyIndex === none ? 0 : 1 + bytesOfVarint(explicitHashKeyIndex)) +
    bytesOfField(dataBytes)
  )
}

/** A field of that length, with its tag, which is one byte for every field of this format. */
function bytesOfField(length: number): number {
  return 1 + bytesOfVarint(length) + length
}

function bytesOfVarint(value: number): number {
  let bytes = 1
  for (let rest = value; rest > 0x7f; rest >>>= 7) bytes += 1
  return bytes
}
