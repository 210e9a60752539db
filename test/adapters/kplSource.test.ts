import { createDropReporter, type DroppedRecordsOfShard } from '@shardwise/kinesis'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { WireAnswer } from '../../servers/wireKinesis.ts'
import { neverAborted } from './handlerContext.ts'
import { gate, shardId, wireFixture } from './kinesisWire.ts'
import { explicitHashKey, framed, partitionKey, textOf, userRecord } from './kplMessages.ts'

let fixture: Awaited<ReturnType<typeof wireFixture>> | undefined
afterEach(async () => {
  await fixture?.stop()
  fixture = undefined
})

const whole = { startingHashKey: '0', endingHashKey: '340282366920938463463374607431768211455' }
const below10 = { startingHashKey: '0', endingHashKey: '9' }
const aggregate = (...texts: readonly string[]): Uint8Array =>
  framed(partitionKey('a'), explicitHashKey('5'), ...texts.map((text) => userRecord(0, text, 0)))
const straying = framed(partitionKey('a'), explicitHashKey('5'), explicitHashKey('10'), userRecord(0, 'in', 0), userRecord(0, 'out', 1))

/** A GetRecords answer from behind the tip, with such data from sequence number `first` on. */
function pageOf(first: number, all: readonly (Uint8Array | string)[], next: string | null): WireAnswer {
  const Records = all.map((data, index) => ({
    SequenceNumber: String(first + index),
    PartitionKey: 'outer',
    Data: Buffer.from(data).toString('base64'),
    ApproximateArrivalTimestamp: 1_700_000_000,
    EncryptionType: 'KMS',
  }))
  return { json: { Records, NextShardIterator: next, MillisBehindLatest: 5_000 } }
}

/** A ListShards answer with one shard of these hash keys. */
const listing = ({ startingHashKey, endingHashKey } = whole, id = shardId): WireAnswer => ({
  json: {
    Shards: [
      {
        ShardId: id,
        HashKeyRange: { StartingHashKey: startingHashKey, EndingHashKey: endingHashKey },
        SequenceNumberRange: { StartingSequenceNumber: '1' },
      },
    ],
  },
})

async function start(options: Parameters<typeof wireFixture>[0] = {}) {
  const heard: DroppedRecordsOfShard[] = []
  fixture = await wireFixture({ onDroppedRecords: (dropped) => heard.push(dropped), ...options })
  await fixture.open()
  return { ...fixture, heard }
}
type Started = Awaited<ReturnType<typeof start>>

/** The next batch: its texts, and where they stand. */
async function nextBatch({ read, batches }: Started, options: Parameters<Started['read']>[0] = {}) {
  const answer = await read(options)
  if (answer.type !== 'recordsRead') throw new Error(`expected recordsRead, got ${answer.type}`)
  const records = batches.take(answer.batch.batchId)?.records ?? []
  return {
    texts: records.map(textOf),
    places: records.map((record) => [record.sequenceNumber, record.subSequenceNumber]),
    ...answer.batch,
    records,
  }
}

describe('a page with aggregates', () => {
  test('becomes a batch of user records, each with what its Kinesis record says', async () => {
    const started = await start({ hashKeyRangeOf: () => null })
    started.wire.script('GetRecords', pageOf(7, ['plain', aggregate('one', 'two')], 'i2'))
    const { texts, count, bytes, first, last, records } = await nextBatch(started)
    expect({ texts, count, bytes, first, last }).toEqual({
      texts: ['plain', 'one', 'two'],
      count: 3,
      bytes: 11,
      first: { sequenceNumber: '7', subSequenceNumber: 0 },
      last: { sequenceNumber: '8', subSequenceNumber: 1 },
    })
    expect(records[0]).toMatchObject({ partitionKey: 'outer', encryptionType: 'KMS' })
    expect(records[2]).toEqual({
      sequenceNumber: '8',
      subSequenceNumber: 1,
      partitionKey: 'a',
      explicitHashKey: '5',
      data: expect.anything(),
      approximateArrivalTimestamp: new Date(1_700_000_000_000),
      encryptionType: 'KMS',
      aggregated: true,
    })
  })

  test('leaves out what is at or below the checkpoint by sequence number, then by sub-sequence number', async () => {
    const started = await start({ hashKeyRangeOf: () => null })
    const after = ['6:3', '7:0', '7:1', '7:2', '7:9', '8:0', '9:0'].map((place) => place.split(':') as [string, string])
    const texts: unknown[] = []
    for (const [sequenceNumber, sub] of after) {
      started.wire.script('GetRecords', pageOf(7, [aggregate('a', 'b', 'c'), 'd', aggregate('e')], 'i'))
      texts.push((await nextBatch(started, { after: { sequenceNumber, subSequenceNumber: Number(sub) } })).texts.join(''))
    }
    expect(texts).toEqual(['abcde', 'bcde', 'cde', 'de', 'de', 'e', ''])
  })

  test('stays as it is when aggregates are not to be taken apart', async () => {
    const started = await start({ deaggregate: false })
    const data = aggregate('one', 'two')
    started.wire.script('GetRecords', pageOf(7, [data], 'i2'))
    const { count, records } = await nextBatch(started)
    expect(count).toBe(1)
    expect(Buffer.from(records[0]?.data ?? [])).toEqual(data)
    expect(started.wire.requests('ListShards')).toEqual([])
  })

  test('delivers what only looks like an aggregate', async () => {
    const started = await start({ hashKeyRangeOf: () => null })
    const data = Buffer.concat([Buffer.from('f3899ac2', 'hex'), Buffer.alloc(30, 'x')])
    started.wire.script('GetRecords', pageOf(7, [data], 'i2'))
    expect((await nextBatch(started)).texts).toEqual([data.toString()])
  })
})

