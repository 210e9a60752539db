import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startDynalite } from '../../servers/dynalite.ts'
import type { LocalServer } from '../../servers/localServer.ts'
import { type Delayed, type DynamoDbProxy, dynamoDbError, startDynamoDbProxy } from './dynamodbProxy.ts'
import { at, clientOf, rawTable, shard, workerAt } from './dynamodbTable.ts'

let server: LocalServer
let proxy: DynamoDbProxy
let direct: DynamoDBClient
let client: DynamoDBClient
let retrying: DynamoDBClient
let tableName: string
let raw: ReturnType<typeof rawTable>
let tables = 0

beforeAll(async () => {
  server = await startDynalite()
  direct = clientOf(server.endpoint)
})

afterAll(async () => {
  direct.destroy()
  await server.stop()
})

beforeEach(async () => {
  proxy = await startDynamoDbProxy(server)
  client = clientOf(proxy.endpoint)
  retrying = clientOf(proxy.endpoint, { maxAttempts: 3 })
  tables += 1
  tableName = `application-${tables}`
  raw = rawTable(direct, tableName)
  const bob = workerAt({ client: direct, tableName }, 'bob')
  while ((await bob.ensureTable()).type !== 'tableReady');
  await bob.create(shard)
  return async () => {
    client.destroy()
    retrying.destroy()
    await proxy.stop()
  }
})

const counterOf = async (): Promise<string | undefined> => (await raw.get(shard))?.['leaseCounter']?.N

