import type { ChildShard } from '@shardwise/effects'
import { expectEqual } from './expectEqual.ts'
import type { LeaseTableFixture } from './leaseTableContract.ts'
import { aLease, at, freshRow, leaseWorker } from './leaseWorker.ts'

type Body = (fixture: LeaseTableFixture) => Promise<void>

const parent = 'shardId-000000000000'
const sibling = 'shardId-000000000001'
const left: ChildShard = {
  shardId: 'shardId-000000000002',
  parentShardIds: [parent],
  hashKeyRange: { startingHashKey: '0', endingHashKey: '170141183460469231731687303715884105727' },
}
const right: ChildShard = {
  shardId: 'shardId-000000000003',
  parentShardIds: [parent],
  hashKeyRange: { startingHashKey: '170141183460469231731687303715884105728', endingHashKey: '340282366920938463463374607431768211455' },
}
const merged: ChildShard = {
  shardId: 'shardId-000000000004',
  parentShardIds: [parent, sibling],
  hashKeyRange: { startingHashKey: '0', endingHashKey: '340282366920938463463374607431768211455' },
}

/** Parents that block their children, and the leases of children. */
export const childLeaseCases: Readonly<Record<string, Body>> = {
  'takes a shard without parents for unblocked': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    expectEqual(await alice.checkParents(left.shardId, []), { type: 'parentShardsCompleted' }, 'answer')
  },

  'takes a parent without a row for completed': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    expectEqual(await alice.checkParents(merged.shardId, [parent, sibling]), { type: 'parentShardsCompleted' }, 'answer')
  },

  'blocks on a parent that has not been started': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    await alice.create(parent)
    expectEqual(await alice.checkParents(left.shardId, [parent]), { type: 'parentShardsPending', pendingShardId: parent }, 'answer')
  },

  'blocks on a parent in the middle, and unblocks at its end': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    const bob = await leaseWorker('bob', fixture.worker('bob'))
    await alice.create(parent)
    const token = await alice.hold(parent)
    await alice.checkpoint(parent, token, at('17'))
    expectEqual(await bob.checkParents(left.shardId, [parent]), { type: 'parentShardsPending', pendingShardId: parent }, 'in the middle')
    await alice.checkpoint(parent, token, at('SHARD_END'))
    expectEqual(await bob.checkParents(left.shardId, [parent]), { type: 'parentShardsCompleted' }, 'at the end')
  },

  'names the parent that is still running when the other one has ended': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    await alice.create(parent)
    await alice.create(sibling)
    await alice.checkpoint(parent, await alice.hold(parent), at('SHARD_END'))
    const pending = { type: 'parentShardsPending', pendingShardId: sibling }
    expectEqual(await alice.checkParents(merged.shardId, [parent, sibling]), pending, 'answer')
    expectEqual(await alice.checkParents(merged.shardId, [sibling, parent]), pending, 'answer for the other order')
  },

  'creates the leases of both halves of a split at TRIM_HORIZON, and notes them in the parent’s row': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    await alice.create(parent, { checkpoint: at('LATEST') })
    const token = await alice.hold(parent)
    const before = await alice.row(parent)
    expectEqual((await alice.createChildren(parent, token, [left, right])).type, 'childLeasesCreated', 'answer')
    expectEqual((await alice.row(parent))?.childShardIds, [left.shardId, right.shardId], 'children of the parent')
    expectEqual([(await alice.row(parent))?.leaseOwner, (await alice.row(parent))?.checkpoint], ['alice', before?.checkpoint], 'the parent')
    expectEqual([await alice.row(left.shardId), await alice.row(right.shardId)], [rowOf(left), rowOf(right)], 'rows of the children')
  },

  'leaves child leases alone that exist already': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    const bob = await leaseWorker('bob', fixture.worker('bob'))
    await alice.create(parent)
    const token = await alice.hold(parent)
    await alice.createChildren(parent, token, [left, right])
    await bob.checkpoint(left.shardId, await bob.hold(left.shardId), at('17'))
    const before = (await bob.list()).leases.filter(({ leaseKey }) => leaseKey !== parent)
    expectEqual((await alice.createChildren(parent, token, [left, right])).type, 'childLeasesCreated', 'answer')
    expectEqual(
      (await bob.list()).leases.filter(({ leaseKey }) => leaseKey !== parent),
      before,
      'rows of the children',
    )
    expectEqual((await bob.row(parent))?.childShardIds, [left.shardId, right.shardId], 'children of the parent')
  },

  'creates the child lease that is missing when the other one exists': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    await alice.create(parent)
    await alice.create(left.shardId, { checkpoint: at('LATEST'), parentShardIds: left.parentShardIds, hashKeyRange: left.hashKeyRange })
    const token = await alice.hold(parent)
    expectEqual((await alice.createChildren(parent, token, [left, right])).type, 'childLeasesCreated', 'answer')
    expectEqual(
      [await alice.row(left.shardId), await alice.row(right.shardId)],
      [{ ...rowOf(left), checkpoint: at('LATEST') }, rowOf(right)],
      'rows of the children',
    )
    expectEqual((await alice.row(parent))?.childShardIds, [left.shardId, right.shardId], 'children of the parent')
  },

  'creates the one lease of a merge, from both parents at once': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    const bob = await leaseWorker('bob', fixture.worker('bob'))
    await alice.create(parent)
    await alice.create(sibling)
    const token = await alice.hold(parent)
    const bobsToken = await bob.hold(sibling)
    const answers = await Promise.all([alice.createChildren(parent, token, [merged]), bob.createChildren(sibling, bobsToken, [merged])])
    expectEqual(
      answers.map(({ type }) => type),
      ['childLeasesCreated', 'childLeasesCreated'],
      'answers',
    )
    expectEqual(await alice.row(merged.shardId), rowOf(merged), 'row of the child')
    expectEqual(
      [(await alice.row(parent))?.childShardIds, (await alice.row(sibling))?.childShardIds],
      [[merged.shardId], [merged.shardId]],
      'children of the parents',
    )
  },

  'creates nothing for a merge whose other parent has no row': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    await alice.create(parent)
    const token = await alice.hold(parent)
    const before = (await alice.list()).leases
    expectEqual((await alice.createChildren(parent, token, [merged])).type, 'siblingLeaseMissing', 'answer')
    expectEqual((await alice.list()).leases, before, 'leases')
  },

  'creates nothing when the parent’s own row is gone': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    await alice.create(parent)
    const token = await alice.hold(parent)
    await alice.remove(parent)
    expectEqual((await alice.createChildren(parent, token, [left, right])).type, 'leaseNotFound', 'answer')
    expectEqual((await alice.list()).leases, [], 'leases')
  },

  'keeps the children that are noted when a later call names none': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    await alice.create(parent)
    const token = await alice.hold(parent)
    await alice.createChildren(parent, token, [left, right])
    expectEqual((await alice.createChildren(parent, token, [])).type, 'childLeasesCreated', 'answer')
    expectEqual((await alice.row(parent))?.childShardIds, [left.shardId, right.shardId], 'children of the parent')
  },

  'does not fence the parent’s holder by creating children: the end of the shard can be stored next': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    await alice.create(parent)
    const token = await alice.hold(parent)
    await alice.createChildren(parent, token, [left, right])
    expectEqual((await alice.renew(parent, token)).type, 'leaseRenewed', 'renewal')
    expectEqual((await alice.checkpoint(parent, token, at('SHARD_END'))).type, 'checkpointWritten', 'checkpoint')
    const row = await alice.row(parent)
    expectEqual([row?.checkpoint, row?.childShardIds], [at('SHARD_END'), [left.shardId, right.shardId]], 'checkpoint and children')
  },
}

function rowOf({ shardId, parentShardIds, hashKeyRange }: ChildShard) {
  return freshRow(aLease(shardId, { parentShardIds, hashKeyRange }))
}
