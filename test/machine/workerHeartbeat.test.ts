import type { Heartbeat, Lease } from '@shardwise/effects'
import { describe, expect, it } from 'vitest'
import {
  atItsFirstBeat,
  beat,
  failoverTimeMillis,
  free,
  intervalMs,
  keeping,
  list,
  mine,
  seen,
  shards,
  told,
  written,
} from './beatingWorker.ts'
import { leasesOf, shardsListed } from './ledWorker.ts'
import { idOf } from './shardGraphs.ts'

describe('a worker with a heartbeat of its own', () => {
  it('takes nothing before its heartbeat is written, and then lists the leases again', () => {
    const worker = atItsFirstBeat()
    expect(worker.asked).toEqual(['writeHeartbeat', 'startTimer'])

    worker.answer('writeHeartbeat', written(1, 0))
    expect(worker.asked).toEqual(['startTimer'])

    beat(worker, 1)
    expect(worker.asked).toEqual(['startTimer', 'cancel', 'listLeases'])
    expect(worker.effects).toMatchObject([{ delayMs: intervalMs - 1 }, {}, {}])
    worker.answer('listLeases', seen(free, 1))
    expect(worker.asked).toEqual(['acquireLease', 'acquireLease', 'startTimer'])
  })

  it('begins at the counter that an earlier process of its id has left', () => {
    const worker = atItsFirstBeat(free, [{ workerId: 'me', counter: 41 }])

    expect(worker.effects[0]).toMatchObject({ type: 'writeHeartbeat', workerId: 'me', counter: 41 })
  })

  it('begins at the counter that stands, where that has moved on', () => {
    const worker = atItsFirstBeat()
    worker.answer('writeHeartbeat', { type: 'heartbeatRefused', counter: 7 })
    beat(worker, 500)

    expect(worker.effects).toMatchObject([{ type: 'writeHeartbeat', counter: 7 }])
  })

  it('does not count a first heartbeat whose answer took long', () => {
    const worker = atItsFirstBeat()
    worker.answer('writeHeartbeat', written(1, 0))
    beat(worker, intervalMs)

    expect(worker.effects).toMatchObject([{ type: 'writeHeartbeat', counter: 1 }])
    expect(worker.state.heartbeat?.writtenMs).toBeNull()
  })

  it('keeps its leases without renewals', () => {
    const worker = keeping()

    expect(worker.state.kept).toEqual([idOf(0), idOf(1)])
    expect(worker.effects[0]).toMatchObject({ type: 'keepLease', renews: false })
  })

  it('writes its heartbeat twice in a failover time', () => {
    const worker = keeping()
    beat(worker, intervalMs)
    expect(worker.effects).toMatchObject([
      { type: 'writeHeartbeat', counter: 1 },
      { type: 'startTimer', delayMs: failoverTimeMillis - intervalMs },
    ])

    worker.answer('writeHeartbeat', written(2, intervalMs))
    expect(worker.effects).toMatchObject([{ type: 'cancel' }, { type: 'startTimer', delayMs: 1 }])
    beat(worker, intervalMs + 40)
    expect(worker.effects).toMatchObject([{ type: 'startTimer', delayMs: intervalMs - 40 }])
    beat(worker, 2 * intervalMs)
    expect(worker.effects).toMatchObject([
      { type: 'writeHeartbeat', counter: 2 },
      { type: 'startTimer', delayMs: failoverTimeMillis - intervalMs },
    ])
  })

  it('writes the next heartbeat half a failover time after the last one was sent, or at once, however long the answer took', () => {
    const worker = keeping()
    beat(worker, intervalMs)
    worker.answer('writeHeartbeat', written(2, intervalMs))
    beat(worker, 2 * intervalMs - 100)
    expect(worker.effects).toMatchObject([{ type: 'startTimer', delayMs: 100 }])
    beat(worker, 2 * intervalMs)
    worker.answer('writeHeartbeat', written(3, 2 * intervalMs))
    beat(worker, 3 * intervalMs + 1_000)

    expect(worker.effects).toMatchObject([
      { type: 'writeHeartbeat', counter: 3 },
      { type: 'startTimer', delayMs: intervalMs - 1_000 },
    ])
  })

  it('keeps its leases while a heartbeat is due just when the failover time has passed', () => {
    const worker = keeping()
    beat(worker, failoverTimeMillis)

    expect(worker.effects).toMatchObject([{ type: 'writeHeartbeat' }, { type: 'startTimer', delayMs: 1 }])
  })

  it('gives up all its leases, and what it is about to take, when no heartbeat was written for the failover time', () => {
    const worker = keeping()
    beat(worker, intervalMs)
    const { deadline } = worker.state.heartbeat ?? {}
    worker.send({ type: 'timerFired', id: deadline?.id ?? 0, nowMs: failoverTimeMillis })

    expect(worker.effects).toEqual([
      { type: 'loseLease', leaseKey: idOf(0) },
      { type: 'loseLease', leaseKey: idOf(1) },
    ])
    list(worker, free, failoverTimeMillis)
    expect(worker.asked).not.toContain('acquireLease')
  })

  it('gives up all its leases when it finds, with a beat due, that the failover time has passed', () => {
    const worker = keeping()
    beat(worker, failoverTimeMillis + 1)

    expect(told(worker)).toHaveLength(2)
    expect(worker.asked).toContain('writeHeartbeat')
  })

  it('takes leases again when its heartbeat goes on', () => {
    const worker = keeping()
    beat(worker, failoverTimeMillis + 1)
    for (const leaseKey of [idOf(0), idOf(1)]) worker.send({ type: 'leaseGone', leaseKey, outcome: 'leaseLost' })
    worker.answer('writeHeartbeat', written(2, failoverTimeMillis + 1))
    beat(worker, failoverTimeMillis + 2)
    expect(worker.asked).toContain('listLeases')
    worker.answer('listLeases', seen(mine(), failoverTimeMillis + 2))
    worker.answer('listShards', shardsListed(shards))

    expect(worker.asked.filter((type) => type === 'acquireLease')).toHaveLength(2)
  })

  it('does not keep a lease that it was given while its heartbeat stood still', () => {
    const worker = atItsFirstBeat()
    worker.answer('writeHeartbeat', written(1, 0))
    beat(worker, 1)
    worker.answer('listLeases', seen(free, 1))
    beat(worker, failoverTimeMillis + 1)
    worker.settleCalls()

    expect(worker.state.kept).toEqual([])
    expect(worker.asked).not.toContain('keepLease')
  })

  it('gives up all its leases when others have deleted its heartbeat, and writes it anew', () => {
    const worker = keeping()
    beat(worker, intervalMs)
    const { deadline } = worker.state.heartbeat ?? {}
    worker.answer('writeHeartbeat', { type: 'heartbeatRefused', counter: null })

    expect(told(worker)).toHaveLength(2)
    expect(worker.effects[0]).toEqual({ type: 'cancel', id: deadline?.id })
    beat(worker, intervalMs + 1)
    expect(worker.effects).toMatchObject([{ type: 'writeHeartbeat', counter: null }])
  })

  it('goes on with its heartbeat while it stops, and deletes it in the end', () => {
    const worker = keeping()
    worker.send({ type: 'stop', force: false })
    beat(worker, intervalMs)
    worker.answer('writeHeartbeat', written(2, intervalMs))
    worker.send({ type: 'leaseGone', leaseKey: idOf(0), outcome: 'leaseLost' })
    expect(worker.state.phase).toBe('stopping')

    worker.send({ type: 'leaseGone', leaseKey: idOf(1), outcome: 'leaseLost' })
    expect(worker.effects).toMatchObject([{ type: 'cancel' }, { type: 'deleteHeartbeat', workerId: 'me', counter: 2 }])
    expect(worker.state.phase).toBe('stopping')

    worker.answer('deleteHeartbeat', { type: 'heartbeatDeleted' })
    expect(worker.state.phase).toBe('stopped')
  })

  it('waits for a heartbeat that is being written before it deletes it', () => {
    const worker = atItsFirstBeat()
    worker.send({ type: 'stop', force: false })
    expect(worker.state.phase).toBe('stopping')
    worker.answer('writeHeartbeat', written(1, 0))

    expect(worker.effects.at(-1)).toMatchObject({ type: 'deleteHeartbeat', counter: 1 })
  })
})

