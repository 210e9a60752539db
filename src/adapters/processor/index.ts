export { type AnyRecordProcessor, adaptRecordProcessor } from './adaptRecordProcessor.ts'
export type { Checkpointer, CheckpointRequested } from './checkpointer.ts'
export { hostRecordProcessor, type RecordProcessorHost, type RecordProcessorHostOptions } from './hostRecordProcessor.ts'
export type {
  CallbackSignal,
  InitializationInput,
  LeaseLostInput,
  ProcessRecordsInput,
  RecordProcessor,
  ShardEndedInput,
  ShutdownRequestedInput,
} from './recordProcessor.ts'
export type { RecordProcessorV1, RecordProcessorV2, WarningLogger, ZombieOrTerminate } from './seedShapes.ts'
