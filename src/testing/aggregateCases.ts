import { expectEqual } from './expectEqual.ts'
import type { Aggregate, PutRecord, RecordSourceFixture } from './recordSourceContract.ts'
import { type SeenRecord, shardReader, the } from './shardReader.ts'

type Body = (fixture: RecordSourceFixture) => Promise<void>

const start = { type: 'TRIM_HORIZON' } as const

/** Aggregates of the Kinesis Producer Library, over a stream of one shard. */
export const aggregateCases = (aggregate: Aggregate): Readonly<Record<string, Body>> => ({
  'takes an aggregate apart, in its place between plain records': async (fixture) => {
    const { reader, shardId, put } = await filled(fixture, aggregate, [1, 4, 1])
    expectEqual(await reader.readFrom(shardId, start, put.length), put, 'records')
  },

  'describes a batch by the user records in it': async (fixture) => {
    const { reader, shardId, put } = await filled(fixture, aggregate, [5])
    await reader.open(shardId, start)
    const { handle } = await reader.readSome(shardId)
    expectEqual([handle.count, handle.bytes, handle.first, handle.last], [5, 10, place(put[0]), place(put[4])], 'count, bytes, first, last')
  },

  'goes on after every user record of an aggregate when the shard is opened at its number': async (fixture) => {
    const { reader, shardId, put } = await filled(fixture, aggregate, [2, 3, 1, 2])
    for (const [index, record] of put.entries()) {
      const kept = put.slice(index + 1)
      const { sequenceNumber } = record
      const read = await reader.readFrom(shardId, { type: 'AT_SEQUENCE_NUMBER', sequenceNumber }, kept.length, { after: place(record) })
      expectEqual(read, kept, `records after number ${index}`)
    }
  },

  'counts a batch after leaving out the user records at or below the checkpoint': async (fixture) => {
    const { reader, shardId, put } = await filled(fixture, aggregate, [4])
    await reader.open(shardId, start)
    const { handle } = await reader.readSome(shardId, { after: place(put[1]) })
    expectEqual([handle.count, handle.bytes, handle.first, handle.last], [2, 4, place(put[2]), place(put[3])], 'count, bytes, first, last')
  },

  'loses and repeats nothing when it reads one Kinesis record at a time, and ahead': async (fixture) => {
    const { reader, shardId, put } = await filled(fixture, aggregate, [3, 1, 2, 5, 1, 4])
    const options = { maxRecords: 1, prefetch: { maxRecords: 1000, maxBytes: 1_000_000 } }
    expectEqual(await reader.readFrom(shardId, start, put.length, options), put, 'records')
  },
})

/** Aggregates and the hash keys of their shard, over a stream of two shards. */
export const aggregateShardCases = (aggregate: Aggregate): Readonly<Record<string, Body>> => ({
  'leaves out a whole aggregate with a user record of another shard, and delivers the one after it': async (fixture) => {
    const reader = shardReader(fixture)
    const [low, high] = await reader.openShards()
    const { shardId, hashKeyRange } = the(low, 'shard')
    const inside = user(1, hashKeyRange.startingHashKey)
    await fixture.stream.put(aggregate([inside, user(2, the(high, 'shard').hashKeyRange.startingHashKey), inside]))
    const { sequenceNumber } = await fixture.stream.put(aggregate([inside, user(3, hashKeyRange.endingHashKey)]))
    const kept = await reader.readFrom(shardId, start, 2)
    expectEqual(
      kept.map(place),
      [0, 1].map((subSequenceNumber) => ({ sequenceNumber, subSequenceNumber })),
      'places',
    )
  },

  'leaves out a whole aggregate that was made for the parent of its shard, and reaches over the split': async (fixture) => {
    const reader = shardReader(fixture)
    const parent = the((await reader.openShards())[0], 'shard')
    const ends = [parent.hashKeyRange.startingHashKey, parent.hashKeyRange.endingHashKey].map((key, index) => user(index, key))
    await fixture.stream.put(aggregate(ends))
    await fixture.stream.split(parent.shardId)
    expectEqual((await reader.readToEnd(parent.shardId, start)).records.length, ends.length, 'user records of the parent')
    const child = the((await reader.openShards())[0], 'child')
    await fixture.stream.put(aggregate(ends))
    const [first, last] = [user(5, child.hashKeyRange.startingHashKey), user(6, child.hashKeyRange.endingHashKey)]
    await fixture.stream.put(aggregate([first, last]))
    const delivered = await reader.readFrom(child.shardId, start, 2)
    expectEqual(
      delivered.map(({ data }) => data[0]),
      [5, 6],
      'data of the user records of the child',
    )
  },
})

/** A shard with so many user records in each Kinesis record; one alone is put as it is. Answers with what a reader must see. */
async function filled(fixture: RecordSourceFixture, aggregate: Aggregate, sizes: readonly number[]) {
  const reader = shardReader(fixture)
  const { shardId, hashKeyRange } = the((await reader.openShards())[0], 'shard')
  const put: SeenRecord[] = []
  for (const [index, size] of sizes.entries()) {
    const users = Array.from({ length: size }, (_, sub) => user(10 * index + sub, hashKeyRange.startingHashKey))
    const { sequenceNumber } = await fixture.stream.put(size === 1 ? the(users[0], 'user record') : aggregate(users))
    put.push(
      ...users.map(({ partitionKey, data }, subSequenceNumber) => ({ sequenceNumber, subSequenceNumber, partitionKey, data: [...data] })),
    )
  }
  return { reader, shardId, put }
}

/** A record of two bytes. */
function user(byte: number, explicitHashKey: string): PutRecord {
  return { partitionKey: `key ${byte}`, data: Uint8Array.of(byte, 255), explicitHashKey }
}

function place(record: SeenRecord | undefined) {
  const { sequenceNumber, subSequenceNumber } = the(record, 'record')
  return { sequenceNumber, subSequenceNumber }
}
