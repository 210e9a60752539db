export type { BranchList, BranchRow, ChartTable, EventRows, StateRow } from './chartTable.ts'
export { compile } from './compile.ts'
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
export { coordinator, startCoordinator } from './coordinator.ts'
export type { CoordinatorOptions, LeaseMode } from './coordinatorOptions.ts'
export type { CoordinatorEffect, CoordinatorEvent, CoordinatorState } from './coordinatorState.ts'
export type { LeaseKeeperEffect, LeaseKeeperEvent, LeaseKeeperInput, LeaseKeeperState } from './leaseKeeper.ts'
export { leaseKeeper, startLeaseKeeper } from './leaseKeeper.ts'
export { replay, restore, shardConsumer, start, step } from './shardConsumer.ts'
export type {
  CheckpointRequestedEvent,
  PauseEvent,
  ShardConsumerContext,
  ShardConsumerInput,
  ShardEffect,
  ShardEvent,
  ShutdownEvent,
} from './shardConsumerContext.ts'
export { outstanding, type ShardConsumerEngine, type ShardConsumerSnapshot } from './shardConsumerEngine.ts'
export { shardConsumerMachine } from './shardConsumerMachine.ts'
export {
  defaultShardConsumerOptions,
  parseShardConsumerOptions,
  type ShardConsumerOptions,
  shardConsumerOptionNames,
} from './shardConsumerOptions.ts'
