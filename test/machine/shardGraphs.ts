import type { Lease, Shard } from '@shardwise/effects'

/** One shard of a graph: when it was born, its parents, and whether it takes records. */
type Node = readonly [epoch: number, parents: readonly number[], open: boolean]

/** The id of the n-th shard. */
export const idOf = (n: number): string => `shardId-${String(n).padStart(12, '0')}`

/** The number of a shard, by which the graphs call it. */
export const numberOf = (shardId: string): number => Number(shardId.slice('shardId-'.length))

const shardsOf = (nodes: readonly Node[]): readonly Shard[] =>
  nodes.map(([epoch, parents, open], n) => ({
    shardId: idOf(n),
    parentShardIds: parents.map(idOf),
    hashKeyRange: { startingHashKey: String(n), endingHashKey: String(n + 1) },
    startingSequenceNumber: String(epoch),
    closed: !open,
  }))

/** Two generations above the open shards, of merges and of a split; shard 4 has been open all along. */
export const graphA = shardsOf([
  [11, [], false],
  [11, [], false],
  [11, [], false],
  [11, [], false],
  [11, [], true],
  [11, [], false],
  [103, [0, 1], false],
  [103, [2, 3], false],
  [206, [6, 7], true],
  [206, [5], true],
  [206, [5], true],
])

/** One long chain of merges and splits. */
export const graphB = shardsOf([
  [11, [], false],
  [11, [], false],
  [100, [0, 1], false],
  [200, [2], false],
  [200, [2], false],
  [300, [3, 4], false],
  [400, [5], false],
  [400, [5], false],
  [500, [6, 7], false],
  [600, [8], true],
  [600, [8], true],
])

/** Shards that were split once or twice, a merge, and one that was left alone. */
export const graphC = shardsOf([
  [11, [], false],
  [11, [], true],
  [11, [], false],
  [11, [], false],
  [103, [0], false],
  [103, [0], false],
  [103, [2, 3], true],
  [206, [4], true],
  [206, [4], true],
  [206, [5], true],
  [206, [5], true],
])

/** A lease that nobody owns, with what matters to the test. */
export function aLease(facts: Partial<Lease> & Pick<Lease, 'leaseKey'>): Lease {
  return {
    leaseOwner: null,
    leaseCounter: 0,
    checkpoint: at('TRIM_HORIZON'),
    pendingCheckpoint: null,
    ownerSwitchesSinceCheckpoint: 0,
    parentShardIds: [],
    childShardIds: [],
    hashKeyRange: { startingHashKey: '0', endingHashKey: lastHashKey },
    checkpointOwner: null,
    ...facts,
  }
}

/** A checkpoint. */
export const at = (sequenceNumber: string) => ({ sequenceNumber, subSequenceNumber: 0 })

/** The greatest hash key, 2^128 - 1. */
export const lastHashKey = String((1n << 128n) - 1n)
