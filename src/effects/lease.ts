import type { ExtendedSequenceNumber } from './sequenceNumber.ts'
import type { HashKeyRange, ShardId } from './shard.ts'

/**
 * A lease as it stands in the lease table: who may checkpoint a shard, and how far it has been checkpointed.
 * `leaseCounter` grows by one with every renewal, checkpoint and change of owner. Source: KCL `Lease`.
 */
export interface Lease {
  /** The shard id, in a table of a single stream. */
  readonly leaseKey: string
  /** The worker id of the owner; null when nobody owns it. */
  readonly leaseOwner: string | null
  readonly leaseCounter: number
  readonly checkpoint: ExtendedSequenceNumber
  readonly pendingCheckpoint: ExtendedSequenceNumber | null
  readonly ownerSwitchesSinceCheckpoint: number
  readonly parentShardIds: readonly ShardId[]
  readonly childShardIds: readonly ShardId[]
  /** null in rows that were written before hash ranges were stored. */
  readonly hashKeyRange: HashKeyRange | null
  /** The old owner during a hand-off, who may still checkpoint while `leaseOwner` names the next one already; null otherwise. Since KCL 3.0. */
  readonly checkpointOwner: string | null
}

/** What is known of a lease before it stands in the table: nobody owns it and its counter is 0. */
export type NewLease = Pick<Lease, 'leaseKey' | 'checkpoint' | 'parentShardIds'> & { readonly hashKeyRange: HashKeyRange }

/** A worker of the KCL 3 that reports its load to a leader, which assigns leases by it. */
export interface ReportingWorker {
  readonly workerId: string
  readonly reportedMsAgo: number
}

/** The sign of life of a worker that does not renew its leases one by one: its leases are held for as long as the counter of its own row grows. */
export interface Heartbeat {
  readonly workerId: string
  readonly counter: number
}
