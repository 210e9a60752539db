import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { WorkerOptions } from 'shardwise'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { bookOrders } from '../../docs/examples/fromAwsKcl.ts'
import { takeBatches } from '../../docs/examples/fromLifionKinesis.ts'
import { declareOptions, readOptions } from '../../src/worker/commandLineOptions.ts'
import { aRecord, hostChild } from '../adapters/multilang/setting.ts'
import { textOf } from '../house/tree.ts'
import { aWatch, aWorker, aWorld, consumerHeard, put } from '../worker/workerSetting.ts'

/** Consumes what is in a shard, until a batch of it has been completed; answers with the stored checkpoint. */
async function consume(texts: readonly string[], processor: WorkerOptions['processor']) {
  const [world, watch] = [aWorld(), aWatch()]
  put(world.stream, texts)
  const worker = aWorker(world, { processor, observe: watch.observe })
  const processed = watch.until('a batch', consumerHeard('recordsProcessed'))
  const running = worker.run()
  await processed
  await worker.stop()
  await running
  return world.table.rows()[0]?.checkpoint.sequenceNumber
}

describe('fromAwsKcl.ts', () => {
  it('books orders in their order, again when one could not be booked, and checkpoints them', async () => {
    const booked: string[] = []
    let failures = 1
    const checkpoint = await consume(
      ['a', 'b', 'c'],
      bookOrders(async (customer, order) => {
        if (order === 'b' && failures-- > 0) throw new Error('busy')
        booked.push(`${customer} ${order}`)
      }),
    )

    expect(booked).toEqual(['a a', 'a a', 'b b', 'c c'])
    expect(checkpoint).toMatch(/^\d+$/)
  })
})

describe('fromLifionKinesis.ts', () => {
  it('takes parsed batches, and checkpoints a batch when it was taken', async () => {
    const taken: unknown[] = []
    let failures = 1
    const checkpoint = await consume(
      ['{"order":1}', '{"order":2}'],
      takeBatches(async (batch) => {
        if (failures-- > 0) throw new Error('busy')
        taken.push(batch)
      }),
    )

    expect(taken).toEqual([{ shardId: 'shardId-000000000000', records: [{ order: 1 }, { order: 2 }] }])
    expect(checkpoint).toMatch(/^\d+$/)
  })
})

describe('orders.py', () => {
  afterEach(() => void vi.unstubAllEnvs())

  it('writes orders and checkpoints them, as a child of shardwise', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'orders-'))
    // Where the module is that stands in for amazon_kclpy.
    vi.stubEnv('PYTHONPATH', fileURLToPath(new URL('../adapters/multilang/python', import.meta.url)))
    const script = fileURLToPath(new URL('../../docs/examples/orders.py', import.meta.url))
    const child = hostChild(['python3', '-B', script, join(folder, 'orders')])
    try {
      expect(await child.initialize()).toEqual({ type: 'initialized' })
      expect(await child.processRecords([aRecord('8', 'one'), aRecord('9', 'two')])).toEqual({ type: 'recordsProcessed' })
      expect(await child.shutdownRequested()).toEqual({ type: 'shutdownRequestedNotified' })
      expect(await child.leaseLost()).toEqual({ type: 'leaseLostNotified' })

      expect(await readFile(join(folder, 'orders'), 'utf8')).toBe('one\ntwo\n')
      expect(child.requests).toHaveLength(2)
      expect(child.warnings).toEqual([])
    } finally {
      child.close()
      await rm(folder, { recursive: true })
    }
  })
})

describe('the pages on moving here', () => {
  const pages = ['aws-kcl', 'amazon-kclpy', 'lifion-kinesis', 'lambda'].map((name) => textOf(`docs/coming-from-${name}.md`))
  const options =
    textOf('src/worker/workerOptions.ts') + textOf('src/machine/shardConsumerOptions.ts') + textOf('src/machine/coordinatorOptions.ts')

  it.each([
    'applicationName',
    'tableName',
    'initialPosition',
    'idleTimeInMilliseconds',
    'leaseScanIntervalMillis',
    'maxLeasesForWorker',
    'maxRecords',
    'deaggregate',
    'fanOut',
  ])('name %s, which is an option', (name) => {
    expect(pages.join()).toContain(`\`${name}`)
    expect(options).toMatch(new RegExp(`readonly ${name}\\??:`))
  })

  it('start at the time that they say', () => {
    const [, args = ''] = /^npx shardwise consume (.*AT_TIMESTAMP.*)$/m.exec(pages.join('\n')) ?? []
    const { options: read } = readOptions(declareOptions().exitOverride().parse(args.split(' '), { from: 'user' }))

    expect(read.initialPosition).toEqual({ type: 'AT_TIMESTAMP', timestampMs: Date.UTC(2026, 0, 31, 12) })
  })
})
