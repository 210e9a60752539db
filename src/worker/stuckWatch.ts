import type { HealthRecord, ShardHealth } from './health.ts'
import type { WorkerOptions } from './workerOptions.ts'

/** What looks for stuck shards. */
export interface StuckWatchOptions {
  readonly health: HealthRecord
  readonly stuckAfterMillis: number
  readonly given: Pick<WorkerOptions, 'logger' | 'onStuck'>
  /** Hears what `onStuck` threw. */
  readonly fail: (error: unknown) => void
}

/** A shard in words that is stuck: what it waits for, and how long. */
function inWords({ shardId, place, pending, sinceProgressMs, attempts }: ShardHealth): string {
  const waits = pending === null ? 'for nothing' : `for ${pending.effect} #${pending.id} for ${Math.round(pending.forMs / 1_000)} s`
  return `${shardId}: stuck in ${place}: no progress for ${Math.round(sinceProgressMs / 1_000)} s, waiting ${waits}, ${attempts} failures in a row`
}

/** Looks for stuck shards from time to time, until it is ended; tells each once until it makes progress again. */
export function watchForStuck({ health, stuckAfterMillis, given, fail }: StuckWatchOptions): { end(): void } {
  let told: ReadonlySet<string> = new Set()
  const look = (): void => {
    const stuck = health.health().shards.filter(({ isStuck }) => isStuck)
    for (const shard of stuck) {
      if (told.has(shard.leaseKey)) continue
      given.logger?.error(inWords(shard))
      try {
        given.onStuck?.(shard)
      } catch (error) {
        fail(error)
      }
    }
    told = new Set(stuck.map(({ leaseKey }) => leaseKey))
  }
  const timer = setInterval(look, Math.min(Math.max(1, Math.floor(stuckAfterMillis / 4)), 10_000))
  timer.unref()
  return { end: () => clearInterval(timer) }
}
