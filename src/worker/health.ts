import { type ConsumerState, consumerState, type ShardConsumerSnapshot } from '@shardwise/machine'
import type { Observation, Observer } from '@shardwise/machine/host'

/** An effect that was asked for and is not answered. */
export interface PendingEffect {
  readonly effect: string
  readonly id: number
  /** How long it has been out, in ms. */
  readonly forMs: number
}

/** How one shard fares on this worker. Times are milliseconds. */
export interface ShardHealth {
  readonly shardId: string
  readonly leaseKey: string
  /** The worker that holds the lease: this one. */
  readonly owner: string
  /** The KCL's state. */
  readonly state: ConsumerState
  /** The state with its sub-state, such as `PROCESSING.reading`. */
  readonly place: string
  /** Since a batch was completed, a read found that there is nothing, a checkpoint was stored, or a parent was seen to be still at work; the time of pauses does not count. */
  readonly sinceProgressMs: number
  /** What the shard waits for; null between two steps, and where only an event from outside leads on. */
  readonly pending: PendingEffect | null
  /** Milliseconds behind the tip at the last read; null when nothing was read, or Kinesis did not say. */
  readonly millisBehindLatest: number | null
  /** Failures in a row of what the shard does now. */
  readonly attempts: number
  /** Since the lease was last renewed, or the heartbeat of the worker that stands for it was last written. */
  readonly sinceRenewalMs: number | null
  /** Whether it made no progress for longer than `stuckAfterMillis`. */
  readonly isStuck: boolean
  /** Whether it is paused; then it is not stuck. */
  readonly isPaused: boolean
}

/** How a worker fares. */
export interface WorkerHealth {
  readonly workerId: string
  /** The coordinator's phase: starting, syncing, running, stopping or stopped. */
  readonly phase: string
  /** What the coordinator waits for. */
  readonly pending: PendingEffect | null
  /** Whether the lease table and the stream were found, and leases are being taken: for a readiness probe. */
  readonly isReady: boolean
  /** Whether it has not failed, and neither a shard nor the coordinator is stuck: for a liveness probe. */
  readonly isLive: boolean
  /** By shard id. */
  readonly shards: readonly ShardHealth[]
}

/** Gathers from the observations of a worker how it fares. */
export interface HealthRecord {
  readonly observe: Observer
  health(): WorkerHealth
}

/** What the record of a worker's health goes by. */
export interface HealthOptions {
  readonly workerId: string
  /** A shard that makes no progress for longer is stuck. */
  readonly stuckAfterMillis: number
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
}

interface Awaited {
  readonly type: string
  readonly id: number
}

/** What is awaited, and since when. */
class Wait {
  #awaited: Awaited | null = null
  #sinceMs = 0

