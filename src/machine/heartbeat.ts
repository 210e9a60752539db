import type { EffectOf, MachineAnswer } from '@shardwise/effects'
import { backoffMs, maxTimerFailures } from './backoff.ts'
import { type CoordinatorDraft, fail, failShared, listSoon, permanent } from './coordinatorDraft.ts'
import type { CoordinatorEffectType, OwnHeartbeat } from './coordinatorState.ts'
import { renewalIntervalMs } from './renewalInterval.ts'

type HeartbeatAnswer = MachineAnswer<CoordinatorEffectType>

/** Begins to write the heartbeat of this worker, whose row has this counter; null where there is none. */
export function startHeartbeat(draft: CoordinatorDraft, counter: number | null, nowMs: number): void {
  const unwritten: OwnHeartbeat = {
    counter,
    writtenMs: null,
    unconfirmedMs: null,
    awaited: null,
    deadline: null,
    beatMs: nowMs,
    inDoubtSinceMs: null,
    failures: 0,
  }
  draft.set({ heartbeat: write(draft, unwritten, nowMs) })
}

/** Whether this worker may hold leases by its heartbeat. */
export function isAlive({ state: { heartbeat } }: CoordinatorDraft): boolean {
  return heartbeat !== null && heartbeat.writtenMs !== null
}

/** Takes an answer that the heartbeat awaits; others change nothing. */
export function takeHeartbeat(draft: CoordinatorDraft, event: HeartbeatAnswer): void {
  const { heartbeat } = draft.state
  if (heartbeat?.deadline?.id === event.id) draft.set({ heartbeat: takeDeadline(draft, heartbeat, event) })
  else if (heartbeat?.awaited?.id === event.id) {
    const { awaited } = heartbeat
    const answered = { ...heartbeat, awaited: null }
    draft.set({
      heartbeat: awaited.type === 'deleteHeartbeat' ? takeEnd(draft, answered, awaited, event) : takeBeat(draft, answered, awaited, event),
    })
  }
}

/** Ends the heartbeat of a worker that holds nothing any more; `heartbeat` is null when that is done. */
export function endHeartbeat(draft: CoordinatorDraft): void {
  const { heartbeat } = draft.state
  if (heartbeat === null || (heartbeat.awaited !== null && heartbeat.awaited.type !== 'startTimer')) return
  const { counter, awaited, deadline, inDoubtSinceMs } = heartbeat
  for (const timer of [awaited, deadline]) if (timer !== null) draft.effects.push({ type: 'cancel', id: timer.id })
  const isThere = counter !== null || inDoubtSinceMs !== null
  draft.set({ heartbeat: isThere ? askForEnd(draft, { ...heartbeat, deadline: null }, counter ?? 1) : null })
}

function askForEnd(draft: CoordinatorDraft, heartbeat: OwnHeartbeat, counter: number): OwnHeartbeat {
  const { workerId } = draft.state.options
  return { ...heartbeat, awaited: draft.ask({ type: 'deleteHeartbeat', workerId, counter }) }
}

function takeEnd(
  draft: CoordinatorDraft,
  heartbeat: OwnHeartbeat,
  { counter }: EffectOf<'deleteHeartbeat'>,
  event: HeartbeatAnswer,
): OwnHeartbeat | null {
  const isOwnStep = event.type === 'heartbeatRefused' && event.counter === counter + 1 && heartbeat.inDoubtSinceMs !== null
  // One that stays is deleted by others.
  return isOwnStep ? askForEnd(draft, { ...heartbeat, inDoubtSinceMs: null }, counter + 1) : null
}

function takeDeadline(draft: CoordinatorDraft, heartbeat: OwnHeartbeat, event: HeartbeatAnswer): OwnHeartbeat {
  const passed = { ...heartbeat, deadline: null }
  // A timer that failed: the next beat asks for another.
  return event.type === 'timerFired' ? loseAll(draft, passed) : passed
}

function takeBeat(
  draft: CoordinatorDraft,
  heartbeat: OwnHeartbeat,
  { type }: EffectOf<'startTimer' | 'writeHeartbeat'>,
  event: HeartbeatAnswer,
): OwnHeartbeat {
  switch (event.type) {
    case 'timerFired':
      return beat(draft, heartbeat, event.nowMs)
    case 'heartbeatWritten':
      return written(draft, heartbeat, event.counter, event.nowMs)
    case 'heartbeatRefused':
      return refused(draft, heartbeat, event.counter)
    case 'effectFailed': {
      const isOver = type === 'startTimer' && heartbeat.failures + 1 >= maxTimerFailures
      if (isOver || permanent.has(event.error.name)) fail(draft, event.error)
      if (isOver) return loseAll(draft, heartbeat)
      const inDoubtSinceMs = heartbeat.inDoubtSinceMs ?? heartbeat.beatMs
      return backOff(draft, type === 'writeHeartbeat' ? { ...heartbeat, inDoubtSinceMs } : heartbeat)
    }
    default:
      return backOff(draft, heartbeat)
  }
}

