import type { Shard } from '@shardwise/effects'
import type { CoordinatorDraft } from './coordinatorDraft.ts'
import { enqueue } from './leaseCalls.ts'
import { garbageSuspects } from './leasePlan.ts'
import { leasesFor } from './newLeases.ts'
import { holeInLeases } from './shardSync.ts'

/** Looks the leases over; answers whether the shards are to be listed for what was found. */
export function audit(draft: CoordinatorDraft, nowMs: number): boolean {
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
export function repair(draft: CoordinatorDraft, shards: readonly Shard[]): void {
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
