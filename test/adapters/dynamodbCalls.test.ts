import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startDynalite } from '../../servers/dynalite.ts'
import type { LocalServer } from '../../servers/localServer.ts'
import { type DynamoDbProxy, dynamoDbError, startDynamoDbProxy } from './dynamodbProxy.ts'
import { at, clientOf, shard, workerAt } from './dynamodbTable.ts'

const throttles = ['ProvisionedThroughputExceededException', 'ThrottlingException', 'RequestLimitExceeded', 'LimitExceededException']

let server: LocalServer
let proxy: DynamoDbProxy
let client: DynamoDBClient
let alice: ReturnType<typeof workerAt>
let tables = 0

beforeAll(async () => {
  server = await startDynalite()
})

afterAll(() => server.stop())

beforeEach(async () => {
  proxy = await startDynamoDbProxy(server)
  client = clientOf(proxy.endpoint)
  tables += 1
  alice = workerAt({ client, tableName: `application-${tables}` })
  while ((await alice.ensureTable()).type !== 'tableReady');
  await alice.create(shard)
  return async () => {
    client.destroy()
    await proxy.stop()
  }
})

describe('a throttled call', () => {
  test.each(throttles)('is answered with throttled when DynamoDB says %s', async (name) => {
    proxy.spoil('GetItem', dynamoDbError(name))
    expect(await alice.read(shard)).toEqual({ type: 'throttled' })
    expect(proxy.seen.at(-1)).toBe('GetItem')
    expect(proxy.seen.filter((operation) => operation === 'GetItem')).toHaveLength(1)
  })

  test('is answered with throttled for every effect that the table lets say so', async () => {
    const token = await alice.hold(shard)
    const asked: Record<string, () => Promise<{ readonly type: string }>> = {
      Scan: () => alice.list(),
      PutItem: () => alice.create('shardId-000000000001'),
      DeleteItem: () => alice.remove('shardId-000000000001'),
    }
    for (const [operation, ask] of Object.entries(asked)) {
      proxy.spoil(operation, dynamoDbError('ThrottlingException'))
      expect(await ask(), operation).toEqual({ type: 'throttled' })
    }
    const writes = [
      () => alice.renew(shard, token),
      () => alice.checkpoint(shard, token, at('17')),
      () => alice.createChildren(shard, [['shardId-000000000001', [shard]]]),
      () => alice.release(shard, token),
    ]
    for (const write of writes) {
      proxy.spoil('UpdateItem', dynamoDbError('ThrottlingException'))
      expect(await write()).toEqual({ type: 'throttled' })
      // Nothing was lost by it: the same write passes when it is asked for again.
      expect((await write()).type).toMatch(/^(leaseRenewed|checkpointWritten|childLeasesCreated|leaseReleased)$/)
    }
    proxy.spoil('UpdateItem', dynamoDbError('ThrottlingException'))
    expect(await alice.acquire(shard, 4)).toEqual({ type: 'throttled' })
    expect((await alice.acquire(shard, 4)).type).toBe('leaseAcquired')
  })

  test('is answered with throttled when the second page of a listing is throttled', async () => {
    const key = { leaseKey: { S: shard } }
    proxy.spoil('Scan', { kind: 'answer', status: 200, body: { Items: [], Count: 0, LastEvaluatedKey: key } })
    proxy.spoil('Scan', dynamoDbError('ThrottlingException'))
    expect(await alice.list()).toEqual({ type: 'throttled' })
  })

  test('is answered with throttled when it is the second read of a refused write, and the lease stays held', async () => {
    const token = await alice.hold(shard)
    proxy.spoil('UpdateItem', dynamoDbError('ConditionalCheckFailedException'))
    proxy.spoil('GetItem', dynamoDbError('ThrottlingException'))
    expect(await alice.renew(shard, token)).toEqual({ type: 'throttled' })
    expect((await alice.renew(shard, token)).type).toBe('leaseRenewed')
  })

  test('rejects by its name where the table has no answer for it', async () => {
    proxy.spoil('GetItem', dynamoDbError('ThrottlingException'))
    await expect(alice.checkParents([shard])).rejects.toMatchObject({ name: 'ThrottlingException' })
    proxy.spoil('DescribeTable', dynamoDbError('LimitExceededException'))
    await expect(alice.ensureTable()).rejects.toMatchObject({ name: 'LimitExceededException' })
  })
})

