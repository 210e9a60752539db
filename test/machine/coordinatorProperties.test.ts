import type { Lease, Outcome } from '@shardwise/effects'
import type { CoordinatorEvent } from '@shardwise/machine'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { randomRuns } from '../randomRuns.ts'
import { aLedWorker, leasesOf, listed, shardsListed, tiledShards } from './ledWorker.ts'
import { aFailure, type OutstandingEffects } from './outstandingEffects.ts'
import { aLease, at } from './shardGraphs.ts'

const maxLeasesForWorker = 25
const shards = tiledShards(40)
const rows = leasesOf(shards)

/** What may happen next, made concrete against what is outstanding then. */
type Operation =
  | {
      readonly type: 'answer'
      readonly pick: number
      readonly how: 'success' | 'other' | 'throttled' | 'failed' | 'hopeless'
      readonly seed: number
    }
  | { readonly type: 'leaseGone'; readonly pick: number; readonly outcome: Outcome | null }
  | { readonly type: 'stop'; readonly force: boolean }
  | { readonly type: 'stale'; readonly id: number }

const how = fc.oneof(
  { weight: 20, arbitrary: fc.constant('success' as const) },
  { weight: 4, arbitrary: fc.constantFrom('other' as const, 'throttled' as const, 'failed' as const) },
  { weight: 1, arbitrary: fc.constant('hopeless' as const) },
)
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 30, arbitrary: fc.record({ type: fc.constant('answer' as const), pick: fc.nat(), how, seed: fc.nat() }) },
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('leaseGone' as const),
      pick: fc.nat(),
      outcome: fc.constantFrom<Outcome | null>('finished', 'leaseLost', 'stopped', 'replay', null),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('stop' as const), force: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('stale' as const), id: fc.nat(60) }) },
)
const operations = fc.array(operation, { maxLength: 120, size: 'max' })

/** Some of the rows, with owners and ends that depend on the seed. */
const someRows = (seed: number): readonly Lease[] =>
  seed % 5 === 0
    ? []
    : rows
        .filter((_, n) => (seed >> (n % 16)) % 7 !== 3)
        .map((row, n) => ({
          ...row,
          leaseOwner: [null, 'me', 'other'][(seed + n) % 3] ?? null,
          checkpoint: (seed + n) % 11 === 0 ? at('SHARD_END') : row.checkpoint,
        }))

type Awaited = OutstandingEffects['awaited'][number]

/** The good answer to an effect, or with `other` its other expected one. */
function answerTo(effect: Awaited, other: boolean, seed: number): CoordinatorEvent {
  const { id } = effect
  switch (effect.type) {
    case 'ensureTable':
      return other ? { type: 'tablePending', id } : { type: 'tableReady', id }
    case 'listLeases':
      return { ...listed(someRows(seed), seed), id }
    case 'listShards':
      return other ? { type: 'streamNotActive', id } : { ...shardsListed(shards), id }
    case 'createLease':
      return other ? { type: 'leaseExists', id } : { type: 'leaseCreated', id }
    case 'deleteLease':
      return { type: 'leaseDeleted', id }
    case 'requestHandoff':
      return { type: other ? 'handoffRefused' : 'handoffRequested', id }
    case 'acquireLease':
      if (other) return { type: 'leaseRefused', id }
      return { type: 'leaseAcquired', id, lease: aLease({ leaseKey: effect.leaseKey }), token: 1, nowMs: seed }
    default:
      return { type: 'timerFired', id, nowMs: seed }
  }
}

/** Plays operations to one coordinator, and judges every step. */
class Judge {
  readonly worker = aLedWorker({ maxLeasesForWorker })
  readonly #kept = new Set<string>()
  #stopAsked = false

