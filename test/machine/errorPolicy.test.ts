import type { ShardConsumerInput } from '@shardwise/machine'
import { describe, expect, it } from 'vitest'
import { type PlayedStep, play } from '../scenarios/play.ts'
import { aBatch, answer, aShard, checkpoint, error, type Move, record, shutdown, splitChildren, untilReading } from '../scenarios/story.ts'

type Options = ShardConsumerInput['options']

const skips = { maxDeliveryAttempts: 1, onDeliveryFailure: 'skip' } as const
const failed = answer('processRecords', 'recordsFailed', error('TypeError'))
const batchOf = (batch: Parameters<typeof aBatch>[0]): Move =>
  answer('readRecords', 'recordsRead', aBatch({ millisBehindLatest: 5_000, ...batch }))
const fires = (nowMs: number): Move => answer('startTimer', 'timerFired', { nowMs })
const lastBatch = (batch: Parameters<typeof aBatch>[0] = {}): Move =>
  answer('readRecords', 'recordsRead', aBatch({ records: [1, 3], atShardEnd: true, ...batch }))

/** Plays moves to a shard that reads, and gives the last step. */
function lastOf(moves: readonly Move[], options: Options = {}): PlayedStep {
  const last = play({ input: { ...aShard, options }, moves: [...untilReading(), ...moves] }).at(-1)
  if (last === undefined) throw new Error('moves: none was played')
  return last
}

describe('the last batch of a shard that fails', () => {
  it.each([
    ['its children are not known', {}, 'listChildShards'],
    ['its children are known', { childShards: splitChildren }, 'createChildLeases'],
  ])('counts as processed where it is skipped and %s', (_, batch, next) => {
    const { effects, after } = lastOf([lastBatch(batch), failed], skips)

    expect(effects.at(-1)).toMatchObject({ type: next })
    expect(after.context).toMatchObject({ reason: 'SHARD_END', completed: record(3) })
  })

  it.each([{}, { childShards: splitChildren }])('does not count as processed where a shutdown was to come first', (batch) => {
    const { after } = lastOf([lastBatch(batch), shutdown('SHARD_END'), failed], skips)

    expect(after.context).toMatchObject({ reason: 'SHARD_END', completed: null })
  })
})

describe('a last batch that would be skipped', () => {
  it('is left to the next owner where a stop was asked for while it was processed', () => {
    const { effects, after } = lastOf([lastBatch(), shutdown('REQUESTED'), failed], skips)

    expect(effects.map(({ type }) => type)).toEqual(['dropBatch', 'notifyShutdownRequested'])
    expect(after.context).toMatchObject({ reason: 'REQUESTED', completed: null })
  })
})

describe('a last batch that goes to the dead letter', () => {
  const options = { maxDeliveryAttempts: 1, deadLetter: true } as const

  it.each(['REQUESTED', 'SHARD_END'] as const)('ends the shard once it is taken, though a shutdown with %s came meanwhile', (reason) => {
    const { effects, after } = lastOf([lastBatch(), failed, shutdown(reason), answer('deliverDeadLetter', 'deadLetterDelivered')], options)

    expect(effects.at(-1)).toMatchObject({ type: 'listChildShards' })
    expect(after.context).toMatchObject({ reason: 'SHARD_END' })
  })
})

describe('a shard whose last batch is passed over', () => {
  const after = (moves: readonly Move[], options: Options) => lastOf([lastBatch(), failed, ...moves], options)

  it('ends when its age is exhausted', () => {
    const { effects } = after([fires(50_000)], { maxDeliveryAgeMillis: 1, onDeliveryFailure: 'skip' })

    expect(effects.at(-1)).toMatchObject({ type: 'listChildShards' })
  })

  it('ends when the dead letter has taken it', () => {
    const { effects } = after([answer('deliverDeadLetter', 'deadLetterDelivered')], { maxDeliveryAttempts: 1, deadLetter: true })

    expect(effects.at(-1)).toMatchObject({ type: 'listChildShards' })
  })

  it('ends when it was checkpointed to its end meanwhile', () => {
    const { effects } = lastOf([
      lastBatch(),
      checkpoint('r1', record(3)),
      answer('writeCheckpoint', 'checkpointWritten'),
      failed,
      fires(50_000),
    ])

    expect(effects.at(-1)).toMatchObject({ type: 'listChildShards' })
  })
})

