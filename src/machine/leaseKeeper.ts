/**
 * The keeper of one lease: renews it on a timer of its own, runs the shard consumer on it, and gives it up in the end. Pure, like the shard consumer.
 *
 * - The heartbeat never waits for the consumer: renewals go on while a record processor works, and until the lease is released.
 * - A lease whose renewals were refused, or did not succeed for the failover time, is lost: the consumer is told and nothing more is renewed.
 * - A requested stop goes REQUESTED, release, LEASE_LOST. A forced one releases at once.
 */
import type { EffectOf, MachineAnswer, Outcome, PureMachine, ShardId } from '@shardwise/effects'
import { backoffMs } from './backoff.ts'

/** The effects of a lease keeper. */
export type LeaseKeeperEffectType = 'renewLease' | 'releaseLease' | 'startTimer' | 'startConsumer' | 'shutDownConsumer' | 'cancel'
export type LeaseKeeperEffect = EffectOf<LeaseKeeperEffectType>

/** What a lease keeper hears: from its owner, from the shard consumer it started, and the answers to its effects. */
export type LeaseKeeperEvent =
  | { readonly type: 'stop'; readonly force: boolean }
  | { readonly type: 'consumerNotified' }
  | { readonly type: 'consumerLostLease' }
  | { readonly type: 'consumerEnded'; readonly outcome: Outcome }
  | MachineAnswer<LeaseKeeperEffectType>

/** What a lease keeper is started with. Times are monotonic milliseconds. */
export interface LeaseKeeperInput {
  readonly leaseKey: string
  readonly token: number
  readonly shardId: ShardId
  readonly parentShardIds: readonly ShardId[]
  readonly acquiredMs: number
  readonly failoverTimeMillis: number
  readonly seed: number
}

/** `keeping` renews; `releasing` waits for the release; `leaving` waits for the consumer to end; `gone` is the end. */
type Phase = 'keeping' | 'releasing' | 'leaving' | 'gone'

/** The memory of a lease keeper: plain JSON. */
export interface LeaseKeeperState {
  readonly input: LeaseKeeperInput
  readonly phase: Phase
  readonly nextId: number
  /** The heartbeat that is out: its timer, or the renewal. */
  readonly heartbeat: EffectOf<'startTimer' | 'renewLease'> | null
  /** The release that is out, or the timer before its next attempt. */
  readonly release: EffectOf<'startTimer' | 'releaseLease'> | null
  /** The wait before the consumer is made anew. */
  readonly restart: EffectOf<'startTimer'> | null
  readonly renewedMs: number
  readonly failures: number
  readonly releaseFailures: number
  readonly restarts: number
  readonly stopping: boolean
  readonly consumer: 'running' | 'ended'
  readonly outcome: Outcome | null
}

const maxReleaseAttempts = 3
const restartBaseMs = 500
const restartCapMs = 30_000

type Stepped = readonly [LeaseKeeperState, readonly LeaseKeeperEffect[]]
type Ask<E> = E extends unknown ? Omit<E, 'id'> : never

/** Puts together a step: changes to the state, and effects in order. */
class Draft {
  state: LeaseKeeperState
  readonly effects: LeaseKeeperEffect[] = []

  constructor(state: LeaseKeeperState) {
    this.state = state
  }

  set(changes: Partial<LeaseKeeperState>): void {
    this.state = { ...this.state, ...changes }
  }

  ask<const A extends Ask<EffectOf<'startTimer' | 'renewLease' | 'releaseLease'>>>(ask: A): A & { id: number } {
    const effect = { ...ask, id: this.state.nextId }
    this.set({ nextId: effect.id + 1 })
    this.effects.push(effect as LeaseKeeperEffect)
    return effect
  }

  get lease(): { leaseKey: string; token: number } {
    const { leaseKey, token } = this.state.input
    return { leaseKey, token }
  }

  done(): Stepped {
    return [this.state, this.effects]
  }
}

/** How long after a renewal the next one is due, in ms: a third of the failover time, as in the KCL. */
export function renewalIntervalMs(failoverTimeMillis: number): number {
  return Math.max(1, Math.floor(failoverTimeMillis / 3))
}

function startConsumer(draft: Draft): void {
  const { shardId, parentShardIds } = draft.state.input
  draft.set({ consumer: 'running', outcome: null })
  draft.effects.push({ type: 'startConsumer', ...draft.lease, shardId, parentShardIds })
}

function shutDown(draft: Draft, reason: 'REQUESTED' | 'LEASE_LOST'): void {
  if (draft.state.consumer === 'running') draft.effects.push({ type: 'shutDownConsumer', ...draft.lease, reason })
}

function scheduleHeartbeat(draft: Draft, delayMs: number): void {
  draft.set({ heartbeat: draft.ask({ type: 'startTimer', delayMs }) })
}

