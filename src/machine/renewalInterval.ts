/**
 * How long after a renewal, or a heartbeat, the next one is due, in ms: half of the failover time. With the backoff of those that fail, three attempts fit into
 * the failover time, as in the KCL, which renews three times in it.
 */
export function renewalIntervalMs(failoverTimeMillis: number): number {
  return Math.max(1, Math.floor(failoverTimeMillis / 2))
}
