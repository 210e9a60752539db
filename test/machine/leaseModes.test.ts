import type { Heartbeat, Lease } from '@shardwise/effects'
import type { CoordinatorOptions } from '@shardwise/machine'
import { describe, expect, it } from 'vitest'
import { aLedWorker, type LedWorker, leasesOf, listed, shardsListed, tiledShards, untilRunning } from './ledWorker.ts'

const failoverTimeMillis = 9_000
const shards = tiledShards(2)
const free = leasesOf(shards)
const seen = (leases: readonly Lease[], nowMs: number, heartbeats: readonly Heartbeat[] = []) => ({ ...listed(leases, nowMs), heartbeats })
const others = (leaseCounter: number) => leasesOf(shards, { leaseOwner: 'other', leaseCounter })

/** A worker whose table is ready. */
function atTheTable(leaseMode: CoordinatorOptions['leaseMode']): LedWorker {
  const worker = aLedWorker({ leaseMode, failoverTimeMillis })
  worker.answer('ensureTable', { type: 'tableReady' })
  return worker
}

/** Looks again at `nowMs`, when the worker waits for that. */
function look(worker: LedWorker, answer: ReturnType<typeof seen>): void {
  const { awaited } = worker.state
  if (awaited?.type === 'startTimer') worker.send({ type: 'timerFired', id: awaited.id, nowMs: answer.nowMs })
  worker.answer('listLeases', answer)
}

describe('a worker that renews each lease, at a table with heartbeats', () => {
  it('waits, and writes nothing, until it knows whether they move', () => {
    const worker = atTheTable('kcl')
    look(worker, seen(free, 0, [{ workerId: 'other', counter: 5 }]))

    expect(worker.effects).toMatchObject([{ type: 'startTimer', delayMs: failoverTimeMillis / 2 }])
  })

  it('fails when one moves', () => {
    const worker = atTheTable('kcl')
    look(worker, seen(free, 0, [{ workerId: 'other', counter: 5 }]))
    look(worker, seen(free, 4_500, [{ workerId: 'other', counter: 6 }]))

    expect(worker.state.failure).toEqual({
      name: 'LeaseModesMixed',
      message: 'leaseMode: expected "workerHeartbeat", as of the workers that live in this table, got "kcl" beside other',
    })
    expect(worker.state.phase).toBe('stopped')
  })

  it('names three workers of many', () => {
    const worker = atTheTable('kcl')
    for (const [nowMs, counter] of [
      [0, 5],
      [4_500, 6],
    ] as const) {
      const heartbeats = ['a', 'b', 'c', 'd'].map((workerId) => ({ workerId, counter }))
      look(worker, seen(free, nowMs, heartbeats))
    }

    expect(worker.state.failure?.message).toMatch(/^leaseMode: expected .* got "kcl" beside a, b, c$/)
  })

  it('remembers nothing of owners that have none', () => {
    const worker = untilRunning(others(5))

    expect(worker.state.workers).toEqual({})
  })

  it('goes on when they stood still for the failover time', () => {
    const worker = atTheTable('kcl')
    for (const nowMs of [0, 4_500, 9_000]) {
      look(worker, seen(free, nowMs, [{ workerId: 'other', counter: 5 }]))
      expect(worker.asked).toEqual(['startTimer'])
    }
    look(worker, seen(free, 9_001, [{ workerId: 'other', counter: 5 }]))

    expect(worker.asked).toEqual(['listShards'])
  })

  it('takes nothing beside one that it comes to see while it runs, and fails when that moves', () => {
    const worker = untilRunning(leasesOf(shards, { leaseOwner: 'other', leaseCounter: 5 }), { failoverTimeMillis })
    look(worker, seen(others(5), 20_000, [{ workerId: 'new', counter: 1 }]))
    expect(worker.asked).toEqual(['startTimer'])
    look(worker, seen(others(5), 30_000, [{ workerId: 'new', counter: 2 }]))

    expect(worker.state.failure?.name).toBe('LeaseModesMixed')
  })
})

describe('a worker with a heartbeat, at a table with leases of owners that have none', () => {
  it('waits, and writes nothing, until it knows whether those are renewed', () => {
    const worker = atTheTable('workerHeartbeat')
    look(worker, seen(others(5), 0))

    expect(worker.effects).toMatchObject([{ type: 'startTimer', delayMs: failoverTimeMillis / 2 }])
  })

  it('fails when they are renewed', () => {
    const worker = atTheTable('workerHeartbeat')
    look(worker, seen(others(5), 0))
    look(worker, seen(others(6), 4_500))

    expect(worker.state.failure).toEqual({
      name: 'LeaseModesMixed',
      message: 'leaseMode: expected "kcl", as of the workers that live in this table, got "workerHeartbeat" beside other',
    })
    expect(worker.state.phase).toBe('stopped')
  })

  it('takes them when they stood still for the failover time', () => {
    const worker = atTheTable('workerHeartbeat')
    for (const nowMs of [0, 4_500, 9_001]) look(worker, seen(others(5), nowMs))
    worker.answer('listShards', shardsListed(shards))
    worker.answer('writeHeartbeat', { type: 'heartbeatWritten', counter: 1, nowMs: 9_002 })
    const timer = worker.state.heartbeat?.awaited
    worker.send({ type: 'timerFired', id: timer?.id ?? 0, nowMs: 9_003 })
    worker.answer('listLeases', seen(others(5), 9_003))

    expect(worker.asked).toContain('acquireLease')
  })

  it('does not take an owner whose heartbeat one listing has missed for one that has none', () => {
    const worker = atTheTable('workerHeartbeat')
    look(worker, seen(others(5), 0))
    look(worker, seen(others(6), 4_500, [{ workerId: 'other', counter: 1 }]))

    expect(worker.state.failure).toBeNull()
    expect(worker.asked).toEqual(['listShards'])
  })

  it('begins at once where it is the owner itself, or the owners have heartbeats', () => {
    const own = atTheTable('workerHeartbeat')
    look(own, seen(leasesOf(shards, { leaseOwner: 'me', leaseCounter: 5 }), 0))
    expect(own.asked).toEqual(['listShards'])

    const fleet = atTheTable('workerHeartbeat')
    look(fleet, seen(others(5), 0, [{ workerId: 'other', counter: 1 }]))
    expect(fleet.asked).toEqual(['listShards'])
  })

  it('refuses the table of a live worker of the KCL 3', () => {
    const worker = atTheTable('workerHeartbeat')
    worker.answer('listLeases', { ...listed(free), reportingWorkers: [{ workerId: 'java', reportedMsAgo: 5 }] })

    expect(worker.state.failure?.name).toBe('LeasesAssignedByLeader')
  })
})
