/**
 * The keeper of one lease: renews it on a timer of its own, runs the shard consumer on it, and gives it up in the end. Pure, like the shard consumer.
 *
 * - The heartbeat never waits for the consumer: renewals go on while a record processor works, and until the lease is released. Where the worker has a heartbeat
 *   of its own nothing is renewed here, and the coordinator tells when the lease is lost or asked for.
 * - A lease whose renewals were refused, or did not succeed for the failover time, is lost: the consumer is told and nothing more is renewed. A renewal that
 *   is never answered does not hide this.
 * - A renewal costs nothing where a checkpoint has just grown the counter.
 * - A requested stop goes REQUESTED, release, LEASE_LOST; the release waits for the record processor until the time of a hand-off is over. A forced one
 *   releases at once.
 * - A renewal that shows a next owner is a requested stop of this one lease, and releases it to that owner.
 */
import type { EffectOf, MachineAnswer, Outcome, PureMachine, ShardId } from '@shardwise/effects'
import { backoffMs, maxTimerFailures } from './backoff.ts'
import { Draft } from './draft.ts'
import { renewalIntervalMs } from './renewalInterval.ts'

/** The effects of a lease keeper. */
type LeaseKeeperEffectType = 'renewLease' | 'releaseLease' | 'startTimer' | 'startConsumer' | 'shutDownConsumer' | 'cancel'
/** An effect of a lease keeper. */
export type LeaseKeeperEffect = EffectOf<LeaseKeeperEffectType>

/** What a lease keeper hears: from its owner, from the shard consumer it started, and the answers to its effects. */
export type LeaseKeeperEvent =
  | { readonly type: 'stop'; readonly force: boolean }
  /** The worker does not hold the lease any more. */
  | { readonly type: 'leaseLost' }
  /** Another worker asks for the lease. */
  | { readonly type: 'handoffAsked'; readonly nextOwner: string }
  | { readonly type: 'consumerNotified' }
  | { readonly type: 'consumerLostLease' }
  /** `openedAtMs` is when it first opened the shard, epoch milliseconds; null when it did not. */
  | { readonly type: 'consumerEnded'; readonly outcome: Outcome; readonly openedAtMs: number | null }
  | MachineAnswer<LeaseKeeperEffectType>

/** What a lease keeper is started with. Times are monotonic milliseconds. */
export interface LeaseKeeperInput {
  readonly leaseKey: string
  readonly token: number
  readonly shardId: ShardId
  readonly parentShardIds: readonly ShardId[]
  readonly acquiredMs: number
  /** Whether the lease is renewed here; otherwise the worker has a heartbeat of its own. */
  readonly renews: boolean
  readonly failoverTimeMillis: number
  /** How long a record processor may take to come to an end before its lease is released all the same. */
  readonly gracefulLeaseHandoffTimeoutMillis: number
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
  /** Fires when the failover time has passed since the last renewal; out while one is due. */
  readonly deadline: EffectOf<'startTimer'> | null
  /** The release that is out, or the timer before its next attempt. */
  readonly release: EffectOf<'startTimer' | 'releaseLease'> | null
  /** The wait before the consumer is made anew. */
  readonly restart: EffectOf<'startTimer'> | null
  /** Fires when a record processor that was asked to stop has had its time. */
  readonly drain: EffectOf<'startTimer'> | null
  readonly renewedMs: number
  readonly failures: number
  readonly releaseFailures: number
  readonly restarts: number
  readonly stopping: boolean
  /** Whether another process holds leases under the id of this worker. */
  readonly workerIdShared: boolean
  /** Who asked for the lease to be handed over. */
  readonly nextOwner: string | null
  readonly consumer: 'running' | 'ended'
  readonly outcome: Outcome | null
  /** Where LATEST was, for a consumer that is made anew. */
  readonly openedAtMs: number | null
}

const maxReleaseAttempts = 3
const restartBaseMs = 500
const restartCapMs = 30_000

type Stepped = readonly [LeaseKeeperState, readonly LeaseKeeperEffect[]]

/** A step of a keeper. */
class KeeperDraft extends Draft<LeaseKeeperState, LeaseKeeperEffect> {
  get lease(): { leaseKey: string; token: number } {
    const { leaseKey, token } = this.state.input
    return { leaseKey, token }
  }
}

