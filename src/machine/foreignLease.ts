import { compareSequenceNumbers, isSentinel, isShardEnd, type Lease, type Shard } from '@shardwise/effects'

/**
 * What shows that a lease table does not belong to the stream whose shards are listed, in words; null when nothing does. Shard ids are the same in every
 * stream: with such leases a worker would end shards that another application still reads, and start shards in the middle. `shards` are all of the stream. A
 * listing that is a little old may show the same for a while.
 */
export function foreignLease(leases: readonly Lease[], shards: readonly Shard[]): string | null {
  const listed = new Map(shards.map((shard) => [shard.shardId, shard]))
  const newest = Math.max(...shards.map(({ shardId }) => ordinalOf(shardId)))
  for (const lease of leases) {
    const shard = listed.get(lease.leaseKey)
    const contradiction = shard === undefined ? unlisted(lease, newest) : contradictionOf(lease, shard)
    if (contradiction !== null) return `${lease.leaseKey} ${contradiction}`
  }
  return null
}

/** Shards are numbered in the order of their creation, and the newest are listed for as long as there is a stream. */
function unlisted({ leaseKey }: Lease, newest: number): string | null {
  return ordinalOf(leaseKey) > newest ? 'has a lease, and is newer than every shard of the stream' : null
}

function contradictionOf({ checkpoint, hashKeyRange }: Lease, { closed, hashKeyRange: own, startingSequenceNumber }: Shard): string | null {
  if (isShardEnd(checkpoint)) return closed ? null : 'is finished by its lease, and open in the stream'
  if (hashKeyRange !== null && !isSameRange(hashKeyRange, own)) return 'has other hash keys by its lease than in the stream'
  if (isSentinel(checkpoint.sequenceNumber)) return null
  const begins = { sequenceNumber: startingSequenceNumber, subSequenceNumber: 0 }
  if (compareSequenceNumbers(checkpoint, begins) >= 0) return null
  return `is at ${checkpoint.sequenceNumber} by its lease, and begins at ${startingSequenceNumber} in the stream`
}

function isSameRange(a: Shard['hashKeyRange'], b: Shard['hashKeyRange']): boolean {
  // Others may write a key with leading zeros.
  return BigInt(a.startingHashKey) === BigInt(b.startingHashKey) && BigInt(a.endingHashKey) === BigInt(b.endingHashKey)
}

/** NaN, which is neither newer nor older than anything, where an id is not numbered. */
function ordinalOf(shardId: string): number {
  return Number(/^shardId-(\d{1,15})$/.exec(shardId)?.[1])
}
