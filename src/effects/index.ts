export { type BatchHandle, type BatchStore, createBatchStore, type KinesisRecord, type StoredBatch } from './batch.ts'
export type {
  AbortSignalLike,
  ConsumerHost,
  ConsumerOwner,
  EffectsOf,
  Handler,
  HandlerContext,
  Handlers,
  LeaseHost,
  LeaseStore,
  LeaseTable,
  Processor,
  RecordSource,
  StreamDirectory,
  Timers,
} from './handlers.ts'
export { type Interpreter, interpret, type MachineAnswer, type PureMachine, type Step } from './interpret.ts'
export type { Lease, NewLease } from './lease.ts'
export { type InitialPosition, type Position, positionOfCheckpoint } from './position.ts'
export {
  AT_TIMESTAMP,
  type CheckpointSentinel,
  compareSequenceNumbers,
  type ExtendedSequenceNumber,
  isSentinel,
  isShardEnd,
  LATEST,
  parseExtendedSequenceNumber,
  SHARD_END,
  TRIM_HORIZON,
} from './sequenceNumber.ts'
export { type ChildShard, type HashKeyRange, parseShardId, type Shard, type ShardId } from './shard.ts'
export { higherReason, parseShutdownReason, rankOf, type ShutdownReason } from './shutdownReason.ts'
export {
  type Answer,
  type AnswerBody,
  type AnsweredEffectType,
  type AnswerType,
  type Effect,
  type EffectFailed,
  type EffectOf,
  type EffectType,
  type ErrorFacts,
  effectTable,
  isAnswered,
  type Outcome,
  type Port,
} from './table.ts'
