/** The rows of a lease table as a SQL database keeps them: each method is one statement of Postgres, which is atomic there as here. */
import type { Lease, NewLease } from '@shardwise/effects'
import { type HeartbeatRows, heartbeatsInMemory } from './heartbeatRows.ts'

/** What a lease store needs of a database. `update` says whether there was such a row, with all that is asked for. */
export interface LeaseRows {
  select(leaseKey?: string): Promise<readonly Lease[]>
  insertUnlessThere(lease: Lease): Promise<boolean>
  update(where: Partial<Lease> & { leaseKey: string }, set: Partial<Lease>): Promise<boolean>
  delete(leaseKey: string): Promise<void>
  readonly heartbeats: HeartbeatRows
}

const nobodys = { leaseOwner: null, leaseCounter: 0, pendingCheckpoint: null, ownerSwitchesSinceCheckpoint: 0, checkpointOwner: null }
/** What every stored checkpoint makes void. */
export const cleared = { pendingCheckpoint: null, ownerSwitchesSinceCheckpoint: 0 }
/** A lease that nobody owns yet. */
export const fresh = (lease: NewLease): Lease => ({ ...nobodys, childShardIds: [], ...lease })

/** Makes an empty table. */
export function rowsInMemory(): LeaseRows {
  const rows = new Map<string, Lease>()
  return {
    // select * from leases where $1 is null or lease_key = $1
    select: async (leaseKey) => [...rows.values()].filter((row) => leaseKey === undefined || row.leaseKey === leaseKey),
    // insert into leases values (...) on conflict do nothing
    async insertUnlessThere(lease) {
      if (rows.has(lease.leaseKey)) return false
      rows.set(lease.leaseKey, structuredClone(lease))
      return true
    },
    // update leases set ... where lease_key = $1 and lease_counter = $2, say: every column that is given
    async update({ leaseKey, ...others }, set) {
      const row = rows.get(leaseKey)
      if (row === undefined) return false
      for (const [column, value] of Object.entries(others)) if (row[column as keyof Lease] !== value) return false
      rows.set(leaseKey, { ...row, ...structuredClone(set) })
      return true
    },
    // delete from leases where lease_key = $1
    delete: async (leaseKey) => void rows.delete(leaseKey),
    heartbeats: heartbeatsInMemory(),
  }
}
