import { AT_TIMESTAMP, SHARD_END } from '@shardwise/effects'
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

const valuesOf = (moves: readonly Move[]) => play({ input: aShard, moves }).map(({ after }) => after.value)
const effectsOf = (moves: readonly Move[]) => play({ input: aShard, moves }).at(-1)?.effects

const lastBatch = answer('readRecords', 'recordsRead', aBatch({ records: [1, 3], atShardEnd: true, childShards: splitChildren }))

describe('the end of a shard', () => {
  it('creates the leases of the children that a batch named, also when the batch failed', () => {
    const failed = [...untilReading(), lastBatch, answer('processRecords', 'recordsFailed', error('TypeError')), shutdown('SHARD_END')]

    expect(effectsOf(failed)).toMatchObject([
      { type: 'cancel' },
      { type: 'dropBatch' },
      { type: 'createChildLeases', childShards: splitChildren },
    ])
  })

  it('keeps the children that the first end named when the shard is read again and names none', () => {
    const readAgain = [
      ...untilReading(),
      lastBatch,
      answer('processRecords', 'batchGone'),
      answer('openShard', 'shardOpened', { openedAtMs: 0 }),
      answer('readRecords', 'recordsRead', aBatch({ records: [1, 3], atShardEnd: true })),
      answer('processRecords', 'recordsProcessed'),
    ]

    expect(effectsOf(readAgain)).toMatchObject([{ type: 'dropBatch' }, { type: 'createChildLeases', childShards: splitChildren }])
  })

  it('lets shardEnded checkpoint when the end comes after a requested shutdown', () => {
    const ended = [
      ...untilReading(),
      shutdown('REQUESTED'),
      answer('notifyShutdownRequested', 'shutdownRequestedNotified'),
      shutdown('SHARD_END'),
      answer('listChildShards', 'childShardsListed', { childShards: [] }),
      checkpoint('r1'),
    ]

    expect(effectsOf(ended)).toMatchObject([{ type: 'writeCheckpoint', checkpoint: SHARD_END }])
  })

  it('is taken back when a shard that was not found is there after all', () => {
    const found = [
      ...untilReading().slice(0, 2),
      answer('openShard', 'shardNotFound'),
      answer('initialize', 'initializeFailed', error('Error')),
      answer('startTimer', 'timerFired', { nowMs: 0 }),
      ...untilReading().slice(1),
    ]

    expect(valuesOf(found).at(-1)).toEqual({ PROCESSING: 'reading' })
  })

  it('is not judged before the answer to a write of SHARD_END, although the lease is lost', () => {
    const lost = [...untilShardEnded, checkpoint('r1'), shutdown('LEASE_LOST'), answer('notifyShardEnded', 'shardEndedNotified')]

    expect(valuesOf(lost).at(-1)).toEqual({ SHUTTING_DOWN: 'awaitingCheckpoint' })
    expect(valuesOf([...lost, answer('writeCheckpoint', 'checkpointWritten')]).at(-1)).toEqual({ SHUTTING_DOWN: 'closing' })
    expect(valuesOf([...lost, answer('writeCheckpoint', 'checkpointRefused')]).at(-1)).toEqual({ SHUTTING_DOWN: 'notifyingLeaseLost' })
    expect(valuesOf([...lost, answer('writeCheckpoint', 'throttled')]).at(-1)).toEqual({ SHUTTING_DOWN: 'notifyingLeaseLost' })
  })

  it('is not judged before the answer to a write of SHARD_END that a backoff began with, either', () => {
    const backingOff = [...untilShardEnded, answer('notifyShardEnded', 'shardEndedNotified'), checkpoint('r1')]
    const lost = [...backingOff, shutdown('LEASE_LOST')]

    expect(valuesOf(lost).slice(-2)).toEqual([{ SHUTTING_DOWN: 'backingOff' }, { SHUTTING_DOWN: 'awaitingCheckpoint' }])
    expect(valuesOf([...lost, answer('writeCheckpoint', 'checkpointWritten')]).at(-1)).toEqual({ SHUTTING_DOWN: 'closing' })
    expect(valuesOf([...lost, answer('writeCheckpoint', 'effectFailed', error('Error'))]).at(-1)).toEqual({
      SHUTTING_DOWN: 'notifyingLeaseLost',
    })
  })

  it('stands when SHARD_END was stored while shardEnded waited to be called again', () => {
    const stored = [
      ...untilShardEnded,
      answer('notifyShardEnded', 'shardEndedNotified'),
      checkpoint('r1', record(3)),
      answer('writeCheckpoint', 'checkpointWritten'),
      shutdown('LEASE_LOST'),
      closed,
    ]

    expect(play({ input: aShard, moves: stored }).at(-1)?.after.context.outcome).toBe('finished')
  })
})

describe('opening a shard', () => {
  it('starts at the oldest record when the checkpoint is AT_TIMESTAMP and no time is configured', () => {
    const opened = [
      answer('checkParentShards', 'parentShardsCompleted'),
      answer('readCheckpoint', 'checkpointRead', { checkpoint: AT_TIMESTAMP, pendingCheckpoint: null }),
    ]

    expect(effectsOf(opened)).toMatchObject([{ type: 'openShard', position: { type: 'TRIM_HORIZON' } }])
  })
})

describe('a batch that is gone', () => {
  it('is read again at once only the first time, also when it was empty', () => {
    const input = { ...aShard, options: { shouldCallProcessRecordsEvenForEmptyRecordList: true } }
    const emptyAndGone = [answer('readRecords', 'recordsRead', aBatch({})), answer('processRecords', 'batchGone')]
    const again = [...untilReading(), ...emptyAndGone, answer('openShard', 'shardOpened', { openedAtMs: 0 }), ...emptyAndGone]

    expect(play({ input, moves: again }).at(-1)?.after.value).toEqual({ PROCESSING: 'backingOff' })
  })
})