  note(awaited: Awaited | null, nowMs: number): void {
    if (awaited?.id !== this.#awaited?.id) this.#sinceMs = nowMs
    this.#awaited = awaited
  }

  at(nowMs: number): PendingEffect | null {
    return this.#awaited === null ? null : { effect: this.#awaited.type, id: this.#awaited.id, forMs: nowMs - this.#sinceMs }
  }
}

interface ShardRecord {
  snapshot: ShardConsumerSnapshot
  readonly wait: Wait
  progressMs: number
  /** Since when it is paused. */
  pausedMs: number | null
  millisBehindLatest: number | null
}

/** Begins with nothing. */
export function recordHealth({ workerId, stuckAfterMillis, nowMs }: HealthOptions): HealthRecord {
  /** By lease key, for as long as the lease is kept: a processor that is made anew again and again makes no progress. */
  const shards = new Map<string, ShardRecord>()
  const renewals = new Map<string, number>()
  let heartbeatMs: number | null = null
  const wait = new Wait()
  let phase = 'starting'
  let failed = false

  const observe: Observer = (observation) => {
    const now = nowMs()
    if (observation.machine === 'coordinator') {
      const { after } = observation.step
      phase = after.phase
      failed = after.failure !== null
      heartbeatMs = after.heartbeat?.writtenMs ?? null
      wait.note(after.awaited, now)
    } else if (observation.machine === 'leaseKeeper') {
      const { leaseKey, step } = observation
      if (step.after.input.renews) renewals.set(leaseKey, step.after.renewedMs)
      if (step.after.phase === 'gone') {
        renewals.delete(leaseKey)
        shards.delete(leaseKey)
      }
    } else observeShard(observation.step, now)
  }

  const observeShard = (step: Extract<Observation, { machine: 'shardConsumer' }>['step'], now: number): void => {
    const { before, after } = step
    const { leaseKey, task } = after.context
    let record = shards.get(leaseKey)
    if (record === undefined) {
      record = { snapshot: after, wait: new Wait(), progressMs: now, pausedMs: null, millisBehindLatest: null }
      shards.set(leaseKey, record)
    }
    if (before === after) return
    if (isProgress(step)) record.progressMs = now
    if (!isPaused(after)) {
      record.progressMs += pausedFor(record, now)
      record.pausedMs = null
    } else record.pausedMs ??= now
    if (step.event?.type === 'recordsRead') record.millisBehindLatest = step.event.batch.millisBehindLatest
    record.snapshot = after
    record.wait.note(task, now)
  }

  const shardHealth = (record: ShardRecord, now: number): ShardHealth => {
    const { snapshot, progressMs, millisBehindLatest } = record
    const { context, value } = snapshot
    const sinceProgressMs = now - progressMs - pausedFor(record, now)
    const renewedMs = renewals.get(context.leaseKey) ?? heartbeatMs
    return {
      shardId: context.shardId,
      leaseKey: context.leaseKey,
      owner: workerId,
      state: consumerState(value),
      place: placeOf(value),
      sinceProgressMs,
      pending: record.wait.at(now),
      millisBehindLatest,
      attempts: context.attempt,
      sinceRenewalMs: renewedMs === null ? null : now - renewedMs,
      isStuck: !isPaused(snapshot) && sinceProgressMs > stuckAfterMillis,
      isPaused: isPaused(snapshot),
    }
  }

  return {
    observe,
    health() {
      const now = nowMs()
      const all = [...shards.values()].map((record) => shardHealth(record, now)).sort((a, b) => (a.shardId < b.shardId ? -1 : 1))
      const pending = wait.at(now)
      // A call of the coordinator that is never answered: no lease is taken any more. Its timers may be as long as the options say.
      const isStuck = pending !== null && pending.effect !== 'startTimer' && pending.forMs > stuckAfterMillis
      return {
        workerId,
        phase,
        pending,
        isReady: phase === 'running',
        isLive: !failed && !isStuck && all.every((shard) => !shard.isStuck),
        shards: all,
      }
    },
  }
}

/** Whether batches are held back; a shard that is to stop waits for no resumption. */
function isPaused({ context }: ShardConsumerSnapshot): boolean {
  return context.paused && context.reason === null
}

/** How long the present pause has lasted since the last progress. */
function pausedFor({ pausedMs, progressMs }: ShardRecord, nowMs: number): number {
  return pausedMs === null ? 0 : nowMs - Math.max(pausedMs, progressMs)
}

/** The state with its sub-state. */
function placeOf(value: ShardConsumerSnapshot['value']): string {
  return typeof value === 'string' ? value : Object.entries(value).flat().join('.')
}

/** Whether something went well. A read that found records is only the promise of it. */
function isProgress({ event }: Extract<Observation, { machine: 'shardConsumer' }>['step']): boolean {
  switch (event?.type) {
    case 'recordsRead':
      return event.batch.count === 0
    case 'recordsProcessed':
    case 'checkpointWritten':
    case 'parentShardsPending':
      return true
    default:
      return false
  }
}
