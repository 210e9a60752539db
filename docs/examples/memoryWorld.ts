/** What the examples of drivers share. They consume one shard in memory with some orders, already at its end, its lease, and a record processor that collects them. */
import { createBatchStore, type HandlerContext, type Handlers, TRIM_HORIZON } from '@shardwise/effects'
import type { ShardConsumerInput, ShardEffect, ShardEvent } from '@shardwise/machine'
import { createMemoryLeaseTable, createMemoryStream, memoryRecordSource } from '@shardwise/memory'
import { hostRecordProcessor, type RecordProcessor } from '@shardwise/processor'

/** A handler for every effect of a shard consumer. */
export type ShardHandlers = Handlers<Exclude<ShardEffect['type'], 'cancel'>>

/** The answer to an effect whose handler threw, whatever it threw. */
export function effectFailed(thrown: unknown) {
  const { name = 'Error', message = String(thrown) } = (thrown ?? {}) as Partial<Error>
  return { type: 'effectFailed', error: { name, message } }
}

const shardId = 'shardId-000000000000'
const context: HandlerContext = { signal: new AbortController().signal, onAbort() {} }

/** Makes the world. `handlers` is given how to send an event, for the processor asks for checkpoints. Timers fire at once. */
export async function memoryWorld(orders: readonly string[]) {
  const stream = createMemoryStream({ maxRecordsPerRead: 2 })
  for (const order of orders) stream.put({ partitionKey: order, data: new TextEncoder().encode(order) })
  stream.split(shardId)

  const table = createMemoryLeaseTable()
  const leases = table.store()
  const hashKeyRange = { startingHashKey: '0', endingHashKey: String(2n ** 128n - 1n) }
  const lease = { leaseKey: shardId, checkpoint: TRIM_HORIZON, parentShardIds: [], hashKeyRange }
  await leases.createLease({ type: 'createLease', id: 1, lease }, context)
  await leases.acquireLease(
    { type: 'acquireLease', id: 2, leaseKey: shardId, leaseCounter: 0, leaseOwner: null, workerId: 'example' },
    context,
  )

  const consumed: string[] = []
  const processor: RecordProcessor = {
    initialize() {},
    async processRecords({ records, checkpointer }) {
      consumed.push(...records.map(({ data }) => new TextDecoder().decode(data)))
      await checkpointer.checkpoint()
    },
    leaseLost() {},
    shardEnded: ({ checkpointer }) => checkpointer.checkpoint(),
  }
  const batches = createBatchStore()
  const handlers = (send: (event: ShardEvent) => void): ShardHandlers => ({
    ...leases,
    ...memoryRecordSource({ stream, batches }),
    ...hostRecordProcessor({ processor, shardId, batches, send }).handlers,
    startTimer: () => ({ type: 'timerFired', nowMs: 0 }),
    signalShutdownNotificationComplete() {},
    signalLeaseLost() {},
    signalShutdownComplete() {},
  })
  const input: ShardConsumerInput = { shardId, token: 1 }
  return { input, handlers, consumed, rows: () => table.rows() }
}