describe('an error that the table does not know', () => {
  test('rejects by its name, in every effect', async () => {
    const token = await alice.hold(shard)
    const asked: readonly (readonly [operation: string, ask: () => Promise<unknown>])[] = [
      ['GetItem', () => alice.read('shardId-000000000001')],
      ['GetItem', () => alice.checkParents([shard])],
      ['GetItem', () => alice.createChildren(shard, [])],
      ['Scan', () => alice.list()],
      ['PutItem', () => alice.create('shardId-000000000001')],
      ['PutItem', () => alice.createChildren(shard, [['shardId-000000000001', [shard]]])],
      ['DeleteItem', () => alice.remove('shardId-000000000001')],
      ['DescribeTable', () => alice.ensureTable()],
      ['UpdateItem', () => alice.renew(shard, token)],
      ['UpdateItem', () => alice.checkpoint(shard, token, at('17'))],
      ['UpdateItem', () => alice.createChildren(shard, [['shardId-000000000001', [shard]]])],
      ['UpdateItem', () => alice.release(shard, token)],
      ['UpdateItem', () => alice.acquire(shard, 1)],
    ]
    for (const [operation, ask] of asked) {
      proxy.spoil(operation, dynamoDbError('AccessDeniedException'))
      await expect(ask(), operation).rejects.toMatchObject({ name: 'AccessDeniedException' })
    }
  })
})

describe('a read of one row', () => {
  test('is consistent, for an old checkpoint would be read again and an ended parent would block', async () => {
    for (const ask of [() => alice.read(shard), () => alice.checkParents([shard]), () => alice.createChildren(shard, [])]) {
      await ask()
      expect(proxy.lastRequest).toMatchObject({ Key: { leaseKey: { S: shard } }, ConsistentRead: true })
    }
  })
})

describe('the checkpoint of a held lease', () => {
  test('needs no call: nobody else can have stored one', async () => {
    const token = await alice.hold(shard)
    const calls = proxy.seen.length
    expect(await alice.read(shard)).toEqual({ type: 'checkpointRead', checkpoint: at('TRIM_HORIZON'), pendingCheckpoint: null })
    await alice.checkpoint(shard, token, at('17', 2))
    expect(await alice.read(shard)).toEqual({ type: 'checkpointRead', checkpoint: at('17', 2), pendingCheckpoint: null })
    expect(proxy.seen.slice(calls)).toEqual(['UpdateItem'])
  })

  test('is read where a write is in doubt, under another token, and once the lease is lost', async () => {
    const token = await alice.hold(shard)
    proxy.spoil('UpdateItem', dynamoDbError('InternalServerError'))
    proxy.spoil('GetItem', dynamoDbError('InternalServerError'))
    await expect(alice.checkpoint(shard, token, at('17'))).rejects.toThrow('could not be read again')
    const calls = proxy.seen.length
    expect((await alice.read(shard)).type).toBe('checkpointRead')
    expect(proxy.seen.slice(calls)).toEqual(['GetItem'])
    expect((await alice.renew(shard, token)).type).toBe('leaseRenewed')
    expect((await alice.release(shard, token)).type).toBe('leaseReleased')
    await alice.read(shard)
    expect(proxy.seen.slice(calls)).toEqual(['GetItem', 'UpdateItem', 'UpdateItem', 'GetItem'])
    await alice.hold(shard, 3)
    await alice.read(shard)
    expect(proxy.seen.at(-1)).toBe('GetItem')
  })
})

describe('taking a lease', () => {
  test('is one call', async () => {
    const calls = proxy.seen.length
    expect((await alice.acquire(shard, 0)).type).toBe('leaseAcquired')
    expect(proxy.seen.slice(calls)).toEqual(['UpdateItem'])
  })

  test('is refused when the lease has another owner than was listed, though the counter stayed', async () => {
    await alice.hold(shard)
    const bob = workerAt({ client, tableName: `application-${tables}` }, 'bob')
    await workerAt({ client, tableName: `application-${tables}` }, 'carol').request(shard, 'alice')
    expect((await bob.acquire(shard, 1, 'alice')).type).toBe('leaseRefused')
    expect((await bob.acquire(shard, 1, 'carol')).type).toBe('leaseAcquired')
  })
})

describe('a token that is not the held one', () => {
  test('is refused without a call', async () => {
    const token = await alice.hold(shard)
    const calls = proxy.seen.length
    expect((await alice.renew(shard, token + 1)).type).toBe('leaseRefused')
    expect((await alice.checkpoint(shard, token - 1, at('17'))).type).toBe('checkpointRefused')
    expect((await alice.release('shardId-000000000001', token)).type).toBe('leaseRefused')
    expect(proxy.seen).toHaveLength(calls)
  })
})
