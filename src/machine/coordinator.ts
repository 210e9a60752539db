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
import type {
  EffectOf,
  ErrorFacts,
  InitialPosition,
  Lease,
  MachineAnswer,
  NewLease,
  Outcome,
  PureMachine,
  ReportingWorker,
  Shard,
} from '@shardwise/effects'
import { backoffMs } from './backoff.ts'
import { foreignLease } from './foreignLease.ts'
import { garbageSuspects, type LeaseObservations, leasesToDelete, observeLeases, planLeases } from './leasePlan.ts'
import { coversHashKeys, holeInLeases, leasesForEmptyTable, missingLeases, unexpectedChildShards } from './shardSync.ts'

/** The effects of a coordinator. */
type CoordinatorEffectType =
  | 'ensureTable'
  | 'listLeases'
  | 'createLease'
  | 'acquireLease'
  | 'requestHandoff'
  | 'deleteLease'
  | 'listShards'
  | 'startTimer'
  | 'keepLease'
  | 'stopKeeping'
  | 'cancel'
/** An effect of a coordinator. */
export type CoordinatorEffect = EffectOf<CoordinatorEffectType>

/** What a coordinator hears: from its owner, of the leases it kept, and the answers to its effects. */
export type CoordinatorEvent =
  | { readonly type: 'stop'; readonly force: boolean }
  /** A kept lease was given up; `outcome` is how its shard consumer ended, `workerIdShared` whether another process took it under the id of this worker. */
  | { readonly type: 'leaseGone'; readonly leaseKey: string; readonly outcome: Outcome | null; readonly workerIdShared?: boolean }
  | MachineAnswer<CoordinatorEffectType>

/** How a coordinator behaves: plain JSON, times in milliseconds. Names are the KCL's where it has them. */
export interface CoordinatorOptions {
  readonly workerId: string
  readonly initialPosition: InitialPosition
  /** A lease whose counter stands still for longer is free for others. */
  readonly failoverTimeMillis: number
  /** The wait between two listings of the leases. */
  readonly leaseScanIntervalMillis: number
  readonly maxLeasesForWorker: number
  /** How many leases are taken at once from a worker that has more than its share; 0 for none. */
  readonly maxLeasesToStealAtOneTime: number
  /** Whether the owner of a lease that is stolen is asked to hand it over; otherwise it is taken. KCL 2 workers do not hand over. */
  readonly isGracefulLeaseHandoffEnabled: boolean
  /** How long the owner of a lease may take to hand it over, and a record processor to come to its end. */
  readonly gracefulLeaseHandoffTimeoutMillis: number
  /** Whether the leases of finished shards are deleted. */
  readonly cleanupLeasesOfCompletedShards: boolean
  /** How long a finished lease stands before it is deleted. */
  readonly completedLeaseCleanupIntervalMillis: number
  /** Whether a table that has leases is taken to cover the stream without a look at the stream. */
  readonly skipShardSyncAtWorkerInitializationIfLeasesExist: boolean
  /** Whether children of shards that are still open are left out of a shard sync, rather than failing it. */
  readonly ignoreUnexpectedChildShards: boolean
  /** How long a finished lease stands before its shard is looked for, and the wait between two such looks: a shard that is gone takes its lease with it. */
  readonly garbageLeaseCleanupIntervalMillis: number
  /** The wait between two audits, which look for hash keys that no unfinished lease covers. */
  readonly leasesRecoveryAuditorExecutionFrequencyMillis: number
  /** How many audits in a row must find the same hole before leases are created for it. */
  readonly leasesRecoveryAuditorInconsistencyConfidenceThreshold: number
  /** How often the start is tried when the table or the stream cannot be reached. */
  readonly maxInitializationAttempts: number
  readonly seed: number
}

type Ask<E> = E extends unknown ? Omit<E, 'id'> : never
type Phase = 'starting' | 'syncing' | 'running' | 'stopping' | 'stopped'
type LeaseCall = Ask<EffectOf<'createLease' | 'acquireLease' | 'requestHandoff' | 'deleteLease'>>

/** What the audits have found. Times are monotonic milliseconds. */
interface Audit {
  readonly dueMs: number
  /** The hole that was found last, and how often in a row. */
  readonly hole: string | null
  readonly seen: number
  /** When finished leases are to be looked for next whose shards are gone. */
  readonly garbageDueMs: number
  /** What the shards are listed for: whether to fill a hole, and which finished leases to delete if their shards are gone. */
  readonly fills: boolean
  readonly suspects: readonly string[]
}

