/**
 * The lease coordinator of one worker: makes sure of the table, gives every shard a lease, and acquires what it can. Each lease it holds is then kept by a
 * lease keeper of its own. Pure, like the shard consumer.
 *
 * - Start: ensure the table, list the leases and the shards, so that a stream that is not there is found before its leases are touched; where the leases do
 *   not cover the stream, create what is missing and list again.
 * - Running: list, acquire and clean up, on a timer; at once when a shard has finished, for its children have leases by then. After a lost lease the stream is
 *   looked at again: where it is gone, or another one has its name, the coordinator ends. It is looked at, too, when an audit has found a hole that stays, or
 *   finished leases whose shards may be gone.
 * - Failures that no repetition mends end the coordinator; others are tried again with backoff, before the start only a bounded number of times.
 */
import type { Lease, MachineAnswer, NewLease, PureMachine, ReportingWorker, Shard } from '@shardwise/effects'
import { CoordinatorDraft, fail, failShared, listSoon, permanent, retry, stop } from './coordinatorDraft.ts'
import type { CoordinatorOptions } from './coordinatorOptions.ts'
import type { CoordinatorEffect, CoordinatorEffectType, CoordinatorEvent, CoordinatorState, LeaseCall } from './coordinatorState.ts'
import { foreignLease } from './foreignLease.ts'
import { endHeartbeat, isAlive, startHeartbeat, takeHeartbeat } from './heartbeat.ts'
import { reviewKept } from './keptReview.ts'
import { audit, repair } from './leaseAudit.ts'
import { enqueue, takeCall } from './leaseCalls.ts'
import { leasesToDelete, observeLeases, planLeases } from './leasePlan.ts'
import { leasesFor } from './newLeases.ts'
import { workersWithHeartbeats, workersWithoutHeartbeats } from './otherLeaseMode.ts'
import { observeWorkers } from './workerObservations.ts'

/** The longest wait between two listings while a lease is being handed over to this worker. */
const handoffScanIntervalMs = 1_000
/** A leader of the KCL 3 takes a worker for dead that has not reported for two of its periods, 30 s each. */
const reportLivesMs = 60_000
/** A heartbeat that stood still for so many times the failover time is that of a dead worker. */
const heartbeatStandsTimes = 3
const tablePollMs = 1_000
const maxTablePolls = 600

type Stepped = readonly [CoordinatorState, readonly CoordinatorEffect[]]

/** Starts a coordinator. */
export function startCoordinator(options: CoordinatorOptions): Stepped {
  const draft = new CoordinatorDraft({
    options,
    phase: 'starting',
    nextId: 1,
    awaited: null,
    next: 'ensureTable',
    attempts: 0,
    tablePolls: 0,
    calls: {},
    queue: [],
    leases: [],
    observations: {},
    kept: [],
    tenures: {},
    workers: {},
    heartbeat: null,
    heartbeatsInDoubt: false,
    unwanted: [],
    lost: [],
    synced: false,
    streamInDoubt: false,
    audit: { dueMs: 0, hole: null, seen: 0, garbageDueMs: 0, fills: false, suspects: [] },
    listAgain: false,
    force: false,
    failure: null,
  })
  draft.await({ type: 'ensureTable' })
  return draft.done()
}

/** Takes an event. Answers that are not awaited change nothing. */
function stepCoordinator(state: CoordinatorState, event: CoordinatorEvent): Stepped {
  if (state.phase === 'stopped') return [state, []]
  const draft = new CoordinatorDraft(state)
  if (event.type === 'stop') stop(draft, event.force)
  else if (event.type === 'leaseGone') leaseGone(draft, event)
  else if (state.awaited !== null && event.id === state.awaited.id) takeAwaited(draft, state.awaited, event)
  else if (Object.hasOwn(state.calls, event.id)) takeCall(draft, event)
  else takeHeartbeat(draft, event)
  if (draft.state.phase === 'stopping' && draft.state.kept.length === 0 && Object.keys(draft.state.calls).length === 0) {
    endHeartbeat(draft)
    if (draft.state.heartbeat === null) draft.set({ phase: 'stopped' })
  }
  return draft.done()
}

