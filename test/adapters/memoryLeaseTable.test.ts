import type { Lease } from '@shardwise/effects'
import { createMemoryLeaseTable } from '@shardwise/memory'
import { leaseTableContract } from '@shardwise/testing'
import { describe, expect, test } from 'vitest'
import { neverAborted } from './handlerContext.ts'

describe('a lease table in memory keeps the contract', () => {
  const cases = leaseTableContract(async () => {
    const table = createMemoryLeaseTable()
    return { worker: () => table.store(), close: async () => {} }
  })
  for (const { name, run } of cases) test(name, run)
})

const id = 1
const shardId = 'shardId-000000000000'
const context = neverAborted

const aRow = (row: Partial<Lease> = {}): Lease => ({
  leaseKey: shardId,
  leaseOwner: null,
  leaseCounter: 0,
  checkpoint: { sequenceNumber: 'TRIM_HORIZON', subSequenceNumber: 0 },
  pendingCheckpoint: null,
  ownerSwitchesSinceCheckpoint: 0,
  parentShardIds: [],
  childShardIds: [],
  hashKeyRange: null,
  checkpointOwner: null,
  ...row,
})
const at = (sequenceNumber: string) => ({ sequenceNumber, subSequenceNumber: 0 })

describe('a lease table in memory', () => {
  test('ends a hand-off when the lease is taken', async () => {
    const table = createMemoryLeaseTable({
      leases: [aRow({ leaseOwner: 'next', checkpointOwner: 'old', leaseCounter: 7 })],
      nowMs: () => 5,
    })
    const taken = await table
      .store()
      .acquireLease({ type: 'acquireLease', id, leaseKey: shardId, leaseCounter: 7, leaseOwner: 'next', workerId: 'next' }, context)
    const row = aRow({ leaseOwner: 'next', leaseCounter: 8 })
    expect(taken).toEqual({ type: 'leaseAcquired', lease: row, token: 8, nowMs: 5 })
    expect(table.rows()).toEqual([row])
  })

  test('refuses a lease that has another owner than was listed, though its counter is the same', async () => {
    const row = aRow({ leaseOwner: 'next', checkpointOwner: 'old', leaseCounter: 7 })
    const table = createMemoryLeaseTable({ leases: [row] })
    const effect = { type: 'acquireLease', id, leaseKey: shardId, leaseCounter: 7, leaseOwner: 'old', workerId: 'third' } as const
    expect(await table.store().acquireLease(effect, context)).toEqual({ type: 'leaseRefused' })
    expect(table.rows()).toEqual([row])
  })

  test('takes a pending checkpoint away when a checkpoint is written, and shows it until then', async () => {
    const table = createMemoryLeaseTable({ leases: [aRow({ pendingCheckpoint: at('9') })] })
    const store = table.store()
    await store.acquireLease({ type: 'acquireLease', id, leaseKey: shardId, leaseCounter: 0, leaseOwner: null, workerId: 'alice' }, context)
    expect(await store.readCheckpoint({ type: 'readCheckpoint', id, shardId, leaseKey: shardId, token: 1 }, context)).toEqual({
      type: 'checkpointRead',
      checkpoint: at('TRIM_HORIZON'),
      pendingCheckpoint: at('9'),
    })
    await store.writeCheckpoint({ type: 'writeCheckpoint', id, shardId, leaseKey: shardId, token: 1, checkpoint: at('9') }, context)
    expect(table.rows()).toEqual([aRow({ leaseOwner: 'alice', leaseCounter: 2, checkpoint: at('9') })])
  })

  test('forgets which leases a worker holds when the worker starts again', async () => {
    const table = createMemoryLeaseTable({ leases: [aRow()] })
    await table
      .store()
      .acquireLease({ type: 'acquireLease', id, leaseKey: shardId, leaseCounter: 0, leaseOwner: null, workerId: 'alice' }, context)
    const restarted = table.store()
    expect(
      await restarted.renewLease({ type: 'renewLease', id, leaseKey: shardId, token: 1, freshSinceMs: Number.MAX_SAFE_INTEGER }, context),
    ).toEqual({ type: 'leaseRefused' })
  })

  test('keeps a lease held whose step back from SHARD_END it refused', async () => {
    const table = createMemoryLeaseTable({ leases: [aRow({ checkpoint: at('SHARD_END') })], nowMs: () => 5 })
    const store = table.store()
    await store.acquireLease({ type: 'acquireLease', id, leaseKey: shardId, leaseCounter: 0, leaseOwner: null, workerId: 'alice' }, context)
    const back = await store.writeCheckpoint(
      { type: 'writeCheckpoint', id, shardId, leaseKey: shardId, token: 1, checkpoint: at('9') },
      context,
    )
    expect(back).toEqual({ type: 'checkpointRefused' })
    expect(
      await store.renewLease({ type: 'renewLease', id, leaseKey: shardId, token: 1, freshSinceMs: Number.MAX_SAFE_INTEGER }, context),
    ).toEqual({
      type: 'leaseRenewed',
      nowMs: 5,
      nextOwner: null,
    })
  })

  test('creates the child of a merge whose parents were both cleaned up', async () => {
    const table = createMemoryLeaseTable({ leases: [aRow()] })
    const hashKeyRange = { startingHashKey: '0', endingHashKey: '9' }
    const merged = { shardId: 'shardId-000000000009', parentShardIds: ['shardId-000000000007', 'shardId-000000000008'], hashKeyRange }
    const answer = table
      .store()
      .createChildLeases({ type: 'createChildLeases', id, shardId, leaseKey: shardId, token: 1, childShards: [merged] }, context)
    expect(await answer).toEqual({ type: 'childLeasesCreated' })
    expect(table.rows()[1]).toEqual(aRow({ leaseKey: merged.shardId, parentShardIds: merged.parentShardIds, hashKeyRange }))
  })

  test('tells the time of its clock with listings, acquisitions and renewals', async () => {
    let nowMs = 0
    const store = createMemoryLeaseTable({ leases: [aRow()], nowMs: () => ++nowMs }).store()
    const answers = [
      await store.listLeases({ type: 'listLeases', id }, context),
      await store.acquireLease(
        { type: 'acquireLease', id, leaseKey: shardId, leaseCounter: 0, leaseOwner: null, workerId: 'alice' },
        context,
      ),
      await store.renewLease({ type: 'renewLease', id, leaseKey: shardId, token: 1, freshSinceMs: Number.MAX_SAFE_INTEGER }, context),
    ]
    expect(answers).toMatchObject([{ nowMs: 1 }, { nowMs: 2 }, { nowMs: 3 }])
  })

  test('takes a checkpoint that was written lately enough for a renewal', async () => {
    let now = 1
    const table = createMemoryLeaseTable({ leases: [aRow()], nowMs: () => now })
    const store = table.store()
    const named = { id, leaseKey: shardId, token: 1 }
    await store.acquireLease({ type: 'acquireLease', id, leaseKey: shardId, leaseCounter: 0, leaseOwner: null, workerId: 'alice' }, context)
    now = 5
    await store.writeCheckpoint({ type: 'writeCheckpoint', shardId, ...named, checkpoint: at('9') }, context)
    now = 7
    const renewed = { type: 'leaseRenewed', nextOwner: null }
    expect(await store.renewLease({ type: 'renewLease', ...named, freshSinceMs: 5 }, context)).toEqual({ ...renewed, nowMs: 5 })
    expect(table.row(shardId)?.leaseCounter).toBe(2)
    expect(await store.renewLease({ type: 'renewLease', ...named, freshSinceMs: 6 }, context)).toEqual({ ...renewed, nowMs: 7 })
    expect(table.row(shardId)?.leaseCounter).toBe(3)
  })

  test('finds out that two processes share a worker id, at a renewal, and after a refused checkpoint at the release', async () => {
    const table = createMemoryLeaseTable({ leases: [aRow()] })
    const [store, namesake] = [table.store(), table.store()]
    const named = { id, leaseKey: shardId, token: 1 }
    await store.acquireLease({ type: 'acquireLease', id, leaseKey: shardId, leaseCounter: 0, leaseOwner: null, workerId: 'alice' }, context)
    await namesake.acquireLease(
      { type: 'acquireLease', id, leaseKey: shardId, leaseCounter: 1, leaseOwner: 'alice', workerId: 'alice' },
      context,
    )
    const answers = [
      await store.writeCheckpoint({ type: 'writeCheckpoint', shardId, ...named, checkpoint: at('9') }, context),
      await store.renewLease({ type: 'renewLease', ...named, freshSinceMs: 0 }, context),
      await store.releaseLease({ type: 'releaseLease', ...named, nextOwner: null }, context),
      await store.releaseLease({ type: 'releaseLease', ...named, nextOwner: null }, context),
    ]
    expect(answers.map(({ type }) => type)).toEqual(['checkpointRefused', 'workerIdShared', 'workerIdShared', 'leaseRefused'])
  })

  test('refuses options it does not know, and a clock that is none', () => {
    expect(() => createMemoryLeaseTable({ now: Date.now } as never)).toThrow(
      'now: not an option of createMemoryLeaseTable, expected one of nowMs, leases',
    )
    expect(() => createMemoryLeaseTable({ nowMs: 5 as never })).toThrow('nowMs: expected a function, got 5')
  })
})
