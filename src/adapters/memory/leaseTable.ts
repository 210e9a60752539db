import type { ChildShard, Lease, LeaseStore, LeaseTable } from '@shardwise/effects'
import { isShardEnd, TRIM_HORIZON } from '@shardwise/effects'
import { expectFunction, expectKnownOptions } from './options.ts'

/** A lease table in memory, shared by every worker that asks for its handlers. Its writes have the conditions of a KCL table: the lease counter fences. */
export interface MemoryLeaseTable {
  /** The handlers of one worker process, with its own memory of the leases it holds. A second call stands for a second process, or for a restart. */
  store(): LeaseStore & LeaseTable
  /** The rows as they stand, in the order of their creation. */
  rows(): readonly Lease[]
}

/** What a worker knows of a lease it holds: the token of its acquisition, and the counter it last wrote. */
interface Held {
  readonly token: number
  readonly counter: number
}

/**
 * Makes a lease table with the rows of `leases`, or none. `nowMs` is monotonic milliseconds, the clock of the worker's timers; `performance.now` unless given.
 * @throws Error for an unknown option or one of the wrong type.
 */
export function createMemoryLeaseTable(
  options: { readonly nowMs?: () => number; readonly leases?: readonly Lease[] } = {},
): MemoryLeaseTable {
  expectKnownOptions('createMemoryLeaseTable', options, ['nowMs', 'leases'])
  const nowMs = options.nowMs ?? monotonicClock()
  expectFunction('nowMs', nowMs)
  const rows = new Map((options.leases ?? []).map((lease) => [lease.leaseKey, lease]))
  return { store: () => workersStore(rows, nowMs), rows: () => [...rows.values()] }
}

function workersStore(rows: Map<string, Lease>, nowMs: () => number): LeaseStore & LeaseTable {
  const held = new Map<string, Held>()

  /** Writes to a held lease and grows its counter; false when the lease is not held any more, which is then forgotten. */
  const write = (leaseKey: string, token: number, change: Partial<Lease>): boolean => {
    const mine = held.get(leaseKey)
    if (mine === undefined || mine.token !== token) return false
    const row = rows.get(leaseKey)
    if (row === undefined || row.leaseCounter !== mine.counter) {
      held.delete(leaseKey)
      return false
    }
    const leaseCounter = mine.counter + 1
    rows.set(leaseKey, { ...row, ...change, leaseCounter })
    held.set(leaseKey, { token, counter: leaseCounter })
    return true
  }

  return {
    checkParentShards({ parentShardIds }) {
      const pendingShardId = parentShardIds.find((shardId) => {
        const row = rows.get(shardId)
        return row !== undefined && !isShardEnd(row.checkpoint)
      })
      return pendingShardId === undefined ? { type: 'parentShardsCompleted' } : { type: 'parentShardsPending', pendingShardId }
    },

    readCheckpoint({ leaseKey }) {
      const row = rows.get(leaseKey)
      if (row === undefined) return { type: 'leaseNotFound' }
      return { type: 'checkpointRead', checkpoint: row.checkpoint, pendingCheckpoint: row.pendingCheckpoint }
    },

    writeCheckpoint({ leaseKey, token, checkpoint }) {
      const row = rows.get(leaseKey)
      if (row !== undefined && isShardEnd(row.checkpoint) && !isShardEnd(checkpoint)) return { type: 'checkpointRefused' }
      const written = write(leaseKey, token, { checkpoint, pendingCheckpoint: null, ownerSwitchesSinceCheckpoint: 0 })
      return { type: written ? 'checkpointWritten' : 'checkpointRefused' }
    },

    createChildLeases({ leaseKey, childShards }) {
      const row = rows.get(leaseKey)
      if (row === undefined) return { type: 'leaseNotFound' }
      if (childShards.some((child) => missesOneParent(rows, child))) return { type: 'siblingLeaseMissing' }
      for (const { shardId, parentShardIds, hashKeyRange } of childShards) {
        if (!rows.has(shardId)) rows.set(shardId, unowned({ leaseKey: shardId, checkpoint: TRIM_HORIZON, parentShardIds, hashKeyRange }))
      }
      // A shard that is ended a second time names no children: those that are noted still are its children.
      if (childShards.length > 0) rows.set(leaseKey, { ...row, childShardIds: childShards.map(({ shardId }) => shardId) })
      return { type: 'childLeasesCreated' }
    },

    ensureTable: () => ({ type: 'tableReady' }),

    listLeases: () => ({ type: 'leasesListed', nowMs: nowMs(), leases: [...rows.values()] }),

    createLease({ lease }) {
      if (rows.has(lease.leaseKey)) return { type: 'leaseExists' }
      rows.set(lease.leaseKey, unowned(lease))
      return { type: 'leaseCreated' }
    },

    acquireLease({ leaseKey, leaseCounter, workerId }) {
      const row = rows.get(leaseKey)
      if (row === undefined || row.leaseCounter !== leaseCounter) return { type: 'leaseRefused' }
      const token = leaseCounter + 1
      const switched = row.leaseOwner !== null && row.leaseOwner !== workerId
      const lease: Lease = {
        ...row,
        leaseOwner: workerId,
        leaseCounter: token,
        checkpointOwner: null,
        ownerSwitchesSinceCheckpoint: row.ownerSwitchesSinceCheckpoint + (switched ? 1 : 0),
      }
      rows.set(leaseKey, lease)
      held.set(leaseKey, { token, counter: token })
      return { type: 'leaseAcquired', lease, token, nowMs: nowMs() }
    },

    renewLease: ({ leaseKey, token }) => (write(leaseKey, token, {}) ? { type: 'leaseRenewed', nowMs: nowMs() } : { type: 'leaseRefused' }),

    releaseLease({ leaseKey, token }) {
      if (!write(leaseKey, token, { leaseOwner: null })) return { type: 'leaseRefused' }
      held.delete(leaseKey)
      return { type: 'leaseReleased' }
    },

    deleteLease({ leaseKey }) {
      rows.delete(leaseKey)
      return { type: 'leaseDeleted' }
    },
  }
}

function unowned(lease: Pick<Lease, 'leaseKey' | 'checkpoint' | 'parentShardIds' | 'hashKeyRange'>): Lease {
  return {
    leaseKey: lease.leaseKey,
    leaseOwner: null,
    leaseCounter: 0,
    checkpoint: lease.checkpoint,
    pendingCheckpoint: null,
    ownerSwitchesSinceCheckpoint: 0,
    parentShardIds: lease.parentShardIds,
    childShardIds: [],
    hashKeyRange: lease.hashKeyRange,
    checkpointOwner: null,
  }
}

/** A merged child waits until both parents have rows; with none of them it is an old shard whose parents were cleaned up. */
function missesOneParent(rows: ReadonlyMap<string, Lease>, { parentShardIds }: ChildShard): boolean {
  return parentShardIds.length === 2 && parentShardIds.filter((shardId) => rows.has(shardId)).length === 1
}

function monotonicClock(): () => number {
  const { performance } = globalThis as unknown as { performance?: { now(): number } }
  if (performance === undefined) throw new Error('nowMs: this runtime has no performance.now, so a function was expected, got undefined')
  return () => performance.now()
}
