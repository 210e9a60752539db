import type { InitialPosition } from '@shardwise/effects'

/** How a worker shows that its leases are held. All workers of a table do it in the same way. */
export type LeaseMode = 'kcl' | 'workerHeartbeat'

/** How a coordinator behaves: plain JSON, times in milliseconds. Names are the KCL's where it has them. */
export interface CoordinatorOptions {
  readonly workerId: string
  readonly initialPosition: InitialPosition
  /** What shows that a lease is held: its own counter, as in the KCL; or the heartbeat of its worker, for fleets that share no table with the KCL. */
  readonly leaseMode: LeaseMode
  /** A lease whose counter, or the heartbeat of whose worker, stands still for longer is free for others. */
  readonly failoverTimeMillis: number
  /** The wait between two listings of the leases. */
  readonly leaseScanIntervalMillis: number
  readonly maxLeasesForWorker: number
  /** How many leases are taken at once from a worker that has more than its share; 0 for none. */
  readonly maxLeasesToStealAtOneTime: number
  /** Whether the owner of a lease that is stolen is asked to hand it over; otherwise it is taken. KCL 2 workers do not hand over. */
  readonly isGracefulLeaseHandoffEnabled: boolean
  /** How long the owner of a lease may take to hand it over, and a record processor to come to its end. */
  readonly gracefulLeaseHandoffTimeoutMillis: number
  /** Whether the leases of finished shards are deleted. */
  readonly cleanupLeasesOfCompletedShards: boolean
  /** How long a finished lease stands before it is deleted. */
  readonly completedLeaseCleanupIntervalMillis: number
  /** Whether a table that has leases is taken to cover the stream without a look at the stream. */
  readonly skipShardSyncAtWorkerInitializationIfLeasesExist: boolean
  /** Whether children of shards that are still open are left out of a shard sync, rather than failing it. */
  readonly ignoreUnexpectedChildShards: boolean
  /** How long a finished lease stands before its shard is looked for, and the wait between two such looks: a shard that is gone takes its lease with it. */
  readonly garbageLeaseCleanupIntervalMillis: number
  /** The wait between two audits, which look for hash keys that no unfinished lease covers. */
  readonly leasesRecoveryAuditorExecutionFrequencyMillis: number
  /** How many audits in a row must find the same hole before leases are created for it. */
  readonly leasesRecoveryAuditorInconsistencyConfidenceThreshold: number
  /** How often the start is tried when the table or the stream cannot be reached. */
  readonly maxInitializationAttempts: number
  readonly seed: number
}
