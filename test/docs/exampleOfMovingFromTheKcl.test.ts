import { type AttributeValue, type DynamoDBClient, ScanCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { dynamoDbLeaseTable } from '@shardwise/dynamodb'
import { createBatchStore, type Lease } from '@shardwise/effects'
import { createMemoryStream, type MemoryStream, memoryRecordSource } from '@shardwise/memory'
import type { RecordProcessor } from '@shardwise/processor'
import { Worker } from 'shardwise'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { besideTheKcl, complaints, leasesIn } from '../../docs/examples/movingFromTheKcl.ts'
import { startDynalite } from '../../servers/dynalite.ts'
import type { LocalServer } from '../../servers/localServer.ts'
import { at, clientOf, rawTable, workerAt } from '../adapters/dynamodbTable.ts'
import { neverAborted } from '../adapters/handlerContext.ts'
import { aDiary, aWatch, consumerHeard } from '../worker/workerSetting.ts'

type Item = Record<string, AttributeValue>

const [one, two] = ['shardId-000000000000', 'shardId-000000000001']
let server: LocalServer
let client: DynamoDBClient
let tableName: string
let tables = 0
let stream: MemoryStream

beforeAll(async () => {
  server = await startDynalite()
  client = clientOf(server.endpoint)
})

afterAll(async () => {
  client.destroy()
  await server.stop()
})

/** A table as a fleet of the KCL 2 leaves it: each lease is at the first record of its shard, which has two. */
beforeEach(async () => {
  tables += 1
  tableName = `moved-${tables}`
  stream = createMemoryStream({ shardCount: 2 })
  const maker = workerAt({ client, tableName })
  while ((await maker.ensureTable()).type !== 'tableReady');
  for (const { shardId, hashKeyRange } of stream.listShards()) {
    const put = (text: string) => stream.put({ partitionKey: text, data: Buffer.from(text), explicitHashKey: hashKeyRange.startingHashKey })
    const { sequenceNumber } = put('old')
    put(`new of ${shardId}`)
    await rawTable(client, tableName).put({
      leaseKey: { S: shardId },
      leaseOwner: { S: 'java-1' },
      leaseCounter: { N: '41' },
      ownerSwitchesSinceCheckpoint: { N: '2' },
      checkpoint: { S: sequenceNumber },
      checkpointSubSequenceNumber: { N: '0' },
      startingHashKey: { S: hashKeyRange.startingHashKey },
      endingHashKey: { S: hashKeyRange.endingHashKey },
      throughputKBps: { N: '1.5' },
    })
  }
})

/** A worker of the KCL 2, so far as the table knows one: it renews its leases, each on the counter that it wrote last, and loses those where that fails. */
class JavaWorker {
  readonly counters = new Map<string, number>()
  readonly lost: string[] = []
  #stopped = false
  #running: Promise<void> | undefined

  constructor(...leases: readonly (readonly [leaseKey: string, leaseCounter: number])[]) {
    for (const [leaseKey, leaseCounter] of leases) this.counters.set(leaseKey, leaseCounter)
  }

  run(): void {
    onTestFinished(() => this.stop())
    this.#running = (async () => {
      while (!this.#stopped) {
        for (const leaseKey of this.counters.keys()) await this.write(leaseKey)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    })()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }

  /** Takes or renews a lease. */
  async write(leaseKey: string, set = 'leaseCounter = :next', values: Item = {}): Promise<void> {
    const counter = this.counters.get(leaseKey) ?? 0
    try {
      await client.send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: { leaseKey: { S: leaseKey } },
          ConditionExpression: 'leaseCounter = :seen',
          UpdateExpression: `SET ${set}`,
          ExpressionAttributeValues: { ...values, ':seen': { N: String(counter) }, ':next': { N: String(counter + 1) } },
        }),
      )
      this.counters.set(leaseKey, counter + 1)
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'ConditionalCheckFailedException') throw error
      this.counters.delete(leaseKey)
      this.lost.push(leaseKey)
    }
  }
}

/** A worker of Shardwise at the table, whose failover time is short. */
function aShardwiseWorker(processor: (shardId: string) => RecordProcessor, observe = aWatch().observe) {
  const batches = createBatchStore()
  const leases = dynamoDbLeaseTable({ client, tableName, createTable: besideTheKcl.createTable })
  const { createTable: _, ...options } = besideTheKcl
  return new Worker({
    ...options,
    failoverTimeMillis: 3_000,
    leaseScanIntervalMillis: 50,
    idleTimeInMilliseconds: 5,
    workerId: 'shardwise-1',
    adapters: { leases, source: memoryRecordSource({ stream, batches }), batches },
    processor,
    observe,
  })
}