describe('a listing shows a worker with a heartbeat', () => {
  it('that another has one of its leases', () => {
    const worker = keeping()
    list(worker, [...mine({ leaseOwner: 'other', leaseCounter: 2 }).slice(0, 1), ...mine().slice(1)], 5_000)

    expect(told(worker)).toEqual([{ type: 'loseLease', leaseKey: idOf(0) }])
  })

  it('that nobody has one of its leases any more', () => {
    const worker = keeping()
    list(worker, [...mine({ leaseOwner: null, leaseCounter: 2 }).slice(0, 1), ...mine().slice(1)], 5_000)

    expect(told(worker)).toEqual([{ type: 'loseLease', leaseKey: idOf(0) }])
  })

  it('nothing of a lease by a row from before the acquisition, until the failover time has passed since', () => {
    const worker = keeping()
    list(worker, free, failoverTimeMillis)
    expect(told(worker)).toEqual([])

    list(worker, free, failoverTimeMillis + 1)
    expect(told(worker)).toHaveLength(2)
  })

  it('that the row of one of its leases is gone', () => {
    const worker = keeping()
    list(worker, mine().slice(1), failoverTimeMillis + 1)

    expect(told(worker)).toEqual([{ type: 'loseLease', leaseKey: idOf(0) }])
  })

  it('that another asks for one of its leases', () => {
    const worker = keeping()
    list(worker, [...mine({ leaseOwner: 'other', checkpointOwner: 'me' }).slice(0, 1), ...mine().slice(1)], 5_000, [
      { workerId: 'other', counter: 1 },
    ])

    expect(told(worker)).toEqual([{ type: 'handOverLease', leaseKey: idOf(0), nextOwner: 'other' }])
  })
})

