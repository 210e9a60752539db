export {
  type ConsumerState,
  type ConsumerStateValue,
  consumerState,
  consumerStateTable,
  isTerminal,
  requiresAwake,
  requiresDataAvailability,
  shutdownTransition,
  successTransition,
  type TableState,
  type TaskType,
  tableState,
  taskType,
} from './consumerStates.ts'
export {
  type CoordinatorEffect,
  type CoordinatorEvent,
  type CoordinatorOptions,
  type CoordinatorState,
  coordinator,
  startCoordinator,
} from './coordinator.ts'
export {
  type LeaseKeeperEffect,
  type LeaseKeeperEvent,
  type LeaseKeeperInput,
  type LeaseKeeperState,
  leaseKeeper,
  startLeaseKeeper,
} from './leaseKeeper.ts'
export { outstanding, replay, restore, type ShardConsumerSnapshot, shardConsumer, start, step } from './shardConsumer.ts'
export type {
  CheckpointRequestedEvent,
  ShardConsumerContext,
  ShardConsumerInput,
  ShardEffect,
  ShardEvent,
  ShutdownEvent,
} from './shardConsumerContext.ts'
export { shardConsumerMachine } from './shardConsumerMachine.ts'
export {
  defaultShardConsumerOptions,
  parseShardConsumerOptions,
  type ShardConsumerOptions,
  shardConsumerOptionNames,
} from './shardConsumerOptions.ts'
