import { eachBatch, eachRecord, iterate, lambdaRecords } from '@shardwise/processor'
import { describe, expect, it } from 'vitest'
import { aShard, consumeAll, shardId, textOf } from './processorHandlersSetting.ts'

type Make = (handler: unknown, options?: unknown) => unknown

const eventSourceARN = 'arn:aws:kinesis:eu-west-1:123456789012:stream/orders'
const makers: Readonly<Record<string, Make>> = {
  eachBatch: eachBatch as Make,
  eachRecord: eachRecord as Make,
  iterate: iterate as Make,
  lambdaRecords: (handler, options = {}) =>
    (lambdaRecords as Make)(handler, typeof options === 'object' ? { eventSourceARN, ...options } : options),
}
const handler = (): void => undefined

describe.each(Object.entries(makers))('%s', (name, make) => {
  it.each<[string, unknown, string]>([
    ['an unknown option', { checkpoints: 'manual' }, `${name}: unknown option checkpoints, expected checkpoint, deadLetter, nowMs`],
    ['options that are none', 'manual', `${name}: expected an object of options, got manual`],
    ['an unknown policy', { checkpoint: 'never' }, 'checkpoint: expected afterBatch, manual or { everyRecords, everyMs }, got "never"'],
    ['a policy that is null', { checkpoint: null }, 'checkpoint: expected afterBatch, manual or { everyRecords, everyMs }, got null'],
    ['a policy of nothing', { checkpoint: {} }, 'checkpoint: expected everyRecords, everyMs or both, got neither'],
    [
      'a policy with an unknown name',
      { checkpoint: { everySeconds: 1 } },
      'checkpoint: unknown option everySeconds, expected everyRecords, everyMs',
    ],
    ['no records', { checkpoint: { everyRecords: 0 } }, 'checkpoint.everyRecords: expected a whole number from 1, got 0'],
    ['half a record', { checkpoint: { everyRecords: 1.5 } }, 'checkpoint.everyRecords: expected a whole number from 1, got 1.5'],
    ['a time that is text', { checkpoint: { everyMs: '5' } }, 'checkpoint.everyMs: expected a whole number from 1, got "5"'],
    ['a dead letter that is none', { deadLetter: 7 }, 'deadLetter: expected a function that takes dead letters, got 7'],
    ['a clock that is none', { nowMs: 7 }, 'nowMs: expected a function, got 7'],
  ])('refuses %s', (_, options, message) => {
    expect(() => make(handler, options)).toThrow(message)
  })

  it('refuses a handler that is no function', () => {
    expect(() => make({ handler })).toThrow(`${name}: expected a function that handles records, got {}`)
  })

  it('makes a processor of its own for every shard', () => {
    const makeProcessor = make(handler) as (shardId: string) => unknown
    expect(makeProcessor(shardId)).not.toBe(makeProcessor(shardId))
  })
})

describe('options of one function', () => {
  it.each<[string, () => unknown, string]>([
    ['concurrency', () => eachRecord(handler, { concurrency: 0 }), 'concurrency: expected a whole number from 1, got 0'],
    ['concurrency', () => makers['eachRecord']?.(handler, { concurrency: null }), 'concurrency: expected a whole number from 1, got null'],
    ['concurrency', () => makers['eachBatch']?.(handler, { concurrency: 2 }), 'eachBatch: unknown option concurrency'],
    [
      'batchSize',
      () => lambdaRecords(handler, { eventSourceARN, batchSize: 10_001 }),
      'batchSize: expected a whole number from 1 to 10000, got 10001',
    ],
    [
      'eventSourceARN',
      () => lambdaRecords(handler, { eventSourceARN: 'orders' }),
      'eventSourceARN: expected the ARN of a Kinesis stream, got "orders"',
    ],
    ['eventSourceARN', () => (lambdaRecords as Make)(handler), 'lambdaRecords: expected an object of options, got undefined'],
    ['eventSourceARN', () => (lambdaRecords as Make)(handler, {}), 'eventSourceARN: expected the ARN of a Kinesis stream, got undefined'],
    [
      'a callback',
      () => (lambdaRecords as Make)((_: unknown, __: unknown, done: () => void) => done(), { eventSourceARN }),
      'takes a callback',
    ],
  ])('are refused by name: %s', (_, call, message) => {
    expect(call).toThrow(message)
  })
})

describe('a checkpoint every n milliseconds', () => {
  it('is stored when a record is handled so long after the last one, by the clock that was given', async () => {
    let nowMs = 0
    const processor = eachRecord(
      (record) => {
        nowMs += textOf(record) === 'a2' ? 1_000 : 1
      },
      { checkpoint: { everyMs: 1_000 }, nowMs: () => nowMs },
    )(shardId)
    const { stored } = await consumeAll(aShard(['a1', 'a2', 'a3', 'a4']), processor)
    expect(stored).toEqual(['a2', 'SHARD_END'])
  })

  it('may be joined with every n records: whichever comes first', async () => {
    let nowMs = 0
    const processor = eachRecord(
      (record) => {
        nowMs += textOf(record) === 'a1' ? 1_000 : 1
      },
      { checkpoint: { everyMs: 1_000, everyRecords: 2 }, nowMs: () => nowMs },
    )(shardId)
    const { stored } = await consumeAll(aShard(['a1', 'a2', 'a3', 'a4'], { perRead: 1 }), processor)
    expect(stored).toEqual(['a1', 'a3', 'SHARD_END'])
  })

  it('runs by a monotonic clock unless one is given, and asks for none without it', () => {
    const { performance } = globalThis
    Reflect.deleteProperty(globalThis, 'performance')
    try {
      expect(() => eachBatch(handler, { checkpoint: { everyMs: 1 } })).toThrow('nowMs: this runtime has no performance.now')
      expect(() => eachBatch(handler, { checkpoint: { everyRecords: 1 } })).not.toThrow()
    } finally {
      Object.defineProperty(globalThis, 'performance', { value: performance, configurable: true, writable: true })
    }
  })
})

describe('a runtime without AbortController', () => {
  it.each(Object.keys(makers))('runs %s', async (name) => {
    const { AbortController: own } = globalThis
    const shard = aShard(['a1', 'b2'])
    const handlers: Readonly<Record<string, unknown>> = {
      iterate: async (records: AsyncIterable<unknown>) => {
        for await (const _ of records) continue
      },
    }
    Reflect.deleteProperty(globalThis, 'AbortController')
    try {
      const makeProcessor = makers[name]?.(handlers[name] ?? handler) as ReturnType<typeof eachBatch>
      const { stored, failures } = await consumeAll(shard, makeProcessor(shardId))
      expect([stored, failures]).toEqual([['b2', 'SHARD_END'], []])
    } finally {
      globalThis.AbortController = own
    }
  })
})
