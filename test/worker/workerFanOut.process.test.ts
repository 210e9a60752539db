import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { CreateStreamCommand, DescribeStreamSummaryCommand, PutRecordCommand } from '@aws-sdk/client-kinesis'
import { createMemoryStream, type MemoryStream } from '@shardwise/memory'
import { Worker } from 'shardwise'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { startDynalite } from '../../servers/dynalite.ts'
import { type FanOutServer, startFanOutServer } from '../../servers/fanOutServer.ts'
import { feed, listingOf } from '../../servers/fanOutServerStream.ts'
import type { LocalServer } from '../../servers/localServer.ts'
import { clientOf } from '../adapters/dynamodbTable.ts'
import { localKinesisClient } from '../adapters/kinesisClient.ts'
import { sharedKinesisLocal } from '../sharedKinesisLocal.ts'
import { killAll, localAws, recorder, startCli } from './cliRun.ts'
import { aDiary, aWatch, deliveredCount, put, quick, texts } from './workerSetting.ts'

const { idleTimeInMilliseconds: _, ...paced } = quick
let table: LocalServer
let dynamodb: DynamoDBClient
beforeAll(async () => {
  table = await startDynalite()
  dynamodb = clientOf(table.endpoint)
})
afterAll(async () => {
  killAll()
  dynamodb?.destroy()
  await table?.stop()
})

describe('a worker that reads by enhanced fan-out', () => {
  let stream: MemoryStream
  let server: FanOutServer
  beforeEach(async () => {
    stream = createMemoryStream({ shardCount: 2 })
    server = await startFanOutServer({
      listShards: () => listingOf(stream),
      hasShard: (shardId) => stream.listShards().some((shard) => shard.shardId === shardId),
      onSubscribe: (subscription) => void feed(subscription, stream, { recordsPerEvent: 7, heartbeatMs: 10 }),
      repeatWaitMs: 0,
      newConsumerStatus: 'ACTIVE',
    })
    for (const [name, value] of Object.entries(localAws)) vi.stubEnv(name, value)
  })
  afterEach(async () => {
    vi.unstubAllEnvs()
    await server.stop()
  })

  it('delivers every record once through a split, without idling, over HTTP/2, as a consumer that it registers under the name of the application', async () => {
    const [diary, watch] = [aDiary(), aWatch()]
    const [early, late] = [texts('early', 40), texts('late', 40)]
    const idleTimes: number[] = []
    put(stream, early)
    const worker = new Worker({
      ...paced,
      applicationName: 'split',
      streamName: 'orders',
      fanOut: true,
      kinesisEndpoint: server.endpoint,
      dynamodb,
      processor: diary.processor,
      observe(observation) {
        watch.observe(observation)
        if (observation.machine !== 'shardConsumer' || observation.step.event?.type !== 'recordsProcessed') return
        idleTimes.push(...observation.step.effects.flatMap((effect) => (effect.type === 'startTimer' ? [effect.delayMs] : [])))
      },
    })
    const half = watch.until('the early records', deliveredCount(diary, early.length))
    const running = worker.run()
    await half
    stream.split('shardId-000000000000')
    put(stream, late)
    await watch.until('the late records', deliveredCount(diary, early.length + late.length))
    await worker.stop()
    await running

    expect(diary.delivered.toSorted()).toEqual([...early, ...late].toSorted())
    expect(server.requests('RegisterStreamConsumer')).toEqual([{ StreamARN: server.streamArn, ConsumerName: 'split' }])
    expect(server.calls()).not.toContain('GetRecords')
    expect(idleTimes).toEqual([])
    expect(diary.lines).toContain('shardId-000000000000 shardEnded')
  })

  it.each([
    ['by its ARN', (arn: string) => ({ consumerArn: arn }), []],
    ['by its name', () => ({ consumerName: 'reader' }), ['DescribeStreamSummary', 'DescribeStreamConsumer']],
  ])('takes a consumer %s, and registers none', async (_how, fanOutOf, asked) => {
    const [diary, watch] = [aDiary(), aWatch()]
    const consumer = server.register('reader')
    put(stream, texts('order', 5))
    const worker = new Worker({
      ...paced,
      applicationName: `taken ${asked.length}`,
      tableName: `taken-${asked.length}`,
      streamName: 'orders',
      fanOut: fanOutOf(consumer),
      kinesisEndpoint: server.endpoint,
      dynamodb,
      processor: diary.processor,
      observe: watch.observe,
    })
    const all = watch.until('all records', deliveredCount(diary, 5))
    const running = worker.run()
    await all
    await worker.stop()
    await running

    const others = server.calls().filter((call) => call !== 'ListShards' && call !== 'SubscribeToShard')
    expect(others).toEqual(asked)
    expect(new Set(server.requests('SubscribeToShard').map((input) => input['ConsumerARN']))).toEqual(new Set([consumer]))
  })

  it('names an endpoint that cannot be reached', async () => {
    const worker = new Worker({
      ...paced,
      applicationName: 'unreached',
      streamName: 'orders',
      fanOut: true,
      kinesisEndpoint: 'http://127.0.0.1:1',
      dynamodb,
      maxInitializationAttempts: 1,
      processor: aDiary().processor,
    })

    await expect(worker.run()).rejects.toThrow('http://127.0.0.1:1 cannot be reached: connect ECONNREFUSED 127.0.0.1:1')
  })

  it('is a flag of the command line', async () => {
    put(stream, texts('order', 10))
    const said = ['consume', '--stream', 'orders', '--application', 'flagged', '--processor', recorder, '--fan-out', 'billing-reader']
    const cli = startCli([...said, '--kinesis-endpoint', server.endpoint, '--dynamodb-endpoint', table.endpoint])
    await cli.until((lines) => lines.filter(({ order }) => order !== undefined).length >= 10)
    cli.kill('SIGTERM')

    expect(await cli.ended).toMatchObject({ code: 0 })
    expect(server.requests('RegisterStreamConsumer')).toMatchObject([{ ConsumerName: 'billing-reader' }])
  })
})

describe('a worker at a server that is not ours', () => {
  it('reads by enhanced fan-out with a client of the user', async () => {
    const server = await sharedKinesisLocal()
    const kinesis = localKinesisClient(server.endpoint)
    try {
      const StreamName = 'fan-out'
      await kinesis.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }))
      const isActive = async () =>
        (await kinesis.send(new DescribeStreamSummaryCommand({ StreamName }))).StreamDescriptionSummary?.StreamStatus === 'ACTIVE'
      while (!(await isActive()));
      const [diary, watch] = [aDiary(), aWatch()]
      const orders = texts('order', 3)
      for (const order of orders) {
        await kinesis.send(new PutRecordCommand({ StreamName, PartitionKey: order, Data: Buffer.from(order) }))
      }
      const worker = new Worker({
        ...paced,
        applicationName: 'not-ours',
        streamName: StreamName,
        fanOut: { consumerName: 'reader' },
        kinesis,
        dynamodb,
        processor: diary.processor,
        observe: watch.observe,
      })
      const all = watch.until('all records', deliveredCount(diary, 3))
      const running = worker.run()
      await all
      await worker.stop()
      await running
      expect(diary.delivered).toEqual(orders)
    } finally {
      kinesis.destroy()
      await server.stop()
    }
  })
})
