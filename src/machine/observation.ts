import type { Step } from '@shardwise/effects'
import type { CoordinatorEffect, CoordinatorEvent, CoordinatorState } from './coordinatorState.ts'
import type { LeaseKeeperEffect, LeaseKeeperEvent, LeaseKeeperState } from './leaseKeeper.ts'
import type { ShardEffect, ShardEvent } from './shardConsumerContext.ts'
import type { ShardConsumerSnapshot } from './shardConsumerEngine.ts'

/** One step of one of the machines in a worker. */
export type Observation =
  | { readonly machine: 'coordinator'; readonly step: Step<CoordinatorState, CoordinatorEvent, CoordinatorEffect> }
  | {
      readonly machine: 'leaseKeeper'
      readonly leaseKey: string
      readonly step: Step<LeaseKeeperState, LeaseKeeperEvent, LeaseKeeperEffect>
    }
  | {
      readonly machine: 'shardConsumer'
      readonly shardId: string
      readonly step: Step<ShardConsumerSnapshot, ShardEvent, ShardEffect>
    }

/** Sees every step of every machine of a worker. It must not throw: that ends the worker. */
export type Observer = (observation: Observation) => void