function startConsumer(draft: KeeperDraft): void {
  const { openedAtMs, input } = draft.state
  const { shardId, parentShardIds } = input
  draft.set({ consumer: 'running', outcome: null })
  draft.effects.push({ type: 'startConsumer', ...draft.lease, shardId, parentShardIds, openedAtMs })
}

function shutDown(draft: KeeperDraft, reason: 'REQUESTED' | 'LEASE_LOST'): void {
  if (draft.state.consumer === 'running') draft.effects.push({ type: 'shutDownConsumer', ...draft.lease, reason })
}

function cancel(draft: KeeperDraft, awaited: { readonly id: number } | null): void {
  if (awaited !== null) draft.effects.push({ type: 'cancel', id: awaited.id })
}

/** The next renewal is due an interval after the last one was sent, whose answer may have taken long: only a timer tells what time it is. */
function scheduleHeartbeat(draft: KeeperDraft, delayMs = 1): void {
  draft.set({ heartbeat: draft.ask({ type: 'startTimer', delayMs }) })
}

/** Nothing is renewed any more: the consumer goes with LEASE_LOST. */
function leave(draft: KeeperDraft): void {
  const { heartbeat, deadline, release, restart, drain } = draft.state
  for (const awaited of [heartbeat, deadline, release, restart, drain]) cancel(draft, awaited)
  draft.set({ phase: 'leaving', heartbeat: null, deadline: null, release: null, restart: null, drain: null })
  shutDown(draft, 'LEASE_LOST')
  if (draft.state.consumer === 'ended') draft.set({ phase: 'gone' })
}

function beginRelease(draft: KeeperDraft): void {
  const { restart, drain, nextOwner } = draft.state
  for (const awaited of [restart, drain]) cancel(draft, awaited)
  draft.set({ phase: 'releasing', restart: null, drain: null, release: draft.ask({ type: 'releaseLease', ...draft.lease, nextOwner }) })
}

/** Starts keeping a lease that was just acquired. */
export function startLeaseKeeper(input: LeaseKeeperInput): Stepped {
  const draft = new KeeperDraft({
    input,
    phase: 'keeping',
    nextId: 1,
    heartbeat: null,
    deadline: null,
    release: null,
    restart: null,
    drain: null,
    renewedMs: input.acquiredMs,
    failures: 0,
    releaseFailures: 0,
    restarts: 0,
    stopping: false,
    workerIdShared: false,
    nextOwner: null,
    consumer: 'running',
    outcome: null,
    openedAtMs: null,
  })
  if (input.renews) scheduleHeartbeat(draft)
  startConsumer(draft)
  return draft.done()
}

/** Takes an event. Answers that are not awaited change nothing. */
function stepLeaseKeeper(state: LeaseKeeperState, event: LeaseKeeperEvent): Stepped {
  const draft = new KeeperDraft(state)
  if (state.phase === 'gone') return draft.done()
  switch (event.type) {
    case 'stop':
      stop(draft, event.force)
      break
    case 'leaseLost':
      if (state.phase !== 'leaving') leave(draft)
      break
    case 'handoffAsked':
      askedFor(draft, event.nextOwner)
      break
    case 'consumerNotified':
      if (state.phase === 'keeping') beginRelease(draft)
      break
    case 'consumerLostLease':
      if (state.phase === 'keeping') beginRelease(draft)
      break
    case 'consumerEnded':
      consumerEnded(draft, event.outcome, event.openedAtMs)
      break
    default:
      if (event.id === state.heartbeat?.id) takeHeartbeat(draft, event)
      else if (event.id === state.deadline?.id) takeDeadline(draft, event)
      else if (event.id === state.release?.id) takeRelease(draft, event)
      else if (event.id === state.restart?.id) {
        draft.set({ restart: null })
        startConsumer(draft)
      } else if (event.id === state.drain?.id) {
        // A timer that failed counts as one that fired: a processor that never comes to an end holds nobody up.
        draft.set({ drain: null })
        beginRelease(draft)
      }
  }
  return draft.done()
}

function stop(draft: KeeperDraft, force: boolean): void {
  const { phase, stopping, consumer, input } = draft.state
  if (phase !== 'keeping') return
  if (force) {
    draft.set({ stopping: true })
    beginRelease(draft)
    return
  }
  if (stopping) return
  draft.set({ stopping: true })
  if (consumer === 'ended') {
    beginRelease(draft)
    return
  }
  shutDown(draft, 'REQUESTED')
  draft.set({ drain: draft.ask({ type: 'startTimer', delayMs: input.gracefulLeaseHandoffTimeoutMillis }) })
}

