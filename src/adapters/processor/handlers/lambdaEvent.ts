import type { KinesisRecord, ShardId } from '@shardwise/effects'
import { kclError } from '../kclError.ts'
import { base64Text } from './base64Text.ts'

/** What Lambda hands to a function whose event source is a Kinesis stream. */
export interface KinesisStreamEvent {
  Records: KinesisStreamRecord[]
}

/** A record of such an event. */
export interface KinesisStreamRecord {
  kinesis: {
    kinesisSchemaVersion: string
    partitionKey: string
    sequenceNumber: string
    /** The payload in base64. */
    data: string
    /** Seconds since the epoch, with a fraction; 0 when Kinesis did not say. */
    approximateArrivalTimestamp: number
  }
  eventSource: string
  eventVersion: string
  /** Shard and sequence number; of a record out of an aggregate also its place in there, so that no two records have the same. */
  eventID: string
  eventName: string
  invokeIdentityArn: string
  awsRegion: string
  eventSourceARN: string
}

/** What such a function may answer: the sequence numbers of records that failed. */
export interface KinesisStreamBatchResponse {
  batchItemFailures?: readonly { readonly itemIdentifier: string }[] | null
}

/** The event of some records of a shard. */
export function lambdaEvent(shardId: ShardId, eventSourceARN: string, records: readonly KinesisRecord[]): KinesisStreamEvent {
  const awsRegion = eventSourceARN.split(':')[3] ?? ''
  return {
    Records: records.map(({ sequenceNumber, subSequenceNumber, partitionKey, data, approximateArrivalTimestamp, aggregated }) => ({
      kinesis: {
        kinesisSchemaVersion: '1.0',
        partitionKey,
        sequenceNumber,
        data: base64Text(data),
        approximateArrivalTimestamp: (approximateArrivalTimestamp?.getTime() ?? 0) / 1000,
      },
      eventSource: 'aws:kinesis',
      eventVersion: '1.0',
      eventID: `${shardId}:${sequenceNumber}${aggregated === true ? `/${subSequenceNumber}` : ''}`,
      eventName: 'aws:kinesis:record',
      invokeIdentityArn: '',
      awsRegion,
      eventSourceARN,
    })),
  }
}

/** What an answer says of the records of its event. */
export interface LambdaVerdict {
  /** How many records succeeded before the first that failed. */
  readonly succeeded: number
  /** null when none failed. */
  readonly failure: Error | null
}

/**
 * Reads the answer to an event as Lambda does: records from the lowest reported on have failed, nothing reported is a success, and an answer that names no
 * record of the event fails all of it.
 */
export function judgeAnswer(records: readonly KinesisRecord[], answer: unknown): LambdaVerdict {
  if (answer === undefined || answer === null) return { succeeded: records.length, failure: null }
  if (typeof answer !== 'object') return allFailed(`expected an object or nothing, got ${typeof answer}`)
  const { batchItemFailures } = answer as { readonly batchItemFailures?: unknown }
  if (batchItemFailures === undefined || batchItemFailures === null) return { succeeded: records.length, failure: null }
  if (!Array.isArray(batchItemFailures)) return allFailed(`batchItemFailures: expected a list, got ${typeof batchItemFailures}`)
  const reported = batchItemFailures.map((item: unknown) => identifierOf(item))
  const indexes = reported.map((identifier) => records.findIndex(({ sequenceNumber }) => sequenceNumber === identifier))
  const unknown = indexes.indexOf(-1)
  if (unknown !== -1) {
    return allFailed(`itemIdentifier: expected the sequence number of a record of the event, got ${String(reported[unknown])}`)
  }
  if (indexes.length === 0) return { succeeded: records.length, failure: null }
  const succeeded = Math.min(...indexes)
  const failure = lambdaError(`${indexes.length} failed, the first at ${String(records[succeeded]?.sequenceNumber)}`)
  return { succeeded, failure }
}

function identifierOf(item: unknown): unknown {
  return typeof item === 'object' && item !== null ? (item as { readonly itemIdentifier?: unknown }).itemIdentifier : item
}

function allFailed(why: string): LambdaVerdict {
  return { succeeded: 0, failure: lambdaError(why) }
}

function lambdaError(message: string): Error {
  return kclError({ name: 'BatchItemFailures', message })
}
