import type { Heartbeat, Lease } from '@shardwise/effects'
import type { CoordinatorOptions } from '@shardwise/machine'
import { describe, expect, it } from 'vitest'
import { aLedWorker, type LedWorker, leasesOf, listed, shardsListed, tiledShards } from './ledWorker.ts'
import { idOf } from './shardGraphs.ts'

const failoverTimeMillis = 6_000
const intervalMs = 3_000
const shards = tiledShards(2)
const free = leasesOf(shards)
const options: Partial<CoordinatorOptions> = { leaseMode: 'workerHeartbeat', failoverTimeMillis }

const seen = (leases: readonly Lease[], nowMs: number, heartbeats: readonly Heartbeat[] = []) => ({ ...listed(leases, nowMs), heartbeats })

/** A worker that waits for the answer to its first heartbeat. */
function atItsFirstBeat(leases = free, heartbeats: readonly Heartbeat[] = []): LedWorker {
  const worker = aLedWorker(options)
  worker.answer('ensureTable', { type: 'tableReady' })
  worker.answer('listLeases', seen(leases, 0, heartbeats))
  worker.answer('listShards', shardsListed(shards))
  return worker
}

/** Fires the timer of the heartbeat. */
function beat(worker: LedWorker, nowMs: number): void {
  const timer = worker.state.heartbeat?.awaited
  if (timer?.type !== 'startTimer') throw new Error(`heartbeat: expected a timer, got ${JSON.stringify(timer)}`)
  worker.send({ type: 'timerFired', id: timer.id, nowMs })
}

const written = (counter: number, nowMs: number) => ({ type: 'heartbeatWritten', counter, nowMs }) as const

/** A worker that lives since 0, and keeps both leases. */
function keeping(): LedWorker {
  const worker = atItsFirstBeat()
  worker.answer('writeHeartbeat', written(1, 0))
  beat(worker, 1)
  worker.answer('listLeases', seen(free, 1, [{ workerId: 'me', counter: 1 }]))
  worker.settleCalls()
  return worker
}

const mine = (facts: Partial<Lease> = {}): readonly Lease[] => leasesOf(shards, { leaseOwner: 'me', leaseCounter: 1, ...facts })
const told = (worker: LedWorker) => worker.effects.filter(({ type }) => type === 'loseLease' || type === 'handOverLease')

/** Lets the next listing begin at `nowMs`. */
function list(worker: LedWorker, leases: readonly Lease[], nowMs: number, heartbeats: readonly Heartbeat[] = []): void {
  const { awaited } = worker.state
  if (awaited?.type === 'startTimer') worker.send({ type: 'timerFired', id: awaited.id, nowMs })
  worker.answer('listLeases', seen(leases, nowMs, [{ workerId: 'me', counter: 1 }, ...heartbeats]))
}

describe('a worker with a heartbeat of its own', () => {
  it('takes nothing before its heartbeat is written, and then lists the leases again', () => {
    const worker = atItsFirstBeat()
    expect(worker.asked).toEqual(['writeHeartbeat', 'startTimer'])

    worker.answer('writeHeartbeat', written(1, 0))
    expect(worker.asked).toEqual(['startTimer'])

    beat(worker, 1)
    expect(worker.asked).toEqual(['startTimer', 'cancel', 'listLeases'])
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
    expect(worker.effects).toMatchObject([{ type: 'cancel' }, { type: 'startTimer', delayMs: intervalMs }])
  })

  it('tries a heartbeat that fails again with backoff', () => {
    const worker = keeping()
    beat(worker, intervalMs)
    const delays = ['throttled', 'effectFailed', 'throttled'].map((type, n) => {
      worker.answer(
        'writeHeartbeat',
        type === 'throttled' ? { type } : { type: 'effectFailed', error: { name: 'TimeoutError', message: '' } },
      )
      const timer = worker.effects.find((effect) => effect.type === 'startTimer')
      beat(worker, intervalMs + n)
      return timer?.delayMs ?? 0
    })

    expect(delays.every((delayMs) => delayMs >= 375 && delayMs <= intervalMs)).toBe(true)
  })

  it('takes a heartbeat that was refused by itself for written, as of when it was first sent', () => {
    const worker = keeping()
    beat(worker, intervalMs)
    worker.answer('writeHeartbeat', { type: 'effectFailed', error: { name: 'TimeoutError', message: '' } })
    beat(worker, intervalMs + 700)
    worker.answer('writeHeartbeat', { type: 'heartbeatRefused', counter: 2 })

    expect(worker.state.heartbeat).toMatchObject({ counter: 2, writtenMs: intervalMs, deadline: null })
  })

  it('gives up all its leases, and what it is about to take, when no heartbeat was written for the failover time', () => {
    const worker = keeping()
    beat(worker, intervalMs)
    const { deadline } = worker.state.heartbeat ?? {}
    worker.send({ type: 'timerFired', id: deadline?.id ?? 0, nowMs: failoverTimeMillis })

    expect(told(worker)).toEqual([
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

  it('fails when another process writes its heartbeat', () => {
    const worker = keeping()
    beat(worker, intervalMs)
    worker.answer('writeHeartbeat', { type: 'heartbeatRefused', counter: 2 })

    expect(worker.state.failure?.name).toBe('WorkerIdShared')
    expect(worker.asked.filter((type) => type === 'stopKeeping')).toHaveLength(2)
  })

  it('gives up all its leases when others have deleted its heartbeat, and writes it anew', () => {
    const worker = keeping()
    beat(worker, intervalMs)
    worker.answer('writeHeartbeat', { type: 'heartbeatRefused', counter: null })

    expect(told(worker)).toHaveLength(2)
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

  it.each([{ type: 'throttled' }, { type: 'heartbeatRefused', counter: 5 }] as const)(
    'stops although its heartbeat is not deleted: %j',
    (answer) => {
      const worker = keeping()
      worker.send({ type: 'stop', force: true })
      for (const leaseKey of [idOf(0), idOf(1)]) worker.send({ type: 'leaseGone', leaseKey, outcome: 'leaseLost' })
      worker.answer('deleteHeartbeat', answer)

      expect(worker.state.phase).toBe('stopped')
    },
  )

  it('deletes a heartbeat of which it does not know whether it was written', () => {
    const worker = keeping()
    beat(worker, intervalMs)
    worker.answer('writeHeartbeat', { type: 'effectFailed', error: { name: 'TimeoutError', message: '' } })
    worker.send({ type: 'stop', force: true })
    for (const leaseKey of [idOf(0), idOf(1)]) worker.send({ type: 'leaseGone', leaseKey, outcome: 'leaseLost' })
    worker.answer('deleteHeartbeat', { type: 'heartbeatRefused', counter: 2 })
    expect(worker.effects).toMatchObject([{ type: 'deleteHeartbeat', counter: 2 }])

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
})