describe('a batch for which the shard is given up', () => {
  it('is remembered with its ends, its deliveries and the last error', () => {
    const { after } = lastOf([batchOf({ records: [1, 3] }), failed, fires(50_000), failed], { maxDeliveryAttempts: 2 })

    expect(after.context).toMatchObject({
      reason: 'LEASE_LOST',
      gaveUp: { first: record(1), last: record(3), attempts: 2, error: { name: 'TypeError' } },
    })
  })

  it('has no ends where it has no records', () => {
    const { after } = lastOf([batchOf({}), failed], { maxDeliveryAttempts: 1, shouldCallProcessRecordsEvenForEmptyRecordList: true })

    expect(after.context.gaveUp).toMatchObject({ first: null, last: null, attempts: 1 })
  })
})

describe.each([
  ['splitBatch', { maxDeliveryAttempts: 1, bisectBatchOnError: true }],
  ['deliverDeadLetter', { maxDeliveryAttempts: 1, deadLetter: true }],
] as const)('a batch of many records that failed, at %s', (effect, options) => {
  const last = (...moves: readonly Move[]) => lastOf([batchOf({ records: [1, 3] }), failed, ...moves], options)

  it('is taken up again there after a backoff, where the adapter failed', () => {
    expect(last(answer(effect, 'effectFailed', error('TimeoutError'))).effects.map(({ type }) => type)).toEqual(['startTimer'])

    const { effects } = last(answer(effect, 'effectFailed', error('TimeoutError')), fires(50_000))
    expect(effects.map(({ type }) => type)).toEqual([effect])
  })

  it('is read again from its shard, where the adapter has it no more', () => {
    const { effects, after } = last(answer(effect, 'batchGone'))

    expect(effects.map(({ type }) => type)).toEqual(['dropBatch', 'openShard'])
    expect(after.context).toMatchObject({ batch: null, whole: null, completed: null })
  })

  it.each([
    ['the adapter fails', answer(effect, 'effectFailed', error('TimeoutError'))],
    ['the adapter has it no more', answer(effect, 'batchGone')],
  ])('is left to a shutdown that came before %s', (_, move) => {
    const { effects } = last(shutdown('REQUESTED'), move)

    expect(effects.map(({ type }) => type)).toEqual(['dropBatch', 'notifyShutdownRequested'])
  })
})

describe('a part of a batch that is split', () => {
  const splits = { maxDeliveryAttempts: 2, bisectBatchOnError: true } as const
  const whole = [batchOf({ records: [1, 2] }), failed, fires(50_000), failed]
  const part = answer('splitBatch', 'batchSplit', aBatch({ batchId: 'b2', records: [1, 1] }))

  it('is not delivered again where it was checkpointed meanwhile: the whole goes on', () => {
    const { effects, after } = lastOf(
      [...whole, part, checkpoint('r1', record(1)), answer('writeCheckpoint', 'checkpointWritten'), failed, fires(60_000)],
      splits,
    )

    expect(effects).toMatchObject([
      { type: 'dropBatch', batchId: 'b2' },
      { type: 'processRecords', batch: { batchId: 'b1' }, after: record(1), attempt: 0 },
    ])
    expect(after.context).toMatchObject({ whole: null, completed: record(1) })
  })
})

describe('an aggregate whose batch is split and then gone', () => {
  const place = (subSequenceNumber: number) => ({ ...record(1), subSequenceNumber })
  const aggregate = { first: place(0), last: place(1), count: 2 }
  const splits = { maxDeliveryAttempts: 1, bisectBatchOnError: true } as const

  it('is read again as a whole, less what was processed of it', () => {
    const gone = lastOf(
      [
        batchOf(aggregate),
        failed,
        answer('splitBatch', 'batchSplit', aBatch({ ...aggregate, batchId: 'b2', last: place(0), count: 1 })),
        answer('processRecords', 'recordsProcessed'),
        answer('splitBatch', 'batchGone'),
      ],
      splits,
    )

    expect(gone.after.context.completed).toEqual(place(0))
    expect(gone.effects.at(-1)).toMatchObject({
      type: 'openShard',
      position: { type: 'AT_SEQUENCE_NUMBER', sequenceNumber: record(1).sequenceNumber },
    })
  })
})

