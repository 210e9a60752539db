import { restore, type ShardConsumerInput, type ShardConsumerSnapshot, type ShardEvent, step } from '@shardwise/machine'
import { describe, expect, it } from 'vitest'
import { type PlayedStep, play } from '../scenarios/play.ts'
import {
  aBatch,
  answer,
  aShard,
  checkpoint,
  error,
  type Move,
  pause,
  record,
  resume,
  shutdown,
  splitChildren,
  untilReading,
} from '../scenarios/story.ts'

const read = answer('readRecords', 'recordsRead', aBatch({ records: [1, 4], millisBehindLatest: 5_000 }))
const processed = answer('processRecords', 'recordsProcessed')
const failed = answer('processRecords', 'recordsFailed', error('TypeError'))
const stored = answer('writeCheckpoint', 'checkpointWritten')
const part = (first: number, last: number): Move =>
  answer('splitBatch', 'batchSplit', aBatch({ batchId: `b${first + 1}`, records: [first, last] }))
const noPart = answer('splitBatch', 'batchSplit', aBatch({ batchId: 'b9' }))
const fires = (nowMs = 500): Move => answer('startTimer', 'timerFired', { nowMs })
const bisects = { maxDeliveryAttempts: 1, bisectBatchOnError: true, onDeliveryFailure: 'skip' } as const
const letters = { maxDeliveryAttempts: 1, deadLetter: true } as const

type Options = ShardConsumerInput['options']

function lastOf(moves: readonly Move[], options: Options = {}): PlayedStep {
  const last = play({ input: { ...aShard, options }, moves: [...untilReading(), ...moves] }).at(-1)
  if (last === undefined) throw new Error('moves: none was played')
  return last
}
const askedAfter = (moves: readonly Move[], options: Options = {}): readonly string[] =>
  lastOf(moves, options).effects.map((effect) =>
    effect.type === 'processRecords' ? `processRecords ${effect.batch.batchId}` : effect.type,
  )
const holding = { PROCESSING: 'holding' }

interface Held {
  readonly what: string
  readonly moves: readonly Move[]
  readonly options?: Options
  /** What is asked for in the step that comes to hold it, and what the resumed shard hands over. */
  readonly asked?: readonly string[]
  readonly then: string
}

const held: readonly Held[] = [
  { what: 'a batch that was read', moves: [pause, read], then: 'processRecords b1' },
  {
    what: 'a batch that is read after a call that was under way',
    moves: [read, pause, processed, answer('readRecords', 'recordsRead', aBatch({ batchId: 'b2', records: [5, 6] }))],
    then: 'processRecords b2',
  },
  {
    what: 'an empty batch, where empty ones are asked for',
    moves: [pause, answer('readRecords', 'recordsRead', aBatch({}))],
    options: { shouldCallProcessRecordsEvenForEmptyRecordList: true },
    then: 'processRecords b1',
  },
  { what: 'a batch that failed', moves: [read, pause, failed, fires()], then: 'processRecords b1' },
  { what: 'a batch that failed before the pause', moves: [read, failed, pause, fires()], then: 'processRecords b1' },
  {
    what: 'a batch that its adapter failed on',
    moves: [read, pause, answer('processRecords', 'effectFailed', error('Error')), fires()],
    then: 'processRecords b1',
  },
  { what: 'a part that was split off', moves: [read, pause, failed, part(1, 2)], options: bisects, then: 'processRecords b2' },
  {
    what: 'what is left of a batch whose parts succeeded',
    moves: [read, failed, part(1, 2), failed, part(1, 1), processed, part(2, 2), pause, processed],
    options: bisects,
    asked: ['dropBatch'],
    then: 'processRecords b1',
  },
  {
    what: 'what is left of a batch when a part is passed over',
    moves: [read, failed, part(1, 2), failed, part(1, 1), pause, failed],
    options: bisects,
    asked: ['dropBatch'],
    then: 'processRecords b1',
  },
  {
    what: 'what is left of a batch when no part of it is left',
    moves: [read, failed, pause, noPart],
    options: bisects,
    asked: ['dropBatch'],
    then: 'processRecords b1',
  },
  {
    what: 'what is left of a batch when the dead letter took a part',
    moves: [read, failed, part(1, 2), failed, part(1, 1), failed, pause, answer('deliverDeadLetter', 'deadLetterDelivered')],
    options: { ...letters, bisectBatchOnError: true },
    asked: ['dropBatch'],
    then: 'processRecords b1',
  },
]

