import { createBatchStore } from '@shardwise/effects'
import { createMemoryLeaseTable, createMemoryStream, memoryRecordSource } from '@shardwise/memory'
import { Worker, type WorkerOptions } from 'shardwise'
import { describe, expect, it } from 'vitest'
import { addAmounts, Totals } from '../../docs/examples/eachBatch.ts'
import { sendOrders } from '../../docs/examples/eachRecord.ts'
import { fileOrders } from '../../docs/examples/iterate.ts'
import { bookOrders } from '../../docs/examples/lambdaRecords.ts'
import { writeTo } from '../../docs/examples/pausing.ts'

const shardId = 'shardId-000000000000'

/** A worker on a shard in memory that holds these records, each a partition key and a text, and has ended. */
async function consume(records: readonly (readonly [string, string])[], processor: WorkerOptions['processor']) {
  const stream = createMemoryStream()
  for (const [partitionKey, text] of records) stream.put({ partitionKey, data: new TextEncoder().encode(text) })
  stream.split(shardId)
  const batches = createBatchStore()
  const table = createMemoryLeaseTable()
  const worker = new Worker({
    applicationName: 'example',
    leaseScanIntervalMillis: 20,
    idleTimeInMilliseconds: 2,
    taskBackoffTimeMillis: 2,
    cleanupLeasesOfCompletedShards: false,
    adapters: { leases: table.store(), source: memoryRecordSource({ stream, batches }), batches },
    processor,
    observe: (observation) => {
      if (observation.machine === 'shardConsumer' && observation.shardId === shardId && observation.step.after.status === 'done') {
        void worker.stop()
      }
    },
  })
  await worker.run()
  return table.rows().find(({ leaseKey }) => leaseKey === shardId)?.checkpoint.sequenceNumber
}

describe('eachBatch.ts', () => {
  it('adds the amounts of a shard, and checkpoints to its end', async () => {
    const totals = new Totals()
    expect(
      await consume(
        [
          ['a', '3'],
          ['b', '4'],
        ],
        addAmounts(totals),
      ),
    ).toBe('SHARD_END')
    expect(totals.of(shardId)).toBe(7)
  })

  it('refuses the write of an earlier owner', async () => {
    const totals = new Totals()
    await totals.add(shardId, 4, 1)
    await expect(totals.add(shardId, 3, 1)).rejects.toThrow('token 3 is older than 4')
    expect(totals.of(shardId)).toBe(1)
  })
})

describe('eachRecord.ts', () => {
  it('sends the orders of each customer in their order, and only the failed one again', async () => {
    const sent: Record<string, string[]> = { ann: [], ben: [] }
    let failures = 1
    const processor = sendOrders(async (customer, order) => {
      if (order === '2' && failures-- > 0) throw new Error('busy')
      sent[customer]?.push(order)
    })
    expect(
      await consume(
        [
          ['ann', '1'],
          ['ben', '7'],
          ['ann', '2'],
          ['ann', '3'],
          ['ben', '8'],
        ],
        processor,
      ),
    ).toBe('SHARD_END')
    expect(sent).toEqual({ ann: ['1', '2', '3'], ben: ['7', '8'] })
  })
})

describe('iterate.ts', () => {
  it('writes full files as it reads, and the last one at the end of the shard', async () => {
    const files: (readonly string[])[] = []
    const processor = fileOrders(async (_, lines) => void files.push(lines), 2)
    expect(
      await consume(
        [
          ['a', '1'],
          ['a', '2'],
          ['a', '3'],
          ['a', '4'],
          ['a', '5'],
        ],
        processor,
      ),
    ).toBe('SHARD_END')
    expect(files).toEqual([['1', '2'], ['3', '4'], ['5']])
  })

  it('writes a file under the same name again when it failed', async () => {
    const names: string[] = []
    const processor = fileOrders(async (name) => {
      names.push(name)
      if (names.length === 1) throw new Error('disk full')
    }, 2)
    expect(
      await consume(
        [
          ['a', '1'],
          ['a', '2'],
        ],
        processor,
      ),
    ).toBe('SHARD_END')
    expect(names).toEqual([names[0], names[0]])
  })
})

describe('lambdaRecords.ts', () => {
  it('books every order, from the one on that could not be booked', async () => {
    const booked: string[] = []
    let failures = 1
    const processor = bookOrders(async (order) => {
      if (order === '2' && failures-- > 0) throw new Error('busy')
      booked.push(order)
    })
    expect(
      await consume(
        [
          ['a', '1'],
          ['b', '2'],
          ['a', '3'],
        ],
        processor,
      ),
    ).toBe('SHARD_END')
    expect(booked).toEqual(['1', '2', '3'])
  })
})

describe('pausing.ts', () => {
  it('writes nothing while the store is full, and everything in the end', async () => {
    const written: string[] = []
    let isFull = false
    let wasFull = 0
    const processor = writeTo({
      async write(texts) {
        if (isFull) throw new Error('full')
        written.push(...texts)
        if (wasFull === 2) return { fullForMs: 0 }
        wasFull += 1
        isFull = true
        // Before the shard is resumed.
        setTimeout(() => (isFull = false), 1)
        return { fullForMs: 5 }
      },
    })
    expect(
      await consume(
        [
          ['a', '1'],
          ['b', '2'],
          ['a', '3'],
        ],
        processor,
      ),
    ).toBe('SHARD_END')
    expect(written).toEqual(['1', '2', '3'])
  })
})
