import { Buffer } from 'node:buffer'
import type { BinaryWriter } from '@bufbuild/protobuf/wire'
import { digestBytes, magic, none, tags, writeDigest } from './aggregateFormat.ts'
import type { UserRecord } from './aggregator.ts'

/** Collects user records, knows at any time how large their aggregate would be, and writes it. */
export class AggregateWriter {
  readonly #writer: BinaryWriter
  #records: UserRecord[] = []
  /** Of the keys of each record in the tables; two for each. */
  #indexes: number[] = []
  #partitionKeys = new KeyTable()
  #explicitHashKeys = new KeyTable()
  /** Of the outgoing record: its partition key and its data. */
  #bytes = 0

  /** `writer` may be shared: it is empty between two calls. It keeps its memory, which is what makes it worth sharing. */
  constructor(writer: BinaryWriter) {
    this.#writer = writer
  }

  /** In the order in which they were added. */
  get records(): readonly UserRecord[] {
    return this.#records
  }

  /** Adds a record, unless the outgoing record would then take more than `maxBytes`: then nothing changes, and it is false. */
  add(record: UserRecord, maxBytes: number): boolean {
    const { partitionKey, explicitHashKey, data } = record
    const partitionKeyIndex = this.#partitionKeys.indexOf(partitionKey)
    const explicitHashKeyIndex = explicitHashKey === undefined ? none : this.#explicitHashKeys.indexOf(explicitHashKey)
    const newPartitionKeyBytes = this.#partitionKeys.bytesToAdd(partitionKey, partitionKeyIndex)
    const newExplicitHashKeyBytes =
      explicitHashKey === undefined ? 0 : this.#explicitHashKeys.bytesToAdd(explicitHashKey, explicitHashKeyIndex)
    const frameBytes = this.#records.length > 0 ? this.#bytes : Buffer.byteLength(partitionKey) + magic.length + digestBytes
    const recordBytes = bytesOfField(bytesOfRecord(partitionKeyIndex, explicitHashKeyIndex, data.length))
    const bytes = frameBytes + newPartitionKeyBytes + newExplicitHashKeyBytes + recordBytes
    if (bytes > maxBytes) return false
    this.#bytes = bytes
    this.#records.push(record)
    this.#indexes.push(partitionKeyIndex, explicitHashKeyIndex)
    if (newPartitionKeyBytes > 0) this.#partitionKeys.add(partitionKey)
    if (explicitHashKey !== undefined && newExplicitHashKeyBytes > 0) this.#explicitHashKeys.add(explicitHashKey)
    return true
  }

  /** The data of the aggregate: magic number, message and digest. */
  write(): Uint8Array {
    const writer = this.#writer.raw(magic)
    for (const key of this.#partitionKeys.keys()) writer.uint32(tags.partitionKey).string(key)
    for (const key of this.#explicitHashKeys.keys()) writer.uint32(tags.explicitHashKey).string(key)
    for (let index = 0; index < this.#records.length; index += 1) {
      const data = this.#records[index]?.data
      const partitionKeyIndex = this.#indexes[2 * index]
      const explicitHashKeyIndex = this.#indexes[2 * index + 1]
      if (data === undefined || partitionKeyIndex === undefined || explicitHashKeyIndex === undefined) break
      writer.uint32(tags.record).uint32(bytesOfRecord(partitionKeyIndex, explicitHashKeyIndex, data.length))
      writer.uint32(tags.partitionKeyIndex).uint32(partitionKeyIndex)
      if (explicitHashKeyIndex !== none) writer.uint32(tags.explicitHashKeyIndex).uint32(explicitHashKeyIndex)
      writer.uint32(tags.data).bytes(data)
    }
    const written = writer.raw(roomForDigest).finish()
    writeDigest(written)
    return written
  }

  /** Forgets every record. */
  clear(): void {
    this.#records = []
    this.#indexes = []
    this.#partitionKeys = new KeyTable()
    this.#explicitHashKeys = new KeyTable()
    this.#bytes = 0
  }
}

const roomForDigest = new Uint8Array(digestBytes)

/** A table of keys without repetitions, each at the index of its first appearance. */
class KeyTable {
  // A map: the properties of an object would put `10` before `a`, and lose `__proto__`.
  readonly #indexes = new Map<string, number>()

  keys(): Iterable<string> {
    return this.#indexes.keys()
  }

  /** The index that a key has or would get. */
  indexOf(key: string): number {
    return this.#indexes.get(key) ?? this.#indexes.size
  }

  /** 0 for a key that is there. */
  bytesToAdd(key: string, index: number): number {
    return index < this.#indexes.size ? 0 : bytesOfField(Buffer.byteLength(key))
  }

  add(key: string): void {
    this.#indexes.set(key, this.#indexes.size)
  }
}

function bytesOfRecord(partitionKeyIndex: number, explicitHashKeyIndex: number, dataBytes: number): number {
  const ofExplicitHashKey = explicitHashKeyIndex === none ? 0 : 1 + bytesOfVarint(explicitHashKeyIndex)
  return 1 + bytesOfVarint(partitionKeyIndex) + ofExplicitHashKey + bytesOfField(dataBytes)
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