describe('a paused shard', () => {
  it.each(held)('holds $what, and hands it over when it is resumed', ({ moves, options, asked = [], then }) => {
    const { after, effects } = lastOf(moves, options)

    expect(after.value).toEqual(holding)
    expect(after.context.task).toBeNull()
    expect(effects.map(({ type }) => type)).toEqual(asked)
    expect(askedAfter([...moves, resume], options)).toEqual([then])
    expect(lastOf([...moves, resume], options).after.value).toEqual({ PROCESSING: 'processing' })
  })

  it.each<[string, readonly Move[], Options, readonly string[]]>([
    ['the end of a call that is under way', [read, pause, processed], {}, ['dropBatch', 'readRecords']],
    ['the backoff of a batch that failed', [read, pause, failed], {}, ['startTimer']],
    ['the split of a batch that failed', [read, pause, failed], bisects, ['splitBatch']],
    ['the dead letter of a batch that failed', [read, pause, failed], letters, ['deliverDeadLetter']],
    ['the backoff of a read', [pause, answer('readRecords', 'throttled'), fires()], {}, ['readRecords']],
    ['the next read when one found nothing', [pause, answer('readRecords', 'recordsRead', aBatch({})), fires()], {}, ['readRecords']],
    ['the opening after an expired iterator', [pause, answer('readRecords', 'iteratorExpired')], {}, ['openShard']],
    ['a checkpoint of a call that is under way', [read, pause, checkpoint('r1', record(2))], {}, ['writeCheckpoint']],
    ['a checkpoint beside a batch that is held', [read, pause, processed, read, checkpoint('r1')], {}, ['writeCheckpoint']],
    [
      'the end of a shard that has nothing left',
      [pause, answer('readRecords', 'recordsRead', aBatch({ atShardEnd: true, childShards: splitChildren }))],
      {},
      ['dropBatch', 'createChildLeases'],
    ],
    [
      'the end of a shard whose last call is under way',
      [answer('readRecords', 'recordsRead', aBatch({ records: [1, 4], atShardEnd: true, childShards: splitChildren })), pause, processed],
      {},
      ['dropBatch', 'createChildLeases'],
    ],
  ])('goes on with %s', (_, moves, options, asked) => {
    expect(askedAfter(moves, options)).toEqual(asked)
  })

  it.each<[string, Move, readonly string[]]>([
    ['REQUESTED', shutdown('REQUESTED'), ['dropBatch', 'notifyShutdownRequested']],
    ['SHARD_END', shutdown('SHARD_END'), ['dropBatch', 'listChildShards']],
    ['LEASE_LOST', shutdown('LEASE_LOST'), ['dropBatch', 'notifyLeaseLost']],
  ])('ends with %s at once while it holds a batch, which is freed', (_, end, asked) => {
    expect(askedAfter([pause, read, end])).toEqual(asked)
  })

  it('ends when a late checkpoint shows that the lease is lost', () => {
    const moves = [read, checkpoint('r1', record(2)), pause, failed, fires(), answer('writeCheckpoint', 'checkpointRefused')]

    expect(askedAfter(moves)).toEqual(['settleCheckpoint', 'signalLeaseLost', 'dropBatch', 'notifyLeaseLost'])
  })

  it('frees the whole and the part that it holds', () => {
    expect(askedAfter([read, pause, failed, part(1, 2), shutdown('LEASE_LOST')], bisects)).toEqual([
      'dropBatch',
      'dropBatch',
      'notifyLeaseLost',
    ])
  })

  it('hands over nothing above what a checkpoint stored while the batch was held', () => {
    const { effects } = lastOf([read, checkpoint('r1', record(2)), pause, failed, fires(), stored, resume])

    expect(effects).toEqual([expect.objectContaining({ type: 'processRecords', after: record(2), attempt: 1 })])
  })

  it('refuses a checkpoint of records that it holds', () => {
    const { effects } = lastOf([pause, read, checkpoint('r1', record(2))])

    expect(effects).toEqual([expect.objectContaining({ error: expect.objectContaining({ name: 'IllegalArgumentException' }) })])
  })

  it('judges the age of a batch when a backoff ends, and counts the pause', () => {
    const ages = { maxDeliveryAgeMillis: 1_000, deadLetter: true }

    expect(askedAfter([read, pause, failed, fires(10_000), resume, failed, fires(90_000)], ages)).toEqual(['deliverDeadLetter'])
    expect(lastOf([read, pause, failed, fires(10_000), resume], ages).after.value).toEqual({ PROCESSING: 'processing' })
  })

  it('keeps its failures and its next backoff', () => {
    const { after } = lastOf([read, failed, fires(), pause, failed, fires(), resume, failed])

    expect(after.context).toMatchObject({ batchFailures: 3, attempt: 3 })
  })
})

