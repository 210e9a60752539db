export { type AnyRecordProcessor, adaptRecordProcessor } from './adaptRecordProcessor.ts'
export type { Checkpointer, CheckpointRequested, PauseRequested } from './checkpointer.ts'
export { eachBatch } from './handlers/eachBatch.ts'
export { type EachRecordOptions, eachRecord } from './handlers/eachRecord.ts'
export type { BatchContext, RecordContext } from './handlers/handlerContext.ts'
export type { CheckpointPolicy, HandlerOptions } from './handlers/handlerOptions.ts'
export { iterate } from './handlers/iterate.ts'
export type { KinesisStreamBatchResponse, KinesisStreamEvent, KinesisStreamRecord } from './handlers/lambdaEvent.ts'
export { type LambdaHandler, type LambdaRecordsOptions, lambdaRecords } from './handlers/lambdaRecords.ts'
export { hostRecordProcessor, type RecordProcessorHost, type RecordProcessorHostOptions } from './hostRecordProcessor.ts'
export type {
  CallbackSignal,
  DeadLetter,
  DeadLetterInput,
  InitializationInput,
  LeaseLostInput,
  ProcessRecordsInput,
  RecordProcessor,
  ShardEndedInput,
  ShutdownRequestedInput,
} from './recordProcessor.ts'
export type { RecordProcessorV1, RecordProcessorV2, WarningLogger, ZombieOrTerminate } from './seedShapes.ts'
