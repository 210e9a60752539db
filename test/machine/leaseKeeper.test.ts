import { describe, expect, it } from 'vitest'
import { aKeptLease, failoverTimeMillis, type KeptLease } from './keptLease.ts'
import { aFailure } from './outstandingEffects.ts'

const renewed = (nowMs: number) => ({ type: 'leaseRenewed', nowMs, nextOwner: null }) as const
const refused = { type: 'leaseRefused' } as const
const released = { type: 'leaseReleased' } as const
const throttled = { type: 'throttled' } as const

/** Three heartbeats, the first renewal at `fromMs`. */
function beatThreeTimes(lease: KeptLease, fromMs: number): void {
  for (const nowMs of [fromMs, fromMs + 3_000, fromMs + 6_000]) {
    lease.beat(nowMs)
    expect(lease.asked).toContain('renewLease')
    lease.renew(renewed(nowMs))
  }
}

describe('a lease keeper', () => {
  it('starts with the consumer of the shard, and looks at once what time it is', () => {
    const lease = aKeptLease()
    const held = { leaseKey: 'shardId-000000000001', token: 7 }

    expect(lease.effects).toEqual([
      { type: 'startTimer', id: 1, delayMs: 1 },
      {
        type: 'startConsumer',
        ...held,
        shardId: 'shardId-000000000001',
        parentShardIds: ['shardId-000000000000'],
        openedAtMs: null,
      },
    ])
  })

  it('renews first when half of the failover time has passed since the acquisition was asked for', () => {
    const lease = aKeptLease()
    lease.beat(400)

    expect(lease.effects).toEqual([{ type: 'startTimer', id: 2, delayMs: failoverTimeMillis / 2 - 400 }])
  })

  it('renews at once where the answer to the acquisition took longer than that', () => {
    const lease = aKeptLease()
    lease.beat(failoverTimeMillis - 1)

    expect(lease.effects).toMatchObject([{ type: 'renewLease' }, { type: 'startTimer', delayMs: 1 }])
  })

  it('gives the lease up at once where it took the failover time', () => {
    const lease = aKeptLease()
    lease.beat(failoverTimeMillis + 1)

    expect(lease.asked).toEqual(['LEASE_LOST'])
  })

  it('renews every half of the failover time, under the token of the acquisition, whatever the consumer does', () => {
    const lease = aKeptLease()

    beatThreeTimes(lease, 3_000)

    lease.beat(9_001)
    expect(lease.effects).toEqual([expect.objectContaining({ type: 'startTimer', delayMs: failoverTimeMillis / 2 - 1 })])
    lease.beat(12_000)
    expect(lease.effects[0]).toMatchObject({ type: 'renewLease', leaseKey: 'shardId-000000000001', token: 7 })
  })

  it('goes on renewing while a requested stop waits for the record processor', () => {
    const lease = aKeptLease()

    lease.send({ type: 'stop', force: false })

    expect(lease.asked).toEqual(['REQUESTED', 'startTimer'])
    beatThreeTimes(lease, 3_000)
  })

  it('goes on renewing while the release is out and while it waits to be tried again', () => {
    const lease = aKeptLease()

    lease.send({ type: 'stop', force: true })
    beatThreeTimes(lease, 3_000)
    lease.release(throttled)
    beatThreeTimes(lease, 12_000)
  })
})