function leaseGone(
  draft: CoordinatorDraft,
  { leaseKey, outcome, workerIdShared = false }: Extract<CoordinatorEvent, { type: 'leaseGone' }>,
): void {
  const { kept, tenures, unwanted, lost, phase } = draft.state
  const { [leaseKey]: _ended, ...others } = tenures
  draft.set({ kept: kept.filter((key) => key !== leaseKey), tenures: others })
  if ((outcome === 'stopped' || outcome === 'failed') && !unwanted.includes(leaseKey)) draft.set({ unwanted: [...unwanted, leaseKey] })
  if (outcome === 'leaseLost') draft.set({ lost: [...lost.filter((key) => key !== leaseKey), leaseKey], streamInDoubt: true })
  if (outcome === 'finished' && phase === 'running') listSoon(draft)
  if (workerIdShared && phase === 'running') failShared(draft)
}

function takeAwaited(
  draft: CoordinatorDraft,
  awaited: NonNullable<CoordinatorState['awaited']>,
  event: MachineAnswer<CoordinatorEffectType>,
): void {
  const { next, tablePolls } = draft.state
  draft.set({ awaited: null })
  switch (event.type) {
    case 'timerFired':
      if (next === 'listShards') listShards(draft)
      else draft.await({ type: next })
      return
    case 'tableReady':
      draft.set({ attempts: 0 })
      draft.await({ type: 'listLeases' })
      return
    case 'tablePending':
      draft.set({ tablePolls: tablePolls + 1 })
      if (tablePolls < maxTablePolls) draft.after(tablePollMs, 'ensureTable')
      else fail(draft, { name: 'TableNotReady', message: `the lease table is not ready after ${(maxTablePolls * tablePollMs) / 1_000} s` })
      return
    case 'tableRefused':
      fail(draft, event.error)
      return
    case 'leasesListed':
      takeListing(draft, event)
      return
    case 'shardsListed':
      takeShards(draft, event.shards)
      return
    case 'streamNotFound':
      fail(draft, { name: 'StreamNotFound', message: 'streamName: there is no such stream in this region and account' })
      return
    case 'streamNotActive':
      if (draft.state.phase === 'running') run(draft, draft.state.leases)
      else retry(draft, 'listShards', { name: 'StreamNotActive', message: 'the stream is not active' })
      return
    case 'throttled':
    case 'effectFailed': {
      const error = event.type === 'effectFailed' ? event.error : { name: 'ThrottlingException', message: `${awaited.type} was throttled` }
      if (permanent.has(error.name)) fail(draft, error)
      else if (awaited.type === 'listShards' && draft.state.phase === 'running') run(draft, draft.state.leases)
      // Without timers there is no backoff.
      else if (awaited.type === 'startTimer') retry(draft, next, error, true)
      else retry(draft, awaited.type, error)
      return
    }
    default:
      throw new Error(`answer: ${event.type} does not answer ${awaited.type}`)
  }
}

function listShards(draft: CoordinatorDraft): void {
  const { leases, options } = draft.state
  draft.await({ type: 'listShards', from: leases.length === 0 ? options.initialPosition : 'ALL' })
}

function takeShards(draft: CoordinatorDraft, shards: readonly Shard[]): void {
  const { leases, phase } = draft.state
  const foreign = foreignLease(leases, shards)
  if (foreign !== null) {
    const message = `tableName: expected the leases of this stream, got those of another, or of an earlier one of its name: ${foreign}`
    retry(draft, 'listShards', { name: 'LeasesOfAnotherStream', message }, true)
    return
  }
  draft.set({ streamInDoubt: false })
  if (phase === 'running') {
    repair(draft, shards)
    run(draft, leases)
    return
  }
  const created = leasesFor(draft.state, shards)
  if ('error' in created) retry(draft, 'listShards', created.error)
  else sync(draft, created.leases)
}

function sync(draft: CoordinatorDraft, created: readonly NewLease[]): void {
  draft.set({ phase: 'syncing', synced: true })
  if (created.length === 0) {
    run(draft, draft.state.leases)
    return
  }
  enqueue(
    draft,
    created.map((lease) => ({ type: 'createLease', lease })),
  )
}

