import { hash } from 'node:crypto'
import { BinaryReader } from '@bufbuild/protobuf/wire'

/** What the data of an aggregate begin with. Source: KPL `aggregation-format.md`. */
export const magic: Uint8Array = Uint8Array.of(0xf3, 0x89, 0x9a, 0xc2)
/** The MD5 of the message, which follows it. */
export const digestBytes = 16

/** How the bytes of a field are laid out. Source: the encoding of protobuf. */
const wire = { varint: 0, bit64: 1, lengthDelimited: 2, startGroup: 3, endGroup: 4, bit32: 5 } as const

/** Field numbers with their wire types. */
export const tags = {
  // Of the message.
  partitionKey: (1 << 3) | wire.lengthDelimited,
  explicitHashKey: (2 << 3) | wire.lengthDelimited,
  record: (3 << 3) | wire.lengthDelimited,
  // Of a user record.
  partitionKeyIndex: (1 << 3) | wire.varint,
  explicitHashKeyIndex: (2 << 3) | wire.varint,
  data: (3 << 3) | wire.lengthDelimited,
  userTag: (4 << 3) | wire.lengthDelimited,
  // Of a tag of a user record.
  userTagKey: (1 << 3) | wire.lengthDelimited,
} as const

/** As the Java runtime of protobuf has it: how deep messages and groups may be nested. */
const maxDepth = 100

/** In place of an index: a varint is never below 0. */
export const none = -1

/** The message of an aggregate: three lists of the same length, one entry per user record, and the tables that two of them point into. */
export interface AggregateMessage {
  readonly partitionKeys: readonly string[]
  readonly explicitHashKeys: readonly string[]
  readonly partitionKeyIndexes: readonly number[]
  /** `none` for a user record without an explicit hash key. */
  readonly explicitHashKeyIndexes: readonly number[]
  /** Views of the bytes that were read. */
  readonly payloads: readonly Uint8Array[]
}

/** Whether data may be an aggregate; only their digest tells. Cheap enough for every record. */
export function looksAggregated(data: Uint8Array): boolean {
  return data[0] === 0xf3 && data[1] === 0x89 && data[2] === 0x9a && data[3] === 0xc2 && data.length > magic.length + digestBytes
}

/**
 * Reads the data of a Kinesis record; null when they are not an aggregate, whichever way they are not: the magic number, the digest, or a message that the
 * KCL would not parse either. Time and memory grow with the length of the data alone.
 */
export function readAggregate(data: Uint8Array): AggregateMessage | null {
  if (!looksAggregated(data) || !hasDigest(data)) return null
  try {
    return readMessage(new BinaryReader(messageOf(data)))
  } catch {
    // Reading throws for a malformed message, and for nothing else: bytes with a digest that anybody could make.
    return null
  }
}

/** Writes the digest of the message into the room that the data of an aggregate have for it. */
export function writeDigest(data: Uint8Array): void {
  const digest = digestOf(data)
  const start = data.length - digestBytes
  for (let index = 0; index < digestBytes; index += 1) data[start + index] = digest.charCodeAt(index)
}

function hasDigest(data: Uint8Array): boolean {
  const digest = digestOf(data)
  const start = data.length - digestBytes
  for (let index = 0; index < digestBytes; index += 1) if (data[start + index] !== digest.charCodeAt(index)) return false
  return true
}

// One character per byte: a buffer would take as long to make as the digest of a short message.
function digestOf(data: Uint8Array): string {
  return hash('md5', messageOf(data), 'binary')
}

function messageOf(data: Uint8Array): Uint8Array {
  return data.subarray(magic.length, data.length - digestBytes)
}

function readMessage(reader: BinaryReader): AggregateMessage {
  const message = {
    partitionKeys: [] as string[],
    explicitHashKeys: [] as string[],
    partitionKeyIndexes: [] as number[],
    explicitHashKeyIndexes: [] as number[],
    payloads: [] as Uint8Array[],
  }
  while (reader.pos < reader.len) {
    const tag = reader.uint32()
    if (tag === tags.record) readRecord(reader, message)
    else if (tag === tags.partitionKey) message.partitionKeys.push(reader.string())
    else if (tag === tags.explicitHashKey) message.explicitHashKeys.push(reader.string())
    else skip(reader, tag, 0)
  }
  return message
}

function readRecord(
  reader: BinaryReader,
  message: { partitionKeyIndexes: number[]; explicitHashKeyIndexes: number[]; payloads: Uint8Array[] },
): void {
  const end = endOfMessage(reader)
  let partitionKeyIndex = none
  let explicitHashKeyIndex = none
  let payload: Uint8Array | undefined
  while (reader.pos < end) {
    const tag = reader.uint32()
    // Of the 64 bits of an index the KCL takes the lower 32, too.
    if (tag === tags.partitionKeyIndex) partitionKeyIndex = reader.uint32()
    else if (tag === tags.data) payload = reader.bytes()
    else if (tag === tags.explicitHashKeyIndex) explicitHashKeyIndex = reader.uint32()
    else if (tag === tags.userTag) readUserTag(reader)
    else skip(reader, tag, 1)
  }
  if (reader.pos !== end || partitionKeyIndex === none || payload === undefined) throw new RangeError('record: malformed')
  message.partitionKeyIndexes.push(partitionKeyIndex)
  message.explicitHashKeyIndexes.push(explicitHashKeyIndex)
  message.payloads.push(payload)
}

/** Tags are not delivered, but one without its required key spoils the message. */
function readUserTag(reader: BinaryReader): void {
  const end = endOfMessage(reader)
  let hasKey = false
  while (reader.pos < end) {
    const tag = reader.uint32()
    if (tag === tags.userTagKey) hasKey = true
    skip(reader, tag, 2)
  }
  if (reader.pos !== end || !hasKey) throw new RangeError('tag: malformed')
}

/** Where a message inside another ends; beyond the bytes that are there, it is read until they run out, and that throws. */
function endOfMessage(reader: BinaryReader): number {
  const length = reader.uint32()
  return reader.pos + length
}

/** Skips an unknown field. The reader's own `skip` takes varints of any length, and tags that Java's runtime refuses or takes differently. */
function skip(reader: BinaryReader, tag: number, depth: number): void {
  const fieldNumber = tag >>> 3
  if (fieldNumber === 0) throw new RangeError('tag: no field number')
  switch (tag & 7) {
    case wire.varint:
      reader.uint32()
      return
    case wire.bit64:
      skipBytes(reader, 8)
      return
    case wire.lengthDelimited:
      skipBytes(reader, reader.uint32())
      return
    case wire.startGroup:
      skipGroup(reader, fieldNumber, depth + 1)
      return
    case wire.bit32:
      skipBytes(reader, 4)
      return
    default:
      throw new RangeError('tag: no such wire type, or the end of a group that was not opened')
  }
}

function skipBytes(reader: BinaryReader, count: number): void {
  reader.pos += count
  if (reader.pos > reader.len) throw new RangeError('field: truncated')
}

function skipGroup(reader: BinaryReader, fieldNumber: number, depth: number): void {
  if (depth > maxDepth) throw new RangeError('group: nested too deeply')
  for (;;) {
    const tag = reader.uint32()
    if ((tag & 7) === wire.endGroup) {
      if (tag >>> 3 !== fieldNumber) throw new RangeError('group: ended by another one')
      return
    }
    skip(reader, tag, depth)
  }
}
