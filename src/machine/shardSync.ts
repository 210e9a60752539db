import {
  AT_TIMESTAMP,
  type ExtendedSequenceNumber,
  type HashKeyRange,
  type InitialPosition,
  isShardEnd,
  LATEST,
  type Lease,
  type NewLease,
  type Shard,
  type ShardId,
  TRIM_HORIZON,
} from '@shardwise/effects'

const lastHashKey = (1n << 128n) - 1n

const sentinels: Readonly<Record<InitialPosition['type'], ExtendedSequenceNumber>> = { TRIM_HORIZON, LATEST, AT_TIMESTAMP }

/**
 * The first hole in hash-key ranges that should cover 0 to 2^128 - 1, as the last key below it and the first above it; null when there is none. They may overlap,
 * as those of a merged child and of its parents do.
 */
function firstHole(ranges: readonly HashKeyRange[]): string | null {
  const sorted = ranges
    .map(({ startingHashKey, endingHashKey }) => ({ start: BigInt(startingHashKey), end: BigInt(endingHashKey) }))
    .sort((a, b) => (a.start < b.start ? -1 : 1))
  let covered = -1n
  for (const { start, end } of sorted) {
    if (start > covered + 1n) return `${covered}-${start}`
    if (end > covered) covered = end
  }
  return covered >= lastHashKey ? null : `${covered}-${lastHashKey + 1n}`
}

/** Whether hash-key ranges cover 0 to 2^128 - 1 without a hole. */
export function coversHashKeys(ranges: readonly HashKeyRange[]): boolean {
  return firstHole(ranges) === null
}

/**
 * Where unfinished leases leave the stream uncovered; null when they cover it. A lease without a stored range counts as a hole: then the shards must be looked
 * at.
 */
export function holeInLeases(leases: readonly Lease[]): string | null {
  const unfinished = leases.filter((lease) => !isShardEnd(lease.checkpoint))
  const ranges = unfinished.flatMap(({ hashKeyRange }) => (hashKeyRange === null ? [] : [hashKeyRange]))
  return ranges.length === unfinished.length ? firstHole(ranges) : 'unknown'
}

/** A lease at the initial position for a shard. */
function newLease({ shardId, parentShardIds, hashKeyRange }: Shard, position: InitialPosition): NewLease {
  return { leaseKey: shardId, checkpoint: sentinels[position.type], parentShardIds, hashKeyRange }
}

/** In the order of creation: by first sequence number, then by id. */
function byAge(a: Shard, b: Shard): number {
  const difference = BigInt(a.startingSequenceNumber) - BigInt(b.startingSequenceNumber)
  if (difference !== 0n) return difference < 0n ? -1 : 1
  return a.shardId < b.shardId ? -1 : 1
}

/** The leases of a stream that has none yet, for the shards that the service lists at the initial position. */
export function leasesForEmptyTable(shards: readonly Shard[], position: InitialPosition): NewLease[] {
  return [...shards].sort(byAge).map((shard) => newLease(shard, position))
}

/** The shards whose parents are listed and still open: the listing is older for one than for the other. */
export function unexpectedChildShards(shards: readonly Shard[]): ShardId[] {
  const open = new Set(shards.filter(({ closed }) => !closed).map(({ shardId }) => shardId))
  return shards.filter(({ parentShardIds }) => parentShardIds.some((parent) => open.has(parent))).map(({ shardId }) => shardId)
}

/** The shards and their ancestors, as far as they are listed and up to those that have leases; parents come before their children. */
function lineageOf(shards: readonly Shard[], listed: ReadonlyMap<ShardId, Shard>, leased: ReadonlySet<ShardId>): Shard[] {
  const lineage: Shard[] = []
  const entered = new Set<ShardId>()
  // A stack of its own: a stream that is resharded every hour for a year is too deep for recursion.
  const stack = shards.map((shard) => ({ shard, parentsDone: false }))
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { shard, parentsDone } = top
    if (parentsDone) {
      lineage.push(shard)
      continue
    }
    if (entered.has(shard.shardId) || leased.has(shard.shardId)) continue
    entered.add(shard.shardId)
    stack.push({ shard, parentsDone: true })
    for (const parentShardId of shard.parentShardIds) {
      const parent = listed.get(parentShardId)
      if (parent !== undefined) stack.push({ shard: parent, parentsDone: false })
    }
  }
  return lineage
}

/**
 * The leases that are missing beside existing ones, so that every open shard has a lease or descends from shards that have one. `shards` are all of the
 * stream. Source: the KCL's shard sync for a non-empty lease table.
 */
export function missingLeases(shards: readonly Shard[], leaseKeys: readonly string[], position: InitialPosition): NewLease[] {
  const listed = new Map(shards.map((shard) => [shard.shardId, shard]))
  const leased = new Set(leaseKeys)
  const unexpected = new Set(unexpectedChildShards(shards))
  const bare = shards.filter(({ shardId, closed }) => !closed && !leased.has(shardId) && !unexpected.has(shardId))
  const descendants = new Set<ShardId>()
  const wanted = new Set<ShardId>()
  const created = new Set<ShardId>()
  const isCovered = (shardId: ShardId): boolean => leased.has(shardId) || descendants.has(shardId) || wanted.has(shardId)

  for (const { shardId, parentShardIds } of lineageOf(bare, listed, leased)) {
    const parents = parentShardIds.filter((parent) => listed.has(parent))
    if (parents.some(isCovered)) {
      descendants.add(shardId)
      for (const parent of parents) if (wanted.has(parent) || !isCovered(parent)) created.add(parent)
    } else if (position.type !== 'LATEST') wanted.add(shardId)
  }
  for (const { shardId } of bare) if (!descendants.has(shardId)) created.add(shardId)
  return leasesForEmptyTable(
    shards.filter(({ shardId }) => created.has(shardId)),
    position,
  )
}
