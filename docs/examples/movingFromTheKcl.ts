/** A worker beside those of the KCL 2 on one lease table, and a look at the table before and after each step of a move. */
import { type DynamoDbLeaseTableOptions, dynamoDbLeaseTable } from '@shardwise/dynamodb'
import { compareSequenceNumbers, isShardEnd, type Lease } from '@shardwise/effects'
import type { WorkerOptions } from 'shardwise'

/** The options that a worker needs beside its own: `failoverTimeMillis` and `initialPosition` are those of the fleet. */
export const besideTheKcl = {
  applicationName: 'billing',
  // A name that is mistaken is one clear error, and no new table that begins at the initial position.
  createTable: false,
  failoverTimeMillis: 10_000,
  initialPosition: { type: 'TRIM_HORIZON' },
  // The KCL 2 knows no hand-offs: its leases are taken as it takes ours.
  isGracefulLeaseHandoffEnabled: false,
} as const satisfies Partial<WorkerOptions>

/** The leases of a table as they stand. */
export async function leasesIn(table: DynamoDbLeaseTableOptions): Promise<readonly Lease[]> {
  const context = { signal: new AbortController().signal, onAbort() {} }
  const answer = await dynamoDbLeaseTable(table).listLeases({ type: 'listLeases', id: 1 }, context)
  if (answer.type !== 'leasesListed') throw new Error(`${table.tableName}: expected its leases, got ${answer.type}`)
  return answer.leases
}

/** What should not be, by two looks with more than the failover time between them; nothing where the fleet is well. */
export function complaints(before: readonly Lease[], after: readonly Lease[]): readonly string[] {
  const later = new Map(after.map((lease) => [lease.leaseKey, lease]))
  return before.flatMap(({ leaseKey, checkpoint, leaseCounter, leaseOwner }) => {
    const now = later.get(leaseKey)
    if (now === undefined) return isShardEnd(checkpoint) ? [] : [`${leaseKey}: its lease is gone, and it was not finished`]
    if (compareSequenceNumbers(now.checkpoint, checkpoint) < 0) return [`${leaseKey}: its checkpoint fell`]
    if (isShardEnd(now.checkpoint)) return []
    if (now.leaseOwner === null) return [`${leaseKey}: nobody has it`]
    return now.leaseOwner === leaseOwner && now.leaseCounter === leaseCounter ? [`${leaseKey}: ${leaseOwner} does not renew it`] : []
  })
}
