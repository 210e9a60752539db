import { type KinesisClient, PutRecordCommand } from '@aws-sdk/client-kinesis'
import { createBatchStore, type KinesisRecord } from '@shardwise/effects'
import { createAggregator, type DroppedRecordsOfShard, kinesisRecordSource, type UserRecord } from '@shardwise/kinesis'
import { createMemoryLeaseTable, type MemoryLeaseTable } from '@shardwise/memory'
import { Worker } from 'shardwise'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startDynalite } from '../../servers/dynalite.ts'
import { startKinesalite } from '../../servers/kinesalite.ts'
import { sharedKinesisLocal } from '../sharedKinesisLocal.ts'
import { aDiary, aLogger, aWatch, deliveredCount, quick } from '../worker/workerSetting.ts'
import { clientOf } from './dynamodbTable.ts'
import { localKinesisClient } from './kinesisClient.ts'
import { textOf } from './kplMessages.ts'
import { type NamedStream, namedStreamsOf } from './kplStreams.ts'

const userRecords = (count: number): readonly UserRecord[] =>
  Array.from({ length: count }, (_, index) => ({ partitionKey: `customer ${index % 13}`, data: Buffer.from(String(index)) }))

describe.each([
  { name: 'kinesalite', start: startKinesalite },
  { name: 'kinesis-local', start: sharedKinesisLocal },
])('aggregates put into $name and consumed by a worker', ({ start }) => {
  let server: Awaited<ReturnType<typeof start>>
  let client: KinesisClient

  beforeAll(async () => {
    server = await start()
    client = localKinesisClient(server.endpoint)
  })
  afterAll(async () => {
    client?.destroy()
    await server?.stop()
  })

  /** Puts the records through an aggregator that knows the shards of the stream. */
  async function produce(stream: NamedStream, records: readonly UserRecord[]): Promise<number> {
    const shards = (await stream.shards()).filter(({ closed }) => !closed)
    const aggregator = createAggregator({ maxBytes: 400, hashKeyRanges: shards.map(({ hashKeyRange }) => hashKeyRange) })
    const outgoing = [...records.flatMap((record) => aggregator.add(record)), ...aggregator.flush()]
    for (const { partitionKey: PartitionKey, explicitHashKey: ExplicitHashKey, data: Data } of outgoing) {
      await client.send(new PutRecordCommand({ StreamName: stream.name, PartitionKey, ExplicitHashKey, Data }))
    }
    return outgoing.length
  }

  function worker(
    stream: NamedStream,
    table: MemoryLeaseTable,
    processRecords: (records: readonly KinesisRecord[], checkpoint: (record: KinesisRecord) => Promise<void>) => Promise<void> | void,
    watch = aWatch(),
  ) {
    const batches = createBatchStore()
    const dropped: DroppedRecordsOfShard[] = []
    const source = kinesisRecordSource({ client, stream: { name: stream.name }, batches, onDroppedRecords: (one) => dropped.push(one) })
    const made = new Worker({
      ...quick,
      leaseScanIntervalMillis: 100,
      parentShardPollIntervalMillis: 50,
      idleTimeInMilliseconds: 20,
      adapters: { leases: table.store(), source, batches },
      observe: watch.observe,
      processor: () => ({
        initialize: () => undefined,
        processRecords: ({ records, checkpointer }) => processRecords(records, (record) => checkpointer.checkpoint(record)),
        leaseLost: () => undefined,
        shardEnded: ({ checkpointer }) => checkpointer.checkpoint(),
      }),
    })
    return { made, watch, dropped }
  }

  test('go on after the very user record that was checkpointed, when a worker ends in the middle of an aggregate', async () => {
    const stream = await namedStreamsOf(client)(1)
    const table = createMemoryLeaseTable()
    const records = userRecords(40)
    expect(await produce(stream, records)).toBeLessThan(20)

    // Each worker checkpoints one more record than the last one, and ends without processing what follows.
    const firsts: string[] = []
    for (let sub = 0; sub < 4; sub += 1) {
      let stored = (): void => undefined
      const done = new Promise<void>((resolve) => {
        stored = resolve
      })
      const { made } = worker(stream, table, async ([first], checkpoint) => {
        if (first === undefined || firsts.length > sub) return
        firsts.push(`${textOf(first)} at ${first.subSequenceNumber}`)
        await checkpoint(first)
        stored()
        throw new Error('ends in the middle of the aggregate')
      })
      const running = made.run()
      await done
      await made.stop({ force: true })
      await running
    }
    expect(firsts).toEqual(['0 at 0', '1 at 1', '2 at 2', '3 at 3'])

    const delivered: string[] = []
    let complete = (): void => undefined
    const all = new Promise<void>((resolve) => {
      complete = resolve
    })
    const last = worker(stream, table, (batch) => {
      delivered.push(...batch.map(textOf))
      if (delivered.length >= 36) complete()
    })
    const running = last.made.run()
    await all
    await last.made.stop()
    await running
    expect(delivered).toEqual(records.slice(4).map(textOf))
    expect(last.dropped).toEqual([])
  })

  test('lose nothing and come once through a split, with a worker that starts anew', async () => {
    const stream = await namedStreamsOf(client)(2)
    const table = createMemoryLeaseTable()
    const delivered: string[] = []
    const consume = async (count: number): Promise<DroppedRecordsOfShard[]> => {
      let complete = (): void => undefined
      const all = new Promise<void>((resolve) => {
        complete = resolve
      })
      const { made, dropped } = worker(stream, table, async (batch, checkpoint) => {
        delivered.push(...batch.map(textOf))
        const last = batch.at(-1)
        if (last !== undefined) await checkpoint(last)
        if (delivered.length >= count) complete()
      })
      const running = made.run()
      await all
      await made.stop()
      await running
      return dropped
    }
    const records = userRecords(90)
    await produce(stream, records.slice(0, 50))
    const early = await consume(50)
    await stream.split((await stream.shards())[0]?.shardId ?? '')
    await produce(stream, records.slice(50))
    const late = await consume(90)
    expect(delivered.toSorted()).toEqual(records.map(textOf).toSorted())
    expect([early, late]).toEqual([[], []])
  })
})