const look = (): Promise<readonly Lease[]> => leasesIn({ client, tableName })
const items = async (): Promise<readonly Item[]> => (await client.send(new ScanCommand({ TableName: tableName }))).Items ?? []

describe('a table of the KCL 2', () => {
  it('is shared, taken over and given back, and no record is passed over', { timeout: 60_000 }, async () => {
    const [diary, watch, java] = [aDiary(), aWatch(), new JavaWorker([one, 41], [two, 41])]
    const before = await look()
    java.run()
    const worker = aShardwiseWorker(diary.processor, watch.observe)
    onTestFinished(() => worker.stop({ force: true }))
    const stored = (count: number) => {
      let seen = 0
      return watch.until(`${count} checkpoints`, (observation) => consumerHeard('checkpointWritten')(observation) && ++seen === count)
    }

    // Side by side: the newcomer takes its share, and the old owner hears of it by its own renewal.
    const first = stored(1)
    const running = worker.run()
    await first
    await expect.poll(() => java.lost, { timeout: 20_000 }).toHaveLength(1)
    const shared = await look()
    expect(new Set(shared.map(({ leaseOwner }) => leaseOwner))).toEqual(new Set(['java-1', 'shardwise-1']))
    expect(complaints(before, shared)).toEqual([])

    // The last worker of the KCL stops, as it does: its leases keep its name, and stand still.
    const second = stored(1)
    await java.stop()
    await second
    const taken = await look()
    expect(taken.map(({ leaseOwner }) => leaseOwner)).toEqual(['shardwise-1', 'shardwise-1'])
    expect(complaints(shared, taken)).toEqual([])
    expect(diary.delivered.sort()).toEqual([`new of ${one}`, `new of ${two}`])

    // And back: nobody has the leases, every row can be read by the KCL, and its attributes are all there.
    await worker.stop()
    await running
    const released = await look()
    expect(complaints(taken, released)).toEqual([`${one}: nobody has it`, `${two}: nobody has it`])
    for (const item of await items()) {
      expect(item).toMatchObject({
        ownerSwitchesSinceCheckpoint: { N: '0' },
        checkpointSubSequenceNumber: { N: '0' },
        throughputKBps: { N: '1.5' },
      })
      expect(Object.keys(item)).not.toContain('leaseOwner')
    }
    const back = new JavaWorker(...released.map(({ leaseKey, leaseCounter }) => [leaseKey, leaseCounter] as const))
    for (const leaseKey of [one, two]) await back.write(leaseKey, 'leaseOwner = :me, leaseCounter = :next', { ':me': { S: 'java-2' } })
    expect(back.lost).toEqual([])
    expect(complaints(released, await look())).toEqual([])
  })

  it('is not made anew where its name is mistaken', async () => {
    const answer = await dynamoDbLeaseTable({ client, tableName: 'mistaken', createTable: besideTheKcl.createTable }).ensureTable(
      { type: 'ensureTable', id: 1 },
      neverAborted,
    )
    expect(answer).toMatchObject({ type: 'tableRefused', error: { message: expect.stringContaining('mistaken') as string } })
  })
})

describe('the table of an application for several streams', () => {
  it('is refused, by the key of a row', async () => {
    const item = await rawTable(client, tableName).get(one)
    await rawTable(client, tableName).put({ ...item, leaseKey: { S: `123456789012:orders:1700000000:${one}` } })
    await expect(look()).rejects.toThrow(`lease "123456789012:orders:1700000000:${one}": leaseKey: expected the id of a shard`)
  })
})

describe('the looks at a table', () => {
  it('complain of a checkpoint that fell, a lease that is gone or nobody’s, and one that is not renewed', async () => {
    const rows = await look()
    const [row] = rows
    if (row === undefined) throw new Error('row: expected two')
    const renewed = { ...row, leaseCounter: row.leaseCounter + 1 }
    expect(complaints(rows, rows)).toEqual([`${one}: java-1 does not renew it`, `${two}: java-1 does not renew it`])
    expect(complaints([row], [renewed])).toEqual([])
    expect(complaints([row], [{ ...renewed, checkpoint: at('TRIM_HORIZON') }])).toEqual([`${one}: its checkpoint fell`])
    expect(complaints([row], [{ ...renewed, leaseOwner: null }])).toEqual([`${one}: nobody has it`])
    expect(complaints([row], [])).toEqual([`${one}: its lease is gone, and it was not finished`])
    expect(complaints([{ ...row, checkpoint: at('SHARD_END') }], [])).toEqual([])
  })
})
