/** A lease table of your own, over rows in any database that can update a row on a condition. */
import { isShardEnd, type Lease, type LeaseStore, type LeaseTable, TRIM_HORIZON } from '@shardwise/effects'
import { heldLeases } from './heldLeases.ts'
import { fresh, type LeaseRows } from './leaseRows.ts'

// What every stored checkpoint makes void.
const cleared = { pendingCheckpoint: null, ownerSwitchesSinceCheckpoint: 0 }

/** The handlers of one worker. `nowMs` is monotonic milliseconds, the clock of the worker's timers. */
export function leaseStore(rows: LeaseRows, nowMs = () => performance.now()): LeaseStore & LeaseTable {
  const held = heldLeases(rows)
  const rowOf = async (leaseKey: string): Promise<Lease | undefined> => (await rows.select(leaseKey))[0]

  return {
    ensureTable: () => ({ type: 'tableReady' }),
    listLeases: async () => ({ type: 'leasesListed', nowMs: nowMs(), leases: await rows.select() }),
    createLease: async ({ lease }) => ({ type: (await rows.insertUnlessThere(fresh(lease))) ? 'leaseCreated' : 'leaseExists' }),
    async acquireLease({ leaseKey, leaseCounter, workerId }) {
      const row = await rowOf(leaseKey)
      if (row === undefined) return { type: 'leaseRefused' }
      const token = leaseCounter + 1
      const switches = row.ownerSwitchesSinceCheckpoint + Number(row.leaseOwner !== null && row.leaseOwner !== workerId)
      const set = { leaseOwner: workerId, leaseCounter: token, checkpointOwner: null, ownerSwitchesSinceCheckpoint: switches }
      if (!(await rows.update({ leaseKey, leaseCounter }, set))) return { type: 'leaseRefused' }
      held.hold(leaseKey, token)
      return { type: 'leaseAcquired', lease: { ...row, ...set }, token, nowMs: nowMs() }
    },
    renewLease: async ({ leaseKey, token }) =>
      (await held.write(leaseKey, token, {})) ? { type: 'leaseRenewed', nowMs: nowMs() } : { type: 'leaseRefused' },
    releaseLease: async ({ leaseKey, token }) => ({
      type: (await held.write(leaseKey, token, { leaseOwner: null })) ? 'leaseReleased' : 'leaseRefused',
    }),
    deleteLease: async ({ leaseKey }) => (await rows.delete(leaseKey), { type: 'leaseDeleted' }),

    async checkParentShards({ parentShardIds }) {
      const parents = await Promise.all(parentShardIds.map(rowOf))
      const pending = parents.find((row) => row !== undefined && !isShardEnd(row.checkpoint))
      return pending === undefined ? { type: 'parentShardsCompleted' } : { type: 'parentShardsPending', pendingShardId: pending.leaseKey }
    },
    async readCheckpoint({ leaseKey }) {
      const row = await rowOf(leaseKey)
      if (row === undefined) return { type: 'leaseNotFound' }
      return { type: 'checkpointRead', checkpoint: row.checkpoint, pendingCheckpoint: row.pendingCheckpoint }
    },
    writeCheckpoint: async ({ leaseKey, token, checkpoint }) => ({
      type: (await held.write(leaseKey, token, { checkpoint, ...cleared })) ? 'checkpointWritten' : 'checkpointRefused',
    }),
    async createChildLeases({ leaseKey, childShards }) {
      if ((await rowOf(leaseKey)) === undefined) return { type: 'leaseNotFound' }
      for (const { parentShardIds } of childShards) {
        const parents = (await Promise.all(parentShardIds.map(rowOf))).filter((row) => row !== undefined)
        if (parentShardIds.length === 2 && parents.length === 1) return { type: 'siblingLeaseMissing' }
      }
      for (const { shardId, ...child } of childShards)
        await rows.insertUnlessThere(fresh({ leaseKey: shardId, checkpoint: TRIM_HORIZON, ...child }))
      if (childShards.length > 0) await rows.update({ leaseKey }, { childShardIds: childShards.map(({ shardId }) => shardId) })
      return { type: 'childLeasesCreated' }
    },
  }
}