/** A leader of the KCL 3 assigns leases to workers that report: it would give away what this worker takes, and this one take what it gives. */
function failLed(draft: CoordinatorDraft, workers: readonly ReportingWorker[]): void {
  const named = workers.slice(0, 3).map(({ workerId }) => workerId)
  const message = `tableName: expected a table whose workers take leases themselves, got one with live workers of the KCL 3, whose leader assigns them: ${named.join(', ')}`
  fail(draft, { name: 'LeasesAssignedByLeader', message })
}

function takeListing(draft: CoordinatorDraft, listing: Extract<CoordinatorEvent, { type: 'leasesListed' }>): void {
  const { leases, nowMs, reportingWorkers, heartbeats = [] } = listing
  const { workers: workersBefore, observations, options, phase } = draft.state
  const { workerId, leaseMode, failoverTimeMillis, leaseScanIntervalMillis } = options
  const led = reportingWorkers?.filter(({ reportedMsAgo }) => reportedMsAgo < reportLivesMs)
  if (led !== undefined && led.length > 0) {
    failLed(draft, led)
    return
  }
  const beats = leaseMode === 'workerHeartbeat'
  const workers = observeWorkers(workersBefore, heartbeats, beats ? leases : [], nowMs)
  const pair = { workerId, workersBefore, workers, observations, leases }
  const others = beats ? workersWithoutHeartbeats(pair) : workersWithHeartbeats(pair)
  const heartbeatsInDoubt = Object.entries(workers).some(
    ([id, { counter, sinceMs }]) => (!beats || (counter === null && id !== workerId)) && nowMs - sinceMs <= failoverTimeMillis,
  )
  draft.set({ workers, heartbeatsInDoubt })
  if (others.length > 0) failMixed(draft, others)
  else if (phase === 'running' || !heartbeatsInDoubt) takeLeases(draft, leases, nowMs)
  else {
    // Who comes last waits until it knows whether those it sees live, and has written nothing by then.
    draft.set({ leases, observations: observeLeases(observations, leases, nowMs) })
    draft.after(Math.min(leaseScanIntervalMillis, Math.ceil(failoverTimeMillis / 2)), 'listLeases')
  }
}

/** To a worker that goes by other signs of life every lease of the others looks free. */
function failMixed(draft: CoordinatorDraft, workerIds: readonly string[]): void {
  const { leaseMode } = draft.state.options
  const expected = leaseMode === 'kcl' ? 'workerHeartbeat' : 'kcl'
  const message = `leaseMode: expected "${expected}", as of the workers that live in this table, got "${leaseMode}" beside ${workerIds.slice(0, 3).join(', ')}`
  fail(draft, { name: 'LeaseModesMixed', message })
}

function takeLeases(draft: CoordinatorDraft, leases: readonly Lease[], nowMs: number): void {
  const { observations, options, phase, synced, streamInDoubt } = draft.state
  draft.set({ leases, observations: observeLeases(observations, leases, nowMs) })
  const trusted = leases.length > 0 && options.skipShardSyncAtWorkerInitializationIfLeasesExist
  if (options.leaseMode === 'workerHeartbeat') reviewKept(draft, leases, nowMs)
  const isAudited = phase === 'running' && audit(draft, nowMs)
  if (phase === 'running' ? streamInDoubt || isAudited : !synced && !trusted) {
    listShards(draft)
    return
  }
  run(draft, leases, nowMs)
}

