/** What a lease table answers about the parents and the children of a shard. */
import { isShardEnd, type Lease, type LeaseStore, TRIM_HORIZON } from '@shardwise/effects'
import { fresh, type LeaseRows } from './leaseRows.ts'

/** The handlers of shards that wait for their parents, and of shards that have ended. */
export function childLeases(rows: LeaseRows): Pick<LeaseStore, 'checkParentShards' | 'createChildLeases'> {
  const rowOf = async (leaseKey: string): Promise<Lease | undefined> => (await rows.select(leaseKey))[0]
  return {
    async checkParentShards({ parentShardIds }) {
      const parents = await Promise.all(parentShardIds.map(rowOf))
      const pending = parents.find((row) => row !== undefined && !isShardEnd(row.checkpoint))
      return pending === undefined ? { type: 'parentShardsCompleted' } : { type: 'parentShardsPending', pendingShardId: pending.leaseKey }
    },
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
