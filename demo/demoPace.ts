import type { WorkerOptions } from 'shardwise'

/** The waits of a worker whose servers are on this machine, and whose audience is waiting. */
export const demoPace = {
  idleTimeInMilliseconds: 250,
  leaseScanIntervalMillis: 1_000,
  parentShardPollIntervalMillis: 500,
} as const satisfies Partial<WorkerOptions>
