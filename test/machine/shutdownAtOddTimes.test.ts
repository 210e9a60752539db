import { type ExtendedSequenceNumber, SHARD_END } from '@shardwise/effects'
import { restore, type ShardConsumerSnapshot, type ShardEffect, type ShardEvent, start, step } from '@shardwise/machine'
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

const failed = error('TimeoutError')
const fired = answer('startTimer', 'timerFired', { nowMs: 0 })
const replays = { ...aShard, options: { missedShardEndCheckpoint: 'replay' } } as const

const after = (moves: readonly Move[], input: Parameters<typeof play>[0]['input'] = aShard) => {
  const last = play({ input, moves }).at(-1)
  if (last === undefined) throw new Error('moves: none was played')
  return { ...last.after, effects: last.effects, asked: last.effects.map(({ type }) => type) }
}
const batch = (facts: Parameters<typeof aBatch>[0]) => answer('readRecords', 'recordsRead', aBatch(facts))
const behind = { records: [1, 3], millisBehindLatest: 5_000 } as const

describe('a consumer whose processor was never initialised', () => {
  const waiting = [...untilReading().slice(0, 1), shutdown('REQUESTED'), answer('readCheckpoint', 'throttled')]

  it('waits to be released without a call of its processor', () => {
    expect(after(waiting)).toMatchObject({
      value: { SHUTDOWN_REQUESTED: 'notificationCompletion' },
      asked: ['signalShutdownNotificationComplete'],
    })
    expect(after([...waiting, shutdown('REQUESTED')])).toMatchObject({
      value: { SHUTDOWN_REQUESTED: 'notificationCompletion' },
      asked: [],
    })
  })

  it.each(['SHARD_END', 'LEASE_LOST'] as const)('closes its shard on %s and tells nobody', (reason) => {
    expect(after([...waiting, shutdown(reason)])).toMatchObject({ value: { SHUTTING_DOWN: 'closing' }, asked: ['closeShard'] })
  })

  it.each([
    ['SHARD_END', 'finished'],
    ['LEASE_LOST', 'leaseLost'],
    ['REQUESTED', 'stopped'],
  ] as const)('ends with %s as %s', (reason, outcome) => {
    expect(after([shutdown(reason), answer('checkParentShards', 'parentShardsCompleted')]).effects).toMatchObject([
      { type: 'signalShutdownComplete', outcome },
    ])
  })
})

describe('a lost lease', () => {
  it.each([
    ['initialize', untilReading().slice(0, 3)],
    ['processRecords', [...untilReading(), batch(behind)]],
    ['notifyShutdownRequested', [...untilReading(), shutdown('REQUESTED')]],
    ['notifyShardEnded', untilShardEnded],
  ] as const)('tells the callback %s, which goes on, to stop', (callback, moves) => {
    const { task } = after(moves).context
    const lost = after([...moves, shutdown('LEASE_LOST')])

    expect(task?.type).toBe(callback)
    expect(lost.effects).toEqual([{ type: 'cancel', id: task?.id }])
    expect(lost.context.task).toEqual(task)
  })

  it.each([
    ['readCheckpoint', untilReading().slice(0, 1)],
    ['openShard', untilReading().slice(0, 2)],
    ['createChildLeases', untilShardEnded.slice(0, -1)],
  ] as const)('lets %s, which is no callback, end by itself', (_, moves) => {
    expect(after([...moves, shutdown('LEASE_LOST')]).effects).toEqual([])
  })

  const written = [...untilReading(), batch(behind), checkpoint('r1', record(2)), answer('processRecords', 'recordsProcessed')]

  it.each([
    ['reads', written, ['cancel', 'notifyLeaseLost']],
    ['idles', [...written, batch({})], ['cancel', 'notifyLeaseLost']],
    ['backs off', [...written, answer('readRecords', 'throttled')], ['cancel', 'notifyLeaseLost']],
    [
      'waits to be released',
      [...written, shutdown('REQUESTED'), answer('notifyShutdownRequested', 'shutdownRequestedNotified')],
      ['notifyLeaseLost'],
    ],
  ] as const)('that a refused checkpoint tells of ends at once a consumer that %s', (_, moves, next) => {
    const refused = after([...moves, answer('writeCheckpoint', 'checkpointRefused')])

    expect(refused.asked).toEqual(['settleCheckpoint', 'signalLeaseLost', ...next])
    expect(refused).toMatchObject({ value: { SHUTTING_DOWN: 'notifyingLeaseLost' }, context: { write: null, reason: 'LEASE_LOST' } })
  })

  it('is not told by an answer to a checkpoint that is not being written', () => {
    const { asked: _, effects: __, ...reading } = after(written)

    const [same, effects] = step(reading, { type: 'checkpointRefused', id: 1_000 })

    expect([same, effects]).toEqual([reading, []])
  })
})

