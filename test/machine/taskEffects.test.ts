import { consumerState, type ShardConsumerSnapshot, start, step } from '@shardwise/machine'
import * as compiled from '@shardwise/machine/compiled'
import { describe, expect, it } from 'vitest'
import { play } from '../scenarios/play.ts'
import {
  aBatch,
  answer,
  aShard,
  checkpoint,
  closed,
  error,
  type Move,
  record,
  shutdown,
  splitChildren,
  untilReading,
  untilShardEnded,
} from '../scenarios/story.ts'

const held = { shardId: aShard.shardId, leaseKey: 'the-row', token: 7 }
const input = { ...aShard, leaseKey: 'the-row', options: { prefetchMaxRecords: 11, prefetchMaxBytes: 12, maxRecords: 13 } }
const fired = answer('startTimer', 'timerFired', { nowMs: 0 })
const failed = error('TimeoutError')

const after = (moves: readonly Move[]) => {
  const last = play({ input, moves }).at(-1)
  if (last === undefined) throw new Error('moves: none was played')
  return { ...last.after, effects: last.effects, asked: last.effects.map(({ type }) => type) }
}
const lastBatch = answer('readRecords', 'recordsRead', aBatch({ records: [1, 3], atShardEnd: true }))
const namingBatch = answer('readRecords', 'recordsRead', aBatch({ records: [1, 3], atShardEnd: true, childShards: splitChildren }))

describe('what a task asks for', () => {
  it('is said in the name of the lease and its acquisition', () => {
    const pendingCheckpoint = record(9)
    const read = answer('readCheckpoint', 'checkpointRead', { checkpoint: record(4), pendingCheckpoint })

    expect(after(untilReading().slice(0, 1)).effects).toEqual([{ type: 'readCheckpoint', id: 2, ...held }])
    expect(after([...untilReading().slice(0, 1), read, ...untilReading().slice(2, 3)]).effects).toEqual([
      { type: 'initialize', id: 4, ...held, checkpoint: record(4), pendingCheckpoint },
    ])
    expect(after(untilShardEnded.slice(0, -1)).effects.slice(1)).toEqual([
      { type: 'createChildLeases', id: 7, ...held, childShards: splitChildren },
    ])
  })

  it('of a read is as much as the options say, and what may be read ahead', () => {
    expect(after(untilReading(record(4))).effects).toEqual([
      {
        type: 'readRecords',
        id: 5,
        shardId: aShard.shardId,
        after: record(4),
        maxRecords: 13,
        prefetch: { maxRecords: 11, maxBytes: 12 },
      },
    ])
  })

  it('keeps the pending checkpoint until the processor is initialised, with either engine', () => {
    const pendingCheckpoint = record(9)
    let snapshot: ShardConsumerSnapshot = compiled.start(input)[0]
    ;[snapshot] = compiled.step(snapshot, { type: 'parentShardsCompleted', id: 1 })
    ;[snapshot] = compiled.step(snapshot, { type: 'checkpointRead', id: 2, checkpoint: record(4), pendingCheckpoint })
    const [, effects] = compiled.step(snapshot, { type: 'shardOpened', id: 3, openedAtMs: 0 })

    expect(effects).toMatchObject([{ type: 'initialize', pendingCheckpoint }])
    expect(
      compiled.step(JSON.parse(JSON.stringify(snapshot)) as ShardConsumerSnapshot, { type: 'shardOpened', id: 3, openedAtMs: 0 })[1],
    ).toEqual(effects)
  })
})

describe('a consumer that has not begun', () => {
  it('has found nothing and was asked for nothing', () => {
    expect(start(aShard)[0].context).toMatchObject({
      reason: null,
      shutdownAsked: false,
      stopRequested: false,
      initialized: false,
      checkpoint: null,
      completed: null,
      atShardEnd: false,
      childShards: null,
      shardEndedStarted: false,
      processorDone: false,
      notificationSignalled: false,
      replay: false,
      write: null,
      waiting: [],
      outcome: null,
    })
  })

  it('keeps the very value of its state that it was handed', () => {
    const stored = JSON.parse(JSON.stringify(start(aShard)[0])) as ShardConsumerSnapshot

    for (const take of [step, compiled.step]) {
      expect(take(stored, { type: 'shutdown', reason: 'REQUESTED' })[0].value).toBe(stored.value)
    }
  })
})

describe("the KCL's name of a state", () => {
  it.each([
    [{ PROCESSING: 'reading' }, 'PROCESSING'],
    [{ SHUTDOWN_REQUESTED: 'notifying' }, 'SHUTDOWN_REQUESTED'],
    [{ SHUTDOWN_REQUESTED: 'notificationCompletion' }, 'SHUTDOWN_REQUESTED'],
    ['SHUTDOWN_COMPLETE', 'SHUTDOWN_COMPLETE'],
  ])('of %j is %s', (value, name) => {
    expect(consumerState(value)).toBe(name)
  })
})

