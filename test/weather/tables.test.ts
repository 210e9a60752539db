import { type AttributeValue, DeleteTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { dynamoDbLeaseTable } from '@shardwise/dynamodb'
import { Worker } from 'shardwise'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startDynalite } from '../../servers/dynalite.ts'
import type { LocalServer } from '../../servers/localServer.ts'
import { clientOf, rawTable, workerAt } from '../adapters/dynamodbTable.ts'
import { aDiary, aLogger, aWatch, aWorld, deliveredCount, put, quick, texts, type World } from '../worker/workerSetting.ts'

const [s0, s1] = ['shardId-000000000000', 'shardId-000000000001']

let server: LocalServer
let dynamodb: DynamoDBClient

beforeAll(async () => {
  server = await startDynalite()
  dynamodb = clientOf(server.endpoint)
})
afterAll(async () => {
  dynamodb?.destroy()
  await server?.stop()
})

/** A worker on a stream in memory and a lease table of DynamoDB, with what it is told and writes. */
function workerAtTable(world: World, tableName: string) {
  const [diary, logger, watch] = [aDiary(), aLogger(), aWatch()]
  const adapters = { ...world.adapters(), leases: dynamoDbLeaseTable({ client: dynamodb, tableName }) }
  const worker = new Worker({ ...quick, applicationName: tableName, adapters, logger, observe: watch.observe, processor: diary.processor })
  return { diary, logger, watch, worker }
}

/** Makes a table of the KCL's schema with these rows. */
async function aTable(tableName: string, rows: readonly Record<string, AttributeValue>[]): Promise<ReturnType<typeof rawTable>> {
  while ((await workerAt({ client: dynamodb, tableName }).ensureTable()).type !== 'tableReady');
  const raw = rawTable(dynamodb, tableName)
  for (const row of rows) await raw.put(row)
  return raw
}

describe('a table that is deleted under the feet of a worker', () => {
  it('ends its run with an error that names the table, after processors were told; the next run begins at the initial position', async () => {
    const world = aWorld(2)
    put(world.stream, texts('order', 20))
    const first = workerAtTable(world, 'deleted')
    const all = first.watch.until('all records', deliveredCount(first.diary, 20))
    const failure = first.worker.run().catch((error: unknown) => error)
    await all

    await dynamodb.send(new DeleteTableCommand({ TableName: 'deleted' }))

    const message = 'tableName: expected a lease table, got "deleted", which does not exist, or not any more'
    expect(await failure).toMatchObject({ name: 'ResourceNotFoundException', message })
    expect(first.logger.lines).toContain(`error worker: ResourceNotFoundException: ${message}`)
    const told = (what: string): readonly string[] => first.diary.lines.filter((line) => line.endsWith(what)).toSorted()
    expect([told('shutdownRequested'), told('leaseLost')]).toEqual([
      [`${s0} shutdownRequested`, `${s1} shutdownRequested`],
      [`${s0} leaseLost`, `${s1} leaseLost`],
    ])

    const second = workerAtTable(world, 'deleted')
    const again = second.watch.until('all records again', deliveredCount(second.diary, 20))
    const running = second.worker.run()
    await again
    await second.worker.stop()
    await running
    expect(second.diary.delivered.toSorted()).toEqual(texts('order', 20).toSorted())
  })
})

describe('rows of another version', () => {
  it('are consumed from their checkpoints on; what is not understood in them stays as it is', async () => {
    const world = aWorld(2)
    const placed = texts('order', 40).map((text) => world.stream.put({ partitionKey: text, data: Buffer.from(text) }))
    const [half, oldest] = [s0, s1].map((shardId) => placed.filter((record) => record.shardId === shardId)).map((of) => of[4])
    const counts = { leaseCounter: { N: '7' }, ownerSwitchesSinceCheckpoint: { N: '1' } }
    const unknown = { throughputKBps: { N: '12.5' }, entityType: { S: 'LEASE' }, colour: { SS: ['red'] } }
    const raw = await aTable('versions', [
      // As the KCL wrote it before it stored hash keys, sub-sequence numbers and children.
      { leaseKey: { S: s0 }, checkpoint: { S: half?.sequenceNumber ?? '' }, ...counts },
      { leaseKey: { S: s1 }, checkpoint: { S: oldest?.sequenceNumber ?? '' }, ...counts, ...unknown },
      { leaseKey: { S: 'arn of a stream' }, entityType: { S: 'STREAM' } },
    ])
    const { worker, diary, watch } = workerAtTable(world, 'versions')
    const rest = watch.until('the rest', deliveredCount(diary, 30))
    const running = worker.run()
    await rest
    await worker.stop()
    await running

    const expected = [s0, s1].flatMap((shardId) => placed.filter((record) => record.shardId === shardId).slice(5))
    const delivered = [...diary.deliveredTo.values()].flat().map(({ sequenceNumber }) => sequenceNumber)
    expect(delivered.toSorted()).toEqual(expected.map(({ sequenceNumber }) => sequenceNumber).toSorted())
    expect(await raw.get(s1)).toMatchObject({ ...unknown, checkpoint: { S: expected.at(-1)?.sequenceNumber } })
    expect(await raw.get('arn of a stream')).toEqual({ leaseKey: { S: 'arn of a stream' }, entityType: { S: 'STREAM' } })
  })

  const multiStream = {
    leaseKey: { S: '123456789012:orders:1700000000:shardId-000000000000' },
    checkpoint: { S: 'TRIM_HORIZON' },
    leaseCounter: { N: '3' },
    ownerSwitchesSinceCheckpoint: { N: '0' },
  }
  const unreadable = `lease "${multiStream.leaseKey.S}": leaseKey: expected the id of a shard (S), got ${JSON.stringify(multiStream.leaseKey)}`

  it('that cannot be read end the start, by lease and attribute, before any lease is touched', async () => {
    const raw = await aTable('several-streams', [multiStream])
    const logger = aLogger()
    const leases = dynamoDbLeaseTable({ client: dynamodb, tableName: 'several-streams' })
    const adapters = { ...aWorld().adapters(), leases }
    const options = { ...quick, applicationName: 'several', adapters, logger, maxInitializationAttempts: 1 }

    await expect(new Worker({ ...options, processor: aDiary().processor }).run()).rejects.toThrow(unreadable)

    expect(logger.lines).toContain(`error worker: Error: ${unreadable}`)
    expect(await raw.get(multiStream.leaseKey.S)).toEqual(multiStream)
    expect(await raw.get(s0)).toBeUndefined()
  })

  it('that cannot be read and appear later are warned of, and what is held is consumed on', async () => {
    const world = aWorld(2)
    const { worker, diary, watch, logger } = workerAtTable(world, 'visited')
    const reads = watch.until('both shards are read', () => diary.lines.length === 2)
    const running = worker.run()
    await reads
    const visited = watch.until(
      'a look that fails',
      ({ machine, step }) => machine === 'coordinator' && step.event?.type === 'effectFailed',
    )
    await rawTable(dynamodb, 'visited').put(multiStream)
    await visited
    const all = watch.until('all records', deliveredCount(diary, 10))
    put(world.stream, texts('order', 10))
    await all
    await worker.stop()
    await running

    expect(logger.lines).toContain(`warn leases: Error: ${unreadable}`)
    expect(diary.delivered.toSorted()).toEqual(texts('order', 10).toSorted())
  })
})
