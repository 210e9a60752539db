import type { LeaseStore, LeaseTable } from '@shardwise/effects'
import { createChildLeases, pendingParent } from './childLeases.ts'
import { ensureTable } from './ensureTable.ts'
import { heldLeases } from './heldLeases.ts'
import { createLanes } from './lanes.ts'
import { leaseRows } from './leaseRows.ts'
import { checkOptions, type DynamoDbLeaseTableOptions } from './leaseTableOptions.ts'
import { orThrottled } from './throttling.ts'

/**
 * Leases and checkpoints in a DynamoDB table of the KCL's schema, which workers of the KCL may share. One object stands for one worker process: it remembers
 * the leases it took and the counters it wrote, and refuses what comes with another token. Rows that cannot be read reject, by lease key and attribute.
 * @throws Error for an unknown option or a bad value.
 */
export function dynamoDbLeaseTable(options: DynamoDbLeaseTableOptions): LeaseStore & LeaseTable {
  const checked = checkOptions(options)
  const { client, tableName, nowMs } = checked
  const rows = leaseRows(client, tableName)
  const held = heldLeases(rows, createLanes(), nowMs)

  return {
    async checkParentShards({ parentShardIds }) {
      const pendingShardId = await pendingParent(rows, parentShardIds)
      return pendingShardId === undefined ? { type: 'parentShardsCompleted' } : { type: 'parentShardsPending', pendingShardId }
    },

    readCheckpoint: ({ leaseKey }) =>
      orThrottled(
        rows
          .read(leaseKey)
          .then((lease) =>
            lease === null
              ? { type: 'leaseNotFound' }
              : { type: 'checkpointRead', checkpoint: lease.checkpoint, pendingCheckpoint: lease.pendingCheckpoint },
          ),
      ),

    writeCheckpoint: (effect) =>
      orThrottled(
        held
          .checkpoint(effect, effect.checkpoint)
          .then((writtenMs) => ({ type: writtenMs === null ? 'checkpointRefused' : 'checkpointWritten' })),
      ),

    createChildLeases: (effect) => orThrottled(createChildLeases(rows, effect)),

    ensureTable: () => ensureTable(checked),

    listLeases() {
      const startedMs = nowMs()
      return orThrottled(rows.list().then((leases) => ({ type: 'leasesListed', leases, nowMs: startedMs })))
    },

    createLease: ({ lease }) => orThrottled(rows.create(lease).then((created) => ({ type: created ? 'leaseCreated' : 'leaseExists' }))),

    acquireLease: (effect) =>
      orThrottled(held.acquire(effect).then((taken) => (taken === null ? { type: 'leaseRefused' } : { type: 'leaseAcquired', ...taken }))),

    renewLease: (effect) =>
      orThrottled(
        held
          .renew(effect)
          .then((writtenMs) => (writtenMs === null ? { type: 'leaseRefused' } : { type: 'leaseRenewed', nowMs: writtenMs })),
      ),

    releaseLease: (effect) =>
      orThrottled(held.release(effect).then((writtenMs) => ({ type: writtenMs === null ? 'leaseRefused' : 'leaseReleased' }))),

    deleteLease: ({ leaseKey }) => orThrottled(held.remove(leaseKey).then(() => ({ type: 'leaseDeleted' }))),
  }
}