describe('the leases of a worker whose heartbeat', () => {
  const others = leasesOf(shards, { leaseOwner: 'other', leaseCounter: 5 })
  /** What is acquired at `nowMs` where the heartbeat of the other had the counter 5 at 0. */
  function acquired(nowMs: number, heartbeats: readonly Heartbeat[], leases = others): number {
    const worker = atItsFirstBeat(others, [{ workerId: 'other', counter: 5 }])
    worker.answer('writeHeartbeat', written(1, nowMs))
    beat(worker, nowMs)
    worker.answer('listLeases', seen(leases, nowMs, heartbeats))
    return worker.asked.filter((type) => type === 'acquireLease').length
  }

  it('stood still for the failover time are free', () => {
    expect(acquired(failoverTimeMillis, [{ workerId: 'other', counter: 5 }])).toBe(0)
    expect(acquired(failoverTimeMillis + 1, [{ workerId: 'other', counter: 5 }])).toBe(2)
  })

  it('moves are its own, though they are not written to', () => {
    expect(acquired(100 * failoverTimeMillis, [{ workerId: 'other', counter: 6 }])).toBe(0)
  })

  it('stood still are free, though one of them was written to', () => {
    const checkpointed = leasesOf(shards, { leaseOwner: 'other', leaseCounter: 6 })
    expect(acquired(failoverTimeMillis + 1, [{ workerId: 'other', counter: 5 }], checkpointed)).toBe(2)
  })

  it('has gone are free once the failover time has passed since', () => {
    expect(acquired(failoverTimeMillis + 1, [])).toBe(0)
  })
})

describe('the heartbeat of another worker', () => {
  /** What is deleted when it was first seen at 1, and stands still at `nowMs`. */
  function deleted(nowMs: number, leases: readonly Lease[] = mine()): readonly unknown[] {
    const worker = keeping()
    const heartbeats = [{ workerId: 'dead', counter: 3 }]
    list(worker, leases, 10, heartbeats)
    list(worker, leases, nowMs, heartbeats)
    return worker.effects.filter(({ type }) => type === 'deleteHeartbeat')
  }

  it('is deleted when it stood still for three failover times', () => {
    expect(deleted(10 + 3 * failoverTimeMillis)).toEqual([])
    expect(deleted(11 + 3 * failoverTimeMillis)).toMatchObject([{ type: 'deleteHeartbeat', workerId: 'dead', counter: 3 }])
  })

  it('stays while a lease names it', () => {
    const named = [...mine().slice(1), ...leasesOf(shards, { leaseOwner: 'dead', leaseCounter: 9 }).slice(0, 1)]
    expect(deleted(100 * failoverTimeMillis, named)).toEqual([])
  })

  it('is asked to be deleted once, however long the answer takes', () => {
    const worker = keeping()
    const dead = [3, 4].map((counter) => ({ workerId: `dead-${counter}`, counter }))
    const asked = () => worker.effects.flatMap((effect) => (effect.type === 'deleteHeartbeat' ? [effect.workerId] : []))
    list(worker, mine(), 10, dead.slice(0, 1))
    list(worker, mine(), 20, dead)
    list(worker, mine(), 15 + 3 * failoverTimeMillis, dead)
    expect(asked()).toEqual(['dead-3'])
    list(worker, mine(), 21 + 3 * failoverTimeMillis, dead)

    expect(asked()).toEqual(['dead-4'])
  })

  it('is deleted and that of the worker itself is not, however long that stands still in the table', () => {
    expect(deleted(100 * failoverTimeMillis, free)).toMatchObject([{ workerId: 'dead' }])
  })
})