describe('a pause', () => {
  it('cancels nothing and changes no state', () => {
    for (const moves of [[], [read], [read, failed], [answer('readRecords', 'iteratorExpired')]]) {
      const { before, after, effects } = lastOf([...moves, pause])

      expect(effects).toEqual([])
      expect(after).toEqual({ ...before, context: { ...before?.context, paused: true } })
    }
  })

  it('that comes again, or is taken back where there is none, changes nothing', () => {
    for (const moves of [[resume], [pause, pause], [pause, read, pause]]) {
      const { before, after } = lastOf(moves)

      expect(after).toBe(before)
    }
  })

  it('may come before the shard is initialised, and holds for its first batch', () => {
    const last = play({ input: aShard, moves: [pause, ...untilReading(), read] }).at(-1)

    expect(last?.after.value).toEqual(holding)
  })

  it('that ends before the next batch is not noticed', () => {
    expect(askedAfter([pause, resume, read])).toEqual(['processRecords b1'])
  })

  it('after the end changes nothing', () => {
    const { after } = lastOf([shutdown('LEASE_LOST'), answer('notifyLeaseLost', 'leaseLostNotified'), answer('closeShard', 'shardClosed')])

    expect(step(after, { type: 'pause' })).toEqual([after, []])
  })
})

describe('a held batch', () => {
  const stale: readonly ShardEvent['type'][] = ['recordsRead', 'recordsProcessed', 'recordsFailed', 'timerFired', 'effectFailed']

  it.each(stale)('is not disturbed by %s, which nobody awaits', (type) => {
    const { after } = lastOf([read, pause, failed, fires()])
    const ids = Array.from({ length: after.context.nextId }, (_, id) => id)

    for (const id of ids)
      expect(step(after, { type, id, ...aBatch({}), ...error('Error'), nowMs: 0 } as unknown as ShardEvent)[0]).toBe(after)
  })

  it('is read anew when the process died meanwhile: the pause is in the snapshot', () => {
    const json = JSON.parse(JSON.stringify(lastOf([pause, read]).after)) as ShardConsumerSnapshot
    const [restored, effects] = restore(json)
    expect([restored, effects]).toEqual([json, []])

    const [resumed, [call]] = step(restored, { type: 'resume' })
    if (call?.type !== 'processRecords') throw new Error('processRecords: expected after the resumption')
    const [after, asked] = step(resumed, { type: 'batchGone', id: call.id })
    expect([after.value, asked.map(({ type }) => type)]).toEqual([{ PROCESSING: 'reopening' }, ['dropBatch', 'openShard']])
  })
})