describe('a shutdown that was pending', () => {
  it('while the checkpoint was read needs no processor: the consumer waits to be released, and knows the checkpoint', () => {
    const read = after([...untilReading().slice(0, 1), shutdown('REQUESTED'), untilReading(record(4))[1] as Move])

    expect(read).toMatchObject({
      value: { SHUTDOWN_REQUESTED: 'notificationCompletion' },
      asked: ['signalShutdownNotificationComplete'],
      context: { checkpoint: record(4), reason: 'REQUESTED', attempt: 0, task: null },
    })
  })

  const notifying = [...untilReading(), namingBatch, shutdown('REQUESTED'), answer('processRecords', 'recordsFailed', failed)]

  it.each([
    ['LEASE_LOST', 'notifyLeaseLost', notifying],
    ['SHARD_END', 'createChildLeases', notifying],
    ['SHARD_END', 'listChildShards', [...untilReading(), shutdown('REQUESTED')]],
  ] as const)('by %s while shutdownRequested was called leads to %s', (reason, next, moves) => {
    const notified = after([...moves, shutdown(reason), answer('notifyShutdownRequested', 'shutdownRequestedNotified')])

    expect(notified.asked).toEqual([next])
    expect(notified.context).toMatchObject({ reason, attempt: 0, resume: null, task: { type: next } })
  })

  it.each([
    ['LEASE_LOST', ['notifyLeaseLost']],
    ['SHARD_END', ['createChildLeases']],
  ] as const)('by %s is taken up at once where the consumer waits to be released', (reason, next) => {
    const waiting = [...notifying, answer('notifyShutdownRequested', 'shutdownRequestedNotified')]

    expect(after([...waiting, shutdown(reason)]).asked).toEqual(next)
  })

  it('is noted where the consumer waits to be released, for whoever asks for its end', () => {
    const waiting = [...untilReading().slice(0, 1), shutdown('REQUESTED'), answer('readCheckpoint', 'throttled')]

    expect(after([...waiting, shutdown('REQUESTED')]).context).toMatchObject({ shutdownAsked: true, stopRequested: true })
  })
})

describe('the end of a shard', () => {
  it('is found when a shard that is opened again is gone', () => {
    const gone = [...untilReading(), answer('readRecords', 'iteratorExpired'), answer('openShard', 'shardNotFound')]

    expect(after(gone)).toMatchObject({ asked: ['listChildShards'], context: { reason: 'SHARD_END', attempt: 0 } })
  })

  it('is left to a fresh processor when the one that was told is gone', () => {
    const gone = [...untilShardEnded, answer('notifyShardEnded', 'processorGone')]

    expect(after(gone)).toMatchObject({ asked: ['closeShard'], context: { replay: true } })
    expect(after([...gone, closed]).context.outcome).toBe('replay')
  })

  it('is given away by a stop when the checkpoint of shardEnded was not of it', () => {
    const awaiting = [
      ...untilShardEnded,
      checkpoint('r1', record(2)),
      shutdown('REQUESTED'),
      answer('notifyShardEnded', 'shardEndedNotified'),
    ]
    expect(after(awaiting).asked).toEqual([])

    const given = after([...awaiting, answer('writeCheckpoint', 'checkpointWritten')])

    expect(given.asked).toEqual(['settleCheckpoint', 'signalLeaseLost', 'notifyLeaseLost'])
    expect(given).toMatchObject({ value: { SHUTTING_DOWN: 'notifyingLeaseLost' }, context: { reason: 'LEASE_LOST', attempt: 0 } })
  })
})

describe('a batch that is gone', () => {
  it('is read again only after a wait when it failed before, and its handle is forgotten', () => {
    const gone = after([
      ...untilReading(),
      lastBatch,
      answer('processRecords', 'recordsFailed', failed),
      fired,
      answer('processRecords', 'batchGone'),
    ])

    expect(gone).toMatchObject({
      value: { PROCESSING: 'backingOff' },
      asked: ['dropBatch', 'startTimer'],
      context: { batch: null, resume: 'openShard', attempt: 2 },
    })
  })
})

describe('an empty batch', () => {
  it('that failed is delivered again, for it covers no record that a checkpoint could', () => {
    const always = { ...aShard, options: { shouldCallProcessRecordsEvenForEmptyRecordList: true } }
    const moves = [
      ...untilReading(record(4)),
      answer('readRecords', 'recordsRead', aBatch({})),
      answer('processRecords', 'recordsFailed', failed),
      fired,
    ]

    expect(play({ input: always, moves }).at(-1)?.effects).toMatchObject([{ type: 'processRecords', attempt: 1, batch: { count: 0 } }])
  })
})
