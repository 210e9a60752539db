import type { AnsweredEffectType } from '@shardwise/effects'
import { type ShardConsumerSnapshot, type ShardEffect, type ShardEvent, step } from '@shardwise/machine'
import { describe, expect, it } from 'vitest'
import { play } from '../scenarios/play.ts'
import { aShard, closed, type Move, shutdown } from '../scenarios/story.ts'
import { arrivals } from './arrivals.ts'

type Stepped = readonly [ShardConsumerSnapshot, readonly ShardEffect[]]

const comeTo = (where: string, then: readonly Move[] = []): ShardConsumerSnapshot => {
  const arrival = arrivals.find((each) => each.where === where)
  if (arrival === undefined) throw new Error(`where: expected an arrival, got ${where}`)
  const last = play({ input: { ...aShard, ...arrival.input }, moves: [...arrival.moves, ...then] }).at(-1)
  if (last === undefined) throw new Error('moves: none was played')
  return last.after
}

/** Answers the task that is out. */
const answered = (snapshot: ShardConsumerSnapshot, type: string): Stepped => {
  const { task } = snapshot.context
  if (task === null) throw new Error(`task: there is none in ${JSON.stringify(snapshot.value)}`)
  return step(snapshot, { type, id: task.id, nowMs: 0, openedAtMs: 0, error: { name: 'Error', message: '' } } as unknown as ShardEvent)
}
const asked = ([, effects]: Stepped) => effects.map(({ type }) => type)
const delayOf = ([, effects]: Stepped): number | undefined =>
  effects.flatMap((effect) => (effect.type === 'startTimer' ? [effect.delayMs] : []))[0]

/** Where work fails, how, and what is asked for after the backoff. */
const failures: readonly (readonly [where: string, failures: readonly string[], again: AnsweredEffectType])[] = [
  ['that reads its checkpoint', ['throttled', 'effectFailed'], 'readCheckpoint'],
  ['that opens its shard', ['throttled', 'effectFailed'], 'readCheckpoint'],
  ['that initialises its processor', ['initializeFailed', 'effectFailed'], 'readCheckpoint'],
  ['that reads', ['throttled', 'effectFailed'], 'readRecords'],
  ['that processes a batch', ['recordsFailed', 'effectFailed'], 'processRecords'],
  ['that opens its shard again', ['throttled', 'effectFailed'], 'openShard'],
  ['that lists the children of its shard', ['throttled', 'effectFailed'], 'listChildShards'],
  ['that creates the leases of the children', ['throttled', 'effectFailed', 'siblingLeaseMissing'], 'createChildLeases'],
  ['that tells its processor of the end of the shard', ['shardEndedNotified', 'shardEndedFailed', 'effectFailed'], 'notifyShardEnded'],
  ['that tells its processor of a lost lease', ['leaseLostFailed', 'effectFailed'], 'notifyLeaseLost'],
  ['that closes its shard', ['effectFailed'], 'closeShard'],
]
const cases = failures.flatMap(([where, types, again]) => types.map((failure) => ({ where, failure, again })))