describe('the end of a shard', () => {
  it('that an empty read finds, and names the children of, creates their leases', () => {
    expect(after([...untilReading(), batch({ atShardEnd: true, childShards: splitChildren })]).effects).toMatchObject([
      { type: 'dropBatch' },
      { type: 'createChildLeases', childShards: splitChildren },
    ])
  })

  it('that is told from outside is no stop: its work is tried again', () => {
    const ended = [...untilReading(), shutdown('SHARD_END'), answer('listChildShards', 'throttled')]

    expect(after(ended)).toMatchObject({ asked: ['startTimer'], context: { stopRequested: false, shutdownAsked: true } })
  })

  const writing = [
    ...untilReading(),
    batch({ records: [1, 3], atShardEnd: true, childShards: splitChildren }),
    checkpoint('r1', record(2)),
    answer('processRecords', 'recordsProcessed'),
  ]

  it('is not given away by a stop while a checkpoint is being written', () => {
    const throttled = [...writing, shutdown('REQUESTED'), answer('createChildLeases', 'throttled')]
    expect(after(throttled)).toMatchObject({ value: { SHUTTING_DOWN: 'backingOff' }, asked: ['startTimer'] })

    const stored = after([...throttled, answer('writeCheckpoint', 'checkpointWritten')])

    expect(stored.asked).toEqual(['settleCheckpoint', 'signalLeaseLost', 'cancel', 'notifyLeaseLost'])
  })

  it('goes to a fresh processor when shardEnded stored less than it, and not before the write is answered', () => {
    const missed = [...untilShardEnded, checkpoint('r1', record(2)), answer('notifyShardEnded', 'shardEndedNotified')]
    expect(after(missed, replays)).toMatchObject({ value: { SHUTTING_DOWN: 'awaitingCheckpoint' }, effects: [] })

    const stored = after([...missed, answer('writeCheckpoint', 'checkpointWritten')], replays)

    expect(stored).toMatchObject({
      value: { SHUTTING_DOWN: 'closing' },
      asked: ['settleCheckpoint', 'closeShard'],
      context: { replay: true },
    })
    expect(after([...missed, answer('writeCheckpoint', 'checkpointWritten'), closed], replays).context.outcome).toBe('replay')
  })

  it('goes to a fresh processor at once when shardEnded did not checkpoint', () => {
    const missed = after([...untilShardEnded, answer('notifyShardEnded', 'shardEndedFailed', failed)], replays)

    expect(missed).toMatchObject({ asked: ['closeShard'], context: { replay: true, attempt: 0 } })
  })

  it('is told to the processor again when shardEnded stored less than it', () => {
    const missed = [...untilShardEnded, checkpoint('r1', record(2)), answer('notifyShardEnded', 'shardEndedNotified')]

    const stored = after([...missed, answer('writeCheckpoint', 'checkpointWritten')])

    expect(stored.asked).toEqual(['settleCheckpoint', 'startTimer'])
    expect(after([...missed, answer('writeCheckpoint', 'checkpointWritten'), fired]).effects).toMatchObject([
      { type: 'notifyShardEnded', attempt: 1 },
    ])
  })

  const closingFails = (...meanwhile: readonly Move[]) => [
    ...untilShardEnded,
    ...meanwhile,
    answer('notifyShardEnded', 'processorGone'),
    answer('closeShard', 'effectFailed', failed),
  ]

  it.each([
    ['no checkpoint was asked for', closingFails(), []],
    ['its end is being stored', closingFails(checkpoint('r1')), []],
  ] as const)('goes on waiting to close when the lease is lost, where %s', (_, moves, asked) => {
    expect(after([...moves, shutdown('LEASE_LOST')])).toMatchObject({ value: { SHUTTING_DOWN: 'backingOff' }, asked })
  })

  it('goes on waiting to close when it is stored meanwhile', () => {
    const stored = after([...closingFails(checkpoint('r1')), answer('writeCheckpoint', 'checkpointWritten')])

    expect(stored).toMatchObject({
      value: { SHUTTING_DOWN: 'backingOff' },
      asked: ['settleCheckpoint'],
      context: { checkpoint: SHARD_END },
    })
  })

  it('is not told when its processor is gone but its end stored', () => {
    const stored = [...untilShardEnded, checkpoint('r1'), answer('writeCheckpoint', 'checkpointWritten')]
    const gone = [...stored, answer('notifyShardEnded', 'processorGone')]

    expect(after(gone)).toMatchObject({ asked: ['closeShard'], context: { attempt: 0 } })
    expect(after([...gone, closed]).context.outcome).toBe('finished')
  })
})

