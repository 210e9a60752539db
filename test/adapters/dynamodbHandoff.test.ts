import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startDynalite } from '../../servers/dynalite.ts'
import type { LocalServer } from '../../servers/localServer.ts'
import { at, clientOf, rawTable, shard, workerAt } from './dynamodbTable.ts'

let server: LocalServer
let client: DynamoDBClient
let raw: ReturnType<typeof rawTable>
let alice: ReturnType<typeof workerAt>
let bob: ReturnType<typeof workerAt>
let token: number
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
  const tableName = `application-${tables}`
  raw = rawTable(client, tableName)
  alice = workerAt({ client, tableName })
  bob = workerAt({ client, tableName }, 'bob')
  while ((await alice.ensureTable()).type !== 'tableReady');
  await alice.create(shard)
  token = await alice.hold(shard)
})

describe('a hand-off', () => {
  test('stands in the row as one of the KCL 3, with the next owner once more beside it', async () => {
    const before = await raw.get(shard)
    await bob.request(shard, 'alice')
    expect(await raw.get(shard)).toEqual({
      ...before,
      leaseOwner: { S: 'bob' },
      checkpointOwner: { S: 'alice' },
      nextOwner: { S: 'bob' },
    })
  })

  test('leaves nothing behind when the lease is taken', async () => {
    const names = Object.keys((await raw.get(shard)) ?? {}).sort()
    await bob.request(shard, 'alice')
    expect((await bob.acquire(shard, 1, 'bob')).type).toBe('leaseAcquired')
    expect(Object.keys((await raw.get(shard)) ?? {}).sort()).toEqual(names)
  })

  test('of a leader of the KCL 3, which writes no next owner, is told to the owner too', async () => {
    await raw.set(shard, { leaseOwner: { S: 'carol' }, checkpointOwner: { S: 'alice' } })
    expect(await alice.renew(shard, token)).toMatchObject({ type: 'leaseRenewed', nextOwner: 'carol' })
  })

  test('is void when a worker of the KCL 2 takes the lease and leaves the owner of the checkpoints behind', async () => {
    await bob.request(shard, 'alice')
    await raw.set(shard, { leaseOwner: { S: 'java' }, leaseCounter: { N: '2' } })
    expect(await bob.list()).toMatchObject({ leases: [{ leaseOwner: 'java', checkpointOwner: null }] })
    expect((await alice.renew(shard, token)).type).toBe('leaseRefused')
    expect((await alice.checkpoint(shard, token, at('9'))).type).toBe('checkpointRefused')
  })

  test('is asked of the worker of the KCL 2 that took the lease, as of any other', async () => {
    await bob.request(shard, 'alice')
    await raw.set(shard, { leaseOwner: { S: 'java' }, leaseCounter: { N: '2' } })
    expect(await bob.request(shard, 'java')).toEqual({ type: 'handoffRequested' })
    expect(await bob.list()).toMatchObject({ leases: [{ leaseOwner: 'bob', checkpointOwner: 'java' }] })
    expect(await alice.request(shard, 'bob')).toEqual({ type: 'handoffRefused' })
  })

  test('of a leader of the KCL 3 is not asked for again', async () => {
    await raw.set(shard, { leaseOwner: { S: 'carol' }, checkpointOwner: { S: 'alice' } })
    expect(await bob.request(shard, 'carol')).toEqual({ type: 'handoffRefused' })
  })

  test('does not let the lease of a KCL 2 worker pass for one of its own whose answer got lost', async () => {
    const lossy = workerAt({ client: failingOnce(client, 'UpdateItemCommand'), tableName: `application-${tables}` })
    const tokenOfLossy = await lossy.hold(shard, 1, 'alice')
    await bob.request(shard, 'alice')
    await raw.set(shard, { leaseOwner: { S: 'java' }, leaseCounter: { N: String(tokenOfLossy + 1) } })
    expect((await lossy.renew(shard, tokenOfLossy)).type).toBe('leaseRefused')
    expect((await raw.get(shard))?.['leaseCounter']).toEqual({ N: String(tokenOfLossy + 1) })
  })
})

describe('the entities of a KCL 3.5 beside the leases', () => {
  test('are left alone, but its workers are listed with the age of their last report', async () => {
    const seconds = Math.floor(Date.now() / 1_000)
    await raw.put({ leaseKey: { S: 'java-1' }, entityType: { S: 'WORKER_METRIC_STATS' }, lut: { N: String(seconds - 20) } })
    await raw.put({ leaseKey: { S: 'java-2' }, entityType: { S: 'WORKER_METRIC_STATS' } })
    await raw.put({ leaseKey: { S: 'Leader' }, entityType: { S: 'LEADER' }, ownerName: { S: 'java-1' } })
    const listed = await alice.list()
    if (listed.type !== 'leasesListed') throw new Error(`listLeases: expected leasesListed, got ${listed.type}`)
    expect(listed.leases.map(({ leaseKey }) => leaseKey)).toEqual([shard])
    expect(listed.reportingWorkers).toEqual([{ workerId: 'java-1', reportedMsAgo: expect.any(Number) as number }])
    expect(listed.reportingWorkers?.[0]?.reportedMsAgo).toBeGreaterThanOrEqual(20_000)
  })
})

describe('a renewal', () => {
  test('is a checkpoint that was written lately enough, and tells of a hand-off all the same', async () => {
    let now = 1_000
    const carol = workerAt({ client, tableName: `application-${tables}`, nowMs: () => now }, 'carol')
    const held = await carol.hold(shard, token, 'alice')
    now = 2_000
    await bob.request(shard, 'carol')
    await carol.checkpoint(shard, held, at('9'))
    const before = await raw.get(shard)
    now = 3_000
    expect(await carol.renew(shard, held, 2_000)).toEqual({ type: 'leaseRenewed', nowMs: 2_000, nextOwner: 'bob' })
    expect(await raw.get(shard)).toEqual(before)
    expect(await carol.renew(shard, held, 2_001)).toEqual({ type: 'leaseRenewed', nowMs: 3_000, nextOwner: 'bob' })
    expect((await raw.get(shard))?.['leaseCounter']).toEqual({ N: String(held + 2) })
  })

  test('finds out that another process uses the id of this worker', async () => {
    const namesake = workerAt({ client, tableName: `application-${tables}` })
    await namesake.hold(shard, token, 'alice')
    expect((await alice.renew(shard, token)).type).toBe('workerIdShared')
    expect((await alice.release(shard, token)).type).toBe('workerIdShared')
    expect((await alice.release(shard, token)).type).toBe('leaseRefused')
  })

  test('that comes after a refused checkpoint finds it out, too, and so does the release', async () => {
    const namesake = workerAt({ client, tableName: `application-${tables}` })
    await namesake.hold(shard, token, 'alice')
    expect((await alice.checkpoint(shard, token, at('9'))).type).toBe('checkpointRefused')
    expect((await alice.renew(shard, token)).type).toBe('workerIdShared')
    expect((await alice.release(shard, token)).type).toBe('workerIdShared')
  })
})

/** A client whose first command of this name after the first fails without being sent, as if its answer had got lost. */
function failingOnce(whole: DynamoDBClient, name: string): DynamoDBClient {
  let seen = 0
  return new Proxy(whole, {
    get(target, key) {
      if (key !== 'send') return Reflect.get(target, key) as unknown
      return (command: { constructor: { name: string } }, ...rest: unknown[]) => {
        if (command.constructor.name === name && (seen += 1) === 2) return Promise.reject(new Error('the answer got lost'))
        return (target.send as (...all: unknown[]) => unknown)(command, ...rest)
      }
    },
  })
}
