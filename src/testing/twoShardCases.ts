import { expectEqual } from './expectEqual.ts'
import type { RecordSourceFixture } from './recordSourceContract.ts'
import { child, shardReader, the } from './shardReader.ts'

type Body = (fixture: RecordSourceFixture) => Promise<void>

/** Shards beside each other, and their merge, over a stream of two shards. */
export const twoShardCases: Readonly<Record<string, Body>> = {
  'lists every shard of the stream, over the whole space of hash keys': async (fixture) => {
    const reader = shardReader(fixture)
    const listed = await reader.list('ALL')
    expectEqual(
      listed.map(({ shardId, parentShardIds, closed }) => ({ shardId, parentShardIds, closed })),
      (await reader.openShards()).map(({ shardId }) => ({ shardId, parentShardIds: [], closed: false })),
      'shards',
    )
    const [low, high] = listed
    expectEqual(
      [
        low?.hashKeyRange.startingHashKey,
        high?.hashKeyRange.endingHashKey,
        String(BigInt(the(low, 'shard').hashKeyRange.endingHashKey) + 1n),
      ],
      ['0', '340282366920938463463374607431768211455', high?.hashKeyRange.startingHashKey],
      'hash key ranges',
    )
    expectEqual(
      listed.every(({ startingSequenceNumber }) => /^[0-9]+$/.test(startingSequenceNumber)),
      true,
      'starting sequence numbers in decimal digits',
    )
  },

  'reads two shards side by side, each on its own': async (fixture) => {
    const reader = shardReader(fixture)
    const [low, high] = await reader.openShards()
    const inLow = await reader.fill(the(low, 'shard'), 4)
    const inHigh = await reader.fill(the(high, 'shard'), 4, 100)
    await reader.open(the(low, 'shard').shardId, { type: 'TRIM_HORIZON' })
    await reader.open(the(high, 'shard').shardId, { type: 'TRIM_HORIZON' })
    const first = await reader.readOn(the(low, 'shard').shardId, 1, { maxRecords: 2 })
    expectEqual(await reader.readOn(the(high, 'shard').shardId, inHigh.length), inHigh, 'records of the high shard')
    const rest = await reader.readOn(the(low, 'shard').shardId, inLow.length - first.length)
    expectEqual([...first, ...rest], inLow, 'records of the low shard')
  },

  'frees the batches of the shard that is closed, and no others': async (fixture) => {
    const reader = shardReader(fixture)
    const [low, high] = await reader.openShards()
    for (const shard of [the(low, 'shard'), the(high, 'shard')]) {
      await reader.fill(shard, 2)
      await reader.open(shard.shardId, { type: 'TRIM_HORIZON' })
    }
    const closed = await reader.readSome(the(low, 'shard').shardId, { maxRecords: 1 })
    const kept = await reader.readSome(the(high, 'shard').shardId, { maxRecords: 1 })
    await reader.close(the(low, 'shard').shardId)
    expectEqual(fixture.batches.take(closed.handle.batchId) === undefined, true, 'the batch of the closed shard is gone')
    expectEqual(fixture.batches.take(kept.handle.batchId)?.handle, kept.handle, 'the batch of the other shard')
    expectEqual((await reader.answerOf(the(high, 'shard').shardId)).type, 'recordsRead', 'answer to a read of the other shard')
  },

  'ends both parents of a merge, and names their one child with both of them': async (fixture) => {
    const reader = shardReader(fixture)
    const parents = await reader.openShards()
    const [low, high] = [the(parents[0], 'shard'), the(parents[1], 'shard')]
    const put = [await reader.fill(low, 3), await reader.fill(high, 3, 100)]
    await fixture.stream.merge(low.shardId, high.shardId)
    const merged = child(the((await reader.openShards())[0], 'child'))
    expectEqual(merged.parentShardIds, [low.shardId, high.shardId].sort(), 'parents of the child')
    for (const [index, { shardId }] of [low, high].entries()) {
      const { records, handle } = await reader.readToEnd(shardId, { type: 'TRIM_HORIZON' })
      expectEqual(records, put[index], `records of ${shardId}`)
      expectEqual(await reader.listChildren(shardId), { type: 'childShardsListed', childShards: [merged] }, `children of ${shardId}`)
      if (handle.childShards.length > 0) expectEqual(handle.childShards.map(child), [merged], `children at the end of ${shardId}`)
    }
  },

  'delivers from a merged shard what was put after the merge': async (fixture) => {
    const reader = shardReader(fixture)
    const [low, high] = await reader.openShards()
    await reader.fill(the(low, 'shard'), 2)
    await fixture.stream.merge(the(low, 'shard').shardId, the(high, 'shard').shardId)
    const merged = the((await reader.openShards())[0], 'child')
    const put = await reader.fill(merged, 3)
    expectEqual(await reader.readFrom(merged.shardId, { type: 'TRIM_HORIZON' }, put.length), put, 'records')
  },

  'names no children for a shard whose neighbour was split': async (fixture) => {
    const reader = shardReader(fixture)
    const [low, high] = await reader.openShards()
    await fixture.stream.split(the(low, 'shard').shardId)
    expectEqual((await reader.listChildren(the(high, 'shard').shardId)).type, 'shardStillOpen', 'answer')
    const parents = (await reader.list('ALL')).flatMap(({ parentShardIds }) => parentShardIds)
    expectEqual(parents, [the(low, 'shard').shardId, the(low, 'shard').shardId], 'parents')
  },
}
