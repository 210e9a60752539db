import { createBatchStore } from '@shardwise/effects'
import { kinesisRecordSource } from '@shardwise/kinesis'
import { memoryRecordSource } from '@shardwise/memory'
import { Worker } from 'shardwise'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startWireKinesis, type WireKinesis } from '../../servers/wireKinesis.ts'
import type { WireShard } from '../../servers/wireShards.ts'
import { localKinesisClient } from '../adapters/kinesisClient.ts'
import { aDiary, aLogger, aWatch, aWorld, deliveredCount, put, quick, texts } from '../worker/workerSetting.ts'

const world = aWorld(1_000)
const shards = world.stream.listShards().map(
  ({ shardId, hashKeyRange }): WireShard => ({
    shardId,
    openedAtMs: 0,
    hashKeys: [hashKeyRange.startingHashKey, hashKeyRange.endingHashKey],
  }),
)

let wire: WireKinesis
let client: ReturnType<typeof localKinesisClient>
beforeAll(async () => {
  wire = await startWireKinesis({ shards, pageSize: 100 })
  client = localKinesisClient(wire.endpoint)
})
afterAll(async () => {
  client?.destroy()
  await wire?.stop()
})

it('a stream of 1,000 shards, listed over ten pages, gets 1,000 leases, and of each shard everything is delivered', async () => {
  const [diary, logger, watch] = [aDiary(), aLogger(), aWatch()]
  put(world.stream, texts('order', 3_000))
  const batches = createBatchStore()
  const { listShards, listChildShards } = kinesisRecordSource({ client, stream: { name: 'orders' }, batches })
  const source = { ...memoryRecordSource({ stream: world.stream, batches }), listShards, listChildShards }
  const worker = new Worker({
    ...quick,
    idleTimeInMilliseconds: 1_000,
    leaseScanIntervalMillis: 1_000,
    adapters: { leases: world.table.store(), source, batches },
    logger,
    observe: watch.observe,
    processor: diary.processor,
  })
  const all = watch.until('all records', deliveredCount(diary, 3_000))
  const running = worker.run()
  await all
  await worker.stop()
  await running

  expect(wire.requests('ListShards')).toHaveLength(10)
  expect(world.table.rows()).toHaveLength(1_000)
  expect(diary.delivered.toSorted()).toEqual(texts('order', 3_000).toSorted())
  const last = new Map([...diary.deliveredTo].map(([shardId, records]) => [shardId, records.at(-1)?.sequenceNumber]))
  for (const { leaseKey, checkpoint, leaseOwner } of world.table.rows()) {
    expect([leaseOwner, checkpoint.sequenceNumber]).toEqual([null, last.get(leaseKey) ?? 'TRIM_HORIZON'])
  }
  expect(logger.lines.filter((line) => /^(warn|error)/.test(line))).toEqual([])
})
