import { expectEqual } from './expectEqual.ts'
import type { LeaseTableFixture } from './leaseTableContract.ts'
import { at, type LeaseWorker, leaseWorker } from './leaseWorker.ts'

type Body = (fixture: LeaseTableFixture) => Promise<void>

const shard = 'shardId-000000000000'

/** Writes in the name of a lease that is not held, or not any more. */
export const leaseFencingCases: Readonly<Record<string, Body>> = {
  'refuses the checkpoint of a worker that lost the lease': async (fixture) => {
    const { alice, bob, token } = await stolenFromAlice(fixture)
    const before = await bob.row(shard)
    expectEqual((await alice.checkpoint(shard, token, at('99'))).type, 'checkpointRefused', 'answer')
    expectEqual(await bob.row(shard), before, 'row')
  },

  'refuses the renewal of a worker that lost the lease': async (fixture) => {
    const { alice, bob, token } = await stolenFromAlice(fixture)
    const before = await bob.row(shard)
    expectEqual((await alice.renew(shard, token)).type, 'leaseRefused', 'answer')
    expectEqual(await bob.row(shard), before, 'row')
  },

  'refuses the release of a worker that lost the lease': async (fixture) => {
    const { alice, bob, token } = await stolenFromAlice(fixture)
    const before = await bob.row(shard)
    expectEqual((await alice.release(shard, token)).type, 'leaseRefused', 'answer')
    expectEqual(await bob.row(shard), before, 'row')
  },

  'keeps refusing a worker that lost the lease, while the new owner writes on': async (fixture) => {
    const { alice, bob, token, bobsToken } = await stolenFromAlice(fixture)
    for (const sequenceNumber of ['10', '20', '30']) {
      expectEqual((await alice.checkpoint(shard, token, at('99'))).type, 'checkpointRefused', 'the old owner’s checkpoint')
      expectEqual((await alice.renew(shard, token)).type, 'leaseRefused', 'the old owner’s renewal')
      expectEqual((await bob.checkpoint(shard, bobsToken, at(sequenceNumber))).type, 'checkpointWritten', 'the new owner’s checkpoint')
    }
    expectEqual((await bob.row(shard))?.checkpoint, at('30'), 'checkpoint')
  },

  'refuses a worker that never held the lease, even with the token of its owner': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    const bob = await leaseWorker('bob', fixture.worker('bob'))
    await alice.create(shard)
    const token = await alice.hold(shard)
    const before = await alice.row(shard)
    expectEqual((await bob.checkpoint(shard, token, at('99'))).type, 'checkpointRefused', 'checkpoint')
    expectEqual((await bob.renew(shard, token)).type, 'leaseRefused', 'renewal')
    expectEqual((await bob.release(shard, token)).type, 'leaseRefused', 'release')
    expectEqual(await alice.row(shard), before, 'row')
  },

  'refuses the token of an earlier acquisition once the lease was lost and taken again': async (fixture) => {
    const { alice, token } = await stolenFromAlice(fixture)
    const again = await alice.hold(shard)
    const before = await alice.row(shard)
    expectEqual((await alice.checkpoint(shard, token, at('99'))).type, 'checkpointRefused', 'checkpoint')
    expectEqual((await alice.renew(shard, token)).type, 'leaseRefused', 'renewal')
    expectEqual((await alice.release(shard, token)).type, 'leaseRefused', 'release')
    expectEqual(await alice.row(shard), before, 'row')
    expectEqual((await alice.checkpoint(shard, again, at('42'))).type, 'checkpointWritten', 'checkpoint with the new token')
    expectEqual((await alice.renew(shard, again)).type, 'leaseRenewed', 'renewal with the new token')
    expectEqual((await alice.release(shard, again)).type, 'leaseReleased', 'release with the new token')
  },

  'refuses a worker whose lease another process has taken under the same id': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    await alice.create(shard)
    const token = await alice.hold(shard)
    const namesake = await leaseWorker('alice', fixture.worker('alice'))
    const its = await namesake.hold(shard)
    const before = await alice.row(shard)
    const refusals: readonly string[] = ['leaseRefused', 'workerIdShared']
    expectEqual((await alice.checkpoint(shard, token, at('99'))).type, 'checkpointRefused', 'checkpoint')
    for (const { type } of [await alice.renew(shard, token), await alice.release(shard, token)]) {
      expectEqual(refusals.includes(type), true, `${refusals.join(' or ')}, got ${type}`)
    }
    expectEqual(await alice.row(shard), before, 'row')
    expectEqual((await namesake.renew(shard, its)).type, 'leaseRenewed', 'the other’s renewal')
  },

  'refuses the token of a released lease': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    await alice.create(shard)
    const token = await alice.hold(shard)
    await alice.release(shard, token)
    const before = await alice.row(shard)
    expectEqual((await alice.checkpoint(shard, token, at('99'))).type, 'checkpointRefused', 'checkpoint')
    expectEqual((await alice.renew(shard, token)).type, 'leaseRefused', 'renewal')
    expectEqual(await alice.row(shard), before, 'row')
  },

  'refuses writes for a deleted lease, and does not bring its row back': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    await alice.create(shard)
    const token = await alice.hold(shard)
    await alice.remove(shard)
    expectEqual((await alice.checkpoint(shard, token, at('99'))).type, 'checkpointRefused', 'checkpoint')
    expectEqual((await alice.renew(shard, token)).type, 'leaseRefused', 'renewal')
    expectEqual((await alice.release(shard, token)).type, 'leaseRefused', 'release')
    expectEqual((await alice.list()).leases, [], 'leases')
  },

  'lets a renewal and a checkpoint of one lease run at once': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    await alice.create(shard)
    const token = await alice.hold(shard)
    const answers = await Promise.all([alice.renew(shard, token), alice.checkpoint(shard, token, at('17'))])
    expectEqual(
      answers.map(({ type }) => type),
      ['leaseRenewed', 'checkpointWritten'],
      'answers',
    )
    const row = await alice.row(shard)
    expectEqual([row?.leaseCounter, row?.checkpoint], [3, at('17')], 'counter and checkpoint')
  },

  'carries out the writes of one lease in the order they were asked for': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    await alice.create(shard)
    const token = await alice.hold(shard)
    const answers = await Promise.all([
      alice.checkpoint(shard, token, at('1')),
      alice.renew(shard, token),
      alice.checkpoint(shard, token, at('2')),
      alice.renew(shard, token),
      alice.checkpoint(shard, token, at('3')),
      alice.release(shard, token),
      alice.checkpoint(shard, token, at('4')),
    ])
    expectEqual(
      answers.map(({ type }) => type),
      ['checkpointWritten', 'leaseRenewed', 'checkpointWritten', 'leaseRenewed', 'checkpointWritten', 'leaseReleased', 'checkpointRefused'],
      'answers',
    )
    const row = await alice.row(shard)
    expectEqual([row?.leaseCounter, row?.checkpoint, row?.leaseOwner], [7, at('3'), null], 'counter, checkpoint, owner')
  },

  'keeps leases apart: losing one does not fence the other': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    const bob = await leaseWorker('bob', fixture.worker('bob'))
    const other = 'shardId-000000000001'
    await alice.create(shard)
    await alice.create(other)
    const token = await alice.hold(shard)
    const otherToken = await alice.hold(other)
    await bob.hold(shard)
    expectEqual((await alice.checkpoint(shard, token, at('5'))).type, 'checkpointRefused', 'checkpoint of the lost lease')
    expectEqual((await alice.checkpoint(other, otherToken, at('6'))).type, 'checkpointWritten', 'checkpoint of the held lease')
    expectEqual((await bob.row(shard))?.checkpoint, at('TRIM_HORIZON'), 'checkpoint of the lost lease')
    expectEqual((await bob.row(other))?.checkpoint, at('6'), 'checkpoint of the held lease')
  },
}

async function stolenFromAlice(
  fixture: LeaseTableFixture,
): Promise<{ alice: LeaseWorker; bob: LeaseWorker; token: number; bobsToken: number }> {
  const alice = await leaseWorker('alice', fixture.worker('alice'))
  const bob = await leaseWorker('bob', fixture.worker('bob'))
  await alice.create(shard)
  const token = await alice.hold(shard)
  const bobsToken = await bob.hold(shard)
  return { alice, bob, token, bobsToken }
}
