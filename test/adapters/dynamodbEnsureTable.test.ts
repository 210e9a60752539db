import { CreateTableCommand, DescribeTableCommand, type DynamoDBClient, type KeySchemaElement } from '@aws-sdk/client-dynamodb'
import { dynamoDbLeaseTable } from '@shardwise/dynamodb'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startDynalite } from '../../servers/dynalite.ts'
import type { LocalServer } from '../../servers/localServer.ts'
import { type DynamoDbProxy, dynamoDbError, startDynamoDbProxy } from './dynamodbProxy.ts'
import { clientOf, workerAt } from './dynamodbTable.ts'

let server: LocalServer
let proxy: DynamoDbProxy
let client: DynamoDBClient
let tableName: string
let tables = 0

beforeAll(async () => {
  server = await startDynalite()
  proxy = await startDynamoDbProxy(server)
  client = clientOf(proxy.endpoint)
})

afterAll(async () => {
  client.destroy()
  await proxy.stop()
  await server.stop()
})

beforeEach(() => {
  tables += 1
  tableName = `application-${tables}`
})

describe('ensureTable', () => {
  test('creates a missing table on demand, one step a call', async () => {
    const alice = workerAt({ client, tableName })
    const calls = proxy.seen.length
    expect(await alice.ensureTable()).toEqual({ type: 'tablePending' })
    expect(proxy.seen.slice(calls)).toEqual(['DescribeTable', 'CreateTable'])
    while ((await alice.ensureTable()).type !== 'tableReady');
    expect(proxy.seen.slice(calls).filter((operation) => operation === 'CreateTable')).toHaveLength(1)
    const { Table: table } = await client.send(new DescribeTableCommand({ TableName: tableName }))
    expect(table?.BillingModeSummary?.BillingMode).toBe('PAY_PER_REQUEST')
    expect(table?.KeySchema).toEqual([{ AttributeName: 'leaseKey', KeyType: 'HASH' }])
    expect(table?.AttributeDefinitions).toEqual([{ AttributeName: 'leaseKey', AttributeType: 'S' }])
  })

  test('creates a missing table with the capacity it was given', async () => {
    const alice = workerAt({ client, tableName, billing: { readCapacityUnits: 3, writeCapacityUnits: 4 } })
    await alice.ensureTable()
    const { Table: table } = await client.send(new DescribeTableCommand({ TableName: tableName }))
    expect(table?.ProvisionedThroughput).toMatchObject({ ReadCapacityUnits: 3, WriteCapacityUnits: 4 })
  })

  test('refuses a missing table that may not be created, and creates nothing', async () => {
    const alice = workerAt({ client, tableName, createTable: false })
    const calls = proxy.seen.length
    const answer = await alice.ensureTable()
    expect(answer).toMatchObject({ type: 'tableRefused', error: { name: 'TableMissing' } })
    expect(JSON.stringify(answer)).toContain(tableName)
    expect(proxy.seen.slice(calls)).toEqual(['DescribeTable'])
  })

  test('lets several workers create the table at once', async () => {
    const workers = Array.from({ length: 5 }, (_, index) => workerAt({ client, tableName }, `worker-${index}`))
    const answers = await Promise.all(workers.map((worker) => worker.ensureTable()))
    expect(answers.every(({ type }) => type === 'tablePending' || type === 'tableReady')).toBe(true)
    for (const worker of workers) while ((await worker.ensureTable()).type !== 'tableReady');
  })

  test('waits for a table that another worker has just created', async () => {
    proxy.spoil('CreateTable', dynamoDbError('ResourceInUseException'))
    expect(await workerAt({ client, tableName }).ensureTable()).toEqual({ type: 'tablePending' })
  })

  test.each([
    ['a key of another name', [{ AttributeName: 'id', KeyType: 'HASH' }], 'HASH id (S)'],
    [
      'a sort key',
      [
        { AttributeName: 'leaseKey', KeyType: 'HASH' },
        { AttributeName: 'sort', KeyType: 'RANGE' },
      ],
      'HASH leaseKey (S), RANGE sort (S)',
    ],
    ['a key of another type', [{ AttributeName: 'leaseKey', KeyType: 'HASH' }], 'HASH leaseKey (N)'],
  ] satisfies [string, KeySchemaElement[], string][])('refuses a table with %s', async (_, keySchema, found) => {
    await client.send(
      new CreateTableCommand({
        TableName: tableName,
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: keySchema,
        AttributeDefinitions: keySchema.map(({ AttributeName: name }) => ({
          AttributeName: name,
          AttributeType: found.includes(`${name} (N)`) ? 'N' : 'S',
        })),
      }),
    )
    const answer = await workerAt({ client, tableName }).ensureTable()
    expect(answer).toMatchObject({ type: 'tableRefused', error: { name: 'NotALeaseTable' } })
    expect(JSON.stringify(answer)).toContain(found)
  })

  test.each([
    ['CREATING', { type: 'tablePending' }],
    ['DELETING', { type: 'tablePending' }],
    ['UPDATING', { type: 'tableReady' }],
    ['ACTIVE', { type: 'tableReady' }],
    ['INACCESSIBLE_ENCRYPTION_CREDENTIALS', { type: 'tableRefused', error: { name: 'TableUnusable' } }],
    ['ARCHIVED', { type: 'tableRefused', error: { name: 'TableUnusable' } }],
  ])('answers for a table that is %s', async (status, expected) => {
    const keys = {
      KeySchema: [{ AttributeName: 'leaseKey', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'leaseKey', AttributeType: 'S' }],
    }
    proxy.spoil('DescribeTable', { kind: 'answer', status: 200, body: { Table: { TableStatus: status, ...keys } } })
    expect(await workerAt({ client, tableName }).ensureTable()).toMatchObject(expected)
  })
})

describe('options', () => {
  const made = (options: object): string => {
    try {
      dynamoDbLeaseTable({ client, tableName: 'orders', ...options })
      return 'made'
    } catch (error) {
      return String(error)
    }
  }

  test.each([
    [{ client: undefined }, 'client: expected a DynamoDBClient, got undefined'],
    [{ client: {} }, 'client: expected a DynamoDBClient, got an object with no keys'],
    [{ tableName: undefined }, 'tableName: expected 3 to 255 letters, digits, "_", "." or "-", or the ARN of a table, got undefined'],
    [{ tableName: 'a b c' }, 'got "a b c"'],
    [{ tableName: 'ab' }, 'got "ab"'],
    [{ createTable: 'no' }, 'createTable: expected true or false, got "no"'],
    [{ billing: 'cheap' }, 'billing: expected "PAY_PER_REQUEST" or capacity units, got "cheap"'],
    [{ billing: { readCapacityUnits: 0, writeCapacityUnits: 1 } }, 'billing.readCapacityUnits: expected a whole number from 1, got 0'],
    [{ billing: { readCapacityUnits: 1 } }, 'billing.writeCapacityUnits: expected a whole number from 1, got undefined'],
    [{ billing: { units: 1 } }, 'billing.units: not an option'],
    [{ nowMs: 5 }, 'nowMs: expected a function, got 5'],
    [{ table: 'orders' }, 'table: not an option of dynamoDbLeaseTable, expected one of client, tableName, createTable, billing, nowMs'],
  ])('%j are refused by name, value and what was expected', (options, message) => {
    expect(made(options)).toContain(message)
  })

  test('name a table by its ARN too', () => {
    expect(made({ tableName: 'arn:aws:dynamodb:us-east-1:123456789012:table/orders' })).toBe('made')
  })
})
