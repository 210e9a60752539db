import type { ShardEffect } from '@shardwise/machine'
import { describe, expect, it } from 'vitest'
import { play } from '../scenarios/play.ts'
import {
  aBatch,
  answer,
  aShard,
  checkpoint,
  closed,
  error,
  fireWriteTimer,
  type Move,
  record,
  shutdown,
  untilReading,
  untilShardEnded,
} from '../scenarios/story.ts'

const effectsOf = (moves: readonly Move[]): readonly ShardEffect[] => play({ input: aShard, moves }).at(-1)?.effects ?? []

const settled = (effects: readonly ShardEffect[]): readonly (readonly [string, string | null])[] =>
  effects.flatMap((effect) => (effect.type === 'settleCheckpoint' ? [[effect.request, effect.error?.name ?? null] as const] : []))

const processing: readonly Move[] = [...untilReading(), answer('readRecords', 'recordsRead', aBatch({ records: [1, 10] }))]

describe('a checkpoint request', () => {
  it('is not written again after a throttled write when the lease was lost meanwhile', () => {
    const effects = effectsOf([...processing, checkpoint('r1'), shutdown('LEASE_LOST'), answer('writeCheckpoint', 'throttled')])

    expect(settled(effects)).toEqual([['r1', 'ShutdownException']])
    expect(effects.map(({ type }) => type)).toEqual(['settleCheckpoint'])
  })

  it('is refused, and does not throw, for a number that no sequence number can be', () => {
    const tooLong = { sequenceNumber: '9'.repeat(130), subSequenceNumber: 0 }

    expect(settled(effectsOf([...processing, checkpoint('r1', tooLong)]))).toEqual([['r1', 'IllegalArgumentException']])
  })

  it('takes a number with leading zeros for the number that it is', () => {
    const padded = { ...record(4), sequenceNumber: `${'0'.repeat(130)}${record(4).sequenceNumber}` }

    expect(effectsOf([...processing, checkpoint('r1', padded)])).toMatchObject([{ type: 'writeCheckpoint', checkpoint: record(4) }])
  })

  it('that was accepted while its batch was processed is refused when the batch fails before its turn', () => {
    const effects = effectsOf([
      ...processing,
      checkpoint('r1', record(4)),
      checkpoint('r2', record(8)),
      answer('processRecords', 'recordsFailed', error('TypeError')),
      answer('writeCheckpoint', 'checkpointWritten'),
    ])

    expect(settled(effects)).toEqual([
      ['r1', null],
      ['r2', 'IllegalArgumentException'],
    ])
    expect(effects.map(({ type }) => type)).not.toContain('writeCheckpoint')
  })

  it('whose throttled write waits is refused when the batch fails before its next attempt', () => {
    const effects = effectsOf([
      ...processing,
      checkpoint('r1', record(8)),
      shutdown('REQUESTED'),
      answer('processRecords', 'recordsFailed', error('TypeError')),
      answer('writeCheckpoint', 'throttled'),
      answer('startTimer', 'timerFired', { nowMs: 1 }),
    ])

    expect(settled(effects)).toEqual([['r1', 'IllegalArgumentException']])
    expect(effects.map(({ type }) => type)).not.toContain('writeCheckpoint')
  })

  it('that waits behind a higher one is refused when its turn comes', () => {
    const effects = effectsOf([
      ...processing,
      checkpoint('r1', record(8)),
      checkpoint('r2', record(4)),
      answer('writeCheckpoint', 'checkpointWritten'),
    ])

    expect(settled(effects)).toEqual([
      ['r1', null],
      ['r2', 'IllegalArgumentException'],
    ])
  })

  it('is one of sixteen that may wait', () => {
    const requests = Array.from({ length: 18 }, (_, index) => checkpoint(`r${index}`, record(1)))
    const effects = play({ input: aShard, moves: [...processing, ...requests] }).flatMap((step) => step.effects)

    expect(settled(effects)).toEqual([['r17', 'ThrottlingException']])
  })

  it('whose write fails while a shutdown is pending does not end the callback that runs', () => {
    const writing = [...processing, checkpoint('r1'), shutdown('REQUESTED')]
    const failed = play({ input: aShard, moves: [...writing, answer('writeCheckpoint', 'effectFailed', error('TimeoutError'))] }).at(-1)

    expect(failed?.after.value).toEqual({ PROCESSING: 'processing' })
    expect(failed?.effects.map(({ type }) => type)).toEqual(['settleCheckpoint'])
  })

  it('is settled before a consumer completes', () => {
    const played = play({
      input: aShard,
      moves: [
        ...untilShardEnded,
        checkpoint('r1'),
        answer('writeCheckpoint', 'throttled'),
        answer('notifyShardEnded', 'processorGone'),
        closed,
        fireWriteTimer,
        answer('writeCheckpoint', 'checkpointWritten'),
      ],
    })

    expect(played.map(({ after }) => after.value).slice(-3)).toEqual([
      { SHUTTING_DOWN: 'draining' },
      { SHUTTING_DOWN: 'draining' },
      'SHUTDOWN_COMPLETE',
    ])
    expect(played.at(-1)?.after.context.outcome).toBe('finished')
  })
})
