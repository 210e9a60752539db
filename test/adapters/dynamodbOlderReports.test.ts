import { CreateTableCommand, type DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startDynalite } from '../../servers/dynalite.ts'
import type { LocalServer } from '../../servers/localServer.ts'
import { type DynamoDbProxy, dynamoDbError, startDynamoDbProxy } from './dynamodbProxy.ts'
import { clientOf, rawTable, workerAt } from './dynamodbTable.ts'

let server: LocalServer
let proxy: DynamoDbProxy
let client: DynamoDBClient
let alice: ReturnType<typeof workerAt>
let tables = 0
const tableName = (): string => `application-${tables}`
const pass = { kind: 'first', run: async () => undefined } as const

beforeAll(async () => {
  server = await startDynalite()
})

afterAll(() => server.stop())

beforeEach(async () => {
  proxy = await startDynamoDbProxy(server)
  client = clientOf(proxy.endpoint)
  tables += 1
  alice = workerAt({ client, tableName: tableName() })
  while ((await alice.ensureTable()).type !== 'tableReady');
  return async () => {
    client.destroy()
    await proxy.stop()
  }
})

/** The table to which workers of the KCL 3.0 to 3.4 report, with one that did and one that never has. */
async function reports(reportedSecondsAgo: number): Promise<void> {
  const name = `${tableName()}-WorkerMetricStats`
  await client.send(
    new CreateTableCommand({
      TableName: name,
      AttributeDefinitions: [{ AttributeName: 'wid', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'wid', KeyType: 'HASH' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  )
  const raw = rawTable(client, name)
  const lut = { N: String(Math.floor(Date.now() / 1_000) - reportedSecondsAgo) }
  const isThere = (): Promise<boolean> =>
    raw.put({ wid: { S: 'java-1' }, lut }).then(
      () => true,
      () => false,
    )
  await expect.poll(isThere, { timeout: 10_000 }).toBe(true)
  await raw.put({ wid: { S: 'java-2' } })
}

async function listed() {
  const answer = await alice.list()
  if (answer.type !== 'leasesListed') throw new Error(`listLeases: expected leasesListed, got ${answer.type}`)
  return answer.reportingWorkers
}

const scans = (): number => proxy.seen.filter((operation) => operation === 'Scan').length

describe('the workers of a KCL 3.0 to 3.4', () => {
  test('are listed with the age of their last report, from the table beside that of the leases', async () => {
    await reports(20)
    const workers = await listed()
    expect(workers).toEqual([{ workerId: 'java-1', reportedMsAgo: expect.any(Number) as number }])
    expect(workers?.[0]?.reportedMsAgo).toBeGreaterThanOrEqual(20_000)
  })

  test('are looked for once', async () => {
    expect(await listed()).toBeUndefined()
    expect(scans()).toBe(2)
    await reports(20)
    expect(await listed()).toBeUndefined()
    expect(scans()).toBe(3)
  })

  test.each(['AccessDeniedException', 'ValidationException'])('are not known where their table cannot be read: %s', async (name) => {
    await reports(20)
    proxy.spoil('Scan', pass)
    proxy.spoil('Scan', dynamoDbError(name))
    expect(await listed()).toBeUndefined()
  })

  test('are looked for again when that was throttled, and the leases are not listed before', async () => {
    await reports(20)
    proxy.spoil('Scan', pass)
    proxy.spoil('Scan', dynamoDbError('ThrottlingException'))
    expect(await alice.list()).toEqual({ type: 'throttled' })
    expect(await listed()).toHaveLength(1)
  })
})
