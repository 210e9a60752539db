export { createMemoryLeaseTable, type MemoryLeaseTable, type MemoryTableCalls } from './leaseTable.ts'
export { memoryRecordSource } from './source.ts'
export { createMemoryStream, type MemoryStream, type NewRecord } from './stream.ts'
export type { MemoryIterator, MemoryRead, MemoryStreamService } from './streamService.ts'
