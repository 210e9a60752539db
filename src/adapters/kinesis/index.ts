export type { KinesisRecordSourceOptions } from './options.ts'
export { kinesisRecordSource } from './recordSource.ts'
export type { StreamAddress } from './streamAddress.ts'
export { createThrottlingReporter, type Throttle } from './throttlingReporter.ts'
