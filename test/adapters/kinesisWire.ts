import { type BatchStore, createBatchStore, type ExtendedSequenceNumber, type Position } from '@shardwise/effects'
import { type KinesisRecordSourceOptions, kinesisRecordSource } from '@shardwise/kinesis'
import { startWireKinesis, type WireAnswer } from '../../servers/wireKinesis.ts'
import type { WireShardList } from '../../servers/wireShards.ts'
import { contextOf, neverAborted } from './handlerContext.ts'
import { localKinesisClient } from './kinesisClient.ts'

export const shardId = 'shardId-000000000000'
const noPrefetch = { maxRecords: 0, maxBytes: 0 }
export const onePageAhead = { maxRecords: 10_000, maxBytes: 1_000_000 }

type SourceOptions = Partial<Omit<KinesisRecordSourceOptions, 'client' | 'batches'>>

/** A source whose Kinesis says what the test scripts. */
export async function wireFixture({
  shards,
  batches = createBatchStore(),
  ...options
}: SourceOptions & { shards?: WireShardList; batches?: BatchStore } = {}) {
  const wire = await startWireKinesis(shards)
  const client = localKinesisClient(wire.endpoint)
  const source = kinesisRecordSource({ client, stream: { name: 'orders' }, batches, ...options })
  return {
    wire,
    source,
    batches,
    open: async (position: Position = { type: 'TRIM_HORIZON' }, signal = new AbortController().signal) =>
      source.openShard({ type: 'openShard', id: 1, shardId, position }, contextOf(signal)),
    read: async ({
      after = null,
      maxRecords = 10_000,
      prefetch = noPrefetch,
      signal = new AbortController().signal,
    }: {
      after?: ExtendedSequenceNumber | null
      maxRecords?: number
      prefetch?: { maxRecords: number; maxBytes: number }
      signal?: AbortSignal
    } = {}) => source.readRecords({ type: 'readRecords', id: 2, shardId, after, maxRecords, prefetch }, contextOf(signal)),
    close: async () => source.closeShard({ type: 'closeShard', id: 3, shardId }, neverAborted),
    list: async (from: Parameters<typeof source.listShards>[0]['from'], signal = new AbortController().signal) =>
      source.listShards({ type: 'listShards', id: 4, from }, contextOf(signal)),
    listChildren: async (of = shardId) => source.listChildShards({ type: 'listChildShards', id: 5, shardId: of }, neverAborted),
    /** The iterators that GetRecords was asked with, in order. */
    iterators: () => wire.requests('GetRecords').map(({ input }) => input['ShardIterator']),
    stop: async () => {
      client.destroy()
      await wire.stop()
    },
  }
}

/** A GetRecords answer from behind the tip with these sequence numbers, and `next` as its iterator, or none. */
export function page(sequenceNumbers: readonly (number | string)[], next: string | null, more: object = {}): WireAnswer {
  const Records = sequenceNumbers.map((number) => ({
    SequenceNumber: String(number),
    PartitionKey: `key ${number}`,
    Data: Buffer.from(`data ${number}`).toString('base64'),
    ApproximateArrivalTimestamp: 1_700_000_000.123,
  }))
  return { json: { Records, NextShardIterator: next, MillisBehindLatest: 5_000, ...more } }
}

/** The sequence numbers of an answer's records, or the answer when it has none. */
export function numbersOf(answer: { readonly type: string; readonly batch?: { readonly batchId: string } }, batches: BatchStore): unknown {
  if (answer.batch === undefined) return answer
  return batches.take(answer.batch.batchId)?.records.map(({ sequenceNumber }) => sequenceNumber)
}

/** A promise and what settles it. */
export function gate<T>(): { readonly promise: Promise<T>; readonly open: (value: T) => void } {
  let open: (value: T) => void = () => undefined
  const promise = new Promise<T>((resolve) => {
    open = resolve
  })
  return { promise, open }
}
