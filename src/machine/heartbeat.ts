import type { MachineAnswer } from '@shardwise/effects'
import { backoffMs } from './backoff.ts'
import { type CoordinatorDraft, fail, failShared, listSoon, permanent } from './coordinatorDraft.ts'
import type { CoordinatorEffectType, OwnHeartbeat } from './coordinatorState.ts'
import { renewalIntervalMs } from './renewalInterval.ts'

/** Begins to write the heartbeat of this worker, whose row has this counter; null where there is none. */
export function startHeartbeat(draft: CoordinatorDraft, counter: number | null, nowMs: number): void {
  draft.set({
    heartbeat: {
      counter,
      writtenMs: null,
      unconfirmedMs: null,
      awaited: null,
      deadline: null,
      beatMs: nowMs,
      inDoubtSinceMs: null,
      failures: 0,
    },
  })
  write(draft, nowMs)
}

/** Whether an answer is one that the heartbeat awaits. */
export function isOfHeartbeat({ state: { heartbeat } }: CoordinatorDraft, { id }: { readonly id: number }): boolean {
  return heartbeat?.awaited?.id === id || heartbeat?.deadline?.id === id
}

/** Whether this worker may hold leases by its heartbeat. */
export function isAlive({ state: { heartbeat } }: CoordinatorDraft): boolean {
  return heartbeat !== null && heartbeat.writtenMs !== null
}

/** Takes an answer that the heartbeat awaits. */
export function takeHeartbeat(draft: CoordinatorDraft, event: MachineAnswer<CoordinatorEffectType>): void {
  const { heartbeat } = draft.state
  if (heartbeat === null) return
  if (event.id === heartbeat.deadline?.id) {
    change(draft, { deadline: null })
    // A timer that failed: the next beat asks for another.
    if (event.type === 'timerFired') loseAll(draft)
    return
  }
  const { awaited, failures, beatMs, inDoubtSinceMs } = heartbeat
  if (awaited?.type === 'deleteHeartbeat') {
    const isOwnStep = event.type === 'heartbeatRefused' && event.counter === awaited.counter + 1 && inDoubtSinceMs !== null
    change(draft, { inDoubtSinceMs: null })
    if (isOwnStep) askForEnd(draft, awaited.counter + 1)
    // One that stays is deleted by others.
    else draft.set({ heartbeat: null })
    return
  }
  change(draft, { awaited: null })
  switch (event.type) {
    case 'timerFired':
      beat(draft, event.nowMs)
      return
    case 'heartbeatWritten':
      written(draft, event.counter, event.nowMs)
      return
    case 'heartbeatRefused':
      refused(draft, event.counter)
      return
    default:
      if (event.type === 'effectFailed') {
        change(draft, { inDoubtSinceMs: awaited?.type === 'writeHeartbeat' ? (inDoubtSinceMs ?? beatMs) : inDoubtSinceMs })
        if (permanent.has(event.error.name)) fail(draft, event.error)
      }
      backOff(draft, failures)
  }
}

/** Ends the heartbeat of a worker that holds nothing any more; `heartbeat` is null when that is done. */
export function endHeartbeat(draft: CoordinatorDraft): void {
  const { heartbeat } = draft.state
  if (heartbeat === null || (heartbeat.awaited !== null && heartbeat.awaited.type !== 'startTimer')) return
  const { counter, awaited, deadline, inDoubtSinceMs } = heartbeat
  for (const timer of [awaited, deadline]) if (timer !== null) draft.effects.push({ type: 'cancel', id: timer.id })
  if (counter === null && inDoubtSinceMs === null) draft.set({ heartbeat: null })
  else askForEnd(draft, counter ?? 1)
}

function askForEnd(draft: CoordinatorDraft, counter: number): void {
  const { workerId } = draft.state.options
  change(draft, { deadline: null, awaited: draft.ask({ type: 'deleteHeartbeat', workerId, counter }) })
}

function change(draft: CoordinatorDraft, changes: Partial<OwnHeartbeat>): void {
  const { heartbeat } = draft.state
  if (heartbeat !== null) draft.set({ heartbeat: { ...heartbeat, ...changes } })
}