describe('a lease', () => {
  it('is lost when a renewal is refused: the consumer is told once and nothing is renewed any more', () => {
    const lease = aKeptLease()
    lease.beat(3_000)

    lease.renew(refused)

    expect(lease.asked).toEqual(['cancel', 'LEASE_LOST'])
    expect(lease.outstanding.awaited).toEqual([])
    lease.send({ type: 'stop', force: true })
    expect(lease.asked).toEqual([])
    lease.send({ type: 'consumerEnded', outcome: 'leaseLost', openedAtMs: null })
    expect(lease.state).toMatchObject({ phase: 'gone', outcome: 'leaseLost' })
  })

  it.each([
    ['throttled', throttled],
    ['failed', aFailure()],
  ])('is kept while renewals are %s for less than the failover time, and each is tried again sooner than a heartbeat', (_how, answer) => {
    const lease = aKeptLease()
    lease.beat(3_000)

    for (const nowMs of [4_000, 5_000, 6_000, failoverTimeMillis]) {
      lease.renew(answer)
      const { heartbeat } = lease.state
      expect(heartbeat).toMatchObject({ type: 'startTimer' })
      expect(heartbeat?.type === 'startTimer' ? heartbeat.delayMs : 0).toBeLessThanOrEqual(failoverTimeMillis / 2)
      lease.beat(nowMs)
      expect(lease.asked).toEqual(['renewLease'])
    }
    lease.renew(renewed(failoverTimeMillis))
    expect(lease.state).toMatchObject({ phase: 'keeping', failures: 0, renewedMs: failoverTimeMillis })
  })

  it('is given up when no renewal succeeded for the failover time', () => {
    const lease = aKeptLease()
    lease.beat(3_000)
    lease.renew(throttled)

    lease.beat(failoverTimeMillis + 1)

    expect(lease.asked).toContain('LEASE_LOST')
    expect(lease.asked).not.toContain('renewLease')
    expect(lease.outstanding.awaited).toEqual([])
  })

  it('is given up when the failover time passes while a renewal is still unanswered', () => {
    const lease = aKeptLease()
    lease.beat(3_000)
    const deadline = lease.effects.find(({ type }) => type === 'startTimer')
    expect(deadline).toMatchObject({ delayMs: failoverTimeMillis - 3_000 })

    lease.fire(deadline?.type === 'startTimer' ? deadline : null, failoverTimeMillis)

    expect(lease.asked).toEqual(['cancel', 'LEASE_LOST'])
    expect(lease.outstanding.awaited).toEqual([])
  })

  it('has one deadline until it is renewed, however often the renewal is tried', () => {
    const lease = aKeptLease()
    lease.beat(3_000)
    lease.renew(throttled)
    lease.beat(4_000)
    expect(lease.asked).toEqual(['renewLease'])

    lease.renew(renewed(4_000))

    expect(lease.asked).toEqual(['cancel', 'startTimer'])
    expect(lease.outstanding.awaited).toHaveLength(1)
  })

  it('is not given up because the timer of its deadline failed, and the next renewal has another', () => {
    const lease = aKeptLease()
    lease.beat(3_000)
    lease.send({ ...aFailure(), id: lease.state.deadline?.id ?? 0 })
    expect(lease.asked).toEqual([])
    lease.renew(throttled)

    lease.beat(4_000)

    expect(lease.effects).toMatchObject([{ type: 'renewLease' }, { type: 'startTimer', delayMs: failoverTimeMillis - 4_000 }])
  })

  it('is given up when its timers fail again and again: nothing else waits before the next try', () => {
    const lease = aKeptLease()
    const fail = (): void => lease.send({ ...aFailure(), id: lease.state.heartbeat?.id ?? 0 })
    for (let failures = 1; failures < 5; failures++) {
      fail()
      expect(lease.asked).toEqual(['startTimer'])
    }
    fail()

    expect(lease.asked).toEqual(['LEASE_LOST'])
    expect(lease.outstanding.awaited).toEqual([])
  })

  it('may fail as often as its time allows', () => {
    const lease = aKeptLease()
    for (let failures = 0; failures < 8; failures++) {
      lease.beat(3_000 + failures)
      lease.renew(throttled)
    }

    expect(lease.asked).toEqual(['startTimer'])
    expect(lease.state.phase).toBe('keeping')
  })

  it('is given up after a pause of the whole process, before anything is written in its name', () => {
    const lease = aKeptLease()

    lease.beat(60_000)

    expect(lease.asked).toEqual(['LEASE_LOST'])
    expect(lease.outstanding.idleCancels).toEqual([])
  })
})

