/** A worker on the lease store of `writingALeaseStore.ts`; in the place of Kinesis, a stream in memory. */
import { createBatchStore, type KinesisRecord } from '@shardwise/effects'
import { type MemoryStream, memoryRecordSource } from '@shardwise/memory'
import { eachRecord, Worker } from 'shardwise'
import type { LeaseRows } from './leaseRows.ts'
import { leaseStore } from './writingALeaseStore.ts'

/** Every worker has a store and a source of its own; they share the rows and the stream. */
export function workerOn(rows: LeaseRows, stream: MemoryStream, handle: (record: KinesisRecord) => Promise<void>): Worker {
  const batches = createBatchStore()
  return new Worker({
    applicationName: 'billing',
    adapters: { leases: leaseStore(rows), source: memoryRecordSource({ stream, batches }), batches },
    processor: eachRecord(handle),
    leaseScanIntervalMillis: 50,
  })
}
