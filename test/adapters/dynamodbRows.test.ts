import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startDynalite } from '../../servers/dynalite.ts'
import type { LocalServer } from '../../servers/localServer.ts'
import { startDynamoDbProxy } from './dynamodbProxy.ts'
import { at, clientOf, rawTable, shard, wholeRange, workerAt } from './dynamodbTable.ts'

const longNumber = '49590338271490256608559692538361571095921575989136588898'
const child = 'shardId-000000000001'
const freshItem = {
  leaseKey: { S: shard },
  leaseCounter: { N: '0' },
  ownerSwitchesSinceCheckpoint: { N: '0' },
  checkpoint: { S: 'TRIM_HORIZON' },
  checkpointSubSequenceNumber: { N: '0' },
  startingHashKey: { S: wholeRange.startingHashKey },
  endingHashKey: { S: wholeRange.endingHashKey },
}

let server: LocalServer
let client: DynamoDBClient
let tableName: string
let raw: ReturnType<typeof rawTable>
let alice: ReturnType<typeof workerAt>
let tables = 0

beforeAll(async () => {
  server = await startDynalite()
  client = clientOf(server.endpoint)
})

afterAll(async () => {
  client.destroy()
  await server.stop()
})

beforeEach(async () => {
  tables += 1
  tableName = `application-${tables}`
  raw = rawTable(client, tableName)
  alice = workerAt({ client, tableName })
  while ((await alice.ensureTable()).type !== 'tableReady');
})

describe('an item has exactly the attributes and types of the KCL', () => {
  test('when a lease is created, without parents', async () => {
    await alice.create(shard)
    expect(await raw.get(shard)).toEqual(freshItem)
  })

  test('when a lease is created, with parents and a checkpoint', async () => {
    await alice.create(shard, { parentShardIds: ['shardId-a', 'shardId-b'], checkpoint: at(longNumber, 7) })
    expect(await raw.get(shard)).toEqual({
      ...freshItem,
      checkpoint: { S: longNumber },
      checkpointSubSequenceNumber: { N: '7' },
      parentShardId: { SS: ['shardId-a', 'shardId-b'] },
    })
  })

  test('through taking, renewing, checkpointing, noting children and releasing', async () => {
    await alice.create(shard)
    const token = await alice.hold(shard)
    expect(await raw.get(shard)).toEqual({ ...freshItem, leaseOwner: { S: 'alice' }, leaseCounter: { N: '1' } })
    await alice.renew(shard, token)
    expect(await raw.get(shard)).toEqual({ ...freshItem, leaseOwner: { S: 'alice' }, leaseCounter: { N: '2' } })
    await alice.checkpoint(shard, token, at(longNumber, 7))
    const checkpointed = { ...freshItem, checkpoint: { S: longNumber }, checkpointSubSequenceNumber: { N: '7' } }
    expect(await raw.get(shard)).toEqual({ ...checkpointed, leaseOwner: { S: 'alice' }, leaseCounter: { N: '3' } })
    await alice.createChildren(shard, [[child, [shard]]])
    expect(await raw.get(child)).toEqual({ ...freshItem, leaseKey: { S: child }, parentShardId: { SS: [shard] } })
    await alice.release(shard, token)
    expect(await raw.get(shard)).toEqual({ ...checkpointed, leaseCounter: { N: '4' }, childShardIds: { SS: [child] } })
  })

  test('when the lease goes to another owner, which counts a switch, until the next checkpoint', async () => {
    await alice.create(shard)
    await alice.hold(shard)
    const bob = workerAt({ client, tableName }, 'bob')
    const token = await bob.hold(shard, 1, 'alice')
    expect((await raw.get(shard))?.['ownerSwitchesSinceCheckpoint']).toEqual({ N: '1' })
    await bob.checkpoint(shard, token, at('17'))
    expect((await raw.get(shard))?.['ownerSwitchesSinceCheckpoint']).toEqual({ N: '0' })
  })
})

describe('attributes of other versions', () => {
  const unknown = {
    throughputKBps: { N: '12.5' },
    streamName: { S: 'orders' },
    shardId: { S: shard },
    ours: { L: [{ NULL: true as const }] },
  }

  test('survive every write when they are unknown', async () => {
    await alice.create(shard)
    await raw.set(shard, { ...unknown, entityType: { S: 'LEASE' } })
    const token = await alice.hold(shard)
    await alice.renew(shard, token)
    await alice.checkpoint(shard, token, at('17'))
    await alice.createChildren(shard, [[child, [shard]]])
    await alice.release(shard, token)
    expect(await raw.get(shard)).toMatchObject({ ...unknown, entityType: { S: 'LEASE' }, leaseCounter: { N: '4' } })
  })

  test('that announce a checkpoint are read, kept by the next owner, and removed by a checkpoint', async () => {
    const pending = {
      pendingCheckpoint: { S: longNumber },
      pendingCheckpointSubSequenceNumber: { N: '3' },
      pendingCheckpointState: { B: new Uint8Array([1, 2]) },
    }
    await alice.create(shard)
    await raw.set(shard, pending)
    const token = await alice.hold(shard)
    await alice.renew(shard, token)
    expect(await raw.get(shard)).toMatchObject(pending)
    expect(await alice.read(shard)).toMatchObject({ checkpoint: at('TRIM_HORIZON'), pendingCheckpoint: at(longNumber, 3) })
    await alice.checkpoint(shard, token, at('17'))
    expect(Object.keys((await raw.get(shard)) ?? {}).filter((name) => name.startsWith('pending'))).toEqual([])
  })

  test('that stand for a hand-off are read, and cleared by the worker that takes the lease', async () => {
    await alice.create(shard)
    await raw.set(shard, { leaseOwner: { S: 'bob' }, checkpointOwner: { S: 'carol' } })
    expect(await alice.list()).toMatchObject({ leases: [{ leaseOwner: 'bob', checkpointOwner: 'carol' }] })
    expect(await alice.acquire(shard, 0, 'bob')).toMatchObject({ lease: { leaseOwner: 'alice', checkpointOwner: null } })
    expect((await raw.get(shard))?.['checkpointOwner']).toBeUndefined()
  })

  test('that were not written yet are read as nothing', async () => {
    const { startingHashKey: _, endingHashKey: __, checkpointSubSequenceNumber: ___, ...old } = freshItem
    await raw.put(old)
    expect(await alice.list()).toMatchObject({
      leases: [{ hashKeyRange: null, checkpoint: at('TRIM_HORIZON'), parentShardIds: [], childShardIds: [], checkpointOwner: null }],
    })
  })
})

