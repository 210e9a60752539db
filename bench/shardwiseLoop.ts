import { createBatchStore } from '@shardwise/effects'
import { kinesisRecordSource } from '@shardwise/kinesis'
import { createMemoryLeaseTable } from '@shardwise/memory'
import { Worker } from 'shardwise'
import { clientOf } from './clientOf.ts'
import { measure } from './measure.ts'

/** A whole worker, with a client of the bare loops and the leases in memory, so that only Kinesis is on the wire. */
await measure((course) => {
  const { records, recordsPerPage } = course
  const client = clientOf(course)
  const batches = createBatchStore()
  return async () => {
    let seen = 0
    const worker = new Worker({
      applicationName: 'bench',
      maxRecords: recordsPerPage,
      adapters: {
        leases: createMemoryLeaseTable().store(),
        source: kinesisRecordSource({ client, stream: { name: 'bench' }, batches }),
        batches,
      },
      processor: () => ({
        initialize: () => undefined,
        processRecords: (input) => {
          seen += input.records.length
          if (seen === records) void worker.stop()
        },
        leaseLost: () => undefined,
        shardEnded: ({ checkpointer }) => checkpointer.checkpoint(),
      }),
    })
    await worker.run()
    client.destroy()
    return seen
  }
})