describe('a batch that failed', () => {
  const atEnd = [...untilReading(), batch({ records: [1, 3], atShardEnd: true })]
  const halfway = [...untilReading(), batch(behind)]
  const storeAt = (place: ExtendedSequenceNumber) => [
    checkpoint('r1', place),
    answer('writeCheckpoint', 'checkpointWritten'),
    answer('processRecords', 'recordsFailed', failed),
  ]

  it('is not delivered again when all of it was checkpointed while it was processed', () => {
    const read = after([...halfway, ...storeAt(record(3)), fired])

    expect(read.effects).toMatchObject([{ type: 'dropBatch' }, { type: 'readRecords', after: record(3) }])
    expect(read.context).toMatchObject({ batch: null, attempt: 0, resume: null, completed: record(3) })
  })

  it('ends its shard when all of it was checkpointed and nothing follows', () => {
    const ended = after([...atEnd, ...storeAt(record(3)), fired])

    expect(ended).toMatchObject({ asked: ['dropBatch', 'listChildShards'], context: { reason: 'SHARD_END', completed: record(3) } })
  })

  it('is delivered again when a part of it was checkpointed, from there, and does not end its shard', () => {
    const again = after([...atEnd, ...storeAt(record(2)), fired])

    expect(again.effects).toMatchObject([{ type: 'processRecords', after: record(2), attempt: 1 }])
    expect(again.context.reason).toBeNull()
  })

  it('is delivered again when nothing was checkpointed, and counts its attempts', () => {
    const twice = [answer('processRecords', 'recordsFailed', failed), fired] as const

    expect(after([...halfway, ...twice, ...twice]).effects).toMatchObject([
      { type: 'processRecords', attempt: 2, batch: { batchId: 'b1' } },
    ])
    expect(after([...halfway, ...twice]).effects).toMatchObject([{ type: 'processRecords', attempt: 1, after: null }])
  })

  it('does not count the failures of its adapter', () => {
    const twice = [answer('processRecords', 'effectFailed', failed), fired] as const

    expect(after([...halfway, ...twice]).effects).toMatchObject([{ type: 'processRecords', attempt: 0 }])
  })

  it('is freed once when its records are gone', () => {
    const reopening = [...halfway, answer('processRecords', 'batchGone')]
    expect(after(reopening).asked).toEqual(['dropBatch', 'openShard'])

    const lost = after([...reopening, shutdown('LEASE_LOST'), answer('openShard', 'shardOpened', { openedAtMs: 0 })])

    expect(lost.asked).toEqual(['notifyLeaseLost'])
  })
})