function run(draft: CoordinatorDraft, leases: readonly Lease[], nowMs?: number): void {
  const { options, observations, workers, kept, unwanted, lost, nextId } = draft.state
  const { workerId, failoverTimeMillis, gracefulLeaseHandoffTimeoutMillis, maxLeasesForWorker, maxLeasesToStealAtOneTime } = options
  draft.set({ phase: 'running', attempts: 0 })
  const now = nowMs ?? Math.max(0, ...Object.values(observations).map(({ sinceMs }) => sinceMs))
  const calls = [...Object.values(draft.state.calls), ...draft.state.queue]
  const keysOf = (type: LeaseCall['type']): string[] =>
    calls.flatMap((call) => (call.type === type && 'leaseKey' in call ? [call.leaseKey] : []))
  const beats = options.leaseMode === 'workerHeartbeat'
  if (beats && draft.state.heartbeat === null) startHeartbeat(draft, workers[workerId]?.counter ?? null, now)
  const mayTake = beats ? isAlive(draft) : !draft.state.heartbeatsInDoubt
  const plan = planLeases({
    workerId,
    leases,
    observations,
    workers: beats ? workers : null,
    mine: new Set([...kept, ...keysOf('acquireLease'), ...keysOf('requestHandoff')]),
    unwanted: new Set(unwanted),
    nowMs: now,
    failoverTimeMillis,
    gracefulLeaseHandoffTimeoutMillis,
    maxLeasesForWorker,
    maxLeasesToStealAtOneTime,
    lost,
    // A lease that could not be stolen is not the first choice again.
    seed: options.seed ^ nextId,
  })
  const { take, steal } = mayTake ? plan : { take: [], steal: [] }
  const deleting = keysOf('deleteLease')
  const deleted = options.cleanupLeasesOfCompletedShards
    ? leasesToDelete(leases, observations, now, options.completedLeaseCleanupIntervalMillis).filter((key) => !deleting.includes(key))
    : []
  const asked = options.isGracefulLeaseHandoffEnabled ? steal : []
  const taken = options.isGracefulLeaseHandoffEnabled ? take : [...take, ...steal]
  enqueue(draft, [
    ...taken.map(
      ({ leaseKey, leaseCounter, leaseOwner }) => ({ type: 'acquireLease', leaseKey, leaseCounter, leaseOwner, workerId }) as const,
    ),
    ...asked.map(({ leaseKey, leaseOwner }) => ({ type: 'requestHandoff', leaseKey, leaseOwner, workerId }) as const),
    ...deleted.map((leaseKey) => ({ type: 'deleteLease', leaseKey }) as const),
    ...deadHeartbeats(draft, now),
  ])
  if (draft.state.listAgain) {
    draft.set({ listAgain: false })
    draft.await({ type: 'listLeases' })
    return
  }
  // A lease on its way stands still until it is taken.
  const isComing = ({ leaseKey, leaseOwner, checkpointOwner }: Lease): boolean =>
    leaseOwner === workerId && checkpointOwner !== null && !kept.includes(leaseKey)
  // A worker that has just given leases up may give up more, each when its record processor has come to its end.
  const isGivenUp = ({ leaseKey, leaseOwner }: Lease): boolean => leaseOwner === null && observations[leaseKey]?.sinceMs === now
  const areComing = asked.length > 0 || leases.some(isComing) || taken.some(isGivenUp)
  const delayMs = areComing ? handoffScanIntervalMs : Number.POSITIVE_INFINITY
  draft.after(Math.min(delayMs, options.leaseScanIntervalMillis), 'listLeases')
}

/** The heartbeats of workers that died a while ago and own nothing any more. */
function deadHeartbeats(draft: CoordinatorDraft, nowMs: number): readonly LeaseCall[] {
  const { workers, leases, options, calls, queue } = draft.state
  const owners = new Set(leases.flatMap(({ leaseOwner, checkpointOwner }) => [leaseOwner, checkpointOwner]))
  const asked = [...Object.values(calls), ...queue]
  const isAsked = (workerId: string): boolean => asked.some((call) => call.type === 'deleteHeartbeat' && call.workerId === workerId)
  return Object.entries(workers).flatMap(([workerId, { counter, sinceMs }]) => {
    const isDead = nowMs - sinceMs > heartbeatStandsTimes * options.failoverTimeMillis
    if (counter === null || !isDead || workerId === draft.state.options.workerId || owners.has(workerId) || isAsked(workerId)) return []
    return [{ type: 'deleteHeartbeat', workerId, counter } as const]
  })
}

/** The coordinator, for `interpret`. */
export const coordinator: PureMachine<CoordinatorState, CoordinatorEvent, CoordinatorEffect> = {
  step: stepCoordinator,
  isDone: ({ phase }) => phase === 'stopped',
}
