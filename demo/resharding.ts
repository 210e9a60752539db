import { setTimeout as sleep } from 'node:timers/promises'
import {
  DescribeStreamSummaryCommand,
  type KinesisClient,
  ListShardsCommand,
  MergeShardsCommand,
  SplitShardCommand,
} from '@aws-sdk/client-kinesis'

/** Splits the first open shard in the middle of its hash keys. Answers what was done. */
export async function splitFirstShard(kinesis: KinesisClient, streamName: string): Promise<string> {
  const [first] = await openShards(kinesis, streamName)
  if (first === undefined) throw new Error('split: expected an open shard, found none')
  await kinesis.send(
    new SplitShardCommand({
      StreamName: streamName,
      ShardToSplit: first.shardId,
      NewStartingHashKey: String((first.startingHashKey + first.endingHashKey) / 2n + 1n),
    }),
  )
  await untilActive(kinesis, streamName)
  return `${first.shardId} is split`
}

/** Merges the last two open shards, which are neighbours. Answers what was done. */
export async function mergeLastShards(kinesis: KinesisClient, streamName: string): Promise<string> {
  const [shard, neighbour] = (await openShards(kinesis, streamName)).slice(-2)
  if (shard === undefined || neighbour === undefined) throw new Error('merge: expected two open shards')
  await kinesis.send(
    new MergeShardsCommand({ StreamName: streamName, ShardToMerge: shard.shardId, AdjacentShardToMerge: neighbour.shardId }),
  )
  await untilActive(kinesis, streamName)
  return `${shard.shardId} and ${neighbour.shardId} are merged`
}

/** Waits for the end of a change to the stream. */
export async function untilActive(kinesis: KinesisClient, streamName: string): Promise<void> {
  for (;;) {
    const { StreamDescriptionSummary: summary } = await kinesis.send(new DescribeStreamSummaryCommand({ StreamName: streamName }))
    if (summary?.StreamStatus === 'ACTIVE') return
    await sleep(20)
  }
}

/** The open shards, by hash key. */
async function openShards(kinesis: KinesisClient, streamName: string) {
  const { Shards: shards = [] } = await kinesis.send(new ListShardsCommand({ StreamName: streamName }))
  return shards
    .filter(({ SequenceNumberRange: range }) => range?.EndingSequenceNumber === undefined)
    .map(({ ShardId: shardId, HashKeyRange: range }) => ({
      shardId,
      startingHashKey: BigInt(range?.StartingHashKey ?? 0),
      endingHashKey: BigInt(range?.EndingHashKey ?? 0),
    }))
    .sort((a, b) => (a.startingHashKey < b.startingHashKey ? -1 : 1))
}
