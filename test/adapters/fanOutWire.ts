import { type BatchStore, createBatchStore, type ExtendedSequenceNumber, type Position } from '@shardwise/effects'
import { type FanOutRecordSourceOptions, fanOutRecordSource } from '@shardwise/kinesis'
import { startFanOutServer } from '../../servers/fanOutServer.ts'
import { http2Client } from './fanOutClient.ts'
import { contextOf } from './handlerContext.ts'

export const shardId = 'shardId-000000000000'
const noPrefetch = { maxRecords: 0, maxBytes: 0 }
const wholeRange = { StartingHashKey: '0', EndingHashKey: '340282366920938463463374607431768211455' }

/** A source whose subscriptions say what the test sends. The consumer `reader` is active, unless the options say otherwise. */
export async function fanOutFixture({
  batches = createBatchStore(),
  registered = true,
  ...options
}: Partial<Omit<FanOutRecordSourceOptions, 'client'>> & { batches?: BatchStore; registered?: boolean } = {}) {
  const server = await startFanOutServer({
    listShards: () => ({
      Shards: [shardId, 'shardId-000000000001'].map((ShardId) => ({
        ShardId,
        HashKeyRange: wholeRange,
        SequenceNumberRange: { StartingSequenceNumber: '1' },
      })),
    }),
    hasShard: (asked) => /^shardId-00000000000[01]$/.test(asked),
  })
  const arn = registered ? server.register('reader') : undefined
  const client = http2Client(server.endpoint)
  const consumer = 'consumerArn' in options || 'consumerName' in options ? {} : { consumerArn: arn }
  const source = fanOutRecordSource({ client, stream: { name: 'orders' }, batches, ...consumer, ...options })
  return {
    server,
    source,
    batches,
    open: async (position: Position = { type: 'TRIM_HORIZON' }, signal = new AbortController().signal, of = shardId) =>
      source.openShard({ type: 'openShard', id: 1, shardId: of, position }, contextOf(signal)),
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
    close: async (of = shardId) => source.closeShard({ type: 'closeShard', id: 3, shardId: of }, contextOf(new AbortController().signal)),
    list: async () => source.listShards({ type: 'listShards', id: 4, from: 'ALL' }, contextOf(new AbortController().signal)),
    /** Where the subscriptions so far were to start. */
    starts: () => server.requests('SubscribeToShard').map((input) => input['StartingPosition']),
    subscriptionArns: () => server.requests('SubscribeToShard').map((input) => input['ConsumerARN']),
    stop: async () => {
      await server.stop()
      client.destroy()
    },
  }
}

/** An event with these sequence numbers, from behind the tip. Without `continuation` it ends the shard. */
export function event(sequenceNumbers: readonly number[], continuation: number | null, more: object = {}): object {
  return {
    Records: sequenceNumbers.map((number) => ({
      SequenceNumber: String(number),
      PartitionKey: `key ${number}`,
      Data: Buffer.from(`data ${number}`).toString('base64'),
      ApproximateArrivalTimestamp: 1_700_000_000.123,
    })),
    MillisBehindLatest: 5_000,
    ...(continuation === null ? {} : { ContinuationSequenceNumber: String(continuation) }),
    ...more,
  }
}

/** The children of a split, as the last event of a shard names them. */
export const children = {
  ChildShards: ['child-1', 'child-2'].map((ShardId) => ({
    ShardId,
    ParentShards: [shardId],
    HashKeyRange: { StartingHashKey: '0', EndingHashKey: '9' },
  })),
}

/** The sequence numbers of an answer's records, or the answer when it has none. */
export function numbersOf(answer: { readonly type: string; readonly batch?: { readonly batchId: string } }, batches: BatchStore): unknown {
  if (answer.batch === undefined) return answer
  return batches.take(answer.batch.batchId)?.records.map(({ sequenceNumber }) => Number(sequenceNumber))
}