describe('the hash keys of the shard', () => {
  test('are listed when the first aggregate comes, and only then', async () => {
    const started = await start()
    started.wire.script(
      'GetRecords',
      pageOf(1, ['plain'], 'i2'),
      pageOf(2, [straying, aggregate('one')], 'i3'),
      pageOf(4, [straying], 'i4'),
    )
    started.wire.script('ListShards', listing(below10))
    await nextBatch(started)
    expect(started.wire.requests('ListShards')).toEqual([])
    expect((await nextBatch(started)).texts).toEqual(['one'])
    expect((await nextBatch(started)).texts).toEqual([])
    expect(started.wire.requests('ListShards')).toHaveLength(1)
    expect(started.heard).toEqual([
      { shardId, sequenceNumber: '2', reason: 'outsideHashKeyRange', delivered: 0, dropped: 2 },
      { shardId, sequenceNumber: '4', reason: 'outsideHashKeyRange', delivered: 0, dropped: 2 },
    ])
  })

  test('are not listed again when they were listed before', async () => {
    const started = await start()
    started.wire.script('ListShards', listing(below10))
    await started.list('ALL')
    started.wire.script('GetRecords', pageOf(2, [straying], 'i3'))
    expect((await nextBatch(started)).texts).toEqual([])
    expect(started.wire.requests('ListShards')).toHaveLength(1)
  })

  test('are all of them when the shard is not listed', async () => {
    const started = await start()
    started.wire.script('ListShards', listing(below10, 'shardId-000000000009'))
    started.wire.script('GetRecords', pageOf(2, [straying], 'i3'), pageOf(3, [straying], 'i4'))
    expect((await nextBatch(started)).texts).toEqual(['in', 'out'])
    expect((await nextBatch(started)).texts).toEqual(['in', 'out'])
    expect(started.wire.requests('ListShards')).toHaveLength(1)
  })

  test('are listed anew for a shard that was closed', async () => {
    const started = await start()
    started.wire.script('ListShards', listing(below10, 'shardId-000000000009'), listing(below10))
    started.wire.script('GetRecords', pageOf(2, [straying], 'i3'), pageOf(2, [straying], 'i3'))
    expect((await nextBatch(started)).texts).toEqual(['in', 'out'])
    await started.close()
    await started.open()
    expect((await nextBatch(started)).texts).toEqual([])
  })

  test('may be given, and are then never listed', async () => {
    const asked: string[] = []
    const started = await start({
      hashKeyRangeOf: (id) => {
        asked.push(id)
        return below10
      },
    })
    started.wire.script('GetRecords', pageOf(2, [straying, aggregate('one')], 'i3'))
    expect((await nextBatch(started)).texts).toEqual(['one'])
    expect([asked, started.wire.requests('ListShards')]).toEqual([[shardId], []])
  })

  test('that cannot be listed now leave the read to be made again, from the same place', async () => {
    const throttles: string[] = []
    const started = await start({ onThrottle: ({ errorName }) => throttles.push(errorName) })
    const page = pageOf(2, [straying, aggregate('one')], 'i3')
    started.wire.script('GetRecords', page, page, page)
    started.wire.script('ListShards', { error: 'LimitExceededException' }, { error: 'AccessDeniedException' }, listing(below10))
    expect(await started.read()).toEqual({ type: 'throttled' })
    await expect(started.read()).rejects.toMatchObject({ name: 'AccessDeniedException' })
    expect((await nextBatch(started)).texts).toEqual(['one'])
    expect(throttles).toEqual(['LimitExceededException'])
    expect(new Set(started.iterators()).size).toBe(1)
  })

  test('are waited for no longer than the read is wanted', async () => {
    const started = await start()
    const page = pageOf(2, [straying, aggregate('one')], 'i3')
    started.wire.script('GetRecords', page, page)
    started.wire.script('ListShards', 'hang', listing(below10))
    const controller = new AbortController()
    const aborted = started.read({ signal: controller.signal })
    const { gone } = await started.wire.arrival('ListShards', 1)
    controller.abort()
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' })
    await gone
    expect(started.batches.size).toBe(0)
    expect((await nextBatch(started)).texts).toEqual(['one'])
  })

  test('found after the read was aborted lead to no batch, and the page is read again', async () => {
    const controller = new AbortController()
    const started = await start({
      hashKeyRangeOf: () => {
        controller.abort()
        return below10
      },
    })
    started.wire.script('GetRecords', pageOf(2, [aggregate('one')], 'i3'))
    await expect(started.read({ signal: controller.signal })).rejects.toMatchObject({ name: 'AbortError' })
    expect(started.batches.size).toBe(0)
    expect((await nextBatch(started)).texts).toEqual(['one'])
  })

  test('are listed once for all shards that wait for them, and an aborted read takes them from nobody', async () => {
    const started = await start()
    const other = 'shardId-000000000001'
    const waitsForListing = gate<void>()
    let listeners = 0
    const context = {
      ...neverAborted,
      // One for the read, one for GetRecords, one for the listing.
      onAbort: () => {
        listeners += 1
        if (listeners === 3) waitsForListing.open()
      },
    }
    await started.source.openShard({ type: 'openShard', id: 1, shardId: other, position: { type: 'TRIM_HORIZON' } }, neverAborted)
    const page = pageOf(2, [straying, aggregate('one')], 'i3')
    const held = gate<WireAnswer>()
    started.wire.script('GetRecords', page, page)
    started.wire.script('ListShards', held.promise)
    const controller = new AbortController()
    const aborted = started.read({ signal: controller.signal })
    await started.wire.arrival('ListShards', 1)
    const prefetch = { maxRecords: 0, maxBytes: 0 }
    const second = started.source.readRecords(
      { type: 'readRecords', id: 2, shardId: other, after: null, maxRecords: 10, prefetch },
      context,
    )
    await waitsForListing.promise
    controller.abort()
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' })
    held.open(listing(below10, other))
    const answer = await second
    expect(answer.type === 'recordsRead' ? answer.batch.count : answer).toBe(1)
    expect(started.wire.requests('ListShards')).toHaveLength(1)
  })
})

