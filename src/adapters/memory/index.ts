export { createMemoryLeaseTable, type MemoryLeaseTable } from './leaseTable.ts'
