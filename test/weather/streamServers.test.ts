import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import {
  CreateStreamCommand,
  DeleteStreamCommand,
  DescribeStreamSummaryCommand,
  type KinesisClient,
  PutRecordsCommand,
} from '@aws-sdk/client-kinesis'
import { Worker } from 'shardwise'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startDynalite } from '../../servers/dynalite.ts'
import { startKinesalite } from '../../servers/kinesalite.ts'
import type { LocalServer } from '../../servers/localServer.ts'
import { clientOf, workerAt } from '../adapters/dynamodbTable.ts'
import { localKinesisClient } from '../adapters/kinesisClient.ts'
import { aDiary, aLogger, aWatch, deliveredCount, quick, texts } from '../worker/workerSetting.ts'

describe('a stream of a server', () => {
  let servers: readonly LocalServer[] = []
  let kinesis: KinesisClient
  let dynamodb: DynamoDBClient

  beforeAll(async () => {
    const [stream, table] = await Promise.all([startKinesalite(), startDynalite()])
    servers = [stream, table]
    kinesis = localKinesisClient(stream.endpoint)
    dynamodb = clientOf(table.endpoint)
  })
  afterAll(async () => {
    kinesis?.destroy()
    dynamodb?.destroy()
    await Promise.all(servers.map((server) => server.stop()))
  })

  async function createStream(StreamName: string, all: readonly string[]): Promise<void> {
    await kinesis.send(new CreateStreamCommand({ StreamName, ShardCount: 2 }))
    while (!(await isThere(StreamName)));
    const Records = all.map((text) => ({ PartitionKey: text, Data: Buffer.from(text) }))
    expect((await kinesis.send(new PutRecordsCommand({ StreamName, Records }))).FailedRecordCount).toBe(0)
  }

  async function deleteStream(StreamName: string): Promise<void> {
    await kinesis.send(new DeleteStreamCommand({ StreamName }))
    while ((await statusOf(StreamName)) !== undefined);
  }

  const isThere = async (StreamName: string): Promise<boolean> => (await statusOf(StreamName)) === 'ACTIVE'

  async function statusOf(StreamName: string): Promise<string | undefined> {
    try {
      return (await kinesis.send(new DescribeStreamSummaryCommand({ StreamName }))).StreamDescriptionSummary?.StreamStatus
    } catch (error) {
      if ((error as Error).name === 'ResourceNotFoundException') return undefined
      throw error
    }
  }

  function workerOf(streamName: string, applicationName = streamName) {
    const [diary, logger, watch] = [aDiary(), aLogger(), aWatch()]
    const worker = new Worker({
      ...quick,
      idleTimeInMilliseconds: 50,
      leaseScanIntervalMillis: 100,
      maxInitializationAttempts: 2,
      applicationName,
      streamName,
      kinesis,
      dynamodb,
      logger,
      observe: watch.observe,
      processor: diary.processor,
    })
    return { diary, logger, watch, worker }
  }

  const checkpointsOf = async (tableName: string): Promise<readonly string[]> => {
    const listed = await workerAt({ client: dynamodb, tableName }).list()
    if (listed.type !== 'leasesListed') throw new Error(`list: expected leases, got ${listed.type}`)
    return listed.leases.map(({ leaseKey, checkpoint }) => `${leaseKey} ${checkpoint.sequenceNumber}`).toSorted()
  }

  it('that is deleted ends the run of its worker; made anew, it is not consumed after the checkpoints of the earlier one', async () => {
    await createStream('orders', texts('early', 20))
    const first = workerOf('orders')
    const all = first.watch.until('all records', deliveredCount(first.diary, 20))
    const failure = first.worker.run().catch((error: unknown) => error)
    await all
    const delivered = await checkpointsOf('orders')
    await deleteStream('orders')
    expect(await failure).toMatchObject({ name: 'StreamNotFound' })
    expect(first.logger.lines).toContain('error worker: StreamNotFound: streamName: there is no such stream in this region and account')
    expect(await checkpointsOf('orders')).toEqual(delivered)
    await createStream('orders', texts('late', 20))
    const second = workerOf('orders')
    await expect(second.worker.run()).rejects.toMatchObject({
      name: 'LeasesOfAnotherStream',
      message: expect.stringMatching(
        /^tableName: expected the leases of this stream, .* earlier one of its name: shardId-\d+ is at \d+ by its lease, and begins at \d+ in the stream$/,
      ),
    })
    expect(await checkpointsOf('orders')).toEqual(delivered)
    expect(second.diary.lines).toEqual([])

    const third = workerOf('orders', 'orders-anew')
    const late = third.watch.until('the new records', deliveredCount(third.diary, 20))
    const running = third.worker.run()
    await late
    await third.worker.stop()
    await running
    expect(third.diary.delivered.toSorted()).toEqual(texts('late', 20).toSorted())
  })
})