describe('records that are not delivered', () => {
  test('become a line of a log', () => {
    const lines: string[] = []
    const report = createDropReporter({ warn: (line) => lines.push(line) })
    report({ shardId, sequenceNumber: '7', reason: 'outsideHashKeyRange', delivered: 0, dropped: 3 })
    report({ shardId, sequenceNumber: '8', reason: 'malformed', delivered: 2, dropped: 1 })
    report({ shardId, sequenceNumber: '9', reason: 'empty', delivered: 0, dropped: 0 })
    expect(lines).toEqual([
      `Shard ${shardId} delivers 0 of the 3 records in the aggregate 7: one of them belongs to another shard`,
      `Shard ${shardId} delivers 2 of the 3 records in the aggregate 8: a key of the next one cannot be read`,
      `Shard ${shardId} delivers 0 of the 0 records in the aggregate 9: it holds none`,
    ])
  })

  test('are a warning of the process, once, when nobody asked to hear of them', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const started = await start({ hashKeyRangeOf: () => below10, onDroppedRecords: undefined })
    started.wire.script('GetRecords', pageOf(2, [straying, straying], 'i3'))
    await nextBatch(started)
    const drops = warn.mock.calls.filter(([message]) => String(message).includes('aggregate'))
    warn.mockRestore()
    expect(drops).toHaveLength(1)
    expect(drops[0]?.[0]).toBe(`Shard ${shardId} delivers 0 of the 2 records in the aggregate 2: one of them belongs to another shard`)
  })

  test('stop the shard while the one who hears of them throws: nothing is skipped', async () => {
    let throws = true
    const started = await start({
      hashKeyRangeOf: () => below10,
      onDroppedRecords: () => {
        if (throws) throw new Error('the log is full')
      },
    })
    const page = pageOf(2, [straying, aggregate('one')], 'i3')
    started.wire.script('GetRecords', page, page)
    await expect(started.read()).rejects.toThrow('the log is full')
    expect(started.batches.size).toBe(0)
    throws = false
    expect((await nextBatch(started)).texts).toEqual(['one'])
  })
})
