/** How long after a renewal, or a heartbeat, the next one is due, in ms: a third of the failover time, as in the KCL. */
export function renewalIntervalMs(failoverTimeMillis: number): number {
  return Math.max(1, Math.floor(failoverTimeMillis / 3))
}
