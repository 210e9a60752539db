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
export type { Heartbeat, Lease, NewLease, ReportingWorker } from './lease.ts'
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
export { shown, unexpected } from './shown.ts'
export { higherReason, parseShutdownReason, rankOf, type ShutdownReason } from './shutdownReason.ts'
export type {
  Answer,
  AnswerBody,
  AnsweredEffectType,
  AnswerType,
  Effect,
  EffectFailed,
  EffectOf,
  EffectType,
  ErrorFacts,
  Outcome,
  Port,
} from './table.ts'
export { effectTable, isAnswered } from './table.ts'