  play(played: Operation): void {
    const { awaited } = this.worker.outstanding
    if (played.type === 'answer') {
      const effect = awaited[played.pick % Math.max(1, awaited.length)]
      if (effect !== undefined) this.send(this.#concrete(effect, played))
    } else if (played.type === 'leaseGone') {
      const leaseKey = [...this.#kept][played.pick % Math.max(1, this.#kept.size)]
      if (leaseKey !== undefined) this.send({ type: 'leaseGone', leaseKey, outcome: played.outcome })
    } else if (played.type === 'stop') this.send(played)
    else if (!awaited.some(({ id }) => id === played.id)) {
      const before = this.worker.state
      this.worker.send({ ...aFailure('AccessDeniedException'), id: played.id })
      expect(this.worker.state).toBe(before)
    }
  }

  send(event: CoordinatorEvent): void {
    if (event.type === 'stop') this.#stopAsked = true
    if (event.type === 'leaseGone') this.#kept.delete(event.leaseKey)
    this.worker.send(event)
    this.#judge()
  }

  /** Answers everything, and lets every lease go, until nothing is left to be answered. */
  drain(): number {
    let steps = 0
    for (; steps < 1_000 && this.worker.state.phase !== 'stopped'; steps += 1) {
      const [effect] = this.worker.outstanding.awaited
      const [leaseKey] = this.#kept
      if (effect !== undefined) this.send(answerTo(effect, false, 1))
      else if (leaseKey !== undefined) this.send({ type: 'leaseGone', leaseKey, outcome: 'leaseLost' })
      else break
    }
    return steps
  }

  #concrete(effect: Awaited, { how: result, seed }: Extract<Operation, { type: 'answer' }>): CoordinatorEvent {
    const { id, type } = effect
    if (result === 'hopeless') return { ...aFailure('AccessDeniedException'), id }
    if (result === 'failed') return { ...aFailure(), id }
    if (result === 'throttled' && type !== 'startTimer' && type !== 'ensureTable') return { type: 'throttled', id }
    return answerTo(effect, result === 'other', seed)
  }

  #judge(): void {
    const { worker } = this
    const { state, outstanding, effects } = worker
    const ended = state.phase === 'stopping' || state.phase === 'stopped'
    for (const effect of effects) {
      if (effect.type === 'keepLease') {
        expect(this.#kept.has(effect.leaseKey)).toBe(false)
        this.#kept.add(effect.leaseKey)
        if (ended) expect(effects).toContainEqual({ type: 'stopKeeping', leaseKey: effect.leaseKey, force: state.force })
      }
      if (effect.type === 'stopKeeping') expect(ended).toBe(true)
      if (ended) expect(['keepLease', 'stopKeeping', 'cancel']).toContain(effect.type)
    }
    const { awaited, idleCancels } = outstanding
    const registers = [...Object.keys(state.calls).map(Number), ...(state.awaited === null ? [] : [state.awaited.id])]
    expect(awaited.map(({ id }) => id).toSorted((a, b) => a - b)).toEqual(registers.toSorted((a, b) => a - b))
    expect(idleCancels).toEqual([])
    expect(Object.keys(state.calls).length).toBeLessThanOrEqual(20)
    expect([...state.kept].toSorted()).toEqual([...this.#kept].toSorted())
    const acquiring = awaited.flatMap((effect) => (effect.type === 'acquireLease' ? [effect.leaseKey] : []))
    expect(new Set([...acquiring, ...this.#kept]).size).toBe(acquiring.length + this.#kept.size)
    expect(acquiring.length + this.#kept.size).toBeLessThanOrEqual(maxLeasesForWorker)
    if (this.#stopAsked) expect(ended).toBe(true)
    if (ended) expect(state.awaited).toBeNull()
    // Until it is told to stop, it always waits for something that leads on.
    else if (state.awaited === null) expect(Object.keys(state.calls).length).toBeGreaterThan(0)
    if (state.phase === 'stopped') expect([awaited, state.kept]).toEqual([[], []])
  }
}

describe('a coordinator, in any order of events', () => {
  it('keeps each lease once, within its maximum and 20 calls, and always waits for something until it is stopped', () => {
    fc.assert(
      fc.property(operations, (played) => {
        const judge = new Judge()
        for (const next of played) judge.play(next)
      }),
      { numRuns: randomRuns(200) },
    )
  })

  it('has stopped, with nothing left, when it was told to and everything was answered', () => {
    fc.assert(
      fc.property(operations, fc.boolean(), (played, force) => {
        const judge = new Judge()
        for (const next of played) judge.play(next)
        judge.send({ type: 'stop', force })
        const open = judge.worker.outstanding.awaited.length + judge.worker.state.kept.length

        expect(judge.drain()).toBeLessThanOrEqual(2 * open)
        expect(judge.worker.state.phase).toBe('stopped')
      }),
      { numRuns: randomRuns(100) },
    )
  })

  it('keeps its state as plain JSON, and steps on from it', () => {
    fc.assert(
      fc.property(operations, (played) => {
        const judge = new Judge()
        for (const next of played) judge.play(next)

        expect(JSON.parse(JSON.stringify(judge.worker.state))).toEqual(judge.worker.state)
      }),
      { numRuns: 30 },
    )
  })
})