describe('a requested stop', () => {
  it('asks the consumer, waits until the processor was notified, releases, and only then says LEASE_LOST', () => {
    const lease = aKeptLease()
    const asked: string[][] = []
    const note = (): void => void asked.push([...lease.asked])

    lease.send({ type: 'stop', force: false })
    note()
    lease.send({ type: 'consumerNotified' })
    note()
    lease.release(released)
    note()
    lease.send({ type: 'consumerEnded', outcome: 'leaseLost', openedAtMs: null })
    note()

    expect(asked).toEqual([['REQUESTED', 'startTimer'], ['cancel', 'releaseLease'], ['cancel', 'LEASE_LOST'], []])
    expect(lease.state).toMatchObject({ phase: 'gone', outcome: 'leaseLost' })
    expect(lease.outstanding.awaited).toEqual([])
  })

  it('changes nothing when it is repeated', () => {
    const lease = aKeptLease()
    lease.send({ type: 'stop', force: false })
    const before = lease.state

    lease.send({ type: 'stop', force: false })

    expect(lease.asked).toEqual([])
    expect(lease.state).toBe(before)
  })

  it('releases the lease of a consumer that ends at once, because its processor was never initialised', () => {
    const lease = aKeptLease()
    lease.send({ type: 'stop', force: false })

    lease.send({ type: 'consumerEnded', outcome: 'stopped', openedAtMs: null })
    expect(lease.asked).toEqual(['cancel', 'releaseLease'])
    lease.release(released)

    expect(lease.asked).toEqual(['cancel'])
    expect(lease.state).toMatchObject({ phase: 'gone', outcome: 'stopped' })
  })

  it('that is overtaken by force releases at once, while the processor is still busy', () => {
    const lease = aKeptLease()
    lease.send({ type: 'stop', force: false })

    lease.send({ type: 'stop', force: true })
    expect(lease.asked).toEqual(['cancel', 'releaseLease'])
    lease.send({ type: 'consumerNotified' })
    expect(lease.asked).toEqual([])
    lease.release(released)

    expect(lease.asked).toEqual(['cancel', 'LEASE_LOST'])
  })
})

describe('a heartbeat', () => {
  it('makes do with a checkpoint since the last renewal, and counts from that', () => {
    const lease = aKeptLease()
    lease.beat(3_000)
    expect(lease.effects[0]).toMatchObject({ type: 'renewLease', freshSinceMs: 1 })

    lease.renew(renewed(2_000))

    lease.beat(3_010)
    expect(lease.state).toMatchObject({ renewedMs: 2_000, heartbeat: { type: 'startTimer', delayMs: 1_990 } })
  })

  it('is counted from when the last one was sent, so that a late answer leaves the next one its time', () => {
    const lease = aKeptLease()
    lease.beat(3_000)
    lease.renew(renewed(3_000))

    lease.beat(5_900)
    expect(lease.state.heartbeat).toMatchObject({ type: 'startTimer', delayMs: 100 })
    lease.beat(6_000)
    expect(lease.effects).toMatchObject([{ type: 'renewLease' }, { type: 'startTimer', delayMs: failoverTimeMillis / 2 }])
  })

  it('is tried three times within the failover time', () => {
    const lease = aKeptLease()
    const attempts: number[] = []
    let nowMs = 0
    while (lease.state.phase === 'keeping') {
      const { heartbeat } = lease.state
      nowMs += heartbeat?.type === 'startTimer' ? heartbeat.delayMs : 0
      lease.beat(nowMs)
      if (!lease.asked.includes('renewLease')) continue
      attempts.push(nowMs)
      lease.renew(throttled)
    }

    expect(attempts.filter((atMs) => atMs < failoverTimeMillis).length).toBeGreaterThanOrEqual(3)
  })

  it('comes a millisecond later at least, however old the write is that was found', () => {
    const lease = aKeptLease()
    lease.beat(3_000)

    lease.renew(renewed(-5_000))

    expect(lease.state.heartbeat).toMatchObject({ delayMs: 1 })
  })
})