test('a worker warns of aggregates that it does not deliver', async () => {
  const servers = await Promise.all([startKinesalite(), startDynalite()])
  const [stream, table] = servers
  const kinesis = localKinesisClient(stream.endpoint)
  const dynamodb = clientOf(table.endpoint)
  try {
    const { name, shards } = await namedStreamsOf(kinesis)(2)
    const aggregator = createAggregator()
    for (const { hashKeyRange } of await shards()) {
      aggregator.add({ partitionKey: 'a', data: Buffer.from('lost'), explicitHashKey: hashKeyRange.startingHashKey })
    }
    for (const { partitionKey: PartitionKey, explicitHashKey: ExplicitHashKey, data: Data } of [
      ...aggregator.flush(),
      { partitionKey: 'b', explicitHashKey: '0', data: Buffer.from('kept') },
    ]) {
      await kinesis.send(new PutRecordCommand({ StreamName: name, PartitionKey, ExplicitHashKey, Data }))
    }
    const logger = aLogger()
    const [diary, watch] = [aDiary(), aWatch()]
    const heard: DroppedRecordsOfShard[] = []
    const worker = new Worker({
      ...quick,
      streamName: name,
      kinesis,
      dynamodb,
      logger,
      onDroppedRecords: (dropped) => heard.push(dropped),
      observe: watch.observe,
      processor: diary.processor,
    })
    const kept = watch.until('the record after the aggregate', deliveredCount(diary, 1))
    const running = worker.run()
    await kept
    await worker.stop()
    await running
    expect(diary.delivered).toEqual(['kept'])
    expect(logger.lines.filter((line) => line.includes('aggregate'))).toEqual([
      expect.stringMatching(
        /^warn Shard shardId-000000000000 delivers 0 of the 2 records in the aggregate \d+: one of them belongs to another shard$/,
      ),
    ])
    expect(heard).toMatchObject([{ shardId: 'shardId-000000000000', reason: 'outsideHashKeyRange', delivered: 0, dropped: 2 }])
  } finally {
    kinesis.destroy()
    dynamodb.destroy()
    await Promise.all(servers.map((server) => server.stop()))
  }
})

test('a worker that is told not to delivers aggregates as they are stored', async () => {
  const servers = await Promise.all([startKinesalite(), startDynalite()])
  const [stream, table] = servers
  const kinesis = localKinesisClient(stream.endpoint)
  const dynamodb = clientOf(table.endpoint)
  try {
    const { name } = await namedStreamsOf(kinesis)(1)
    const aggregator = createAggregator()
    const [aggregate] = [...userRecords(3).flatMap((record) => aggregator.add(record)), ...aggregator.flush()]
    if (aggregate === undefined) throw new Error('there is no aggregate')
    const { partitionKey: PartitionKey, explicitHashKey: ExplicitHashKey, data: Data } = aggregate
    await kinesis.send(new PutRecordCommand({ StreamName: name, PartitionKey, ExplicitHashKey, Data }))
    const [diary, watch] = [aDiary(), aWatch()]
    const options = { ...quick, streamName: name, kinesis, dynamodb, observe: watch.observe, processor: diary.processor }
    const worker = new Worker({ ...options, deaggregate: false })
    const delivered = watch.until('the aggregate', deliveredCount(diary, 1))
    const running = worker.run()
    await delivered
    await worker.stop()
    await running
    expect([...diary.deliveredTo.values()].flat().map(({ data }) => Buffer.from(data))).toEqual([Buffer.from(Data)])
  } finally {
    kinesis.destroy()
    dynamodb.destroy()
    await Promise.all(servers.map((server) => server.stop()))
  }
})
