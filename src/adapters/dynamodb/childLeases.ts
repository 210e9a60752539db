import { type AnswerBody, type ChildShard, type EffectOf, type ShardId, TRIM_HORIZON } from '@shardwise/effects'
import { isConditionFailed, type LeaseRows } from './leaseRows.ts'

/** Creates the leases of the children where they do not exist, then notes the children in the parent's row. A crash in between is healed by the next call. */
export async function createChildLeases(
  rows: LeaseRows,
  { leaseKey, childShards }: EffectOf<'createChildLeases'>,
): Promise<AnswerBody<'createChildLeases'>> {
  if ((await rows.read(leaseKey)) === null) return { type: 'leaseNotFound' }
  for (const child of childShards) if (await missesOneParent(rows, child)) return { type: 'siblingLeaseMissing' }
  for (const { shardId, parentShardIds, hashKeyRange } of childShards) {
    await rows.create({ leaseKey: shardId, checkpoint: TRIM_HORIZON, parentShardIds, hashKeyRange })
  }
  if (childShards.length === 0) return { type: 'childLeasesCreated' }
  try {
    await rows.update({
      leaseKey,
      update: 'SET childShardIds = :children',
      values: { ':children': { SS: childShards.map(({ shardId }) => shardId) } },
    })
  } catch (error) {
    if (isConditionFailed(error)) return { type: 'leaseNotFound' }
    throw error
  }
  return { type: 'childLeasesCreated' }
}

/** A merged child waits until both parents have rows; with none of them it is an old shard whose parents were cleaned up. */
async function missesOneParent(rows: LeaseRows, { parentShardIds }: ChildShard): Promise<boolean> {
  if (parentShardIds.length !== 2) return false
  let missing = 0
  for (const shardId of parentShardIds) if ((await rows.read(shardId)) === null) missing += 1
  return missing === 1
}

/** The first parent that is not at SHARD_END; undefined when all are, or have no row any more. */
export async function pendingParent(rows: LeaseRows, parentShardIds: readonly ShardId[]): Promise<ShardId | undefined> {
  for (const shardId of parentShardIds) {
    const parent = await rows.read(shardId)
    if (parent !== null && parent.checkpoint.sequenceNumber !== 'SHARD_END') return shardId
  }
  return undefined
}