describe('a lease that another process holds under the same worker id', () => {
  it.each(['renewal', 'release'])('is lost at a %s, and the owner is told why', (when) => {
    const lease = aKeptLease()
    if (when === 'renewal') {
      lease.beat(3_000)
      lease.renew({ type: 'workerIdShared' })
    } else {
      lease.send({ type: 'consumerLostLease' })
      lease.release({ type: 'workerIdShared' })
    }

    expect(lease.asked).toContain('LEASE_LOST')
    lease.send({ type: 'consumerEnded', outcome: 'leaseLost', openedAtMs: null })
    expect(lease.state).toMatchObject({ phase: 'gone', workerIdShared: true })
  })
})

describe('a lease that another worker asked for', () => {
  const asked = (nowMs: number) => ({ type: 'leaseRenewed', nowMs, nextOwner: 'next' }) as const

  it('is given to it when the record processor was notified, and renewed until then', () => {
    const lease = aKeptLease()
    lease.beat(3_000)
    lease.renew(asked(3_000))
    expect(lease.asked).toEqual(['cancel', 'startTimer', 'REQUESTED', 'startTimer'])
    lease.beat(6_000)
    lease.renew(asked(6_000))
    expect(lease.asked).toEqual(['cancel', 'startTimer'])

    lease.send({ type: 'consumerNotified' })

    expect(lease.effects).toMatchObject([{ type: 'cancel' }, { type: 'releaseLease', token: 7, nextOwner: 'next' }])
    lease.release(released)
    lease.send({ type: 'consumerEnded', outcome: 'leaseLost', openedAtMs: null })
    expect(lease.state).toMatchObject({ phase: 'gone', outcome: 'leaseLost' })
    expect(lease.outstanding.awaited).toEqual([])
  })

  it('is given to it when the record processor has had its time, and the consumer hears LEASE_LOST', () => {
    const lease = aKeptLease()
    lease.beat(3_000)
    lease.renew(asked(3_000))
    expect(lease.state.drain).toMatchObject({ delayMs: 30_000 })

    lease.fire(lease.state.drain)

    expect(lease.effects).toMatchObject([{ type: 'releaseLease', nextOwner: 'next' }])
    lease.release(released)
    expect(lease.asked).toEqual(['cancel', 'LEASE_LOST'])
  })

  it('may come back to this worker, also when its consumer had not begun', () => {
    const lease = aKeptLease()
    lease.beat(3_000)
    lease.renew(asked(3_000))
    lease.send({ type: 'consumerEnded', outcome: 'stopped', openedAtMs: null })
    expect(lease.effects).toContainEqual(expect.objectContaining({ type: 'releaseLease', nextOwner: 'next' }))
    lease.release(released)

    expect(lease.state).toMatchObject({ phase: 'gone', outcome: 'leaseLost' })
  })

  it('is not handed over any more once it is being released', () => {
    const lease = aKeptLease()
    lease.beat(3_000)
    lease.send({ type: 'stop', force: true })
    expect(lease.effects).toMatchObject([{ type: 'releaseLease', nextOwner: null }])

    lease.renew(asked(3_000))

    expect(lease.asked).toEqual(['cancel', 'startTimer'])
    expect(lease.state.nextOwner).toBeNull()
  })

  it('goes to it from a worker that is stopping already', () => {
    const lease = aKeptLease()
    lease.send({ type: 'stop', force: false })
    lease.beat(3_000)
    lease.renew(asked(3_000))
    expect(lease.asked).toEqual(['cancel', 'startTimer'])

    lease.send({ type: 'consumerNotified' })

    expect(lease.effects).toContainEqual(expect.objectContaining({ type: 'releaseLease', nextOwner: 'next' }))
  })
})