/** Nothing is renewed any more: the consumer goes with LEASE_LOST. */
function leave(draft: Draft): void {
  const { heartbeat, restart } = draft.state
  if (heartbeat !== null) draft.effects.push({ type: 'cancel', id: heartbeat.id })
  if (restart !== null) draft.effects.push({ type: 'cancel', id: restart.id })
  draft.set({ phase: 'leaving', heartbeat: null, release: null, restart: null })
  shutDown(draft, 'LEASE_LOST')
  if (draft.state.consumer === 'ended') draft.set({ phase: 'gone' })
}

function beginRelease(draft: Draft): void {
  draft.set({ phase: 'releasing', release: draft.ask({ type: 'releaseLease', ...draft.lease }) })
}

/** Starts keeping a lease that was just acquired. */
export function startLeaseKeeper(input: LeaseKeeperInput): Stepped {
  const draft = new Draft({
    input,
    phase: 'keeping',
    nextId: 1,
    heartbeat: null,
    release: null,
    restart: null,
    renewedMs: input.acquiredMs,
    failures: 0,
    releaseFailures: 0,
    restarts: 0,
    stopping: false,
    consumer: 'running',
    outcome: null,
  })
  scheduleHeartbeat(draft, renewalIntervalMs(input.failoverTimeMillis))
  startConsumer(draft)
  return draft.done()
}

/** Takes an event. Answers that are not awaited change nothing. */
export function stepLeaseKeeper(state: LeaseKeeperState, event: LeaseKeeperEvent): Stepped {
  const draft = new Draft(state)
  if (state.phase === 'gone') return draft.done()
  switch (event.type) {
    case 'stop':
      stop(draft, event.force)
      break
    case 'consumerNotified':
      if (state.phase === 'keeping') beginRelease(draft)
      break
    case 'consumerLostLease':
      if (state.phase === 'keeping') beginRelease(draft)
      break
    case 'consumerEnded':
      consumerEnded(draft, event.outcome)
      break
    default:
      if (event.id === state.heartbeat?.id) takeHeartbeat(draft, event)
      else if (event.id === state.release?.id) takeRelease(draft, event)
      else if (event.id === state.restart?.id) {
        draft.set({ restart: null })
        startConsumer(draft)
      }
  }
  return draft.done()
}

function stop(draft: Draft, force: boolean): void {
  const { phase, stopping, consumer, restart } = draft.state
  if (phase !== 'keeping') return
  if (force) {
    draft.set({ stopping: true })
    beginRelease(draft)
    return
  }
  if (stopping) return
  draft.set({ stopping: true })
  if (consumer === 'running') {
    shutDown(draft, 'REQUESTED')
    return
  }
  if (restart !== null) draft.effects.push({ type: 'cancel', id: restart.id })
  draft.set({ restart: null })
  beginRelease(draft)
}

function consumerEnded(draft: Draft, outcome: Outcome): void {
  draft.set({ consumer: 'ended', outcome })
  const { phase, stopping, restarts, input } = draft.state
  if (phase === 'leaving') draft.set({ phase: 'gone' })
  if (phase !== 'keeping') return
  if (outcome === 'replay' && !stopping) {
    const delayMs = backoffMs(restarts + 1, input.seed, restartBaseMs, restartCapMs)
    draft.set({ restarts: restarts + 1, restart: draft.ask({ type: 'startTimer', delayMs }) })
    return
  }
  beginRelease(draft)
}

function takeHeartbeat(draft: Draft, event: MachineAnswer<LeaseKeeperEffectType>): void {
  const { input, failures, renewedMs } = draft.state
  const intervalMs = renewalIntervalMs(input.failoverTimeMillis)
  switch (event.type) {
    case 'timerFired':
      if (event.nowMs - renewedMs > input.failoverTimeMillis) leave(draft)
      else draft.set({ heartbeat: draft.ask({ type: 'renewLease', ...draft.lease }) })
      return
    case 'leaseRenewed':
      draft.set({ renewedMs: event.nowMs, failures: 0 })
      scheduleHeartbeat(draft, intervalMs)
      return
    case 'leaseRefused':
      draft.set({ heartbeat: null })
      leave(draft)
      return
    default:
      draft.set({ failures: failures + 1 })
      scheduleHeartbeat(draft, backoffMs(failures + 1, input.seed, Math.max(1, Math.floor(intervalMs / 4)), intervalMs))
  }
}

function takeRelease(draft: Draft, event: MachineAnswer<LeaseKeeperEffectType>): void {
  const { releaseFailures, input } = draft.state
  const retry = event.type === 'throttled' || event.type === 'effectFailed'
  if (event.type === 'timerFired') {
    beginRelease(draft)
  } else if (retry && releaseFailures + 1 < maxReleaseAttempts) {
    const delayMs = backoffMs(releaseFailures + 1, input.seed, 100, 1_000)
    draft.set({ releaseFailures: releaseFailures + 1, release: draft.ask({ type: 'startTimer', delayMs }) })
  } else {
    draft.set({ release: null })
    leave(draft)
  }
}

/** The lease keeper, for `interpret`. */
export const leaseKeeper: PureMachine<LeaseKeeperState, LeaseKeeperEvent, LeaseKeeperEffect> = {
  step: stepLeaseKeeper,
  isDone: ({ phase }) => phase === 'gone',
}