describe('the wait after a read', () => {
  const idleAfter = (facts: Parameters<typeof aBatch>[0], options = {}) =>
    after([...untilReading(), batch(facts), ...(facts.records === undefined ? [] : [answer('processRecords', 'recordsProcessed')])], {
      ...aShard,
      options,
    }).effects.filter(({ type }) => type !== 'dropBatch') as readonly ShardEffect[]

  it.each([
    ['the idle time at the tip', { records: [1, 3] }, {}, { type: 'startTimer', delayMs: 1_000 }],
    [
      'the idle time where Kinesis does not say how far behind it is',
      { records: [1, 3], millisBehindLatest: null },
      {},
      { type: 'startTimer', delayMs: 1_000 },
    ],
    ['none behind the tip', { records: [1, 3], millisBehindLatest: 1 }, {}, { type: 'readRecords' }],
    ['none after as many records as were asked for', { records: [1, 3] }, { maxRecords: 3 }, { type: 'readRecords' }],
    ['200 ms after an empty read behind the tip', { millisBehindLatest: 1 }, {}, { type: 'startTimer', delayMs: 200 }],
    [
      'no more than the idle time after an empty read',
      { millisBehindLatest: 1 },
      { idleTimeInMilliseconds: 50 },
      { type: 'startTimer', delayMs: 50 },
    ],
  ] as const)('is %s', (_, facts, options, next) => {
    expect(idleAfter(facts, options)).toMatchObject([next])
  })
})

describe('a consumer', () => {
  it('remembers what it will take up again after a backoff', () => {
    expect(after([...untilReading(), answer('readRecords', 'throttled')]).context.resume).toBe('readRecords')
    expect(
      after([
        ...untilReading(),
        shutdown('LEASE_LOST'),
        answer('notifyLeaseLost', 'leaseLostNotified'),
        answer('closeShard', 'effectFailed', failed),
      ]).context.resume,
    ).toBe('closeShard')
  })

  it.each([-1, 1.5, Number.NaN, '7', null, undefined])('refuses the token %s', (token) => {
    expect(() => start({ ...aShard, token: token as never })).toThrow(/^token: expected .*a whole number from 0/)
  })

  it('takes the token 0, and the shard for the key of its lease', () => {
    const [{ context }, effects] = start({ ...aShard, token: 0, parentShardIds: ['shardId-000000000009'] })

    expect(context).toMatchObject({ token: 0, leaseKey: aShard.shardId, seed: 0, openedAtMs: null })
    expect(effects).toEqual([{ type: 'checkParentShards', id: 1, shardId: aShard.shardId, parentShardIds: ['shardId-000000000009'] }])
  })

  it.each([
    ['PROCESSING', untilReading()] as const,
    ['SHUTDOWN_COMPLETE', [shutdown('REQUESTED'), answer('checkParentShards', 'parentShardsCompleted')]] as const,
  ])('in %s refuses an unknown reason', (_, moves) => {
    const { effects: _effects, asked: _asked, ...snapshot } = after(moves)

    expect(() => step(snapshot, { type: 'shutdown', reason: 'ZOMBIE' as never })).toThrow(
      'reason: expected REQUESTED, SHARD_END or LEASE_LOST',
    )
  })

  it('that nobody shut down refuses checkpoints when it has ended, and answers a first request to shut down only', () => {
    const ended = play({
      input: aShard,
      moves: [...untilReading(), batch(behind), answer('processRecords', 'processorGone'), closed],
    }).at(-1)?.after as ShardConsumerSnapshot
    const ask: ShardEvent = { type: 'checkpointRequested', request: 'r9', position: null }

    expect(ended.context).toMatchObject({ outcome: 'replay', shutdownAsked: false })
    expect(step(ended, ask)[1]).toMatchObject([{ type: 'settleCheckpoint', request: 'r9', error: { name: 'ShutdownException' } }])
    const [told, effects] = step(ended, { type: 'shutdown', reason: 'LEASE_LOST' })
    expect(effects).toMatchObject([{ type: 'signalShutdownComplete', outcome: 'replay' }])
    expect(step(told, { type: 'shutdown', reason: 'LEASE_LOST' })[1]).toEqual([])
  })

  it('that awaits nothing is restored with nothing to start', () => {
    const {
      effects: _effects,
      asked: _asked,
      ...waiting
    } = after([...untilReading(), shutdown('REQUESTED'), answer('notifyShutdownRequested', 'shutdownRequestedNotified')])

    expect(restore(waiting)).toEqual([waiting, []])
  })
})