describe('a shard consumer', () => {
  it.each(cases)('$where tries again after $failure, and waits longer each time', ({ where, failure, again }) => {
    let state = comeTo(where)
    const delays: number[] = []
    const before = state.context.attempt

    for (const attempt of [1, 2, 3]) {
      const failed = answered(state, failure)
      expect(asked(failed)).toEqual(['startTimer'])
      expect(failed[0].context.attempt).toBe(before + attempt)
      delays.push(delayOf(failed) ?? 0)
      const fired = answered(failed[0], 'timerFired')
      expect(asked(fired)).toEqual([again])
      state = fired[0]
      // The whole initialisation is taken up again: back to where it failed.
      while (state.context.task?.type !== comeTo(where).context.task?.type) {
        const type = state.context.task?.type === 'readCheckpoint' ? 'checkpointRead' : 'shardOpened'
        const { id } = state.context.task ?? { id: 0 }
        const checkpoint = { sequenceNumber: 'TRIM_HORIZON', subSequenceNumber: 0 }
        ;[state] = step(state, { type, id, checkpoint, pendingCheckpoint: null, openedAtMs: 0 })
      }
    }

    const [first = 0, second = 0, third = 0] = delays
    const base = 500 * 2 ** before
    expect(first).toBeGreaterThanOrEqual(base / 2)
    expect(first).toBeLessThanOrEqual(base)
    expect(second).toBeGreaterThanOrEqual(first)
    expect(third).toBeGreaterThanOrEqual(second)
  })

  it.each([
    ['that tells its processor of a lost lease', 'leaseLostFailed', 'closeShard'],
    ['that tells its processor of a lost lease', 'effectFailed', 'closeShard'],
    ['that closes its shard', 'effectFailed', 'signalShutdownComplete'],
  ])('%s goes on without its success when %s was the answer five times', (where, failure, next) => {
    let state = comeTo(where)
    for (let attempt = 1; attempt < 5; attempt += 1) {
      const failed = answered(state, failure)
      expect(asked(failed)).toEqual(['startTimer'])
      ;[state] = answered(failed[0], 'timerFired')
    }

    const last = answered(state, failure)

    expect(asked(last)).toEqual([next])
    expect(last[0].context.attempt).toBe(0)
  })

  it.each([
    ['that lists the children of its shard', 'throttled'],
    ['that lists the children of its shard', 'effectFailed'],
    ['that creates the leases of the children', 'throttled'],
    ['that creates the leases of the children', 'effectFailed'],
    ['that creates the leases of the children', 'siblingLeaseMissing'],
    ['that tells its processor of the end of the shard', 'shardEndedNotified'],
    ['that tells its processor of the end of the shard', 'shardEndedFailed'],
    ['that tells its processor of the end of the shard', 'effectFailed'],
  ])('%s gives the lease away on %s when a stop was asked for meanwhile', (where, failure) => {
    const given = answered(comeTo(where, [shutdown('REQUESTED')]), failure)

    expect(asked(given)).toEqual(['signalLeaseLost', 'notifyLeaseLost'])
    expect(given[0].context).toMatchObject({ reason: 'LEASE_LOST', attempt: 0, resume: null })
  })

  it.each([
    'that backs off from listing the children',
    'that backs off from creating the leases of the children',
    'that backs off from shardEnded',
  ])('%s gives the lease away at once when a stop is asked for', (where) => {
    const [after, effects] = step(comeTo(where), { type: 'shutdown', reason: 'REQUESTED' })

    expect(effects.map(({ type }) => type)).toEqual(['signalLeaseLost', 'cancel', 'notifyLeaseLost'])
    expect(after.context).toMatchObject({ reason: 'LEASE_LOST', attempt: 0 })
  })

  it.each([
    'that backs off from listing the children',
    'that backs off from creating the leases of the children',
    'that backs off from shardEnded',
  ])('%s tells its processor at once when the lease is lost', (where) => {
    const [after, effects] = step(comeTo(where), { type: 'shutdown', reason: 'LEASE_LOST' })

    expect(effects).toMatchObject([{ type: 'cancel' }, { type: 'notifyLeaseLost', attempt: 0 }])
    expect(after.value).toEqual({ SHUTTING_DOWN: 'notifyingLeaseLost' })
  })

  it.each(['that backs off from leaseLost', 'that backs off from closing its shard'])(
    '%s goes on waiting when a stop is asked for',
    (where) => {
      const before = comeTo(where)
      const [after, effects] = step(before, { type: 'shutdown', reason: 'REQUESTED' })

      expect(effects).toEqual([])
      expect(after.value).toEqual(before.value)
    },
  )

  it.each(['that is blocked on a parent', 'that looks at its parents'])(
    '%s looks again when the look failed, and ends when it was shut down',
    (where) => {
      const looking = comeTo('that looks at its parents')
      const failed = answered(looking, 'effectFailed')
      expect(failed[1]).toEqual([{ type: 'startTimer', id: 2, delayMs: 10_000 }])
      expect(asked(answered(failed[0], 'timerFired'))).toEqual(['checkParentShards'])

      const stopped = play({
        input: aShard,
        moves: [...(arrivals.find((each) => each.where === where)?.moves ?? []), shutdown('REQUESTED')],
      }).at(-1)?.after
      const ended = stopped?.status === 'done' ? stopped : answered(stopped ?? looking, 'effectFailed')[0]

      expect(ended).toMatchObject({ value: 'SHUTDOWN_COMPLETE', status: 'done', context: { outcome: 'stopped', task: null } })
    },
  )

  it('completes when its shard is closed, and then awaits nothing', () => {
    const ended = comeTo('that closes its shard', [closed])

    expect(ended).toMatchObject({ value: 'SHUTDOWN_COMPLETE', context: { outcome: 'leaseLost', task: null, write: null } })
  })
})
