import { createBatchStore } from '@shardwise/effects'
import { fanOutRecordSource } from '@shardwise/kinesis'
import { createMemoryStream } from '@shardwise/memory'
import type { MakeRecordSource } from '@shardwise/testing'
import { startFanOutServer } from '../../servers/fanOutServer.ts'
import { feed, listingOf } from '../../servers/fanOutServerStream.ts'
import { http2Client } from './fanOutClient.ts'

/** Makes streams, each on a server of its own that sends so many records an event, with a source that reads it. */
export const fanOutStreams =
  (recordsPerEvent: number): MakeRecordSource =>
  async ({ shardCount = 1 } = {}) => {
    const stream = createMemoryStream({ shardCount })
    const server = await startFanOutServer({
      listShards: () => listingOf(stream),
      hasShard: (shardId) => stream.listShards().some((shard) => shard.shardId === shardId),
      onSubscribe: (subscription) => void feed(subscription, stream, { recordsPerEvent, heartbeatMs: 10 }),
      // The cases open a shard again at once.
      repeatWaitMs: 0,
      newConsumerStatus: 'ACTIVE',
    })
    const client = http2Client(server.endpoint)
    const batches = createBatchStore()
    return {
      source: fanOutRecordSource({ client, stream: { name: 'orders' }, consumerName: 'reader', batches }),
      batches,
      stream: {
        put: async (record) => stream.put(record),
        split: async (shardId) => void stream.split(shardId),
        merge: async (shardId, adjacentShardId) => void stream.merge(shardId, adjacentShardId),
        shards: async () => stream.listShards(),
      },
      close: async () => {
        await server.stop()
        client.destroy()
      },
    }
  }
