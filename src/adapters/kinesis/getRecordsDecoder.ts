import { isAscii } from 'node:buffer'
import { type _Record, _Record$, type EncryptionType, type GetRecordsOutput, GetRecordsOutput$ } from '@aws-sdk/client-kinesis'
import { createBase64Decoder } from './base64.ts'

/**
 * Makes a decoder of the bodies of GetRecords answers. What Kinesis answers day in, day out it decodes to what the SDK makes of it, to the byte and to
 * the order of fields; for everything else, such as child shards, a missing field or a body that is broken, it says undefined, and the SDK is to decode it.
 */
export function createGetRecordsDecoder(): (body: Uint8Array) => GetRecordsOutput | undefined {
  const decodeBase64 = createBase64Decoder()

  const decodeRecord = (record: WireRecord, isPlain: boolean): _Record | undefined => {
    const { SequenceNumber, PartitionKey, EncryptionType } = record
    const Data = decodeBase64(record.Data, isPlain)
    if (Data === undefined) return undefined
    const ApproximateArrivalTimestamp = new Date(Math.round(record.ApproximateArrivalTimestamp * 1_000))
    return EncryptionType === undefined || EncryptionType === null
      ? { SequenceNumber, Data, ApproximateArrivalTimestamp, PartitionKey }
      : { SequenceNumber, Data, ApproximateArrivalTimestamp, PartitionKey, EncryptionType }
  }

  return (body) => {
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
    const isPlain = isAscii(bytes) && !bytes.includes('\\')
    const answer = parse(bytes.toString(isPlain ? 'latin1' : 'utf8'))
    if (!isUsualAnswer(answer)) return undefined
    const Records: _Record[] = []
    for (const record of answer.Records) {
      const decoded = isUsualRecord(record) ? decodeRecord(record, isPlain) : undefined
      if (decoded === undefined) return undefined
      Records.push(decoded)
    }
    const output: GetRecordsOutput = { Records }
    if (typeof answer.NextShardIterator === 'string') output.NextShardIterator = answer.NextShardIterator
    if (typeof answer.MillisBehindLatest === 'number') output.MillisBehindLatest = answer.MillisBehindLatest
    return output
  }
}

/** Whether the SDK in use knows of the fields that the decoder knows, and of no other: one that knows more is to decode by itself. */
export function decoderKnowsSchemas(): boolean {
  const known = [
    GetRecordsOutput$[4].join() === 'Records,NextShardIterator,MillisBehindLatest,ChildShards',
    _Record$[4].join() === 'SequenceNumber,Data,ApproximateArrivalTimestamp,PartitionKey,EncryptionType',
    // String, blob, timestamp, string, string.
    _Record$[5].join() === '0,21,4,0,0',
  ]
  return !known.includes(false)
}

interface WireAnswer {
  readonly Records: readonly unknown[]
  readonly NextShardIterator?: string | null
  readonly MillisBehindLatest?: number | null
}

interface WireRecord {
  readonly SequenceNumber: string
  readonly Data: string
  readonly ApproximateArrivalTimestamp: number
  readonly PartitionKey: string
  readonly EncryptionType?: EncryptionType | null
}

type Fields<Shape> = { readonly [Name in keyof Shape]?: unknown } & { readonly __type?: unknown; readonly ChildShards?: unknown }

/** Undefined when it is not JSON: the error is the SDK's to throw. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function isUsualAnswer(value: unknown): value is WireAnswer {
  if (typeof value !== 'object' || value === null) return false
  const { Records, NextShardIterator, MillisBehindLatest, ChildShards, __type }: Fields<WireAnswer> = value
  return (
    Array.isArray(Records) &&
    (typeof NextShardIterator === 'string' || isMissing(NextShardIterator)) &&
    (typeof MillisBehindLatest === 'number' || isMissing(MillisBehindLatest)) &&
    isMissing(ChildShards) &&
    // It makes the SDK keep fields that it does not know.
    __type === undefined
  )
}

function isUsualRecord(value: unknown): value is WireRecord {
  if (typeof value !== 'object' || value === null) return false
  const { SequenceNumber, Data, ApproximateArrivalTimestamp, PartitionKey, EncryptionType, __type }: Fields<WireRecord> = value
  return (
    typeof SequenceNumber === 'string' &&
    typeof Data === 'string' &&
    typeof ApproximateArrivalTimestamp === 'number' &&
    Number.isFinite(ApproximateArrivalTimestamp) &&
    typeof PartitionKey === 'string' &&
    (typeof EncryptionType === 'string' || isMissing(EncryptionType)) &&
    __type === undefined
  )
}

const isMissing = (value: unknown): boolean => value === undefined || value === null
