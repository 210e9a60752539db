import type { ChildShard } from '@shardwise/effects'
import { expectEqual } from './expectEqual.ts'
import type { RecordSourceFixture } from './recordSourceContract.ts'
import { byShardId, child, shardReader, the } from './shardReader.ts'

type Body = (fixture: RecordSourceFixture) => Promise<void>

/** The end of a shard that was split, over a stream of one shard. */
export const shardEndCases: Readonly<Record<string, Body>> = {
  'does not call an open shard ended, however often it is read': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    const put = await reader.fill(shard, 2)
    await reader.readFrom(shard.shardId, { type: 'TRIM_HORIZON' }, put.length)
    for (let reads = 0; reads < 5; reads += 1) {
      expectEqual((await reader.read(shard.shardId)).handle.atShardEnd, false, 'atShardEnd')
    }
  },

  'says that a shard is still open when its children are asked for': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    expectEqual((await reader.listChildren(shard.shardId)).type, 'shardStillOpen', 'answer')
  },

  'delivers every record of a shard that was split, and then its end': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    const put = await reader.fill(shard, 5)
    await fixture.stream.split(shard.shardId)
    const { records, handle } = await reader.readToEnd(shard.shardId, { type: 'TRIM_HORIZON' }, { maxRecords: 2 })
    expectEqual(records, put, 'records')
    expectEqual(handle.atShardEnd, true, 'atShardEnd')
  },

  'ends a shard that was split while it was open': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    const put = await reader.fill(shard, 3)
    expectEqual(await reader.readFrom(shard.shardId, { type: 'TRIM_HORIZON' }, put.length), put, 'records before the split')
    const last = await reader.fill(shard, 2, 100)
    await fixture.stream.split(shard.shardId)
    for (let reads = 1, seen = 0; ; reads += 1) {
      const { handle, records } = await reader.read(shard.shardId)
      seen += records.length
      if (!handle.atShardEnd && reads < 100) continue
      expectEqual([handle.atShardEnd, seen], [true, last.length], 'end, and records before it')
      return
    }
  },

  'ends a shard that was split without ever holding a record': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    await fixture.stream.split(shard.shardId)
    const { records } = await reader.readToEnd(shard.shardId, { type: 'TRIM_HORIZON' })
    expectEqual(records, [], 'records')
  },

  'ends a split shard for a consumer that comes back after its last record': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    const { sequenceNumber } = the((await reader.fill(shard, 3)).at(-1), 'record')
    await fixture.stream.split(shard.shardId)
    const after = { sequenceNumber, subSequenceNumber: 0 }
    const { records, handle } = await reader.readToEnd(shard.shardId, { type: 'AT_SEQUENCE_NUMBER', sequenceNumber }, { after })
    expectEqual([records, handle.count, handle.last], [[], 0, null], 'records, count, last')
  },

  'ends a shard behind what it read ahead, not before': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    const put = await reader.fill(shard, 7)
    await fixture.stream.split(shard.shardId)
    const options = { maxRecords: 2, prefetch: { maxRecords: 100, maxBytes: 100_000 } }
    expectEqual((await reader.readToEnd(shard.shardId, { type: 'TRIM_HORIZON' }, options)).records, put, 'records')
  },

  'names both children of a split, at the end of the shard or when asked': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    await fixture.stream.split(shard.shardId)
    const { handle } = await reader.readToEnd(shard.shardId, { type: 'TRIM_HORIZON' })
    const expected = await childrenOf(fixture, shard.shardId)
    expectEqual(expected.length, 2, 'children of a split')
    expectEqual(await reader.listChildren(shard.shardId), { type: 'childShardsListed', childShards: expected }, 'answer')
    if (handle.childShards.length > 0) expectEqual(handle.childShards.map(child).sort(byShardId), expected, 'children at the end')
  },

  'delivers from the children what was put after the split': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    await reader.fill(shard, 2)
    await fixture.stream.split(shard.shardId)
    for (const open of await reader.openShards()) {
      const put = await reader.fill(open, 3)
      expectEqual(await reader.readFrom(open.shardId, { type: 'TRIM_HORIZON' }, put.length), put, `records of ${open.shardId}`)
    }
  },

  'lists a split shard as closed, with its children in its place': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    await fixture.stream.split(shard.shardId)
    const listed = await reader.list('ALL')
    expectEqual(
      listed.map(({ shardId, closed, parentShardIds }) => ({ closed, parentShardIds, isParent: shardId === shard.shardId })),
      [
        { closed: true, parentShardIds: [], isParent: true },
        { closed: false, parentShardIds: [shard.shardId], isParent: false },
        { closed: false, parentShardIds: [shard.shardId], isParent: false },
      ],
      'shards',
    )
    const ranges = listed.slice(1).map(({ hashKeyRange }) => hashKeyRange)
    const [low, high] = ranges.sort((a, b) => (BigInt(a.startingHashKey) < BigInt(b.startingHashKey) ? -1 : 1))
    expectEqual(
      [low?.startingHashKey, high?.endingHashKey, String(BigInt(the(low, 'child').endingHashKey) + 1n)],
      [shard.hashKeyRange.startingHashKey, shard.hashKeyRange.endingHashKey, high?.startingHashKey],
      'hash key ranges',
    )
  },
}

async function childrenOf({ stream }: RecordSourceFixture, shardId: string): Promise<readonly ChildShard[]> {
  return (await stream.shards())
    .filter(({ parentShardIds }) => parentShardIds.includes(shardId))
    .map(child)
    .sort(byShardId)
}
