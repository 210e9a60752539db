/** A lease table of your own, over rows in any database that can update a row on a condition. */
import type { Lease, LeaseStore, LeaseTable } from '@shardwise/effects'
import { childLeases } from './childLeases.ts'
import { heartbeats } from './heartbeatRows.ts'
import { heldLeases } from './heldLeases.ts'
import { cleared, fresh, type LeaseRows } from './leaseRows.ts'

/** The handlers of one worker. `nowMs` is monotonic milliseconds, the clock of the worker's timers. */
export function leaseStore(rows: LeaseRows, nowMs = () => performance.now()): LeaseStore & LeaseTable {
  const held = heldLeases(rows)
  const rowOf = async (leaseKey: string): Promise<Lease | undefined> => (await rows.select(leaseKey))[0]

  return {
    ensureTable: () => ({ type: 'tableReady' }),
    listLeases: async () => {
      const beganMs = nowMs()
      return { type: 'leasesListed', nowMs: beganMs, leases: await rows.select(), heartbeats: await rows.heartbeats.select() }
    },
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
    async requestHandoff({ leaseKey, leaseOwner, workerId }) {
      const handedOver = { leaseOwner: workerId, checkpointOwner: leaseOwner }
      const asked = await rows.update({ leaseKey, leaseOwner, checkpointOwner: null }, handedOver)
      // Asked for twice, it stands.
      return { type: asked || (await rows.update({ leaseKey, ...handedOver }, handedOver)) ? 'handoffRequested' : 'handoffRefused' }
    },
    // It might leave out what a checkpoint has just done: see `freshSinceMs`.
    async renewLease({ leaseKey, token }) {
      if (!(await held.write(leaseKey, token, {}))) return { type: 'leaseRefused' }
      const row = await rowOf(leaseKey)
      const isHandedOver = row !== undefined && row.checkpointOwner !== null
      return { type: 'leaseRenewed', nowMs: nowMs(), nextOwner: isHandedOver ? row.leaseOwner : null }
    },
    releaseLease: async ({ leaseKey, token, nextOwner }) => ({
      type: (await held.write(leaseKey, token, { leaseOwner: nextOwner, checkpointOwner: null })) ? 'leaseReleased' : 'leaseRefused',
    }),
    deleteLease: async ({ leaseKey }) => (await rows.delete(leaseKey), { type: 'leaseDeleted' }),

    ...heartbeats(rows.heartbeats, nowMs),
    ...childLeases(rows),
    async readCheckpoint({ leaseKey }) {
      const row = await rowOf(leaseKey)
      if (row === undefined) return { type: 'leaseNotFound' }
      return { type: 'checkpointRead', checkpoint: row.checkpoint, pendingCheckpoint: row.pendingCheckpoint }
    },
    writeCheckpoint: async ({ leaseKey, token, checkpoint }) => ({
      type: (await held.write(leaseKey, token, { checkpoint, ...cleared })) ? 'checkpointWritten' : 'checkpointRefused',
    }),
  }
}
