import type { Lease } from '@shardwise/effects'
import type { CoordinatorDraft } from './coordinatorDraft.ts'
import { holderOf } from './workerObservations.ts'

/**
 * Looks in a listing for the leases that are kept without renewals: those that others have, or whose rows are gone, are lost; those that another asked for are
 * handed over. `nowMs` is when the listing began: it may show a row as it was before the lease was acquired.
 */
export function reviewKept(draft: CoordinatorDraft, leases: readonly Lease[], nowMs: number): void {
  const { tenures, options } = draft.state
  const { workerId, failoverTimeMillis } = options
  const rows = new Map(leases.map((lease) => [lease.leaseKey, lease]))
  for (const [leaseKey, { token, acquiredMs }] of Object.entries(tenures)) {
    const row = rows.get(leaseKey)
    const isOfTenure = row !== undefined && row.leaseCounter >= token
    if (!isOfTenure && nowMs - acquiredMs <= failoverTimeMillis) continue
    if (!isOfTenure || holderOf(row) !== workerId) draft.effects.push({ type: 'loseLease', leaseKey })
    else if (row.leaseOwner !== null && row.leaseOwner !== workerId) {
      draft.effects.push({ type: 'handOverLease', leaseKey, nextOwner: row.leaseOwner })
    }
  }
}