describe('the age of a batch', () => {
  const ages = { maxDeliveryAgeMillis: 1_000, onDeliveryFailure: 'skip' } as const
  const failing = [batchOf({ records: [1, 3] }), failed]
  const firstDelayMs = delayAfter(failing, ages)
  const firstFailedMs = 50_000 - firstDelayMs

  it('counts from its first failure, which the first backoff dates', () => {
    const { after, effects } = lastOf([...failing, fires(50_000)], ages)

    expect(firstDelayMs).toBeGreaterThan(0)
    expect(after.context.failingSinceMs).toBe(firstFailedMs)
    expect(effects).toMatchObject([{ type: 'processRecords', attempt: 1 }])
  })

  it.each([
    [999, 'processRecords'],
    [1_000, 'readRecords'],
  ])('is exhausted at its limit and not before it: after %i ms', (ageMs, next) => {
    const { effects } = lastOf([...failing, fires(50_000), failed, fires(firstFailedMs + ageMs)], ages)

    expect(effects.map(({ type }) => type)).toContain(next)
  })

  it('may be exhausted when the first backoff ends', () => {
    const { effects } = lastOf([...failing, fires(50_000)], { ...ages, maxDeliveryAgeMillis: firstDelayMs })

    expect(effects.map(({ type }) => type)).toEqual(['dropBatch', 'readRecords'])
  })

  it('is not asked for where no limit is set', () => {
    const { after } = lastOf([...failing, fires(50_000)])

    expect(after.context.failingSinceMs).toBeNull()
  })

  it('does not count for a processor that could not be called', () => {
    const uncalled = [batchOf({ records: [1, 3] }), answer('processRecords', 'effectFailed', error('Unreachable')), fires(50_000)]
    const { after, effects } = lastOf(uncalled, { ...ages, maxDeliveryAgeMillis: 1 })

    expect(after.context.failingSinceMs).toBeNull()
    expect(effects).toMatchObject([{ type: 'processRecords' }])
  })

  it.each([
    ['split', { bisectBatchOnError: true }, 'splitBatch', 'effectFailed'],
    ['taken by the dead letter', { deadLetter: true }, 'deliverDeadLetter', 'deadLetterFailed'],
  ] as const)('is not asked for while the batch cannot be %s', (_, options, effect, answered) => {
    const moves = [batchOf({ records: [1, 4] }), failed, answer(effect, answered, error('StoreFull')), fires(90_000)]
    const { effects } = lastOf(moves, { maxDeliveryAttempts: 1, maxDeliveryAgeMillis: 1, ...options })

    expect(effects).toMatchObject([{ type: effect }])
  })
})

describe('a failed batch', () => {
  it('backs off from its first failure as if nothing had failed before it', () => {
    const reads = [1, 2, 3, 4].flatMap(() => [answer('readRecords', 'throttled'), fires(50_000)])

    expect(delayAfter([...reads, batchOf({ records: [1, 3] }), failed], {})).toBeLessThanOrEqual(500)
  })

  it('is skipped and not sent to the dead letter where it has no records', () => {
    const { effects } = lastOf([batchOf({}), failed], {
      maxDeliveryAttempts: 1,
      deadLetter: true,
      shouldCallProcessRecordsEvenForEmptyRecordList: true,
    })

    expect(effects.map(({ type }) => type)).toEqual(['dropBatch', 'readRecords'])
  })

  it('is remembered with the beginning of what the processor said', () => {
    const { after } = lastOf([
      batchOf({ records: [1, 3] }),
      answer('processRecords', 'recordsFailed', { error: { name: `N${'a'.repeat(99)}`, message: `M${'b'.repeat(999)}` } }),
    ])

    expect(after.context.lastError).toEqual({ name: `N${'a'.repeat(63)}`, message: `M${'b'.repeat(511)}` })
  })
})

/** The backoff that moves end with, in ms. */
function delayAfter(moves: readonly Move[], options: Options): number {
  const [timer] = lastOf(moves, options).effects
  if (timer?.type !== 'startTimer') throw new Error('moves: expected some that end with a backoff')
  return timer.delayMs
}