describe('a requested stop whose record processor does not come to an end', () => {
  it('releases the lease when its time is over, so that the shard goes on elsewhere', () => {
    const lease = aKeptLease()
    lease.send({ type: 'stop', force: false })

    lease.fire(lease.state.drain)

    expect(lease.effects).toMatchObject([{ type: 'releaseLease', nextOwner: null }])
  })

  it('releases it at once when the timer cannot be had', () => {
    const lease = aKeptLease()
    lease.send({ type: 'stop', force: false })

    lease.send({ ...aFailure(), id: lease.state.drain?.id ?? 0 })

    expect(lease.asked).toEqual(['releaseLease'])
  })
})

describe('a forced stop', () => {
  it('releases without asking the consumer, and waits for its end after LEASE_LOST', () => {
    const lease = aKeptLease()

    lease.send({ type: 'stop', force: true })
    expect(lease.asked).toEqual(['releaseLease'])
    lease.release(released)
    expect(lease.asked).toEqual(['cancel', 'LEASE_LOST'])
    expect(lease.state.phase).toBe('leaving')
    lease.send({ type: 'consumerEnded', outcome: 'leaseLost', openedAtMs: null })

    expect(lease.state.phase).toBe('gone')
  })

  it('does not tell a consumer that ended meanwhile', () => {
    const lease = aKeptLease()
    lease.send({ type: 'stop', force: true })

    lease.send({ type: 'consumerEnded', outcome: 'finished', openedAtMs: null })
    lease.release(released)

    expect(lease.asked).toEqual(['cancel'])
    expect(lease.state).toMatchObject({ phase: 'gone', outcome: 'finished' })
  })
})

describe('a consumer that must be made anew', () => {
  it('is started again on the same token after a backoff that grows, while the lease is renewed', () => {
    const lease = aKeptLease()
    const delays: number[] = []
    for (let count = 0; count < 12; count += 1) {
      lease.send({ type: 'consumerEnded', outcome: 'replay', openedAtMs: null })
      expect(lease.asked).toEqual(['startTimer'])
      delays.push(lease.state.restart?.delayMs ?? 0)
      lease.beat(3_000 * (count + 1))
      lease.renew(renewed(3_000 * (count + 1)))
      lease.fire(lease.state.restart)
      expect(lease.effects).toMatchObject([{ type: 'startConsumer', token: 7 }])
    }

    expect(delays[0]).toBeLessThanOrEqual(500)
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(250)
    expect(Math.max(...delays)).toBeLessThanOrEqual(30_000)
    expect(Math.min(...delays.slice(-3))).toBeGreaterThanOrEqual(15_000)
  })

  it('is told when the shard was first opened, so that LATEST stays where it was', () => {
    const lease = aKeptLease()
    lease.send({ type: 'consumerEnded', outcome: 'replay', openedAtMs: 1_700_000_000_000 })
    lease.fire(lease.state.restart)
    expect(lease.effects).toMatchObject([{ type: 'startConsumer', openedAtMs: 1_700_000_000_000 }])
  })

  it.each([false, true])('is not started, and its lease released, when a stop comes during the backoff (force: %s)', (force) => {
    const lease = aKeptLease()
    lease.send({ type: 'consumerEnded', outcome: 'replay', openedAtMs: null })

    lease.send({ type: 'stop', force })

    expect(lease.asked).toEqual(['cancel', 'releaseLease'])
    lease.release(released)
    expect(lease.asked).toEqual(['cancel'])
    expect(lease.state.phase).toBe('gone')
    expect(lease.outstanding.awaited).toEqual([])
  })

  it('is not started, and its lease released, when it ends after the stop was asked for', () => {
    const lease = aKeptLease()
    lease.send({ type: 'stop', force: false })

    lease.send({ type: 'consumerEnded', outcome: 'replay', openedAtMs: null })

    expect(lease.asked).toEqual(['cancel', 'releaseLease'])
  })

  it('is not started when the lease is lost during the backoff', () => {
    const lease = aKeptLease()
    lease.send({ type: 'consumerEnded', outcome: 'replay', openedAtMs: null })
    lease.beat(3_000)

    lease.renew(refused)

    expect(lease.asked).toEqual(['cancel', 'cancel'])
    expect(lease.state.phase).toBe('gone')
    expect(lease.outstanding.awaited).toEqual([])
  })
})