/** The memory of a coordinator: plain JSON. */
export interface CoordinatorState {
  readonly options: CoordinatorOptions
  readonly phase: Phase
  readonly nextId: number
  /** The one call or timer that leads on to the next: to the table, the leases, the shards, or the next listing. */
  readonly awaited: EffectOf<'ensureTable' | 'listLeases' | 'listShards' | 'startTimer'> | null
  /** What the timer leads to. */
  readonly next: 'ensureTable' | 'listLeases' | 'listShards'
  readonly attempts: number
  /** How often the table was not ready. */
  readonly tablePolls: number
  /** Calls about single leases that are out, by id, and those that wait for a place among them. */
  readonly calls: Readonly<Record<string, LeaseCall>>
  readonly queue: readonly LeaseCall[]
  readonly leases: readonly Lease[]
  readonly observations: LeaseObservations
  readonly kept: readonly string[]
  /** Leases whose consumer ended by policy; this worker does not take them again. */
  readonly unwanted: readonly string[]
  /** Leases that were lost or given away, the longest ago first; this worker takes others first. */
  readonly lost: readonly string[]
  /** Whether the shards were synchronised since the start. */
  readonly synced: boolean
  /** Whether a lease was lost since the stream was last seen: it may be gone, or be another one of the same name. */
  readonly streamInDoubt: boolean
  readonly audit: Audit
  /** Whether a shard finished while the leases were being listed: the listing may be older than its children. */
  readonly listAgain: boolean
  /** Whether the stop is a forced one. */
  readonly force: boolean
  readonly failure: ErrorFacts | null
}

/** More calls about single leases are not out at once. */
const maxCalls = 20
/** The longest wait between two listings while a lease is being handed over to this worker. */
const handoffScanIntervalMs = 1_000
/** A leader of the KCL 3 takes a worker for dead that has not reported for two of its periods, 30 s each. */
const reportLivesMs = 60_000
const tablePollMs = 1_000
const maxTablePolls = 600
const retryBaseMs = 500
const retryCapMs = 10_000

/** Failures of the AWS clients and adapters that no repetition mends. */
const permanent: ReadonlySet<string> = new Set([
  'AccessDeniedException',
  'CredentialsProviderError',
  'ExpiredTokenException',
  'IncompleteSignature',
  'InvalidClientTokenId',
  'InvalidLease',
  'InvalidSignatureException',
  'MissingAuthenticationTokenException',
  'NotALeaseTable',
  'OptInRequired',
  'ResourceNotFoundException',
  'UnrecognizedClientException',
  'ValidationException',
])

type Stepped = readonly [CoordinatorState, readonly CoordinatorEffect[]]

/** Puts together a step: changes to the state, and effects in order. */
class Draft {
  state: CoordinatorState
  readonly effects: CoordinatorEffect[] = []

  constructor(state: CoordinatorState) {
    this.state = state
  }

  set(changes: Partial<CoordinatorState>): void {
    this.state = { ...this.state, ...changes }
  }

  ask<const A extends Ask<CoordinatorEffect>>(ask: A): A & { id: number } {
    const effect = { ...ask, id: this.state.nextId }
    this.set({ nextId: effect.id + 1 })
    this.effects.push(effect)
    return effect
  }

  await(ask: Ask<NonNullable<CoordinatorState['awaited']>>): void {
    this.set({ awaited: this.ask(ask) })
  }

  after(delayMs: number, next: CoordinatorState['next']): void {
    this.set({ next })
    this.await({ type: 'startTimer', delayMs })
  }
}