function askedFor(draft: KeeperDraft, nextOwner: string): void {
  if (draft.state.phase !== 'keeping') return
  draft.set({ nextOwner })
  stop(draft, false)
}

function consumerEnded(draft: KeeperDraft, outcome: Outcome, openedAtMs: number | null): void {
  const { phase, stopping, restarts, input, nextOwner } = draft.state
  // Only the hand-off stopped it: this worker may have the lease again.
  const isHandedOver = nextOwner !== null && outcome === 'stopped'
  draft.set({ consumer: 'ended', outcome: isHandedOver ? 'leaseLost' : outcome, openedAtMs })
  if (phase === 'leaving') draft.set({ phase: 'gone' })
  if (phase !== 'keeping') return
  if (outcome === 'replay' && !stopping) {
    const delayMs = backoffMs(restarts + 1, input.seed, restartBaseMs, restartCapMs)
    draft.set({ restarts: restarts + 1, restart: draft.ask({ type: 'startTimer', delayMs }) })
    return
  }
  beginRelease(draft)
}

function takeHeartbeat(draft: KeeperDraft, event: MachineAnswer<LeaseKeeperEffectType>): void {
  const { input, heartbeat, failures, renewedMs } = draft.state
  const isTimer = heartbeat?.type === 'startTimer'
  const intervalMs = renewalIntervalMs(input.failoverTimeMillis)
  draft.set({ heartbeat: null })
  switch (event.type) {
    case 'timerFired':
      if (failures === 0 && event.nowMs - renewedMs < intervalMs)
        scheduleHeartbeat(draft, Math.ceil(intervalMs - (event.nowMs - renewedMs)))
      else renew(draft, input.failoverTimeMillis - (event.nowMs - renewedMs))
      return
    case 'leaseRenewed':
      cancel(draft, draft.state.deadline)
      draft.set({ renewedMs: event.nowMs, failures: 0, deadline: null })
      scheduleHeartbeat(draft)
      if (event.nextOwner !== null) askedFor(draft, event.nextOwner)
      return
    case 'workerIdShared':
      draft.set({ workerIdShared: true })
      leave(draft)
      return
    case 'leaseRefused':
      leave(draft)
      return
    default:
      draft.set({ failures: failures + 1 })
      if (isTimer && failures + 1 >= maxTimerFailures) leave(draft)
      else scheduleHeartbeat(draft, backoffMs(failures + 1, input.seed, Math.max(1, Math.floor(intervalMs / 4)), intervalMs))
  }
}

/** Renews the lease, which this worker may believe its own for `leftMs` more. */
function renew(draft: KeeperDraft, leftMs: number): void {
  if (leftMs < 0) {
    leave(draft)
    return
  }
  // Any write since the last renewal moves the next one on.
  const freshSinceMs = draft.state.renewedMs + 1
  draft.set({ heartbeat: draft.ask({ type: 'renewLease', ...draft.lease, freshSinceMs }) })
  if (draft.state.deadline === null) draft.set({ deadline: draft.ask({ type: 'startTimer', delayMs: Math.max(1, Math.ceil(leftMs)) }) })
}

function takeDeadline(draft: KeeperDraft, event: MachineAnswer<LeaseKeeperEffectType>): void {
  draft.set({ deadline: null })
  // A timer that failed: the next renewal asks for another.
  if (event.type === 'timerFired') leave(draft)
}

function takeRelease(draft: KeeperDraft, event: MachineAnswer<LeaseKeeperEffectType>): void {
  const { releaseFailures, input } = draft.state
  const retry = event.type === 'throttled' || event.type === 'effectFailed'
  if (event.type === 'timerFired') {
    beginRelease(draft)
  } else if (retry && releaseFailures + 1 < maxReleaseAttempts) {
    const delayMs = backoffMs(releaseFailures + 1, input.seed, 100, 1_000)
    draft.set({ releaseFailures: releaseFailures + 1, release: draft.ask({ type: 'startTimer', delayMs }) })
  } else {
    draft.set({ release: null, workerIdShared: event.type === 'workerIdShared' })
    leave(draft)
  }
}

/** The lease keeper, for `interpret`. */
export const leaseKeeper: PureMachine<LeaseKeeperState, LeaseKeeperEvent, LeaseKeeperEffect> = {
  step: stepLeaseKeeper,
  isDone: ({ phase }) => phase === 'gone',
}
