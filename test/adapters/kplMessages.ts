import { createHash } from 'node:crypto'
import type { KinesisRecord } from '@shardwise/effects'

/** Protobuf and KPL framing by hand: nothing here is shared with what is tested. */
export const varint = (value: bigint | number): number[] => {
  const bytes: number[] = []
  let rest = BigInt(value)
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  return [...bytes, Number(rest)]
}
const tag = (field: number, wireType: number): number[] => varint((field << 3) | wireType)
/** A length-delimited field. */
export const field = (number: number, content: string | readonly number[]): number[] => {
  const bytes = typeof content === 'string' ? [...Buffer.from(content)] : content
  return [...tag(number, 2), ...varint(bytes.length), ...bytes]
}
export const number = (fieldNumber: number, value: bigint | number): number[] => [...tag(fieldNumber, 0), ...varint(value)]

export const partitionKey = (key: string | readonly number[]): number[] => field(1, key)
export const explicitHashKey = (key: string): number[] => field(2, key)
/** A user record by the indexes of its keys. */
export const userRecord = (key: number | bigint, data: string | readonly number[], explicit?: number | bigint): number[] =>
  field(3, [...number(1, key), ...(explicit === undefined ? [] : number(2, explicit)), ...field(3, data)])

/** The data of an aggregate with this message, however wrong that is. */
export function framed(...parts: readonly (readonly number[] | Uint8Array)[]): Uint8Array {
  const message = Buffer.concat(parts.map((part) => Buffer.from(part)))
  return Buffer.concat([Buffer.from('f3899ac2', 'hex'), message, createHash('md5').update(message).digest()])
}

/** A Kinesis record with such data. */
export function aRecord(data: Uint8Array, sequenceNumber = '42'): KinesisRecord {
  return { sequenceNumber, subSequenceNumber: 0, partitionKey: 'outer', data, approximateArrivalTimestamp: new Date(1_000) }
}

export const textOf = ({ data }: { readonly data: Uint8Array }): string => Buffer.from(data).toString()
