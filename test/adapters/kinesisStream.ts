import { randomUUID } from 'node:crypto'
import {
  CreateStreamCommand,
  DescribeStreamSummaryCommand,
  type KinesisClient,
  ListShardsCommand,
  MergeShardsCommand,
  PutRecordCommand,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis'
import { createBatchStore, type Shard } from '@shardwise/effects'
import { kinesisRecordSource } from '@shardwise/kinesis'
import type { MakeRecordSource, RecordSourceFixture } from '@shardwise/testing'

/** As contracts want it, and the name of the stream beside. */
type MakeNamedRecordSource = (...given: Parameters<MakeRecordSource>) => Promise<RecordSourceFixture & { readonly name: string }>

/** Makes streams on a local server, each with a source that reads it. */
export function streamsOf(client: KinesisClient): MakeNamedRecordSource {
  return async ({ shardCount = 1 } = {}) => {
    // Test files share servers.
    const StreamName = `stream-${randomUUID()}`
    await client.send(new CreateStreamCommand({ StreamName, ShardCount: shardCount }))
    await active(client, StreamName)
    const batches = createBatchStore()
    return {
      name: StreamName,
      source: kinesisRecordSource({ client, stream: { name: StreamName }, batches }),
      batches,
      stream: {
        async put({ partitionKey, data, explicitHashKey }) {
          const put = await client.send(
            new PutRecordCommand({ StreamName, PartitionKey: partitionKey, Data: data, ExplicitHashKey: explicitHashKey }),
          )
          return { shardId: put.ShardId ?? '', sequenceNumber: put.SequenceNumber ?? '' }
        },
        async split(shardId) {
          const shard = (await shardsOf(client, StreamName)).find((listed) => listed.shardId === shardId)
          if (shard === undefined) throw new Error(`split: no shard ${shardId}`)
          const { startingHashKey, endingHashKey } = shard.hashKeyRange
          const middle = (BigInt(startingHashKey) + BigInt(endingHashKey) + 1n) / 2n
          await client.send(new SplitShardCommand({ StreamName, ShardToSplit: shardId, NewStartingHashKey: String(middle) }))
          await active(client, StreamName)
        },
        async merge(shardId, adjacentShardId) {
          await client.send(new MergeShardsCommand({ StreamName, ShardToMerge: shardId, AdjacentShardToMerge: adjacentShardId }))
          await active(client, StreamName)
        },
        shards: () => shardsOf(client, StreamName),
      },
      close: async () => undefined,
    }
  }
}

async function active(client: KinesisClient, StreamName: string): Promise<void> {
  for (;;) {
    const { StreamDescriptionSummary: summary } = await client.send(new DescribeStreamSummaryCommand({ StreamName }))
    if (summary?.StreamStatus === 'ACTIVE') return
  }
}

async function shardsOf(client: KinesisClient, StreamName: string): Promise<readonly Shard[]> {
  const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName }))
  return Shards.map((shard) => ({
    shardId: shard.ShardId ?? '',
    parentShardIds: [shard.ParentShardId, shard.AdjacentParentShardId].filter((parent) => parent !== undefined),
    hashKeyRange: {
      startingHashKey: shard.HashKeyRange?.StartingHashKey ?? '',
      endingHashKey: shard.HashKeyRange?.EndingHashKey ?? '',
    },
    startingSequenceNumber: shard.SequenceNumberRange?.StartingSequenceNumber ?? '',
    closed: shard.SequenceNumberRange?.EndingSequenceNumber !== undefined,
  }))
}
