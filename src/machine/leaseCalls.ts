import type { MachineAnswer } from '@shardwise/effects'
import { type CoordinatorDraft, fail, permanent, retry } from './coordinatorDraft.ts'
import type { CoordinatorEffectType, LeaseCall } from './coordinatorState.ts'
import { isAlive } from './heartbeat.ts'

/** More calls about single leases are not out at once. */
const maxCalls = 20

/** Starts calls about single leases, now or when others are answered. */
export function enqueue(draft: CoordinatorDraft, calls: readonly LeaseCall[]): void {
  draft.set({ queue: [...draft.state.queue, ...calls] })
  startCalls(draft)
}

function startCalls(draft: CoordinatorDraft): void {
  const free = maxCalls - Object.keys(draft.state.calls).length
  const started = draft.state.queue.slice(0, Math.max(0, free))
  if (started.length === 0) return
  const calls = Object.fromEntries(started.map((call) => [draft.ask(call).id, call]))
  draft.set({ calls: { ...draft.state.calls, ...calls }, queue: draft.state.queue.slice(started.length) })
}

/** Takes the answer of a call about a single lease. */
export function takeCall(draft: CoordinatorDraft, event: MachineAnswer<CoordinatorEffectType>): void {
  const { calls, kept, tenures, phase } = draft.state
  const call = calls[event.id]
  draft.set({ calls: Object.fromEntries(Object.entries(calls).filter(([id]) => id !== String(event.id))) })
  const renews = draft.state.options.leaseMode === 'kcl'
  // What was acquired while the heartbeat stood still is acquired again when it goes on.
  if (event.type === 'leaseAcquired' && (renews || isAlive(draft))) {
    const { lease, token, nowMs } = event
    const { leaseKey, parentShardIds } = lease
    draft.set({ kept: [...kept, leaseKey], tenures: { ...tenures, [leaseKey]: { token, acquiredMs: nowMs } } })
    draft.effects.push({ type: 'keepLease', leaseKey, token, shardId: leaseKey, parentShardIds, acquiredMs: nowMs, renews })
    if (phase === 'stopping') draft.effects.push({ type: 'stopKeeping', leaseKey, force: draft.state.force })
  }
  if (event.type === 'effectFailed' && permanent.has(event.error.name)) fail(draft, event.error)
  if (draft.state.phase === 'syncing') takeCreated(draft, call, event)
  startCalls(draft)
}

/** During the sync, a lease that could not be created is listed and created again later; with all of them there, the leases are listed anew. */
function takeCreated(draft: CoordinatorDraft, call: LeaseCall | undefined, event: MachineAnswer<CoordinatorEffectType>): void {
  const failed = event.type === 'throttled' || event.type === 'effectFailed'
  if (failed && call !== undefined && draft.state.awaited === null) {
    const error = event.type === 'effectFailed' ? event.error : { name: 'ThrottlingException', message: 'createLease was throttled' }
    draft.set({ synced: false, queue: [] })
    retry(draft, 'listLeases', error)
    return
  }
  if (Object.keys(draft.state.calls).length === 0 && draft.state.awaited === null) draft.await({ type: 'listLeases' })
}
