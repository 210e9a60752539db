import type { ExtendedSequenceNumber, Outcome } from '@shardwise/effects'
import { type ConsumerState, consumerState } from '@shardwise/machine'
import type { Observation, Observer } from '@shardwise/machine/host'

/** How far one shard has come on this worker. */
export interface ShardProgress {
  readonly shardId: string
  /** The KCL's state of the present consumer, or of the last one. */
  readonly state: ConsumerState
  /** Every state that was entered, in order. */
  readonly path: readonly ConsumerState[]
  /** Records in batches that the record processor completed. */
  readonly delivered: number
  /** Milliseconds behind the tip at the last read; null when nothing was read, or Kinesis did not say. */
  readonly millisBehindLatest: number | null
  /** The last stored checkpoint that the consumer knows of. */
  readonly checkpoint: ExtendedSequenceNumber | null
  /** How the last consumer ended; null while one runs. */
  readonly outcome: Outcome | null
  /** The worker whose consumer this is; said only where there are several. */
  readonly owner?: string
}

/** What can be shown of a worker, or of several. */
export interface ShownProgress {
  /** By shard id. */
  readonly shards: readonly ShardProgress[]
}

/** What a worker does, gathered from its observations. */
export interface WorkerProgress extends ShownProgress {
  /** Goes into the options of the worker. */
  readonly observe: Observer
  /** The coordinator's phase: starting, syncing, running, stopping or stopped. */
  readonly phase: string
  /** Calls the listener each time that a shard enters a state; it takes the place of an earlier one. */
  onEntered(listener: (shard: ShardProgress) => void): void
  /** Resolves as soon as this worker holds no lease. */
  leasesGivenUp(): Promise<void>
}

/** Starts with nothing. */
export function trackProgress(): WorkerProgress {
  let tellEntered: (shard: ShardProgress) => void = () => undefined
  const shards = new Map<string, ShardProgress>()
  const held = new Set<string>()
  const waiting: (() => void)[] = []
  let phase = 'starting'
  return {
    observe(observation) {
      if (observation.machine === 'coordinator') phase = observation.step.after.phase
      else if (observation.machine === 'leaseKeeper') {
        const { leaseKey, step } = observation
        if (step.after.phase === 'keeping' || step.after.phase === 'releasing') held.add(leaseKey)
        else held.delete(leaseKey)
        if (held.size === 0) for (const resolve of waiting.splice(0)) resolve()
      } else {
        const before = shards.get(observation.shardId)
        const after = advance(before, observation)
        shards.set(observation.shardId, after)
        if (before?.path !== after.path) tellEntered(after)
      }
    },
    get phase() {
      return phase
    },
    get shards() {
      return [...shards.values()].sort((a, b) => (a.shardId < b.shardId ? -1 : 1))
    },
    onEntered(listener) {
      tellEntered = listener
    },
    leasesGivenUp: () => (held.size === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  }
}

function advance(
  shard: ShardProgress | undefined,
  { shardId, step: { event, before, after } }: Extract<Observation, { machine: 'shardConsumer' }>,
): ShardProgress {
  const state = consumerState(after.value)
  const { context } = after
  const path = shard?.path ?? []
  const stale = before === after
  const processed = !stale && event?.type === 'recordsProcessed' ? (before?.context.batch?.count ?? 0) : 0
  const read = !stale && event?.type === 'recordsRead' ? event.batch.millisBehindLatest : undefined
  return {
    shardId,
    state,
    path: path.at(-1) === state ? path : [...path, state],
    delivered: (shard?.delivered ?? 0) + processed,
    millisBehindLatest: read === undefined ? (shard?.millisBehindLatest ?? null) : read,
    checkpoint: context.checkpoint ?? shard?.checkpoint ?? null,
    outcome: context.outcome,
  }
}
