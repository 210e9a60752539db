import { describe, expect, it } from 'vitest'
import { aKeptLease, failoverTimeMillis, type KeptLease } from './keptLease.ts'

const released = { type: 'leaseReleased' } as const
const throttled = { type: 'throttled' } as const
const endedWith = (outcome: 'finished' | 'leaseLost' | 'stopped') => ({ type: 'consumerEnded', outcome, openedAtMs: null }) as const

/** A lease that the heartbeat of its worker renews. */
const beaten = (): KeptLease => aKeptLease({ renews: false })

describe('a lease that is not renewed by its keeper', () => {
  it('has a consumer and nothing else out', () => {
    const lease = beaten()

    expect(lease.asked).toEqual(['startConsumer'])
    expect(lease.outstanding.awaited).toEqual([])
  })

  it('is given up when its worker says that it is lost: the consumer goes first, and nothing is released', () => {
    const lease = beaten()

    lease.send({ type: 'leaseLost' })
    expect(lease.asked).toEqual(['LEASE_LOST'])
    expect(lease.state.phase).toBe('leaving')
    lease.send(endedWith('leaseLost'))

    expect(lease.asked).toEqual([])
    expect(lease.state).toMatchObject({ phase: 'gone', outcome: 'leaseLost', workerIdShared: false })
  })

  it('is lost once: its consumer is not told again', () => {
    const lease = beaten()
    lease.send({ type: 'leaseLost' })
    const before = lease.state

    lease.send({ type: 'leaseLost' })

    expect(lease.asked).toEqual([])
    expect(lease.state).toBe(before)
  })

  it('is gone at once when it is lost after its consumer has ended', () => {
    const lease = beaten()
    lease.send(endedWith('finished'))
    lease.release(throttled)

    lease.send({ type: 'leaseLost' })

    expect(lease.asked).toEqual(['cancel'])
    expect(lease.state).toMatchObject({ phase: 'gone', outcome: 'finished' })
    expect(lease.outstanding.awaited).toEqual([])
  })

  it('is handed over in order to the worker that its own says has asked', () => {
    const lease = beaten()

    lease.send({ type: 'handoffAsked', nextOwner: 'next' })
    expect(lease.asked).toEqual(['REQUESTED', 'startTimer'])
    lease.send({ type: 'consumerNotified' })

    expect(lease.effects).toMatchObject([{ type: 'cancel' }, { type: 'releaseLease', nextOwner: 'next' }])
  })
})

describe('how a lease that was asked for ended', () => {
  it.each([
    ['stopped', 'leaseLost'],
    ['finished', 'finished'],
    ['leaseLost', 'leaseLost'],
  ] as const)('where its consumer was %s, is told as %s', (outcome, toldAs) => {
    const lease = beaten()
    lease.send({ type: 'handoffAsked', nextOwner: 'next' })

    lease.send(endedWith(outcome))
    lease.release(released)

    expect(lease.state).toMatchObject({ phase: 'gone', outcome: toldAs })
  })

  it('is told as stopped where nobody asked', () => {
    const lease = beaten()

    lease.send(endedWith('stopped'))
    lease.release(released)

    expect(lease.state).toMatchObject({ phase: 'gone', outcome: 'stopped' })
  })
})

describe('a release', () => {
  it.each([
    ['leaseReleased', false],
    ['leaseRefused', false],
    ['workerIdShared', true],
  ] as const)('that is answered with %s says whether another process has the id of this worker', (type, workerIdShared) => {
    const lease = beaten()
    lease.send({ type: 'stop', force: true })

    lease.release({ type })
    lease.send(endedWith('leaseLost'))

    expect(lease.state).toMatchObject({ phase: 'gone', workerIdShared })
  })
})

describe('a lease that was acquired at another time than 0', () => {
  const acquiredMs = 1_000_000

  it('is renewed by the time since its acquisition', () => {
    const lease = aKeptLease({ acquiredMs })
    lease.beat(acquiredMs + 400)
    expect(lease.effects).toMatchObject([{ type: 'startTimer', delayMs: failoverTimeMillis / 2 - 400 }])

    lease.beat(acquiredMs + 3_000)

    expect(lease.effects).toMatchObject([
      { type: 'renewLease', freshSinceMs: acquiredMs + 1 },
      { type: 'startTimer', delayMs: failoverTimeMillis / 2 },
    ])
  })
})
