import { expectEqual } from './expectEqual.ts'
import type { RecordSourceFixture } from './recordSourceContract.ts'
import { shardReader, the } from './shardReader.ts'

type Body = (fixture: RecordSourceFixture) => Promise<void>

/** Where reading starts, over a stream of one shard. */
export const positionCases: Readonly<Record<string, Body>> = {
  'reads from TRIM_HORIZON everything that was put, in order and byte for byte': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    const put = await reader.fill(shard, 30)
    expectEqual(await reader.readFrom(shard.shardId, { type: 'TRIM_HORIZON' }, put.length), put, 'records')
  },

  'reads from LATEST only what is put later': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    await reader.fill(shard, 3)
    expectEqual((await reader.open(shard.shardId, { type: 'LATEST' })).type, 'shardOpened', 'answer')
    const put = await reader.fill(shard, 3, 100)
    expectEqual(await reader.readOn(shard.shardId, put.length), put, 'records')
  },

  'reads AT_SEQUENCE_NUMBER from that record on': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    const put = await reader.fill(shard, 5)
    const { sequenceNumber } = the(put[2], 'record')
    expectEqual(await reader.readFrom(shard.shardId, { type: 'AT_SEQUENCE_NUMBER', sequenceNumber }, 3), put.slice(2), 'records')
  },

  'reads AFTER_SEQUENCE_NUMBER from the record after that one on': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    const put = await reader.fill(shard, 5)
    const { sequenceNumber } = the(put[2], 'record')
    expectEqual(await reader.readFrom(shard.shardId, { type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber }, 2), put.slice(3), 'records')
  },

  'reads after the newest record what is put later': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    const { sequenceNumber } = the((await reader.fill(shard, 3))[2], 'record')
    await reader.open(shard.shardId, { type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber })
    const put = await reader.fill(shard, 2, 100)
    expectEqual(await reader.readOn(shard.shardId, put.length), put, 'records')
  },

  'reads AT_TIMESTAMP of the first record everything': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    const put = await reader.fill(shard, 5)
    const [first] = await arrivals(fixture, shard.shardId, put.length)
    expectEqual(await reader.readFrom(shard.shardId, { type: 'AT_TIMESTAMP', timestampMs: the(first, 'arrival') }, 5), put, 'records')
  },

  'reads AT_TIMESTAMP nothing that arrived earlier and everything from the first record that arrived then': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    const put = await reader.fill(shard, 20)
    const times = await arrivals(fixture, shard.shardId, put.length)
    const timestampMs = the(times.at(-1), 'arrival')
    const expected = put.slice(times.findIndex((time) => time >= timestampMs))
    expectEqual(await reader.readFrom(shard.shardId, { type: 'AT_TIMESTAMP', timestampMs }, expected.length), expected, 'records')
  },

  'says when it opened the shard, for LATEST to be found again': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    const first = await reader.open(shard.shardId, { type: 'LATEST' })
    const put = await reader.fill(shard, 3)
    if (first.type !== 'shardOpened') throw new Error(`openShard: expected shardOpened, got ${first.type}`)
    expectEqual(
      await reader.readFrom(shard.shardId, { type: 'AT_TIMESTAMP', timestampMs: first.openedAtMs }, 3),
      put,
      `records from ${first.openedAtMs}`,
    )
  },

  'starts anew wherever the shard is opened again': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    const put = await reader.fill(shard, 4)
    const { sequenceNumber } = the(put[1], 'record')
    expectEqual(await reader.readFrom(shard.shardId, { type: 'TRIM_HORIZON' }, 4), put, 'the first time')
    expectEqual(await reader.readFrom(shard.shardId, { type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber }, 2), put.slice(2), 'the second time')
    expectEqual(await reader.readFrom(shard.shardId, { type: 'TRIM_HORIZON' }, 4), put, 'the third time')
  },

  'says so when there is no such shard to open': async (fixture) => {
    const reader = shardReader(fixture)
    expectEqual((await reader.open('shardId-000000000099', { type: 'TRIM_HORIZON' })).type, 'shardNotFound', 'answer')
  },

  'says so when a shard is read that was never opened': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    expectEqual((await reader.answerOf(shard.shardId)).type, 'shardNotOpen', 'answer')
    expectEqual(fixture.batches.size, 0, 'batches')
  },
}

/** When each of the `count` records of a shard arrived, epoch milliseconds. */
async function arrivals(fixture: RecordSourceFixture, shardId: string, count: number): Promise<readonly number[]> {
  const reader = shardReader(fixture)
  const times: number[] = []
  await reader.open(shardId, { type: 'TRIM_HORIZON' })
  while (times.length < count) {
    const { handle } = await reader.readSome(shardId)
    const { records } = the(fixture.batches.take(handle.batchId), 'batch')
    times.push(...records.map(({ approximateArrivalTimestamp }) => the(approximateArrivalTimestamp, 'arrival').getTime()))
  }
  return times
}