function schedule(draft: CoordinatorDraft, heartbeat: OwnHeartbeat, delayMs: number): OwnHeartbeat {
  return { ...heartbeat, awaited: draft.ask({ type: 'startTimer', delayMs }) }
}

function backOff(draft: CoordinatorDraft, heartbeat: OwnHeartbeat): OwnHeartbeat {
  const { failoverTimeMillis, seed } = draft.state.options
  const intervalMs = renewalIntervalMs(failoverTimeMillis)
  const failures = heartbeat.failures + 1
  return schedule(draft, { ...heartbeat, failures }, backoffMs(failures, seed, Math.max(1, Math.floor(intervalMs / 4)), intervalMs))
}

function beat(draft: CoordinatorDraft, heartbeat: OwnHeartbeat, nowMs: number): OwnHeartbeat {
  const { failoverTimeMillis } = draft.state.options
  const { writtenMs, unconfirmedMs } = heartbeat
  const agoMs = unconfirmedMs === null ? Number.POSITIVE_INFINITY : nowMs - unconfirmedMs
  const intervalMs = renewalIntervalMs(failoverTimeMillis)
  const due = { ...heartbeat, unconfirmedMs: null }
  if (agoMs < intervalMs) {
    const confirmed = schedule(draft, { ...due, writtenMs: unconfirmedMs }, Math.ceil(intervalMs - agoMs))
    if (writtenMs === null) listSoon(draft)
    return confirmed
  }
  const isLate = writtenMs !== null && nowMs - writtenMs > failoverTimeMillis
  return write(draft, isLate ? loseAll(draft, due) : due, nowMs)
}

function write(draft: CoordinatorDraft, heartbeat: OwnHeartbeat, nowMs: number): OwnHeartbeat {
  const { workerId, failoverTimeMillis } = draft.state.options
  const { counter, writtenMs, deadline } = heartbeat
  const awaited = draft.ask({ type: 'writeHeartbeat', workerId, counter })
  const sent = { ...heartbeat, beatMs: nowMs, awaited }
  if (writtenMs === null || deadline !== null) return sent
  const leftMs = failoverTimeMillis - (nowMs - writtenMs)
  return { ...sent, deadline: draft.ask({ type: 'startTimer', delayMs: Math.max(1, Math.ceil(leftMs)) }) }
}

function written(draft: CoordinatorDraft, heartbeat: OwnHeartbeat, counter: number, sentMs: number): OwnHeartbeat {
  const { writtenMs, deadline } = heartbeat
  if (deadline !== null) draft.effects.push({ type: 'cancel', id: deadline.id })
  const standing = { ...heartbeat, counter, deadline: null, inDoubtSinceMs: null, failures: 0 }
  // The answer may have taken long, and only a timer tells what time it is.
  return schedule(draft, { ...standing, writtenMs: writtenMs === null ? null : sentMs, unconfirmedMs: sentMs }, 1)
}

function refused(draft: CoordinatorDraft, heartbeat: OwnHeartbeat, standing: number | null): OwnHeartbeat {
  const { counter, writtenMs, inDoubtSinceMs } = heartbeat
  if (inDoubtSinceMs !== null && standing === (counter ?? 0) + 1) return written(draft, heartbeat, standing, inDoubtSinceMs)
  if (writtenMs !== null && standing !== null) {
    // Nothing is written any more, so that the other process goes on.
    failShared(draft)
    return heartbeat
  }
  // Others took this worker for dead, and deleted its row.
  const left = writtenMs === null ? heartbeat : loseAll(draft, heartbeat)
  return backOff(draft, { ...left, counter: standing, inDoubtSinceMs: null })
}

/** No heartbeat was written for the failover time: others may take the leases of this worker by now. */
function loseAll(draft: CoordinatorDraft, heartbeat: OwnHeartbeat): OwnHeartbeat {
  const { kept, queue } = draft.state
  const { deadline } = heartbeat
  if (deadline !== null) draft.effects.push({ type: 'cancel', id: deadline.id })
  draft.set({ queue: queue.filter(({ type }) => type !== 'acquireLease' && type !== 'requestHandoff') })
  for (const leaseKey of kept) draft.effects.push({ type: 'loseLease', leaseKey })
  return { ...heartbeat, writtenMs: null, deadline: null }
}
