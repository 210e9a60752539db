import { expectEqual } from './expectEqual.ts'
import { abortableContext } from './handlerContext.ts'
import type { RecordSourceFixture } from './recordSourceContract.ts'
import { place, type SeenRecord, shardReader, the } from './shardReader.ts'

type Body = (fixture: RecordSourceFixture) => Promise<void>

const ahead = { maxRecords: 1000, maxBytes: 1_000_000 }

/** Batches: their handles, what is dropped from them, and who frees them, over a stream of one shard. */
export const batchCases: Readonly<Record<string, Body>> = {
  'describes a batch by what is in it': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    await reader.fill(shard, 5)
    await reader.open(shard.shardId, { type: 'TRIM_HORIZON' })
    const { handle, records } = await reader.readSome(shard.shardId)
    expectEqual(
      [handle.count, handle.bytes, handle.first, handle.last],
      [records.length, 3 * records.length, place(records[0]), place(records.at(-1))],
      'count, bytes, first, last',
    )
    const stored = the(fixture.batches.take(handle.batchId), 'batch')
    expectEqual([stored.shardId, stored.handle], [shard.shardId, handle], 'shard and handle in the store')
  },

  'describes a batch without records by nulls': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    await reader.open(shard.shardId, { type: 'TRIM_HORIZON' })
    const { handle } = await reader.read(shard.shardId)
    expectEqual(
      [handle.count, handle.bytes, handle.first, handle.last, handle.atShardEnd, handle.childShards],
      [0, 0, null, null, false, []],
      'count, bytes, first, last, end, children',
    )
  },

  'is 0 ms behind once everything was read': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    const put = await reader.fill(shard, 5)
    await reader.readFrom(shard.shardId, { type: 'TRIM_HORIZON' }, put.length)
    expectEqual((await reader.read(shard.shardId)).handle.millisBehindLatest, 0, 'millisBehindLatest')
  },

  'reads at most as many records as it was asked for, and goes on where it stopped': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    const put = await reader.fill(shard, 10)
    await reader.open(shard.shardId, { type: 'TRIM_HORIZON' })
    const seen: SeenRecord[] = []
    for (const most of [1, 2, 3, 4]) {
      const { handle, records } = await reader.readSome(shard.shardId, { maxRecords: most })
      expectEqual(handle.count <= most, true, `at most ${most} records, got ${handle.count}`)
      seen.push(...records)
    }
    if (seen.length < put.length) seen.push(...(await reader.readOn(shard.shardId, put.length - seen.length)))
    expectEqual(seen, put, 'records')
  },

  'leaves out what is at or below the checkpoint, and nothing above it': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    const put = await reader.fill(shard, 6)
    for (const index of [0, 3, 4]) {
      const after = place(put[index])
      const kept = put.slice(index + 1)
      expectEqual(
        await reader.readFrom(shard.shardId, { type: 'TRIM_HORIZON' }, kept.length, { after }),
        kept,
        `records after number ${index}`,
      )
      const { sequenceNumber } = the(put[index], 'record')
      expectEqual(
        await reader.readFrom(shard.shardId, { type: 'AT_SEQUENCE_NUMBER', sequenceNumber }, kept.length, { after }),
        kept,
        `records at and after number ${index}`,
      )
    }
  },

  'counts a batch after leaving out what is at or below the checkpoint': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    const put = await reader.fill(shard, 4)
    await reader.open(shard.shardId, { type: 'TRIM_HORIZON' })
    const { handle, records } = await reader.readSome(shard.shardId, { after: place(put[1]) })
    expectEqual(records, put.slice(2), 'records')
    expectEqual([handle.count, handle.bytes, handle.first, handle.last], [2, 6, place(put[2]), place(put[3])], 'count, bytes, first, last')
  },

  'leaves out a record whose checkpoint names a sub-sequence number inside it, and keeps the next': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    const put = await reader.fill(shard, 3)
    const after = { sequenceNumber: the(put[1], 'record').sequenceNumber, subSequenceNumber: 5 }
    expectEqual(await reader.readFrom(shard.shardId, { type: 'TRIM_HORIZON' }, 1, { after }), put.slice(2), 'records')
  },

  'leaves nothing out for a checkpoint that is a sentinel': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    const put = await reader.fill(shard, 3)
    const after = { sequenceNumber: 'TRIM_HORIZON', subSequenceNumber: 0 }
    expectEqual(await reader.readFrom(shard.shardId, { type: 'TRIM_HORIZON' }, 3, { after }), put, 'records')
  },

  'keeps a batch until it is dropped, and drops no other': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    const put = await reader.fill(shard, 2)
    await reader.open(shard.shardId, { type: 'TRIM_HORIZON' })
    const first = await reader.readSome(shard.shardId, { maxRecords: 1 })
    const second = await reader.readSome(shard.shardId, { maxRecords: 1 })
    reader.drop(shard.shardId, first.handle.batchId)
    reader.drop(shard.shardId, first.handle.batchId)
    reader.drop(shard.shardId, 'no such batch')
    expectEqual(fixture.batches.take(first.handle.batchId) === undefined, true, 'the dropped batch is gone')
    expectEqual(
      fixture.batches.take(second.handle.batchId)?.records[0]?.sequenceNumber,
      the(put[1], 'record').sequenceNumber,
      'the other batch',
    )
  },

  'reads ahead without losing, repeating or reordering records': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    const put = await reader.fill(shard, 20)
    const options = { maxRecords: 3, prefetch: ahead }
    expectEqual(await reader.readFrom(shard.shardId, { type: 'TRIM_HORIZON' }, put.length, options), put, 'records')
    const later = await reader.fill(shard, 4, 100)
    expectEqual(await reader.readOn(shard.shardId, later.length, options), later, 'records that were put later')
  },

  'forgets what it read ahead when the shard is opened elsewhere': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    const put = await reader.fill(shard, 6)
    await reader.open(shard.shardId, { type: 'TRIM_HORIZON' })
    await reader.readSome(shard.shardId, { maxRecords: 1, prefetch: ahead })
    const { sequenceNumber } = the(put[3], 'record')
    expectEqual(await reader.readFrom(shard.shardId, { type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber }, 2), put.slice(4), 'records')
  },

  'frees every batch of a shard when it is closed, and is then not open': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    const put = await reader.fill(shard, 4)
    await reader.open(shard.shardId, { type: 'TRIM_HORIZON' })
    await reader.readSome(shard.shardId, { maxRecords: 1, prefetch: ahead })
    await reader.readSome(shard.shardId, { maxRecords: 1, prefetch: ahead })
    expectEqual(await reader.close(shard.shardId), { type: 'shardClosed' }, 'answer')
    expectEqual(fixture.batches.size, 0, 'batches')
    expectEqual((await reader.answerOf(shard.shardId)).type, 'shardNotOpen', 'answer to a read')
    expectEqual(await reader.readFrom(shard.shardId, { type: 'TRIM_HORIZON' }, put.length), put, 'records when opened again')
  },

  'closes a shard that is not open': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    expectEqual(await reader.close(shard.shardId), { type: 'shardClosed' }, 'answer')
    expectEqual(await reader.close(shard.shardId), { type: 'shardClosed' }, 'second answer')
  },

  'rejects a read that was aborted before it began, and keeps nothing': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    await reader.fill(shard, 3)
    await reader.open(shard.shardId, { type: 'TRIM_HORIZON' })
    const { context, abort } = abortableContext()
    abort()
    await expectAborted(() => reader.answerOf(shard.shardId, {}, context))
    expectEqual(fixture.batches.size, 0, 'batches')
  },

  'rejects a read that is aborted while it is out, keeps nothing, and skips nothing': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    const put = await reader.fill(shard, 3)
    await reader.open(shard.shardId, { type: 'TRIM_HORIZON' })
    const { context, abort } = abortableContext()
    const reading = reader.answerOf(shard.shardId, {}, context)
    abort()
    await expectAborted(() => reading)
    expectEqual(fixture.batches.size, 0, 'batches')
    const next = await reader.answerOf(shard.shardId)
    if (next.type === 'shardNotOpen') await reader.open(shard.shardId, { type: 'TRIM_HORIZON' })
    else if (next.type !== 'recordsRead') throw new Error(`the next read: expected recordsRead or shardNotOpen, got ${next.type}`)
    const seen = next.type === 'recordsRead' ? (fixture.batches.take(next.batch.batchId)?.records.length ?? 0) : 0
    const rest = seen < put.length ? await reader.readOn(shard.shardId, put.length - seen) : []
    expectEqual(rest, put.slice(seen), 'the records after the next read')
  },

  'leaves a batch alone when its read is aborted after the answer': async (fixture) => {
    const reader = shardReader(fixture)
    const shard = the((await reader.openShards())[0], 'shard')
    await reader.fill(shard, 3)
    await reader.open(shard.shardId, { type: 'TRIM_HORIZON' })
    const { context, abort } = abortableContext()
    const answer = await reader.answerOf(shard.shardId, {}, context)
    if (answer.type !== 'recordsRead') throw new Error(`readRecords: expected recordsRead, got ${answer.type}`)
    abort()
    expectEqual(fixture.batches.take(answer.batch.batchId)?.handle, answer.batch, 'handle in the store')
  },
}

async function expectAborted(read: () => Promise<unknown>): Promise<void> {
  let answer: unknown
  try {
    answer = await read()
  } catch (error) {
    expectEqual(error instanceof Error ? error.name : error, 'AbortError', 'name of the error')
    return
  }
  throw new Error(`an aborted read: expected an AbortError, got ${JSON.stringify(answer)}`)
}
