import { type AttributeValue, CreateTableCommand, type DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startDynalite } from '../../servers/dynalite.ts'
import type { LocalServer } from '../../servers/localServer.ts'
import { clientOf, rawTable, shard, workerAt } from './dynamodbTable.ts'

const whole: Record<string, AttributeValue> = {
  leaseKey: { S: shard },
  leaseCounter: { N: '0' },
  ownerSwitchesSinceCheckpoint: { N: '0' },
  checkpoint: { S: '17' },
}

const tableName = 'application'

let server: LocalServer
let client: DynamoDBClient
let alice: ReturnType<typeof workerAt>

beforeAll(async () => {
  server = await startDynalite()
  client = clientOf(server.endpoint)
  while ((await workerAt({ client, tableName }).ensureTable()).type !== 'tableReady');
})

afterAll(async () => {
  client.destroy()
  await server.stop()
})

// Nothing here writes to a row but the test itself, which replaces it whole.
beforeEach(() => {
  alice = workerAt({ client, tableName })
})

describe('a row that cannot be read rejects by its lease, attribute and value', () => {
  const broken: readonly (readonly [name: string, value: AttributeValue | undefined, got: string])[] = [
    ['leaseCounter', undefined, 'nothing'],
    ['leaseCounter', { S: '3' }, '{"S":"3"}'],
    ['leaseCounter', { N: '-1' }, '{"N":"-1"}'],
    ['leaseCounter', { N: '1.5' }, '{"N":"1.5"}'],
    ['ownerSwitchesSinceCheckpoint', undefined, 'nothing'],
    ['checkpoint', undefined, 'nothing'],
    ['checkpoint', { S: '' }, '{"S":""}'],
    ['checkpoint', { S: 'trim' }, '{"S":"trim"}'],
    ['checkpoint', { N: '17' }, '{"N":"17"}'],
    ['checkpointSubSequenceNumber', { S: '0' }, '{"S":"0"}'],
    ['pendingCheckpoint', { S: 'soon' }, '{"S":"soon"}'],
    ['leaseOwner', { NULL: true }, '{"NULL":true}'],
    ['checkpointOwner', { N: '1' }, '{"N":"1"}'],
    ['parentShardId', { S: 'shardId-9' }, '{"S":"shardId-9"}'],
    ['parentShardId', { SS: ['no shard'] }, '{"SS":["no shard"]}'],
    ['childShardIds', { SS: ['shardId-9', '\n'] }, '{"SS":["shardId-9","\\n"]}'],
    ['childShardIds', { L: [] }, '{"L":[]}'],
    ['startingHashKey', { S: 'zero' }, '{"S":"zero"}'],
    ['endingHashKey', { N: '5' }, '{"N":"5"}'],
  ]

  test.each(broken)('%s: %j', async (name, value, got) => {
    const { [name]: _, ...rest } = whole
    await rawTable(client, tableName).put(value === undefined ? rest : { ...rest, [name]: value })
    for (const ask of [
      () => alice.list(),
      () => alice.read(shard),
      // Who takes a lease ends its hand-off, whatever stands there.
      ...(name === 'checkpointOwner' ? [] : [() => alice.acquire(shard, 0)]),
      () => alice.checkParents([shard]),
      () => alice.createChildren(shard, []),
    ]) {
      const error = await ask().then(
        (answer) => new Error(`expected a rejection, got ${answer.type}`),
        (rejection: unknown) => rejection as Error,
      )
      expect(error.message).toContain(`lease "${shard}": ${name}: expected `)
      expect(error.message).toContain(`, got ${got}`)
    }
  })

  test('a row with one hash key only is a row without a range, as in the KCL', async () => {
    await rawTable(client, tableName).put({ ...whole, startingHashKey: { S: '0' } })
    expect(await alice.list()).toMatchObject({ leases: [{ hashKeyRange: null }] })
  })
})

describe('the table of another application', () => {
  test('is told from a lease table when it is listed', async () => {
    const other = 'another-application'
    await client.send(
      new CreateTableCommand({
        TableName: other,
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      }),
    )
    const stranger = workerAt({ client, tableName: other })
    // Once it is refused for its key, it exists.
    while ((await stranger.ensureTable()).type !== 'tableRefused');
    await expect(stranger.list()).resolves.toMatchObject({ leases: [] })
    await client.send(new PutItemCommand({ TableName: other, Item: { id: { S: '1' }, colour: { S: 'red' } } }))
    await expect(stranger.list()).rejects.toThrow(
      'not a lease table: expected items with the key leaseKey (S), got one with ["colour","id"]',
    )
    await expect(stranger.read(shard)).rejects.toMatchObject({ name: 'ValidationException' })
  })
})
