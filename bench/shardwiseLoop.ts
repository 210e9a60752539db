import { KinesisClient } from '@aws-sdk/client-kinesis'
import { createBatchStore } from '@shardwise/effects'
import { kinesisRecordSource } from '@shardwise/kinesis'
import { createMemoryLeaseTable } from '@shardwise/memory'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { Worker } from 'shardwise'
import { measure } from './measure.ts'

/** A whole worker, with the client of the bare loop and the leases in memory, so that only Kinesis is on the wire. */
await measure(({ endpoint, records, recordsPerPage }) => {
  const client = new KinesisClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
    requestHandler: new NodeHttpHandler({ httpAgent: { keepAlive: true } }),
  })
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
