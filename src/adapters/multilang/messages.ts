import type { ExtendedSequenceNumber, KinesisRecord, ShardId } from '@shardwise/effects'

/** What a child process is asked to do; each is answered by a status that names it. */
export type Action = 'initialize' | 'processRecords' | 'leaseLost' | 'shardEnded' | 'shutdownRequested'

/** What a child process says. `responseFor` is undefined where it named nothing; a null sequence number asks for everything that was delivered. */
export type ChildMessage =
  | { readonly action: 'status'; readonly responseFor: string | undefined }
  | { readonly action: 'checkpoint'; readonly sequenceNumber: string | null; readonly subSequenceNumber: number | null }

/** The line that starts a record processor at a checkpoint. */
export function initializeLine(shardId: ShardId, { sequenceNumber, subSequenceNumber }: ExtendedSequenceNumber): string {
  return lineOf({ action: 'initialize', shardId, sequenceNumber, subSequenceNumber })
}

/** The longest line that is written to a child; a text of the platform is not much longer. */
const mostLineLength = 256 * 1024 * 1024
/** What a record has beside its data and its partition key. */
const restLength = 400

/**
 * The line that hands records over. Every key is written: record processors in Python need them all.
 * @throws Error, before anything is written down, when the line may be longer than 256 MiB: an aggregate may name one long partition key in each of its records.
 */
export function processRecordsLine(records: readonly KinesisRecord[], millisBehindLatest: number | null): string {
  let length = 0
  // A character of a key is written as six at the most, and three bytes of data as four.
  for (const { data, partitionKey } of records) length += restLength + partitionKey.length * 6 + Math.ceil(data.byteLength / 3) * 4
  if (length > mostLineLength) {
    throw new Error(
      `processRecords: expected records for a line of at most ${mostLineLength} bytes, got ${records.length} for up to ${length}`,
    )
  }
  return lineOf({
    action: 'processRecords',
    records: records.map(({ data, partitionKey, sequenceNumber, approximateArrivalTimestamp, subSequenceNumber }) => ({
      data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
      partitionKey,
      sequenceNumber,
      approximateArrivalTimestamp: approximateArrivalTimestamp?.getTime() ?? null,
      subSequenceNumber,
      action: 'record',
    })),
    millisBehindLatest,
  })
}

/** The line of an action that says nothing more. */
export function plainLine(action: 'leaseLost' | 'shardEnded' | 'shutdownRequested'): string {
  return lineOf({ action })
}

/** The line that ends a checkpoint: both fields as they were asked for, and the name of the error. */
export function checkpointLine(asked: Extract<ChildMessage, { action: 'checkpoint' }>, error: string | null): string {
  const { sequenceNumber, subSequenceNumber } = asked
  return lineOf({ action: 'checkpoint', sequenceNumber, subSequenceNumber, error })
}

/** Compact JSON in ASCII: what a child makes of other bytes depends on its locale. */
function lineOf(message: object): string {
  const ascii = JSON.stringify(message).replaceAll(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return `${ascii}\n`
}

const properties: Readonly<Record<ChildMessage['action'], readonly string[]>> = {
  status: ['action', 'responseFor'],
  checkpoint: ['action', 'sequenceNumber', 'subSequenceNumber', 'error'],
}

/**
 * What a line of a child says; undefined for a line that is no message, such as something it printed. As the MultiLangDaemon does, it takes blanks around a message and text after
 * it, numbers that should be texts and the reverse, and no property that it does not know. Messages hold no objects, so nothing nested is read.
 */
export function readMessage(line: string): ChildMessage | undefined {
  const [, object] = /^\s*(\{[^{}]*\})/.exec(line) ?? []
  if (object === undefined) return undefined
  const message = parsed(object)
  if (message === undefined) return undefined
  const { action, responseFor, sequenceNumber, subSequenceNumber } = message
  if (action !== 'status' && action !== 'checkpoint') return undefined
  if (Object.keys(message).some((name) => !properties[action].includes(name))) return undefined
  if (action === 'status') return { action, responseFor: typeof responseFor === 'string' ? responseFor : undefined }
  const index = subSequenceNumber === undefined || subSequenceNumber === null ? null : Number(subSequenceNumber)
  if (Number.isNaN(index) || Array.isArray(sequenceNumber) || Array.isArray(subSequenceNumber)) return undefined
  const number = sequenceNumber === undefined || sequenceNumber === null ? null : String(sequenceNumber)
  return { action, sequenceNumber: number, subSequenceNumber: index }
}

function parsed(object: string): Readonly<Record<string, unknown>> | undefined {
  try {
    // A sequence number that was written as a number has more digits than a number here can hold.
    return JSON.parse(object.replace(/("sequenceNumber"\s*:\s*)(\d+)/, '$1"$2"')) as Readonly<Record<string, unknown>>
  } catch {
    return undefined
  }
}