/** Starts a coordinator. */
export function startCoordinator(options: CoordinatorOptions): Stepped {
  const draft = new Draft({
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
  return [draft.state, draft.effects]
}

/** Takes an event. Answers that are not awaited change nothing. */
function stepCoordinator(state: CoordinatorState, event: CoordinatorEvent): Stepped {
  if (state.phase === 'stopped') return [state, []]
  const draft = new Draft(state)
  if (event.type === 'stop') stop(draft, event.force)
  else if (event.type === 'leaseGone') leaseGone(draft, event)
  else if (event.id === state.awaited?.id) takeAwaited(draft, event)
  else if (Object.hasOwn(state.calls, event.id)) takeCall(draft, event)
  if (draft.state.phase === 'stopping' && draft.state.kept.length === 0 && Object.keys(draft.state.calls).length === 0) {
    draft.set({ phase: 'stopped' })
  }
  return [draft.state, draft.effects]
}

function stop(draft: Draft, forced: boolean): void {
  const { awaited, kept } = draft.state
  const force = forced || draft.state.force
  if (awaited !== null) draft.effects.push({ type: 'cancel', id: awaited.id })
  draft.set({ phase: 'stopping', awaited: null, queue: [], force })
  for (const leaseKey of kept) draft.effects.push({ type: 'stopKeeping', leaseKey, force })
}

/** Ends everything: the failure is what the owner hears. */
function fail(draft: Draft, failure: ErrorFacts): void {
  draft.set({ failure: draft.state.failure ?? failure })
  stop(draft, false)
}

function leaseGone(draft: Draft, { leaseKey, outcome, workerIdShared = false }: Extract<CoordinatorEvent, { type: 'leaseGone' }>): void {
  const { kept, unwanted, lost, phase } = draft.state
  draft.set({ kept: kept.filter((key) => key !== leaseKey) })
  if ((outcome === 'stopped' || outcome === 'failed') && !unwanted.includes(leaseKey)) draft.set({ unwanted: [...unwanted, leaseKey] })
  if (outcome === 'leaseLost') draft.set({ lost: [...lost.filter((key) => key !== leaseKey), leaseKey], streamInDoubt: true })
  if (outcome === 'finished' && phase === 'running') listSoon(draft)
  if (workerIdShared && phase === 'running') {
    const message = `workerId: expected an id of its own for each worker, got ${JSON.stringify(draft.state.options.workerId)}, which another process uses, too`
    fail(draft, { name: 'WorkerIdShared', message })
  }
}

/** Lists the leases at once, or once more after the listing that is out. A backoff goes on. */
function listSoon(draft: Draft): void {
  const { awaited, attempts } = draft.state
  if (awaited?.type === 'listLeases') draft.set({ listAgain: true })
  else if (awaited !== null && attempts === 0) {
    draft.effects.push({ type: 'cancel', id: awaited.id })
    draft.await({ type: 'listLeases' })
  }
}

function takeAwaited(draft: Draft, event: MachineAnswer<CoordinatorEffectType>): void {
  const { awaited, next, tablePolls } = draft.state
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
    case 'leasesListed': {
      const live = (event.reportingWorkers ?? []).filter(({ reportedMsAgo }) => reportedMsAgo < reportLivesMs)
      if (live.length > 0) failLed(draft, live)
      else takeLeases(draft, event.leases, event.nowMs)
      return
    }
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
      const error = event.type === 'effectFailed' ? event.error : { name: 'ThrottlingException', message: `${awaited?.type} was throttled` }
      if (permanent.has(error.name)) fail(draft, error)
      else if (awaited?.type === 'listShards' && draft.state.phase === 'running') run(draft, draft.state.leases)
      else if (awaited !== null) retry(draft, awaited.type === 'startTimer' ? next : awaited.type, error)
      return
    }
    default:
      throw new Error(`answer: ${event.type} does not answer ${String(awaited?.type)}`)
  }
}

function retry(draft: Draft, next: CoordinatorState['next'], error: ErrorFacts, isBounded = draft.state.phase !== 'running'): void {
  const { attempts, options } = draft.state
  draft.set({ attempts: attempts + 1 })
  if (isBounded && attempts + 1 >= options.maxInitializationAttempts) fail(draft, error)
  else draft.after(backoffMs(attempts + 1, options.seed, retryBaseMs, retryCapMs), next)
}

function listShards(draft: Draft): void {
  const { leases, options } = draft.state
  draft.await({ type: 'listShards', from: leases.length === 0 ? options.initialPosition : 'ALL' })
}

