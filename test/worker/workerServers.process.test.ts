import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { type KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis'
import { Worker } from 'shardwise'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startDynalite } from '../../servers/dynalite.ts'
import { startKinesalite } from '../../servers/kinesalite.ts'
import type { LocalServer } from '../../servers/localServer.ts'
import { clientOf, workerAt } from '../adapters/dynamodbTable.ts'
import { localKinesisClient } from '../adapters/kinesisClient.ts'
import { streamsOf } from '../adapters/kinesisStream.ts'
import { sharedKinesisLocal } from '../sharedKinesisLocal.ts'
import { aDiary, aWatch, consumerHeard, deliveredCount, quick, texts } from './workerSetting.ts'

/** Puts records whose partition keys and data are the texts, in one call. */
async function putAll(kinesis: KinesisClient, streamName: string, all: readonly string[]): Promise<void> {
  const records = all.map((text) => ({ PartitionKey: text, Data: Buffer.from(text) }))
  const { FailedRecordCount } = await kinesis.send(new PutRecordsCommand({ StreamName: streamName, Records: records }))
  expect(FailedRecordCount).toBe(0)
}

describe.each([
  { name: 'kinesalite', start: startKinesalite },
  { name: 'kinesis-local', start: sharedKinesisLocal },
])('a worker at $name and dynalite', ({ start }) => {
  let servers: readonly LocalServer[] = []
  let kinesis: KinesisClient
  let dynamodb: DynamoDBClient

  beforeAll(async () => {
    const [stream, table] = await Promise.all([start(), startDynalite()])
    servers = [stream, table]
    kinesis = localKinesisClient(stream.endpoint)
    dynamodb = clientOf(table.endpoint)
  })
  afterAll(async () => {
    kinesis?.destroy()
    dynamodb?.destroy()
    await Promise.all(servers.map((server) => server.stop()))
  })

  it('loses nothing and delivers nothing twice through a split, a merge and a change of workers', async () => {
    const { name: streamName, stream } = await streamsOf(kinesis)({ shardCount: 3 })
    const [s0, s1, s2] = (await stream.shards()).map(({ shardId }) => shardId) as [string, string, string]
    const [early, middle, late] = [texts('early', 60), texts('middle', 40), texts('late', 60)]
    const diary = aDiary()
    const make = (watch: ReturnType<typeof aWatch>): Worker =>
      new Worker({
        ...quick,
        leaseScanIntervalMillis: 300,
        parentShardPollIntervalMillis: 100,
        idleTimeInMilliseconds: 30,
        taskBackoffTimeMillis: 50,
        streamName,
        kinesis,
        dynamodb,
        processor: diary.processor,
        observe: watch.observe,
      })

    const [watchOne, watchTwo] = [aWatch(), aWatch()]
    const one = make(watchOne)
    await putAll(kinesis, streamName, early)
    const firstGeneration = watchOne.until('the first records', deliveredCount(diary, early.length))
    const runningOne = one.run()
    await firstGeneration
    await putAll(kinesis, streamName, middle)
    await stream.split(s0)
    await stream.merge(s1, s2)
    const children = watchOne.until('a child is read', (observation) => {
      const isChild = observation.machine === 'shardConsumer' && ![s0, s1, s2].includes(observation.shardId)
      return isChild && consumerHeard('recordsRead')(observation)
    })
    await children
    await one.stop()
    await runningOne
    await putAll(kinesis, streamName, late)
    const two = make(watchTwo)
    const all = watchTwo.until('all records', deliveredCount(diary, early.length + middle.length + late.length))
    const runningTwo = two.run()
    await all
    await two.stop()
    await runningTwo

    expect(diary.delivered.toSorted()).toEqual([...early, ...middle, ...late].toSorted())
    const listed = await workerAt({ client: dynamodb, tableName: quick.applicationName }).list()
    const leases = listed.type === 'leasesListed' ? listed.leases : []
    expect(leases.map(({ leaseOwner }) => leaseOwner)).toEqual([null, null, null, null, null, null])
    const finished = leases.filter(({ checkpoint }) => checkpoint.sequenceNumber === 'SHARD_END').map(({ leaseKey }) => leaseKey)
    expect(finished.toSorted()).toEqual([s0, s1, s2].toSorted())
  })
})
