import { afterEach, describe, expect, test } from 'vitest'
import { gate, numbersOf, onePageAhead, page, wireFixture } from './kinesisWire.ts'

let fixture: Awaited<ReturnType<typeof wireFixture>> | undefined
const opened = async (options: Parameters<typeof wireFixture>[0] = {}) => {
  fixture = await wireFixture(options)
  await fixture.open()
  return fixture
}
afterEach(async () => {
  await fixture?.stop()
  fixture = undefined
})

describe('reading ahead', () => {
  test('makes the next call at once, and hands its answer to the next read', async () => {
    const { wire, read, batches, iterators } = await opened()
    wire.script('GetRecords', page([1], 'i2'), page([2], 'i3'), page([3], 'i4'), page([], 'i5'))
    expect(numbersOf(await read({ prefetch: onePageAhead }), batches)).toEqual(['1'])
    await (await wire.arrival('GetRecords', 2)).gone
    expect(iterators()).toEqual(['iterator-1', 'i2'])
    expect(numbersOf(await read({ prefetch: onePageAhead }), batches)).toEqual(['2'])
    expect(numbersOf(await read({ prefetch: onePageAhead }), batches)).toEqual(['3'])
    expect(iterators().slice(0, 3)).toEqual(['iterator-1', 'i2', 'i3'])
    expect(wire.mostInFlight('GetRecords')).toBe(1)
  })

  test('never goes further than one page, and keeps it out of the batch store', async () => {
    const { wire, read, batches } = await opened()
    wire.script('GetRecords', page([1], 'i2'), page([2], 'i3'))
    await read({ prefetch: onePageAhead })
    await (await wire.arrival('GetRecords', 2)).gone
    await wire.stop()
    expect(wire.requests('GetRecords')).toHaveLength(2)
    expect(batches.size).toBe(1)
  })

  test('waits for the call that is out instead of making another', async () => {
    const { wire, read, batches } = await opened()
    const held = gate<ReturnType<typeof page>>()
    wire.script('GetRecords', page([1], 'i2'), held.promise)
    await read({ prefetch: onePageAhead })
    await wire.arrival('GetRecords', 2)
    const next = read()
    held.open(page([2], 'i3'))
    expect(numbersOf(await next, batches)).toEqual(['2'])
    expect(wire.requests('GetRecords')).toHaveLength(2)
  })

  test('drops by the checkpoint of the read that takes the page', async () => {
    const { wire, read, batches } = await opened()
    wire.script('GetRecords', page([1], 'i2'), page([2, 3], 'i3'))
    await read({ prefetch: onePageAhead })
    expect(numbersOf(await read({ after: { sequenceNumber: '2', subSequenceNumber: 0 } }), batches)).toEqual(['3'])
  })

  test.each([
    ['the tip was reached, where the next read is not due yet', onePageAhead, page([1], 'i2', { MillisBehindLatest: 0 })],
    ['nothing may be read ahead', { maxRecords: 0, maxBytes: 1_000 }, page([1], 'i2')],
    ['a page as large as the last would be too large', { maxRecords: 100, maxBytes: 5 }, page([1], 'i2')],
    ['the answer was empty', onePageAhead, page([], 'i2')],
    ['the shard has ended', onePageAhead, page([1], null)],
  ])('makes no call when %s', async (_, prefetch, answer) => {
    const { wire, read } = await opened()
    wire.script('GetRecords', answer)
    await read({ prefetch })
    // A call made ahead would have been sent before this one, on the connection that is already there.
    await fixture?.list('ALL')
    expect(wire.requests('GetRecords')).toHaveLength(1)
  })

  test('makes no call when every record of the answer was dropped', async () => {
    const { wire, read, list } = await opened()
    wire.script('GetRecords', page([1], 'i2'))
    await read({ prefetch: onePageAhead, after: { sequenceNumber: '1', subSequenceNumber: 0 } })
    await list('ALL')
    expect(wire.requests('GetRecords')).toHaveLength(1)
  })

  test('asks for no more records than may be held, and than a read may have', async () => {
    const { wire, read } = await opened()
    wire.script('GetRecords', page([1], 'i2'), page([2], 'i3'), page([3], 'i4'))
    await read({ maxRecords: 50, prefetch: { maxRecords: 20, maxBytes: 1_000 } })
    await read({ maxRecords: 50, prefetch: { maxRecords: 80, maxBytes: 1_000 } })
    await wire.arrival('GetRecords', 3)
    expect(wire.requests('GetRecords').map(({ input }) => input['Limit'])).toEqual([50, 20, 50])
  })

  test('reads the page again when the next read may have fewer records', async () => {
    const { wire, read, batches, iterators } = await opened()
    wire.script('GetRecords', page([1], 'i2'), page([2, 3], 'i4'), page([2], 'i3'))
    await read({ prefetch: onePageAhead })
    await (await wire.arrival('GetRecords', 2)).gone
    expect(numbersOf(await read({ maxRecords: 1 }), batches)).toEqual(['2'])
    expect(iterators()).toEqual(['iterator-1', 'i2', 'i2'])
    expect(wire.mostInFlight('GetRecords')).toBe(1)
  })

  test.each([
    ['a throttle', { error: 'ProvisionedThroughputExceededException' }, { type: 'throttled' }],
    ['a missing stream', { error: 'ResourceNotFoundException' }, { type: 'shardNotFound' }],
  ] as const)('stops at %s, keeps it as the next answer, and does not retry', async (_, answer, expected) => {
    const { wire, read, batches, iterators } = await opened()
    wire.script('GetRecords', page([1], 'i2'), answer, page([2], 'i3'))
    await read({ prefetch: onePageAhead })
    await (await wire.arrival('GetRecords', 2)).gone
    expect(await read({ prefetch: onePageAhead })).toEqual(expected)
    expect(iterators()).toEqual(['iterator-1', 'i2'])
    expect(numbersOf(await read(), batches)).toEqual(['2'])
    expect(iterators()).toEqual(['iterator-1', 'i2', 'i2'])
  })

  test('keeps an expired iterator as the next answer, and then the shard is not open', async () => {
    const { wire, read } = await opened()
    wire.script('GetRecords', page([1], 'i2'), { error: 'ExpiredIteratorException' })
    await read({ prefetch: onePageAhead })
    expect(await read({ prefetch: onePageAhead })).toEqual({ type: 'iteratorExpired' })
    expect(await read()).toEqual({ type: 'shardNotOpen' })
  })

  test.each([
    ['a broken connection', 'reset', { code: 'ECONNRESET' }],
    ['invalid JSON', { text: '{' }, { name: 'InvalidAnswer' }],
    [
      'an invalid end',
      page([], 'i3', { ChildShards: [{ ShardId: 'c', ParentShards: ['p'], HashKeyRange: { StartingHashKey: '0', EndingHashKey: '9' } }] }),
      { name: 'InvalidAnswer' },
    ],
  ] as const)('keeps %s as a rejection for the next read, unhandled by nobody', async (_, answer, error) => {
    const { wire, read, batches } = await opened()
    wire.script('GetRecords', page([1], 'i2'), answer, page([2], 'i3'))
    await read({ prefetch: onePageAhead })
    await (await wire.arrival('GetRecords', 2)).gone
    await expect(read()).rejects.toMatchObject(error)
    expect(numbersOf(await read(), batches)).toEqual(['2'])
  })

  test('stops at an empty answer and keeps it', async () => {
    const { wire, read, list } = await opened()
    wire.script('GetRecords', page([1], 'i2'), page([], 'i3'))
    await read({ prefetch: onePageAhead })
    expect(await read({ prefetch: onePageAhead })).toMatchObject({ batch: { count: 0 } })
    await list('ALL')
    expect(wire.requests('GetRecords')).toHaveLength(2)
  })

  test('is given up with the read that waits for it, and made again by the next', async () => {
    const { wire, read, batches, iterators } = await opened()
    wire.script('GetRecords', page([1], 'i2'), 'hang', page([2], 'i3'))
    await read({ prefetch: onePageAhead })
    const ahead = await wire.arrival('GetRecords', 2)
    const controller = new AbortController()
    const aborted = read({ signal: controller.signal })
    controller.abort()
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError' })
    await ahead.gone
    expect(numbersOf(await read(), batches)).toEqual(['2'])
    expect(iterators()).toEqual(['iterator-1', 'i2', 'i2'])
  })

  test.each([
    ['closed', 'close'],
    ['opened again', 'open'],
  ] as const)('is given up when the shard is %s', async (_, how) => {
    const fixtureOfTest = await opened()
    const { wire, read, batches } = fixtureOfTest
    wire.script('GetRecords', page([1], 'i2'), 'hang', page([7], 'i8'))
    await read({ prefetch: onePageAhead })
    const ahead = await wire.arrival('GetRecords', 2)
    await fixtureOfTest[how]()
    await ahead.gone
    if (how === 'close') {
      expect(batches.size).toBe(0)
      await fixtureOfTest.open()
    }
    expect(numbersOf(await read(), batches)).toEqual(['7'])
    expect(fixtureOfTest.iterators()).toEqual(['iterator-1', 'i2', 'iterator-2'])
  })

  test('is forgotten with the shard when its answer is already there', async () => {
    const { wire, open, read, close, batches, iterators } = await opened()
    wire.script('GetRecords', page([1], 'i2'), page([2], 'i3'), page([7], 'i8'))
    await read({ prefetch: onePageAhead })
    await (await wire.arrival('GetRecords', 2)).gone
    await close()
    await open()
    expect(numbersOf(await read(), batches)).toEqual(['7'])
    expect(iterators()).toEqual(['iterator-1', 'i2', 'iterator-2'])
  })
})