describe('the end of a consumer', () => {
  it.each(['finished', 'stopped', 'leaseLost'] as const)('with %s gives the lease back', (outcome) => {
    const lease = aKeptLease()

    lease.send({ type: 'consumerEnded', outcome, openedAtMs: null })
    expect(lease.asked).toEqual(['releaseLease'])
    lease.release(released)

    expect(lease.state).toMatchObject({ phase: 'gone', outcome })
    expect(lease.outstanding.awaited).toEqual([])
  })

  it('is awaited after the store said that the lease is lost, and the row is freed if it is still ours', () => {
    const lease = aKeptLease()

    lease.send({ type: 'consumerLostLease' })
    expect(lease.asked).toEqual(['releaseLease'])
    lease.release(refused)
    expect(lease.asked).toEqual(['cancel', 'LEASE_LOST'])
    lease.send({ type: 'consumerEnded', outcome: 'leaseLost', openedAtMs: null })

    expect(lease.state.phase).toBe('gone')
  })
})

describe('a release', () => {
  it.each([
    ['throttled', throttled],
    ['failed', aFailure()],
  ])('that is %s is tried three times, then the lease is left to expire', (_how, answer) => {
    const lease = aKeptLease()
    lease.send({ type: 'stop', force: true })
    for (let count = 0; count < 2; count += 1) {
      lease.release(answer)
      expect(lease.asked).toEqual(['startTimer'])
      lease.fire(lease.state.release?.type === 'startTimer' ? lease.state.release : null)
      expect(lease.asked).toEqual(['releaseLease'])
    }

    lease.release(answer)

    expect(lease.asked).toEqual(['cancel', 'LEASE_LOST'])
    expect(lease.outstanding.awaited).toEqual([])
  })

  it('is not awaited or tried again when a renewal is refused meanwhile', () => {
    const waiting = aKeptLease()
    waiting.send({ type: 'stop', force: true })
    waiting.release(throttled)
    const unanswered = aKeptLease()
    unanswered.send({ type: 'stop', force: true })

    for (const lease of [waiting, unanswered]) {
      lease.beat(3_000)
      lease.renew(refused)

      expect(lease.asked).toEqual(['cancel', 'cancel', 'LEASE_LOST'])
      expect(lease.outstanding.awaited).toEqual([])
    }
  })
})

describe('an event that is not awaited', () => {
  it('changes nothing: stale answers, signals of a phase that is over, and anything after the end', () => {
    const lease = aKeptLease()
    lease.beat(3_000)
    const { heartbeat } = lease.state
    lease.renew(renewed(3_000))
    const before = lease.state
    lease.send({ type: 'leaseRefused', id: heartbeat?.id ?? 0 })
    lease.send({ type: 'timerFired', id: 99, nowMs: 99_999 })
    expect(lease.state).toBe(before)

    lease.send({ type: 'consumerLostLease' })
    const releasing = lease.state
    lease.send({ type: 'consumerLostLease' })
    lease.send({ type: 'consumerNotified' })
    lease.send({ type: 'stop', force: true })
    expect(lease.state).toBe(releasing)

    lease.send({ type: 'consumerEnded', outcome: 'leaseLost', openedAtMs: null })
    lease.release(released)
    const gone = lease.state
    expect(gone.phase).toBe('gone')
    lease.send({ type: 'stop', force: true })
    lease.send({ type: 'consumerEnded', outcome: 'replay', openedAtMs: null })
    expect(lease.state).toBe(gone)
  })
})
