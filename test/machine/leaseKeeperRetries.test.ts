import { leaseKeeper, startLeaseKeeper } from '@shardwise/machine'
import { describe, expect, it } from 'vitest'
import { aKeptLease, type KeptLease } from './keptLease.ts'
import { aFailure } from './outstandingEffects.ts'

const throttled = { type: 'throttled' } as const
const delaysOf = ({ effects }: KeptLease) => effects.flatMap((effect) => (effect.type === 'startTimer' ? [effect.delayMs] : []))

describe('a lease keeper whose renewals fail', () => {
  it('tries again after a quarter of the interval, then after twice as long each time, and never later than the interval', () => {
    const lease = aKeptLease()
    const ceilings = [750, 1_500, 3_000, 3_000]

    for (const [failures, ceiling] of ceilings.entries()) {
      lease.beat(3_000)
      lease.renew(failures === 1 ? throttled : aFailure())
      const [delay = 0] = delaysOf(lease)

      expect(lease.state.failures).toBe(failures + 1)
      expect(delay).toBeGreaterThanOrEqual(ceiling / 2)
      expect(delay).toBeLessThanOrEqual(ceiling)
    }
    lease.beat(0)
    lease.renew({ type: 'leaseRenewed', nowMs: 0, nextOwner: null })

    expect(lease.state.failures).toBe(0)
  })

  it('waits a millisecond at least, however short the failover time is', () => {
    const input = {
      leaseKey: 'k',
      token: 1,
      shardId: 'shardId-0',
      parentShardIds: [],
      acquiredMs: 0,
      renews: true,
      failoverTimeMillis: 3,
      gracefulLeaseHandoffTimeoutMillis: 1,
      seed: 1,
    }
    const [started] = startLeaseKeeper(input)
    const [renewing] = leaseKeeper.step(started, { type: 'timerFired', id: started.heartbeat?.id ?? 0, nowMs: 0 })

    const [, effects] = leaseKeeper.step(renewing, { type: 'throttled', id: renewing.heartbeat?.id ?? 0 })

    expect(effects).toMatchObject([{ type: 'startTimer', delayMs: 1 }])
  })
})

describe('a lease keeper whose release fails', () => {
  it('tries again after at most 100 ms, then 200 ms, and then lets the lease expire', () => {
    const lease = aKeptLease()
    lease.send({ type: 'stop', force: true })
    expect(lease.state).toMatchObject({ phase: 'releasing', stopping: true })

    for (const ceiling of [100, 200]) {
      lease.release(throttled)
      const [delay = 0] = delaysOf(lease)
      expect(delay).toBeGreaterThanOrEqual(ceiling / 2)
      expect(delay).toBeLessThanOrEqual(ceiling)
      lease.fire(lease.state.release?.type === 'startTimer' ? lease.state.release : null)
      expect(lease.asked).toEqual(['releaseLease'])
    }
    lease.release(throttled)

    expect(lease.asked).toEqual(['cancel', 'LEASE_LOST'])
  })
})

describe('a lease keeper', () => {
  it('gives every effect an id of its own', () => {
    const lease = aKeptLease()
    const ids: number[] = []
    const note = () => ids.push(...lease.effects.flatMap((effect) => ('id' in effect && effect.type !== 'cancel' ? [effect.id] : [])))
    note()
    for (const nowMs of [3_000, 6_000]) {
      lease.beat(nowMs)
      note()
      lease.renew({ type: 'leaseRenewed', nowMs, nextOwner: null })
      note()
    }

    expect(ids).toEqual([1, 2, 3, 4, 5, 6, 7])
  })

  it('is done when its consumer has ended and its lease is gone, and not before', () => {
    const lease = aKeptLease()
    lease.send({ type: 'stop', force: true })
    lease.release({ type: 'leaseReleased' })
    expect(leaseKeeper.isDone(lease.state)).toBe(false)

    lease.send({ type: 'consumerEnded', outcome: 'leaseLost', openedAtMs: null })

    expect(leaseKeeper.isDone(lease.state)).toBe(true)
  })

  it('hears no answer any more while it waits for the end of its consumer', () => {
    const lease = aKeptLease()
    lease.beat(3_000)
    const renewal = lease.state.heartbeat?.id ?? 0
    lease.renew({ type: 'leaseRefused' })
    const before = lease.state

    lease.send({ type: 'leaseRenewed', id: renewal, nowMs: 4_000, nextOwner: null })

    expect([lease.state, lease.effects]).toEqual([before, []])
  })

  it('takes a consumer that was made anew for a running one: it is shut down in order, and its timer is not cancelled again', () => {
    const lease = aKeptLease()
    lease.send({ type: 'consumerEnded', outcome: 'replay', openedAtMs: null })
    lease.fire(lease.state.restart)
    expect(lease.state).toMatchObject({ consumer: 'running', outcome: null, restart: null })

    lease.send({ type: 'stop', force: false })
    expect(lease.asked).toEqual(['REQUESTED', 'startTimer'])
    lease.send({ type: 'consumerNotified' })

    expect(lease.asked).toEqual(['cancel', 'releaseLease'])
  })
})