function takeShards(draft: Draft, shards: readonly Shard[]): void {
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

/** The leases to create for the shards that were listed; an error when the listing cannot be right. */
function leasesFor(
  { leases, options }: CoordinatorState,
  shards: readonly Shard[],
): { readonly leases: readonly NewLease[] } | { readonly error: ErrorFacts } {
  const { initialPosition, ignoreUnexpectedChildShards } = options
  if (leases.length === 0) {
    if (coversHashKeys(shards.map(({ hashKeyRange }) => hashKeyRange))) return { leases: leasesForEmptyTable(shards, initialPosition) }
    return { error: { name: 'IncompleteShardList', message: `the ${shards.length} shards listed do not cover all hash keys` } }
  }
  if (holeInLeases(leases) === null) return { leases: [] }
  const unexpected = unexpectedChildShards(shards)
  if (unexpected.length > 0 && !ignoreUnexpectedChildShards) {
    return {
      error: { name: 'InconsistentShardList', message: `${unexpected.join(', ')}: listed as children of shards that are still open` },
    }
  }
  return {
    leases: missingLeases(
      shards,
      leases.map(({ leaseKey }) => leaseKey),
      initialPosition,
    ),
  }
}

function sync(draft: Draft, created: readonly NewLease[]): void {
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
function failLed(draft: Draft, workers: readonly ReportingWorker[]): void {
  const named = workers.slice(0, 3).map(({ workerId }) => workerId)
  const message = `tableName: expected a table whose workers take leases themselves, got one with live workers of the KCL 3, whose leader assigns them: ${named.join(', ')}`
  fail(draft, { name: 'LeasesAssignedByLeader', message })
}

function takeLeases(draft: Draft, leases: readonly Lease[], nowMs: number): void {
  const { observations, options, phase, synced, streamInDoubt } = draft.state
  draft.set({ leases, observations: observeLeases(observations, leases, nowMs) })
  const trusted = leases.length > 0 && options.skipShardSyncAtWorkerInitializationIfLeasesExist
  const isAudited = phase === 'running' && audit(draft, nowMs)
  if (phase === 'running' ? streamInDoubt || isAudited : !synced && !trusted) {
    listShards(draft)
    return
  }
  run(draft, leases, nowMs)
}

function run(draft: Draft, leases: readonly Lease[], nowMs?: number): void {
  const { options, observations, kept, unwanted, lost, nextId } = draft.state
  const { workerId, failoverTimeMillis, gracefulLeaseHandoffTimeoutMillis, maxLeasesForWorker, maxLeasesToStealAtOneTime } = options
  draft.set({ phase: 'running', attempts: 0 })
  const now = nowMs ?? Math.max(0, ...Object.values(observations).map(({ sinceMs }) => sinceMs))
  const calls = [...Object.values(draft.state.calls), ...draft.state.queue]
  const keysOf = (type: LeaseCall['type']): string[] =>
    calls.flatMap((call) => (call.type === type && 'leaseKey' in call ? [call.leaseKey] : []))
  const { take, steal } = planLeases({
    workerId,
    leases,
    observations,
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
  const deleting = keysOf('deleteLease')
  const deleted = options.cleanupLeasesOfCompletedShards
    ? leasesToDelete(leases, observations, now, options.completedLeaseCleanupIntervalMillis).filter((key) => !deleting.includes(key))
    : []
  const asked = options.isGracefulLeaseHandoffEnabled ? steal : []
  const taken = options.isGracefulLeaseHandoffEnabled ? take : [...take, ...steal]
  enqueue(draft, [
    ...taken.map(({ leaseKey, leaseCounter }) => ({ type: 'acquireLease', leaseKey, leaseCounter, workerId }) as const),
    ...asked.map(({ leaseKey, leaseOwner }) => ({ type: 'requestHandoff', leaseKey, leaseOwner: leaseOwner ?? '', workerId }) as const),
    ...deleted.map((leaseKey) => ({ type: 'deleteLease', leaseKey }) as const),
  ])
  if (draft.state.listAgain) {
    draft.set({ listAgain: false })
    draft.await({ type: 'listLeases' })
    return
  }
  // A lease on its way stands still until it is taken.
  const isComing = ({ leaseKey, leaseOwner, checkpointOwner }: Lease): boolean =>
    leaseOwner === workerId && checkpointOwner !== null && !kept.includes(leaseKey)
  const delayMs = asked.length > 0 || leases.some(isComing) ? handoffScanIntervalMs : Number.POSITIVE_INFINITY
  draft.after(Math.min(delayMs, options.leaseScanIntervalMillis), 'listLeases')
}

/** Looks the leases over; answers whether the shards are to be listed for what was found. */
function audit(draft: Draft, nowMs: number): boolean {
  const { leases, observations, options } = draft.state
  let { dueMs, hole, seen, garbageDueMs } = draft.state.audit
  let fills = false
  let suspects: readonly string[] = []
  if (nowMs >= dueMs) {
    const found = holeInLeases(leases)
    seen = found === null ? 0 : found === hole ? seen + 1 : 1
    hole = found
    dueMs = nowMs + options.leasesRecoveryAuditorExecutionFrequencyMillis
    fills = seen >= options.leasesRecoveryAuditorInconsistencyConfidenceThreshold
    if (fills) seen = 0
  }
  if (nowMs >= garbageDueMs) {
    garbageDueMs = nowMs + options.garbageLeaseCleanupIntervalMillis
    suspects = garbageSuspects(leases, observations, nowMs, options.garbageLeaseCleanupIntervalMillis)
  }
  draft.set({ audit: { dueMs, hole, seen, garbageDueMs, fills, suspects } })
  return fills || suspects.length > 0
}

/** Creates the leases that an audit found missing, and deletes finished ones whose shards are gone. */
function repair(draft: Draft, shards: readonly Shard[]): void {
  const { fills, suspects } = draft.state.audit
  const missing = leasesFor(draft.state, shards)
  const listed = new Set(shards.map(({ shardId }) => shardId))
  // Where the list cannot be right, the next audits try again.
  const gone = suspects.filter((leaseKey) => !listed.has(leaseKey))
  enqueue(draft, [
    ...(fills && !('error' in missing) ? missing.leases.map((lease) => ({ type: 'createLease', lease }) as const) : []),
    ...gone.map((leaseKey) => ({ type: 'deleteLease', leaseKey }) as const),
  ])
}

function enqueue(draft: Draft, calls: readonly LeaseCall[]): void {
  draft.set({ queue: [...draft.state.queue, ...calls] })
  startCalls(draft)
}

function startCalls(draft: Draft): void {
  const free = maxCalls - Object.keys(draft.state.calls).length
  const started = draft.state.queue.slice(0, Math.max(0, free))
  if (started.length === 0) return
  const calls = Object.fromEntries(started.map((call) => [draft.ask(call).id, call]))
  draft.set({ calls: { ...draft.state.calls, ...calls }, queue: draft.state.queue.slice(started.length) })
}

function takeCall(draft: Draft, event: MachineAnswer<CoordinatorEffectType>): void {
  const { calls, kept, phase } = draft.state
  const call = calls[event.id]
  draft.set({ calls: Object.fromEntries(Object.entries(calls).filter(([id]) => id !== String(event.id))) })
  if (event.type === 'leaseAcquired') {
    const { lease, token, nowMs } = event
    const { leaseKey, parentShardIds } = lease
    draft.set({ kept: [...kept, leaseKey] })
    draft.effects.push({ type: 'keepLease', leaseKey, token, shardId: leaseKey, parentShardIds, acquiredMs: nowMs })
    if (phase === 'stopping') draft.effects.push({ type: 'stopKeeping', leaseKey, force: draft.state.force })
  }
  if (event.type === 'effectFailed' && permanent.has(event.error.name)) fail(draft, event.error)
  if (draft.state.phase === 'syncing') takeCreated(draft, call, event)
  startCalls(draft)
}

/** During the sync, a lease that could not be created is listed and created again later; with all of them there, the leases are listed anew. */
function takeCreated(draft: Draft, call: LeaseCall | undefined, event: MachineAnswer<CoordinatorEffectType>): void {
  const failed = event.type === 'throttled' || event.type === 'effectFailed'
  if (failed && call !== undefined && draft.state.awaited === null) {
    const error = event.type === 'effectFailed' ? event.error : { name: 'ThrottlingException', message: 'createLease was throttled' }
    draft.set({ synced: false, queue: [] })
    retry(draft, 'listLeases', error)
    return
  }
  if (Object.keys(draft.state.calls).length === 0 && draft.state.awaited === null) draft.await({ type: 'listLeases' })
}

/** The coordinator, for `interpret`. */
export const coordinator: PureMachine<CoordinatorState, CoordinatorEvent, CoordinatorEffect> = {
  step: stepCoordinator,
  isDone: ({ phase }) => phase === 'stopped',
}
