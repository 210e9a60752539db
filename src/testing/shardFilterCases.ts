import type { InitialPosition } from '@shardwise/effects'
import { expectEqual } from './expectEqual.ts'
import type { RecordSourceFixture } from './recordSourceContract.ts'
import { byShardId, shardReader, the } from './shardReader.ts'

type Body = (fixture: RecordSourceFixture) => Promise<void>

/** What a listing from a position holds, over a stream of two shards. */
export const shardFilterCases: Readonly<Record<string, Body>> = {
  'lists from LATEST the open shards only': async (fixture) => {
    const { openIds, list } = await splitLow(fixture)
    expectEqual(await list({ type: 'LATEST' }), openIds, 'shards')
  },

  'lists from TRIM_HORIZON the oldest shards only': async (fixture) => {
    const { oldestIds, list } = await splitLow(fixture)
    expectEqual(await list({ type: 'TRIM_HORIZON' }), oldestIds, 'shards')
  },

  'lists from a time before the stream the oldest shards only': async (fixture) => {
    const { oldestIds, list } = await splitLow(fixture)
    expectEqual(await list({ type: 'AT_TIMESTAMP', timestampMs: 1000 }), oldestIds, 'shards')
  },

  'lists from every position the same shards as long as none was split or merged': async (fixture) => {
    const reader = shardReader(fixture)
    const all = (await reader.list('ALL')).map(({ shardId }) => shardId)
    for (const type of ['LATEST', 'TRIM_HORIZON'] as const) {
      expectEqual(
        (await reader.list({ type })).map(({ shardId }) => shardId),
        all,
        type,
      )
    }
  },
}

/** Splits the lower shard twice over: a child of a child is open at the end. */
async function splitLow(fixture: RecordSourceFixture) {
  const reader = shardReader(fixture)
  const oldest = await reader.openShards()
  await fixture.stream.split(the(oldest[0], 'shard').shardId)
  await fixture.stream.split(the((await reader.openShards())[0], 'shard').shardId)
  const idsOf = (shards: readonly { readonly shardId: string }[]): readonly string[] =>
    [...shards].sort(byShardId).map(({ shardId }) => shardId)
  return {
    oldestIds: idsOf(oldest),
    openIds: idsOf(await reader.openShards()),
    list: async (from: InitialPosition) => idsOf(await reader.list(from)),
  }
}