function schedule(draft: CoordinatorDraft, delayMs: number): void {
  change(draft, { awaited: draft.ask({ type: 'startTimer', delayMs }) })
}

function backOff(draft: CoordinatorDraft, failures: number): void {
  const { failoverTimeMillis, seed } = draft.state.options
  const intervalMs = renewalIntervalMs(failoverTimeMillis)
  change(draft, { failures: failures + 1 })
  schedule(draft, backoffMs(failures + 1, seed, Math.max(1, Math.floor(intervalMs / 4)), intervalMs))
}

function beat(draft: CoordinatorDraft, nowMs: number): void {
  const { heartbeat, options, phase } = draft.state
  if (heartbeat === null) return
  const { writtenMs, unconfirmedMs } = heartbeat
  const agoMs = unconfirmedMs === null ? Number.POSITIVE_INFINITY : nowMs - unconfirmedMs
  const intervalMs = renewalIntervalMs(options.failoverTimeMillis)
  change(draft, { unconfirmedMs: null })
  if (agoMs < intervalMs) {
    change(draft, { writtenMs: unconfirmedMs })
    schedule(draft, Math.max(1, Math.ceil(intervalMs - agoMs)))
    if (phase === 'running') listSoon(draft)
    return
  }
  if (writtenMs !== null && nowMs - writtenMs > options.failoverTimeMillis) loseAll(draft)
  write(draft, nowMs)
}

function write(draft: CoordinatorDraft, nowMs: number): void {
  const { heartbeat, options } = draft.state
  if (heartbeat === null) return
  const { counter, writtenMs, deadline } = heartbeat
  change(draft, { beatMs: nowMs, awaited: draft.ask({ type: 'writeHeartbeat', workerId: options.workerId, counter }) })
  if (writtenMs === null || deadline !== null) return
  const leftMs = options.failoverTimeMillis - (nowMs - writtenMs)
  change(draft, { deadline: draft.ask({ type: 'startTimer', delayMs: Math.max(1, Math.ceil(leftMs)) }) })
}

function written(draft: CoordinatorDraft, counter: number, sentMs: number): void {
  const { heartbeat, options } = draft.state
  if (heartbeat === null) return
  const { deadline } = heartbeat
  if (deadline !== null) draft.effects.push({ type: 'cancel', id: deadline.id })
  change(draft, { counter, deadline: null, inDoubtSinceMs: null, failures: 0 })
  if (isAlive(draft)) {
    change(draft, { writtenMs: sentMs })
    schedule(draft, renewalIntervalMs(options.failoverTimeMillis))
  } else {
    // The answer may have taken long, and only a timer tells what time it is.
    change(draft, { unconfirmedMs: sentMs })
    schedule(draft, 1)
  }
}

function refused(draft: CoordinatorDraft, standing: number | null): void {
  const { heartbeat } = draft.state
  if (heartbeat === null) return
  const { counter, inDoubtSinceMs, failures } = heartbeat
  if (inDoubtSinceMs !== null && standing === (counter ?? 0) + 1) {
    written(draft, standing, inDoubtSinceMs)
    return
  }
  if (isAlive(draft) && standing !== null) {
    // Nothing is written any more, so that the other process goes on.
    failShared(draft)
    return
  }
  // Others took this worker for dead, and deleted its row.
  if (isAlive(draft)) loseAll(draft)
  change(draft, { counter: standing, inDoubtSinceMs: null })
  backOff(draft, failures)
}

/** No heartbeat was written for the failover time: others may take the leases of this worker by now. */
function loseAll(draft: CoordinatorDraft): void {
  const { heartbeat, kept, queue } = draft.state
  if (heartbeat?.deadline !== undefined && heartbeat.deadline !== null) draft.effects.push({ type: 'cancel', id: heartbeat.deadline.id })
  change(draft, { writtenMs: null, deadline: null })
  draft.set({ queue: queue.filter(({ type }) => type !== 'acquireLease' && type !== 'requestHandoff') })
  for (const leaseKey of kept) draft.effects.push({ type: 'loseLease', leaseKey })
}
