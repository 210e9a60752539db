import {
  GetRecordsCommand,
  type GetRecordsOutput,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis'
import { createBatchStore, type HashKeyRange, type Position, type Shard } from '@shardwise/effects'
import { type KinesisRecordSourceOptions, kinesisRecordSource } from '@shardwise/kinesis'
import { createMemoryStream, type MemoryIterator, type MemoryStream } from '@shardwise/memory'
import type { MakeRecordSource, RecordSourceFixture } from '@shardwise/testing'

/** Makes streams in memory, each with the Kinesis source reading it, as far as these cases need it: nothing of the network is in between. */
export function kinesisOverMemory(
  options: Partial<KinesisRecordSourceOptions> = {},
  change: (source: RecordSourceFixture['source']) => Partial<RecordSourceFixture['source']> = () => ({}),
): MakeRecordSource {
  return async ({ shardCount = 1 } = {}) => {
    const stream = createMemoryStream({ shardCount })
    const batches = createBatchStore()
    const client = clientOf(stream)
    const source = kinesisRecordSource({ client, stream: { name: 'memory' }, batches, onDroppedRecords: () => undefined, ...options })
    return {
      source: { ...source, ...change(source) },
      batches,
      stream: {
        put: async (record) => stream.put(record),
        split: async (shardId) => void stream.split(shardId),
        merge: async (shardId, adjacentShardId) => void stream.merge(shardId, adjacentShardId),
        shards: async () => stream.listShards(),
      },
      close: async () => undefined,
    }
  }
}

function clientOf(stream: MemoryStream): Pick<KinesisClient, 'send'> {
  const iterators = new Map<string, MemoryIterator>()
  const named = (iterator: MemoryIterator): string => {
    const name = `iterator-${iterators.size}`
    iterators.set(name, iterator)
    return name
  }
  const answer = (command: unknown): unknown => {
    if (command instanceof ListShardsCommand) return { Shards: stream.listShards().map(described) }
    if (command instanceof GetShardIteratorCommand) {
      const { ShardId = '', ShardIteratorType: type, StartingSequenceNumber: sequenceNumber } = command.input
      const got = stream.service.getShardIterator(ShardId, { type, sequenceNumber } as Position)
      return { ShardIterator: named(expected(got, 'iteratorGot').iterator) }
    }
    if (!(command instanceof GetRecordsCommand)) throw new Error('client: expected ListShards, GetShardIterator or GetRecords')
    const iterator = iterators.get(command.input.ShardIterator ?? '')
    if (iterator === undefined) throw new Error('client: expected an iterator of its own')
    return pageOf(expected(stream.service.getRecords(iterator, command.input.Limit ?? 10_000), 'recordsGot'), named)
  }
  return { send: async (command: unknown) => answer(command) } as Pick<KinesisClient, 'send'>
}

function pageOf(
  {
    records,
    next,
    millisBehindLatest,
    atShardEnd,
    childShards,
  }: Extract<ReturnType<MemoryStream['service']['getRecords']>, { type: 'recordsGot' }>,
  named: (iterator: MemoryIterator) => string,
): GetRecordsOutput {
  return {
    Records: records.map(({ sequenceNumber, partitionKey, data, approximateArrivalTimestamp }) => ({
      SequenceNumber: sequenceNumber,
      PartitionKey: partitionKey,
      Data: data,
      ApproximateArrivalTimestamp: approximateArrivalTimestamp,
    })),
    NextShardIterator: atShardEnd ? undefined : named(next),
    MillisBehindLatest: millisBehindLatest,
    ChildShards: childShards.map(({ shardId, parentShardIds, hashKeyRange }) => ({
      ShardId: shardId,
      ParentShards: [...parentShardIds],
      HashKeyRange: rangeOf(hashKeyRange),
    })),
  }
}

function described({ shardId, parentShardIds, hashKeyRange, startingSequenceNumber, closed }: Shard): unknown {
  return {
    ShardId: shardId,
    ParentShardId: parentShardIds[0],
    AdjacentParentShardId: parentShardIds[1],
    HashKeyRange: rangeOf(hashKeyRange),
    SequenceNumberRange: { StartingSequenceNumber: startingSequenceNumber, EndingSequenceNumber: closed ? 'closed' : undefined },
  }
}

function rangeOf({ startingHashKey, endingHashKey }: HashKeyRange) {
  return { StartingHashKey: startingHashKey, EndingHashKey: endingHashKey }
}

function expected<Answer extends { readonly type: string }, Type extends Answer['type']>(
  answer: Answer,
  type: Type,
): Extract<Answer, { type: Type }> {
  if (answer.type !== type) throw new Error(`client: expected ${type}, got ${answer.type}`)
  return answer as Extract<Answer, { type: Type }>
}
