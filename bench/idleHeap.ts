import { createBatchStore } from '@shardwise/effects'
import { createMemoryLeaseTable, createMemoryStream, memoryRecordSource } from '@shardwise/memory'
import { Worker } from 'shardwise'

/** Heap bytes that each idle shard of a running worker holds: its lease keeper, its shard consumer, their drivers and timers. */
export async function measureIdleHeap(shards: number): Promise<number> {
  const { gc } = globalThis
  if (gc === undefined) throw new Error('gc: expected node --expose-gc')
  const stream = createMemoryStream({ shardCount: shards })
  const table = createMemoryLeaseTable()
  const batches = createBatchStore()
  const adapters = { leases: table.store(), source: memoryRecordSource({ stream, batches }), batches }
  let idle = 0
  let allIdle = (): void => undefined
  const reached = new Promise<void>((resolve) => {
    allIdle = resolve
  })
  const worker = new Worker({
    applicationName: 'bench',
    adapters,
    idleTimeInMilliseconds: 3_600_000,
    failoverTimeMillis: 3_600_000,
    leaseScanIntervalMillis: 3_600_000,
    processor: () => ({
      initialize: () => undefined,
      processRecords: () => undefined,
      leaseLost: () => undefined,
      shardEnded: ({ checkpointer }) => checkpointer.checkpoint(),
    }),
    observe: ({ machine, step }) => {
      if (machine !== 'shardConsumer' || JSON.stringify(step.after.value) !== '{"PROCESSING":"idling"}') return
      idle += 1
      if (idle === shards) allIdle()
    },
  })
  gc()
  const before = process.memoryUsage().heapUsed
  const running = worker.run()
  await Promise.race([reached, running])
  gc()
  const held = process.memoryUsage().heapUsed - before
  await worker.stop()
  return held / shards
}
