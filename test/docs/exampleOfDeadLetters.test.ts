import { createBatchStore } from '@shardwise/effects'
import { createMemoryLeaseTable, createMemoryStream, memoryRecordSource } from '@shardwise/memory'
import { Worker } from 'shardwise'
import { expect, it } from 'vitest'
import { withDeadLetters } from '../../docs/examples/deadLetters.ts'

const shardId = 'shardId-000000000000'

it('deadLetters.ts handles the orders that can be read, keeps the one that cannot, and ends the shard', async () => {
  const stream = createMemoryStream()
  for (const text of ['1', '2', 'not an order', '4', '5']) stream.put({ partitionKey: 'a', data: new TextEncoder().encode(text) })
  stream.split(shardId)
  const batches = createBatchStore()
  const table = createMemoryLeaseTable()
  const handled: unknown[] = []
  const kept: string[] = []
  const worker = new Worker({
    applicationName: 'example',
    leaseScanIntervalMillis: 20,
    taskBackoffTimeMillis: 2,
    cleanupLeasesOfCompletedShards: false,
    adapters: { leases: table.store(), source: memoryRecordSource({ stream, batches }), batches },
    ...withDeadLetters(
      async (orders) => void handled.push(...orders),
      async ({ error }) => {
        kept.push(error)
        if (kept.length === 1) throw new Error('the queue is down')
      },
    ),
    observe: (observation) => {
      if (observation.machine === 'shardConsumer' && observation.shardId === shardId && observation.step.after.status === 'done') {
        void worker.stop()
      }
    },
  })
  await worker.run()

  expect(handled).toEqual([1, 2, 4, 5])
  expect(kept).toEqual([expect.stringMatching(/^SyntaxError: /), expect.stringMatching(/^SyntaxError: /)])
  expect(table.rows().find(({ leaseKey }) => leaseKey === shardId)?.checkpoint.sequenceNumber).toBe('SHARD_END')
})
