import type { Lease } from '@shardwise/effects'
import { checkpointInWords } from '../src/worker/progressTable.ts'
import type { ShardProgress } from '../src/worker/shardProgress.ts'
import type { Handover } from './handovers.ts'
import type { Balance } from './ledger.ts'

/** The balance in words; what went wrong, if anything did, with the orders it happened to. */
export function balanceLines(balance: Balance, complete: boolean): readonly string[] {
  const { put, delivered, deliveredTwice, lost, unread, unknown, outOfOrder } = balance
  return [
    ...(complete
      ? []
      : [`interrupted: ${unread} orders were put and not read yet; the next worker would go on from the checkpoints below`]),
    `${put} orders put, ${delivered} delivered, ${deliveredTwice.length} delivered twice, ${lost.length} lost, ${outOfOrder} out of order`,
    ...(lost.length === 0 ? [] : [`lost: ${some(lost)}`]),
    ...(unknown.length === 0 ? [] : [`delivered, and never put: ${some(unknown)}`]),
  ]
}

/** Whether the promises were kept. */
export function isSound({ lost, unknown, outOfOrder }: Balance): boolean {
  return lost.length === 0 && unknown.length === 0 && outOfOrder === 0
}

/** Which shards changed hands, and how long nobody delivered them. */
export function handoverLines(handovers: readonly Handover[]): readonly string[] {
  if (handovers.length === 0) return ['No shard changed hands']
  return [
    'Hand-overs, from the last order of the old owner to the first of the new one',
    ...columns([
      ['shard', 'from', 'to', 'gap', 'because'],
      ...handovers.map(({ shardId, from, to, gapMs, wasKilled }) => [
        shardId,
        from,
        to,
        `${(gapMs / 1_000).toFixed(2)} s`,
        wasKilled ? 'it was killed' : 'it gave the shard away',
      ]),
    ]),
  ]
}

/** The rows of the lease table. */
export function leaseLines(leases: readonly Lease[]): readonly string[] {
  return [
    'Lease table',
    ...columns([
      ['lease', 'checkpoint', 'owner', 'counter', 'parents', 'children'],
      ...[...leases]
        .sort((a, b) => (a.leaseKey < b.leaseKey ? -1 : 1))
        .map(({ leaseKey, checkpoint, leaseOwner, leaseCounter, parentShardIds, childShardIds }) => [
          leaseKey,
          checkpointInWords(checkpoint),
          leaseOwner ?? '-',
          String(leaseCounter),
          numbers(parentShardIds),
          numbers(childShardIds),
        ]),
    ]),
  ]
}

/** The states that each shard went through. */
export function pathLines(shards: readonly ShardProgress[]): readonly string[] {
  return [
    'States',
    ...shards.flatMap(({ shardId, path, delivered }) => [`  ${shardId}, ${delivered} delivered`, `    ${path.join(' > ')}`]),
  ]
}

function columns(rows: readonly (readonly string[])[]): readonly string[] {
  return rows.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(Math.max(...rows.map((other) => (other[column] ?? '').length)))).join('  ')}`.trimEnd(),
  )
}

/** The numbers of shards, without what they have in common. */
function numbers(shardIds: readonly string[]): string {
  return shardIds.map((shardId) => shardId.replace(/^shardId-0*(?=\d)/, '')).join(' ') || '-'
}

function some(orderIds: readonly string[]): string {
  return orderIds.length <= 10 ? orderIds.join(', ') : `${orderIds.slice(0, 10).join(', ')} and ${orderIds.length - 10} more`
}
