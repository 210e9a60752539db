import type { Outcome } from '@shardwise/effects'
import type { LeaseKeeperEvent } from '@shardwise/machine'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { randomRuns } from '../randomRuns.ts'
import { aKeptLease, failoverTimeMillis, type KeptLease } from './keptLease.ts'
import { aFailure } from './outstandingEffects.ts'

/** What may happen next, made concrete against what is outstanding then. */
type Operation =
  | { readonly type: 'answer'; readonly pick: number; readonly outcome: number; readonly afterMs: number }
  | { readonly type: 'stop'; readonly force: boolean }
  | { readonly type: 'consumerNotified' | 'consumerLostLease' }
  | { readonly type: 'consumerEnded'; readonly outcome: Outcome; readonly openedAtMs: null }
  | { readonly type: 'stale'; readonly id: number; readonly outcome: number }

const outcome = fc.constantFrom<Outcome>('finished', 'leaseLost', 'stopped', 'replay')
const operations = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({ type: fc.constant('answer' as const), pick: fc.nat(9), outcome: fc.nat(9), afterMs: fc.nat(4_000) }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('stop' as const), force: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constantFrom('consumerNotified' as const, 'consumerLostLease' as const) }) },
    { weight: 3, arbitrary: fc.record({ type: fc.constant('consumerEnded' as const), outcome, openedAtMs: fc.constant(null) }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant('stale' as const), id: fc.nat(40), outcome: fc.nat(9) }) },
  ),
  { maxLength: 60, size: 'max' },
)

const failures = [{ type: 'throttled' as const }, aFailure()]

/** Plays operations to one kept lease, and judges every step. */
class Judge {
  readonly lease: KeptLease = aKeptLease()
  nowMs = 0
  #consumerRuns = true
  #toldLost = false
  #over = false
  #stopAsked = false
  releases = 0

  get consumerRuns(): boolean {
    return this.#consumerRuns
  }

  play(operation: Operation): void {
    if (operation.type === 'answer') this.#answer(operation)
    else if (operation.type === 'stale') this.#stale(operation)
    // A consumer that is not there says nothing.
    else if (operation.type === 'stop' || this.#consumerRuns) this.send(operation)
  }

  send(event: LeaseKeeperEvent): void {
    if (event.type === 'consumerEnded') this.#consumerRuns = false
    if (event.type === 'stop') this.#stopAsked = true
    if (event.type === 'leaseReleased' || event.type === 'leaseRefused') this.#over = true
    this.lease.send(event)
    this.#judge()
  }

  #answer({ pick, outcome: choice, afterMs }: { pick: number; outcome: number; afterMs: number }): void {
    const { awaited } = this.lease.outstanding
    const effect = awaited[pick % Math.max(1, awaited.length)]
    if (effect === undefined) return
    this.nowMs += afterMs
    const { id } = effect
    if (effect.type === 'startTimer') this.send({ type: 'timerFired', id, nowMs: this.nowMs })
    else if (choice < 2) this.send({ ...(failures[choice] ?? aFailure()), id })
    else if (choice === 9) this.send({ type: 'leaseRefused', id })
    else if (effect.type === 'renewLease')
      this.send({ type: 'leaseRenewed', id, nowMs: this.nowMs, nextOwner: choice === 8 ? 'next' : null })
    else this.send({ type: 'leaseReleased', id })
  }

  #stale({ id, outcome: choice }: { id: number; outcome: number }): void {
    if (this.lease.outstanding.awaited.some((effect) => effect.id === id)) return
    const before = this.lease.state
    const answers: readonly LeaseKeeperEvent[] = [
      { type: 'timerFired', id, nowMs: this.nowMs + 2 * failoverTimeMillis },
      { type: 'leaseRefused', id },
      { type: 'leaseReleased', id },
      { ...aFailure(), id },
    ]
    this.lease.send(answers[choice % answers.length] ?? { ...aFailure(), id })
    expect(this.lease.state).toBe(before)
    expect(this.lease.effects).toEqual([])
  }

  #judge(): void {
    const { lease } = this
    for (const name of lease.asked) {
      if (name === 'renewLease' || name === 'releaseLease') expect(this.#over).toBe(false)
      if (name === 'releaseLease') this.releases += 1
      if (name === 'REQUESTED' || name === 'LEASE_LOST') expect(this.#consumerRuns).toBe(true)
      if (name === 'LEASE_LOST') {
        expect(this.#toldLost).toBe(false)
        this.#toldLost = true
        this.#over = true
      }
      if (name === 'startConsumer') {
        expect([this.#consumerRuns, this.#over, this.#stopAsked, lease.state.nextOwner]).toEqual([false, false, false, null])
        this.#consumerRuns = true
        this.#toldLost = false
      }
    }
    const { awaited, idleCancels } = lease.outstanding
    const { heartbeat, deadline, release, restart, drain, phase } = lease.state
    const registers = [heartbeat, deadline, release, restart, drain].flatMap((effect) => (effect === null ? [] : [effect.id]))
    expect(new Set(awaited.map(({ id }) => id))).toEqual(new Set(registers))
    expect(idleCancels).toEqual([])
    expect(awaited.filter(({ type }) => type === 'renewLease').length).toBeLessThanOrEqual(1)
    if (phase === 'keeping') expect(heartbeat).not.toBeNull()
    if (phase === 'gone') expect([awaited, this.#consumerRuns]).toEqual([[], false])
  }
}

describe('a lease keeper, in any order of events', () => {
  it('renews nothing after the release or the loss, tells a consumer LEASE_LOST once at most, and leaks no effect', () => {
    fc.assert(
      fc.property(operations, (played) => {
        const judge = new Judge()
        for (const operation of played) judge.play(operation)
      }),
      { numRuns: randomRuns(300) },
    )
  })

  it('is gone a few answers after a forced stop, once its consumer has ended', () => {
    fc.assert(
      fc.property(operations, fc.boolean(), (played, releasable) => {
        const judge = new Judge()
        for (const operation of played) judge.play(operation)
        const releasesBefore = judge.releases
        judge.send({ type: 'stop', force: true })
        for (let answers = 0; answers < 8 && judge.lease.state.phase === 'releasing'; answers += 1) {
          const { release } = judge.lease.state
          if (release?.type === 'startTimer') judge.lease.fire(release, judge.nowMs)
          else if (releasable) judge.send(judge.lease.outstanding.answer('releaseLease', { type: 'leaseReleased' }))
          else judge.send(judge.lease.outstanding.answer('releaseLease', aFailure()))
        }
        if (judge.consumerRuns) judge.send({ type: 'consumerEnded', outcome: 'leaseLost', openedAtMs: null })

        expect(judge.lease.state.phase).toBe('gone')
        expect(judge.releases - releasesBefore).toBeLessThanOrEqual(3)
      }),
    )
  })

  it('keeps its state as plain JSON', () => {
    fc.assert(
      fc.property(operations, (played) => {
        const judge = new Judge()
        for (const operation of played) judge.play(operation)

        expect(JSON.parse(JSON.stringify(judge.lease.state))).toEqual(judge.lease.state)
      }),
      { numRuns: randomRuns(30) },
    )
  })
})
