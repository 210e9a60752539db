import type { LeaseStore, LeaseTable } from '@shardwise/effects'
import { createChildLeases, pendingParent } from './childLeases.ts'
import { ensureTable } from './ensureTable.ts'
import { requestHandoff } from './handoff.ts'
import { heartbeats } from './heartbeats.ts'
import { heldLeases } from './heldLeases.ts'
import { createLanes } from './lanes.ts'
import { leaseRows } from './leaseRows.ts'
import { checkOptions, type DynamoDbLeaseTableOptions } from './leaseTableOptions.ts'
import { namingTable } from './namingTable.ts'
import { olderReports } from './olderReports.ts'
import { orThrottled } from './throttling.ts'

const refusals = { refused: { type: 'leaseRefused' }, shared: { type: 'workerIdShared' } } as const

/**
 * Leases and checkpoints in a DynamoDB table of the KCL's schema, which workers of the KCL may share. One object stands for one worker process: it remembers
 * the leases it took and the counters it wrote, and refuses what comes with another token. Rows that cannot be read reject, by lease key and attribute.
 * @throws Error for an unknown option or a bad value.
 */
export function dynamoDbLeaseTable(options: DynamoDbLeaseTableOptions): LeaseStore & LeaseTable {
  const checked = checkOptions(options)
  const { client, tableName, nowMs } = checked
  const sender = namingTable(client, tableName)
  const rows = leaseRows(sender, tableName)
  const { write, remove } = heartbeats(sender, tableName, nowMs)
  const reportsBeside = olderReports(client, tableName)
  const held = heldLeases(rows, createLanes(), nowMs)

  return {
    async checkParentShards({ parentShardIds }) {
      const pendingShardId = await pendingParent(rows, parentShardIds)
      return pendingShardId === undefined ? { type: 'parentShardsCompleted' } : { type: 'parentShardsPending', pendingShardId }
    },

    readCheckpoint: (effect) =>
      orThrottled(async () => {
        const lease = held.ownRow(effect) ?? (await rows.read(effect.leaseKey))
        if (lease === null) return { type: 'leaseNotFound' }
        return { type: 'checkpointRead', checkpoint: lease.checkpoint, pendingCheckpoint: lease.pendingCheckpoint }
      }),

    writeCheckpoint: (effect) =>
      orThrottled(async () => {
        const end = await held.checkpoint(effect, effect.checkpoint)
        return { type: typeof end === 'string' ? 'checkpointRefused' : 'checkpointWritten' }
      }),

    createChildLeases: (effect) => orThrottled(() => createChildLeases(rows, effect)),

    ensureTable: () => ensureTable(checked),

    listLeases: () =>
      orThrottled(async () => {
        const startedMs = nowMs()
        const { leases, reportingWorkers: reports, heartbeats: found } = await rows.list()
        const reportingWorkers = [...reports, ...(await reportsBeside())]
        return {
          type: 'leasesListed',
          leases,
          nowMs: startedMs,
          ...(reportingWorkers.length > 0 && { reportingWorkers }),
          ...(found.length > 0 && { heartbeats: found }),
        }
      }),

    createLease: ({ lease }) => orThrottled(async () => ({ type: (await rows.create(lease)) ? 'leaseCreated' : 'leaseExists' })),

    acquireLease: (effect) =>
      orThrottled(async () => {
        const taken = await held.acquire(effect)
        return taken === null ? { type: 'leaseRefused' } : { type: 'leaseAcquired', ...taken }
      }),

    requestHandoff: (effect) => orThrottled(() => requestHandoff(rows, effect)),

    renewLease: (effect) =>
      orThrottled(async () => {
        const end = await held.renew(effect)
        if (typeof end === 'string') return refusals[end]
        return { type: 'leaseRenewed', nowMs: end.writtenMs, nextOwner: end.nextOwner }
      }),

    releaseLease: (effect) =>
      orThrottled(async () => {
        const end = await held.release(effect)
        return typeof end === 'string' ? refusals[end] : { type: 'leaseReleased' }
      }),

    writeHeartbeat: (effect) => orThrottled(() => write(effect)),

    deleteHeartbeat: (effect) => orThrottled(() => remove(effect)),

    deleteLease: ({ leaseKey }) =>
      orThrottled(async () => {
        await held.remove(leaseKey)
        return { type: 'leaseDeleted' }
      }),
  }
}
