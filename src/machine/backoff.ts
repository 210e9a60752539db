import type { ShardConsumerContext } from './shardConsumerContext.ts'

/** Without timers there is no backoff: after so many failures, what waits for a timer that fails is given up. */
export const maxTimerFailures = 5

/** A whole number from 0 to 2^32 - 1 that looks random and depends on its input alone. */
export function scatter(value: number): number {
  let x = (value + 0x9e3779b9) | 0
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad)
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97)
  return (x ^ (x >>> 15)) >>> 0
}

/**
 * The wait before attempt number `attempt` + 1, in ms: the base doubled with every failed attempt, capped, less up to half of it by jitter from the seed.
 * `attempt` counts failures, from 1.
 */
export function backoffMs(attempt: number, seed: number, baseMs: number, capMs: number): number {
  const ceiling = Math.min(capMs, baseMs * 2 ** Math.min(attempt - 1, 30))
  const jitter = scatter(seed ^ Math.imul(attempt, 0x85ebca6b)) / 2 ** 32
  return Math.max(1, Math.round(ceiling * (1 - jitter / 2)))
}

/** The backoff of a shard consumer after so many failures, in ms. */
export function taskBackoffMs({ seed, options }: ShardConsumerContext, attempt: number): number {
  return backoffMs(attempt, seed, options.taskBackoffTimeMillis, options.maxBackoffMillis)
}
