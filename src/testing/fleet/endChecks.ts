import { isShardEnd, type Lease } from '@shardwise/effects'
import type { Fleet } from './fleet.ts'
import type { Violation } from './ledger.ts'

type Unmet = Omit<Violation, 'atMs'>

/** For how long a fleet at rest must have taken no lease. */
const stillMs = 60_000

/** What a fleet in which nothing goes wrong any more must come to, and has not come to yet. */
export function unmet(fleet: Fleet): readonly Unmet[] {
  const { around, ledger, stream } = fleet
  const rows = around.table.rows()
  const unfinished = rows.filter(({ checkpoint }) => !isShardEnd(checkpoint))
  const kept = new Map(fleet.workers.filter(({ stopping }) => !stopping).map(({ workerId, kept }) => [workerId, new Set(kept)]))
  return [
    ...ledger
      .undelivered()
      .map(({ shardId, count }) => ({ rule: 'D2', leaseKey: shardId, message: `${count} records were never delivered` })),
    ...stream
      .listShards()
      .flatMap(({ shardId, closed }) =>
        closed || around.table.row(shardId) !== undefined
          ? []
          : [{ rule: 'L1', leaseKey: shardId, message: 'the open shard has no lease' }],
      ),
    ...unfinished.flatMap(({ leaseKey, leaseOwner }) =>
      leaseOwner !== null && kept.get(leaseOwner)?.has(leaseKey) === true
        ? []
        : [{ rule: 'L1', leaseKey, message: `nobody keeps the lease; its owner is ${leaseOwner ?? 'nobody'}` }],
    ),
    ...[...kept].flatMap(([workerId, keys]) =>
      [...keys].flatMap((leaseKey) => {
        const owner = around.table.row(leaseKey)?.leaseOwner ?? 'nobody'
        return owner === workerId ? [] : [{ rule: 'L1', leaseKey, message: `${workerId} keeps the lease; its owner is ${owner}` }]
      }),
    ),
    ...rows.flatMap(({ leaseKey, checkpointOwner }) =>
      checkpointOwner === null ? [] : [{ rule: 'L2', leaseKey, message: `a hand-off from ${checkpointOwner} never ends` }],
    ),
    ...imbalance(fleet, unfinished),
    ...around.table
      .heartbeats()
      .flatMap(({ workerId }) =>
        kept.has(workerId)
          ? []
          : [{ rule: 'L7', leaseKey: null, message: `the heartbeat of ${workerId}, which has ended, is still there` }],
      ),
    // The oldest go first: one whose parent waits for another child waits with it.
    ...rows.flatMap(({ leaseKey, checkpoint, childShardIds, parentShardIds }) =>
      isShardEnd(checkpoint) &&
      childShardIds.every((child) => started(fleet, child)) &&
      parentShardIds.every((parent) => around.table.row(parent) === undefined)
        ? [{ rule: 'L5', leaseKey, message: 'the lease of a finished shard whose children have been started is still there' }]
        : [],
    ),
    ...(around.time.nowMs - ledger.lastTakenMs < stillMs
      ? [{ rule: 'L6', leaseKey: null, message: 'leases still go from worker to worker' }]
      : []),
  ]
}

/** Where leases are stolen, no worker may have two more than another, nor more than it may have. */
function imbalance({ workers, setting }: Fleet, unfinished: readonly Lease[]): readonly Unmet[] {
  const { maxLeasesForWorker, maxLeasesToStealAtOneTime } = setting.lease
  const counts = workers.map(({ workerId }) => unfinished.filter(({ leaseOwner }) => leaseOwner === workerId).length)
  const [least, most] = [Math.min(...counts), Math.max(...counts)]
  const isEven = most - least <= 1 || maxLeasesToStealAtOneTime === 0
  return isEven && most <= maxLeasesForWorker
    ? []
    : [{ rule: 'L3', leaseKey: null, message: `the workers have ${counts.join(', ')} leases` }]
}

function started({ around }: Fleet, shardId: string): boolean {
  const checkpoint = around.table.row(shardId)?.checkpoint.sequenceNumber
  return checkpoint === undefined || checkpoint !== 'TRIM_HORIZON'
}
