import type { ExtendedSequenceNumber } from '@shardwise/effects'
import { expectEqual } from './expectEqual.ts'
import type { RecordSourceFixture } from './recordSourceContract.ts'
import { place, type SeenRecord, seen, shardReader, the } from './shardReader.ts'

type Body = (fixture: RecordSourceFixture) => Promise<void>

/** Parts of batches, in which the record at fault is looked for, over a stream of one shard. */
export const partCases: Readonly<Record<string, Body>> = {
  'splits the next records above a position off a batch, and describes them as a batch of their own': async (fixture) => {
    const { shardId, batchId, records, partOf } = await aBatchOf(fixture, 6)
    for (const [after, count, expected] of [
      [null, 2, records.slice(0, 2)],
      [place(records[0]), 3, records.slice(1, 4)],
      [{ sequenceNumber: 'TRIM_HORIZON', subSequenceNumber: 0 }, 1, records.slice(0, 1)],
    ] as const) {
      const part = await partOf(batchId, after, count)
      expectEqual(part.records, expected, `records of ${count} after ${after?.sequenceNumber ?? 'nothing'}`)
      expectEqual(
        [part.handle.count, part.handle.bytes, part.handle.first, part.handle.last],
        [expected.length, 3 * expected.length, ends(expected[0]), ends(expected.at(-1))],
        'count, bytes, first, last',
      )
      const stored = the(fixture.batches.take(part.handle.batchId), 'part')
      expectEqual([stored.shardId, stored.handle], [shardId, part.handle], 'shard and handle in the store')
    }
  },

  'splits off what there is where fewer are left, and a part without records where none is': async (fixture) => {
    const { batchId, records, partOf } = await aBatchOf(fixture, 4)
    expectEqual((await partOf(batchId, null, 1_000)).records, records, 'all records')
    expectEqual((await partOf(batchId, place(records.at(-2)), 1_000)).records, records.slice(-1), 'the last record')
    const { handle } = await partOf(batchId, place(records.at(-1)), 1_000)
    expectEqual([handle.count, handle.bytes, handle.first, handle.last], [0, 0, null, null], 'count, bytes, first, last')
  },

  'keeps a batch of which a part was split off, also when the part is dropped': async (fixture) => {
    const { shardId, batchId, records, partOf, drop } = await aBatchOf(fixture, 3)
    const part = await partOf(batchId, null, 1)
    expectEqual(fixture.batches.take(batchId)?.records.map(seen), records, 'records of the batch')
    drop(shardId, part.handle.batchId)
    expectEqual(fixture.batches.take(part.handle.batchId) === undefined, true, 'the part is gone')
    expectEqual(fixture.batches.take(batchId)?.records.map(seen), records, 'records of the batch')
    expectEqual((await partOf(batchId, null, 1)).records, part.records, 'records of the part, split off again')
  },

  'does not end a shard with a part of its last batch': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    await reader.fill(shard, 3)
    await fixture.stream.split(shard.shardId)
    await reader.open(shard.shardId, { type: 'TRIM_HORIZON' })
    let { handle } = await reader.read(shard.shardId)
    for (let reads = 0; !handle.atShardEnd && reads < 100; reads += 1) handle = (await reader.read(shard.shardId)).handle
    expectEqual(handle.atShardEnd, true, 'the end of the shard')
    const answer = await reader.split(shard.shardId, handle.batchId, null, 1_000)
    if (answer.type !== 'batchSplit') throw new Error(`splitBatch: expected batchSplit, got ${answer.type}`)
    expectEqual([answer.batch.atShardEnd, answer.batch.childShards], [false, []], 'end and children of the part')
  },

  'says so when the batch to split was dropped, was never there, or is of another shard': async (fixture) => {
    const { shardId, batchId, split, drop } = await aBatchOf(fixture, 3)
    expectEqual((await split('shardId-000000000099', batchId, null, 1)).type, 'batchGone', 'answer for a batch of another shard')
    expectEqual((await split(shardId, 'no such batch', null, 1)).type, 'batchGone', 'answer for no batch')
    drop(shardId, batchId)
    expectEqual((await split(shardId, batchId, null, 1)).type, 'batchGone', 'answer for a batch that was dropped')
  },

  'frees the parts of a shard when it is closed': async (fixture) => {
    const { shardId, batchId, partOf, close } = await aBatchOf(fixture, 3)
    await partOf(batchId, null, 2)
    await partOf(batchId, null, 1)
    expectEqual(await close(shardId), { type: 'shardClosed' }, 'answer')
    expectEqual(fixture.batches.size, 0, 'batches')
  },
}

/** The first batch of a shard that so many records were put into, and parts of it. A real server may give it fewer. */
async function aBatchOf(fixture: RecordSourceFixture, count: number) {
  const reader = shardReader(fixture)
  const { shardId } = the((await reader.openShards())[0], 'shard')
  await reader.fill(the((await reader.openShards())[0], 'shard'), count)
  await reader.open(shardId, { type: 'TRIM_HORIZON' })
  const { handle, records } = await reader.readSome(shardId)
  return {
    ...reader,
    shardId,
    batchId: handle.batchId,
    records,
    async partOf(batchId: string, after: ExtendedSequenceNumber | null, most: number) {
      const answer = await reader.split(shardId, batchId, after, most)
      if (answer.type !== 'batchSplit') throw new Error(`splitBatch: expected batchSplit, got ${answer.type}`)
      const stored = the(fixture.batches.take(answer.batch.batchId), 'part')
      return { handle: answer.batch, records: stored.records.map(seen) }
    },
  }
}

function ends(record: SeenRecord | undefined): ExtendedSequenceNumber | null {
  return record === undefined ? null : place(record)
}