describe('a write that was applied although its answer got lost', () => {
  test('takes the lease, with a token that is good for the next write', async () => {
    const alice = workerAt({ client, tableName })
    proxy.spoil('UpdateItem', { kind: 'loseAnswer' })
    expect(await alice.acquire(shard, 0)).toMatchObject({
      type: 'leaseAcquired',
      token: 1,
      lease: { leaseOwner: 'alice', leaseCounter: 1 },
    })
    expect((await alice.renew(shard, 1)).type).toBe('leaseRenewed')
    expect(await counterOf()).toBe('2')
  })

  test('renews the lease, once', async () => {
    const alice = workerAt({ client, tableName })
    const token = await alice.hold(shard)
    proxy.spoil('UpdateItem', { kind: 'loseAnswer' })
    expect((await alice.renew(shard, token)).type).toBe('leaseRenewed')
    expect(await counterOf()).toBe('2')
    expect((await alice.renew(shard, token)).type).toBe('leaseRenewed')
  })

  test('stores the checkpoint, and the next one after it', async () => {
    const alice = workerAt({ client, tableName })
    const token = await alice.hold(shard)
    proxy.spoil('UpdateItem', { kind: 'loseAnswer' })
    expect((await alice.checkpoint(shard, token, at('17', 3))).type).toBe('checkpointWritten')
    expect((await alice.checkpoint(shard, token, at('18'))).type).toBe('checkpointWritten')
    expect((await raw.get(shard))?.['checkpoint']).toEqual({ S: '18' })
  })

  test('releases the lease, whose token is then worth nothing', async () => {
    const alice = workerAt({ client, tableName })
    const token = await alice.hold(shard)
    proxy.spoil('UpdateItem', { kind: 'loseAnswer' })
    expect((await alice.release(shard, token)).type).toBe('leaseReleased')
    expect((await raw.get(shard))?.['leaseOwner']).toBeUndefined()
    expect((await alice.renew(shard, token)).type).toBe('leaseRefused')
  })

  test('is recognised behind the failed condition that the client’s own retry brings', async () => {
    const alice = workerAt({ client: retrying, tableName })
    proxy.spoil('UpdateItem', { kind: 'loseAnswer' })
    const token = await alice.hold(shard)
    proxy.spoil('UpdateItem', { kind: 'loseAnswer' })
    expect((await alice.renew(shard, token)).type).toBe('leaseRenewed')
    proxy.spoil('UpdateItem', { kind: 'loseAnswer' })
    expect((await alice.checkpoint(shard, token, at('17'))).type).toBe('checkpointWritten')
    proxy.spoil('UpdateItem', { kind: 'loseAnswer' })
    expect((await alice.release(shard, token)).type).toBe('leaseReleased')
    expect(proxy.seen.filter((operation) => operation === 'UpdateItem')).toHaveLength(8)
    expect(await counterOf()).toBe('4')
  })

  test('does not hide that another worker took the lease right after it, which is then forgotten', async () => {
    const alice = workerAt({ client, tableName })
    const bob = workerAt({ client: direct, tableName }, 'bob')
    const token = await alice.hold(shard)
    proxy.spoil('UpdateItem', { kind: 'loseAnswer', afterwards: async () => void (await bob.hold(shard, 2, 'alice')) })
    expect((await alice.checkpoint(shard, token, at('17'))).type).toBe('checkpointRefused')
    const calls = proxy.seen.length
    expect((await alice.renew(shard, token)).type).toBe('leaseRefused')
    expect(proxy.seen).toHaveLength(calls)
  })

  test('is found by the next renewal when the row could not be read again, and counts from when it was sent', async () => {
    let nowMs = 1000
    const alice = workerAt({ client, tableName, nowMs: () => nowMs })
    const token = await alice.hold(shard)
    nowMs = 2000
    proxy.spoil('UpdateItem', { kind: 'loseAnswer' })
    proxy.spoil('GetItem', { kind: 'loseRequest' })
    await expect(alice.renew(shard, token)).rejects.toThrow('could not be read again')
    nowMs = 5000
    expect(await alice.renew(shard, token)).toEqual({ type: 'leaseRenewed', nowMs: 2000, nextOwner: null })
    expect(await counterOf()).toBe('2')
    nowMs = 6000
    expect(await alice.renew(shard, token)).toEqual({ type: 'leaseRenewed', nowMs: 6000, nextOwner: null })
  })

  test('does not lose the lease to the next write that stores something else: that one fails, and passes when it is asked for again', async () => {
    const alice = workerAt({ client, tableName })
    const token = await alice.hold(shard)
    proxy.spoil('UpdateItem', { kind: 'loseAnswer' })
    proxy.spoil('GetItem', { kind: 'loseRequest' })
    await expect(alice.renew(shard, token)).rejects.toThrow('could not be read again')
    await expect(alice.checkpoint(shard, token, at('17'))).rejects.toThrow('the lease is still held')
    expect((await raw.get(shard))?.['checkpoint']).toEqual({ S: 'TRIM_HORIZON' })
    expect((await alice.checkpoint(shard, token, at('17'))).type).toBe('checkpointWritten')
    expect(await counterOf()).toBe('3')
  })

  test('answers the repeated creation of a lease with leaseExists', async () => {
    const alice = workerAt({ client, tableName })
    proxy.spoil('PutItem', { kind: 'loseAnswer' })
    await expect(alice.create('shardId-000000000001')).rejects.toThrow()
    expect((await alice.create('shardId-000000000001')).type).toBe('leaseExists')
  })

  test('is completed by the repeated creation of child leases', async () => {
    const alice = workerAt({ client, tableName })
    const children = [['shardId-000000000001', [shard]] as const, ['shardId-000000000002', [shard]] as const]
    proxy.spoil('PutItem', { kind: 'loseAnswer' })
    await expect(alice.createChildren(shard, children)).rejects.toThrow()
    expect((await raw.get(shard))?.['childShardIds']).toBeUndefined()
    expect((await alice.createChildren(shard, children)).type).toBe('childLeasesCreated')
    expect((await raw.get(shard))?.['childShardIds']?.SS).toEqual(['shardId-000000000001', 'shardId-000000000002'])
  })
})

