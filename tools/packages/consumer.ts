/** A program as users write it: its types are what is checked, and it is not run. */
import { dynamoDbLeaseTable } from '@shardwise/dynamodb'
import { createBatchStore, interpret } from '@shardwise/effects'
import { start, step } from '@shardwise/machine'
import { shardConsumer } from '@shardwise/machine/compiled'
import { createMemoryLeaseTable, createMemoryStream, memoryRecordSource } from '@shardwise/memory'
import { eachRecord, Worker, type WorkerOptions } from 'shardwise'

const batches = createBatchStore()
const stream = createMemoryStream({ shardCount: 2 })

export const options: WorkerOptions = {
  applicationName: 'billing',
  adapters: { leases: createMemoryLeaseTable().store(), source: memoryRecordSource({ stream, batches }), batches },
  engine: shardConsumer,
  processor: () => ({
    initialize() {},
    async processRecords({ records, checkpointer }) {
      const lengths: readonly number[] = records.map(({ data }) => data.length)
      await checkpointer.checkpoint()
      return void lengths
    },
    leaseLost() {},
    shardEnded: ({ checkpointer }) => checkpointer.checkpoint(),
  }),
}

export const worker = new Worker({ ...options, processor: eachRecord((record) => void record.partitionKey) })

const [snapshot] = start({ shardId: 'shardId-000000000000', token: 7 })
export const stepped = step(snapshot, { type: 'shutdown', reason: 'REQUESTED' })

// @ts-expect-error: there is no such reason
step(snapshot, { type: 'shutdown', reason: 'NEVER' })
// @ts-expect-error: a stream must be an object
memoryRecordSource({ stream: 'orders', batches })
// @ts-expect-error: a table has a name
dynamoDbLeaseTable({})

export { interpret }