describe('a hand-off of KCL 3.x that begins while the lease is held', () => {
  test('leaves the writes to the old owner, also when an answer is lost', async () => {
    const proxy = await startDynamoDbProxy(server)
    const unsafe = clientOf(proxy.endpoint)
    const holder = workerAt({ client: unsafe, tableName })
    await holder.create(shard)
    const token = await holder.hold(shard)
    await raw.set(shard, { leaseOwner: { S: 'bob' }, checkpointOwner: { S: 'alice' } })
    proxy.spoil('UpdateItem', { kind: 'loseAnswer' })
    expect((await holder.checkpoint(shard, token, at('17'))).type).toBe('checkpointWritten')
    expect((await holder.renew(shard, token)).type).toBe('leaseRenewed')
    // Bob was given the lease, and is to hand it back: the owner is alice and the counter one ahead, but the lease is bob's.
    await raw.set(shard, { leaseOwner: { S: 'alice' }, checkpointOwner: { S: 'bob' }, leaseCounter: { N: '4' } })
    proxy.spoil('UpdateItem', { kind: 'loseRequest' })
    expect((await holder.renew(shard, token)).type).toBe('leaseRefused')
    unsafe.destroy()
    await proxy.stop()
  })
})

describe('an item of another entity', () => {
  const leader = { leaseKey: { S: 'Leader' }, entityType: { S: 'LEADER' }, ownerName: { S: 'bob' } }

  test('is no lease to any effect, and none changes it', async () => {
    await raw.put(leader)
    expect(await alice.list()).toMatchObject({ leases: [] })
    expect((await alice.read('Leader')).type).toBe('leaseNotFound')
    expect((await alice.acquire('Leader', 0)).type).toBe('leaseRefused')
    expect((await alice.create('Leader')).type).toBe('leaseExists')
    expect((await alice.checkParents(['Leader'])).type).toBe('parentShardsCompleted')
    expect((await alice.createChildren('Leader', [[child, ['Leader']]])).type).toBe('leaseNotFound')
    expect(await raw.get('Leader')).toEqual(leader)
    expect(await raw.get(child)).toBeUndefined()
  })

  test('is not written to when it has replaced a held lease', async () => {
    await alice.create(shard)
    const token = await alice.hold(shard)
    const intruder = { leaseKey: { S: shard }, entityType: { S: 'STREAM' }, leaseCounter: { N: '1' } }
    await raw.put(intruder)
    expect((await alice.checkpoint(shard, token, at('17'))).type).toBe('checkpointRefused')
    expect(await raw.get(shard)).toEqual(intruder)
  })
})

describe('an update never creates an item', () => {
  test('not even when the parent’s row vanishes while its children are created', async () => {
    const proxy = await startDynamoDbProxy(server)
    const slow = clientOf(proxy.endpoint)
    await alice.create(shard)
    proxy.spoil('UpdateItem', { kind: 'first', run: () => raw.remove(shard) })
    expect((await workerAt({ client: slow, tableName }).createChildren(shard, [[child, [shard]]])).type).toBe('leaseNotFound')
    expect(await raw.get(shard)).toBeUndefined()
    slow.destroy()
    await proxy.stop()
  })
})

describe('a listing', () => {
  test('reads every page', async () => {
    const keys = ['a', 'b', 'c', 'd', 'e', 'f'].map((letter) => `shardId-${letter}`)
    for (const key of keys) await raw.put({ ...freshItem, leaseKey: { S: key }, filler: { S: 'x'.repeat(300_000) } })
    const answer = await alice.list()
    if (answer.type !== 'leasesListed') throw new Error(`expected leasesListed, got ${answer.type}`)
    expect(answer.leases.map(({ leaseKey }) => leaseKey).sort()).toEqual(keys)
  })

  test('carries the time at which it began', async () => {
    const times = [7, 8, 9]
    expect(await workerAt({ client, tableName, nowMs: () => times.shift() ?? 0 }).list()).toMatchObject({ nowMs: 7 })
  })
})