describe('a write that never reached the server', () => {
  test('rejects with the error of the client, and passes when it is asked for again', async () => {
    const alice = workerAt({ client, tableName })
    proxy.spoil('UpdateItem', { kind: 'loseRequest' })
    await expect(alice.acquire(shard, 0)).rejects.toMatchObject({ name: 'TimeoutError' })
    const token = await alice.hold(shard)
    for (const write of [
      () => alice.renew(shard, token),
      () => alice.checkpoint(shard, token, at('17')),
      () => alice.release(shard, token),
    ]) {
      proxy.spoil('UpdateItem', { kind: 'loseRequest' })
      await expect(write()).rejects.toMatchObject({ name: 'TimeoutError' })
      expect((await write()).type).toMatch(/^(leaseRenewed|checkpointWritten|leaseReleased)$/)
    }
    expect(await counterOf()).toBe('4')
  })

  test('keeps its place in the lane: a write asked for at the same time passes after it', async () => {
    const alice = workerAt({ client, tableName })
    const token = await alice.hold(shard)
    proxy.spoil('UpdateItem', { kind: 'loseRequest' })
    const [renewed, checkpointed] = await Promise.allSettled([alice.renew(shard, token), alice.checkpoint(shard, token, at('17'))])
    expect(renewed.status).toBe('rejected')
    expect(checkpointed).toEqual({ status: 'fulfilled', value: { type: 'checkpointWritten' } })
  })

  test('may still arrive after its failure: the next write of the lease finds that out', async () => {
    const alice = workerAt({ client, tableName })
    const token = await alice.hold(shard)
    const delayed: Delayed = { arrive: async () => {} }
    proxy.spoil('UpdateItem', { kind: 'delayRequest', delayed })
    await expect(alice.checkpoint(shard, token, at('17'))).rejects.toMatchObject({ name: 'TimeoutError' })
    await delayed.arrive()
    expect((await alice.renew(shard, token)).type).toBe('leaseRenewed')
    expect((await alice.checkpoint(shard, token, at('18'))).type).toBe('checkpointWritten')
    expect((await raw.get(shard))?.['checkpoint']).toEqual({ S: '18' })
  })

  test('may arrive after the next write: it then changes nothing', async () => {
    const alice = workerAt({ client, tableName })
    const token = await alice.hold(shard)
    const delayed: Delayed = { arrive: async () => {} }
    proxy.spoil('UpdateItem', { kind: 'delayRequest', delayed })
    await expect(alice.checkpoint(shard, token, at('17'))).rejects.toMatchObject({ name: 'TimeoutError' })
    expect((await alice.checkpoint(shard, token, at('18'))).type).toBe('checkpointWritten')
    await delayed.arrive()
    expect((await raw.get(shard))?.['checkpoint']).toEqual({ S: '18' })
    expect((await alice.renew(shard, token)).type).toBe('leaseRenewed')
  })
})

describe('a failed condition', () => {
  test('is read again, and refused when another worker has the lease', async () => {
    const alice = workerAt({ client, tableName })
    const token = await alice.hold(shard)
    await workerAt({ client: direct, tableName }, 'bob').hold(shard, 1, 'alice')
    const calls = proxy.seen.length
    expect((await alice.renew(shard, token)).type).toBe('leaseRefused')
    expect(proxy.seen.slice(calls)).toEqual(['UpdateItem', 'GetItem'])
  })

  test('needs no second read where the server gives the row with its answer', async () => {
    const alice = workerAt({ client, tableName })
    const token = await alice.hold(shard)
    await workerAt({ client: direct, tableName }, 'bob').hold(shard, 1, 'alice')
    proxy.spoil('UpdateItem', dynamoDbError('ConditionalCheckFailedException', { Item: await raw.get(shard) }))
    const calls = proxy.seen.length
    expect((await alice.renew(shard, token)).type).toBe('leaseRefused')
    expect(proxy.seen.slice(calls)).toEqual(['UpdateItem'])
  })

  test('rejects when the row cannot be read again, and keeps the lease', async () => {
    const alice = workerAt({ client, tableName })
    const token = await alice.hold(shard)
    proxy.spoil('UpdateItem', dynamoDbError('ConditionalCheckFailedException'))
    proxy.spoil('GetItem', dynamoDbError('InternalServerError'))
    await expect(alice.renew(shard, token)).rejects.toThrow('could not be read again')
    expect((await alice.renew(shard, token)).type).toBe('leaseRenewed')
  })

  test('lets only one of two processes take a lease that share a worker id by mistake', async () => {
    const [one, other] = [workerAt({ client, tableName }), workerAt({ client, tableName })]
    const answers = await Promise.all([one.acquire(shard, 0), other.acquire(shard, 0)])
    expect(answers.map(({ type }) => type).sort()).toEqual(['leaseAcquired', 'leaseRefused'])
  })

  test('fences a process whose lease was taken by another one with its own worker id', async () => {
    const [one, other] = [workerAt({ client, tableName }), workerAt({ client, tableName })]
    const token = await one.hold(shard)
    const otherToken = await other.hold(shard, 1, 'alice')
    expect((await one.renew(shard, token)).type).toBe('workerIdShared')
    expect((await other.checkpoint(shard, otherToken, at('17'))).type).toBe('checkpointWritten')
  })

  test('refuses to move SHARD_END back, and does not lose the lease by that', async () => {
    const alice = workerAt({ client, tableName })
    const token = await alice.hold(shard)
    await alice.checkpoint(shard, token, at('SHARD_END'))
    expect((await alice.checkpoint(shard, token, at('17'))).type).toBe('checkpointRefused')
    expect((await raw.get(shard))?.['checkpoint']).toEqual({ S: 'SHARD_END' })
    expect((await alice.renew(shard, token)).type).toBe('leaseRenewed')
  })
})
