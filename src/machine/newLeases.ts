import type { ErrorFacts, NewLease, Shard } from '@shardwise/effects'
import type { CoordinatorState } from './coordinatorState.ts'
import { coversHashKeys, holeInLeases, leasesForEmptyTable, missingLeases, unexpectedChildShards } from './shardSync.ts'

/** The leases to create for the shards that were listed; an error when the listing cannot be right. */
export function leasesFor(
  { leases, options }: CoordinatorState,
  shards: readonly Shard[],
): { readonly leases: readonly NewLease[] } | { readonly error: ErrorFacts } {
  const { initialPosition, ignoreUnexpectedChildShards } = options
  if (leases.length === 0) {
    if (coversHashKeys(shards.map(({ hashKeyRange }) => hashKeyRange))) return { leases: leasesForEmptyTable(shards, initialPosition) }
    return { error: { name: 'IncompleteShardList', message: `the ${shards.length} shards listed do not cover all hash keys` } }
  }
  if (holeInLeases(leases) === null) return { leases: [] }
  const unexpected = unexpectedChildShards(shards)
  if (unexpected.length > 0 && !ignoreUnexpectedChildShards) {
    return {
      error: { name: 'InconsistentShardList', message: `${unexpected.join(', ')}: listed as children of shards that are still open` },
    }
  }
  return {
    leases: missingLeases(
      shards,
      leases.map(({ leaseKey }) => leaseKey),
      initialPosition,
    ),
  }
}
