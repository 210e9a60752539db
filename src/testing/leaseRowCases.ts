import { expectEqual } from './expectEqual.ts'
import type { LeaseTableFixture } from './leaseTableContract.ts'
import { aLease, at, freshRow, leaseWorker } from './leaseWorker.ts'

type Body = (fixture: LeaseTableFixture) => Promise<void>

const shard = 'shardId-000000000000'
const manyLeases = 60

/** Creating, listing, taking, giving up and deleting leases. */
export const leaseRowCases: Readonly<Record<string, Body>> = {
  'lists nothing in a fresh table': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    expectEqual((await alice.list()).leases, [], 'leases')
  },

  'is ready for a second worker once it was ready for the first': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    await alice.create(shard)
    const bob = await leaseWorker('bob', fixture.worker('bob'))
    expectEqual((await bob.list()).leases, [freshRow(aLease(shard))], 'leases')
  },

  'creates a lease that nobody owns, with the counter at 0 and everything it was given': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    const lease = {
      checkpoint: at('LATEST'),
      parentShardIds: ['shardId-000000000007', 'shardId-000000000008'],
      hashKeyRange: {
        startingHashKey: '170141183460469231731687303715884105728',
        endingHashKey: '340282366920938463463374607431768211455',
      },
    }
    expectEqual((await alice.create(shard, lease)).type, 'leaseCreated', 'answer')
    expectEqual(await alice.row(shard), freshRow(aLease(shard, lease)), 'row')
  },

  'does not create a lease twice: the row that stands stays as it is': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    const bob = await leaseWorker('bob', fixture.worker('bob'))
    await alice.create(shard)
    await alice.hold(shard)
    const before = await alice.row(shard)
    expectEqual((await bob.create(shard, { checkpoint: at('LATEST') })).type, 'leaseExists', 'answer')
    expectEqual(await bob.row(shard), before, 'row')
  },

  'lets exactly one of two workers create a lease': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    const bob = await leaseWorker('bob', fixture.worker('bob'))
    const answers = await Promise.all([alice.create(shard), bob.create(shard)])
    expectEqual(answers.map(({ type }) => type).sort(), ['leaseCreated', 'leaseExists'], 'answers')
  },

  [`lists ${manyLeases} leases, each once`]: async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    const bob = await leaseWorker('bob', fixture.worker('bob'))
    const keys = Array.from({ length: manyLeases }, (_, index) => `shardId-${String(index).padStart(12, '0')}`)
    await Promise.all(keys.map((key) => alice.create(key)))
    expectEqual(
      (await bob.list()).leases,
      keys.map((key) => freshRow(aLease(key))),
      'leases',
    )
  },

  'lists under a clock that does not run backwards': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    const first = await alice.list()
    await alice.create(shard)
    const taken = await alice.acquire(shard, 0)
    if (taken.type !== 'leaseAcquired') throw new Error(`expected leaseAcquired, got ${taken.type}`)
    const renewed = await alice.renew(shard, taken.token)
    if (renewed.type !== 'leaseRenewed') throw new Error(`expected leaseRenewed, got ${renewed.type}`)
    const times = [first.nowMs, taken.nowMs, renewed.nowMs, (await alice.list()).nowMs]
    expectEqual(times.every(Number.isFinite), true, `finite times ${times.join(' ')}`)
    expectEqual(
      [...times].sort((a, b) => a - b),
      times,
      'times in order',
    )
  },

  'gives a lease to the worker that names its counter, and grows the counter': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    await alice.create(shard)
    const answer = await alice.acquire(shard, 0)
    const expected = { ...freshRow(aLease(shard)), leaseOwner: 'alice', leaseCounter: 1 }
    expectEqual(await alice.row(shard), expected, 'row')
    expectEqual(
      answer.type === 'leaseAcquired' ? { lease: answer.lease, token: answer.token } : answer,
      { lease: expected, token: 1 },
      'answer',
    )
  },

  'refuses a lease to a worker that names an older counter': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    const bob = await leaseWorker('bob', fixture.worker('bob'))
    await alice.create(shard)
    const token = await alice.hold(shard)
    await alice.renew(shard, token)
    const before = await alice.row(shard)
    expectEqual((await bob.acquire(shard, token)).type, 'leaseRefused', 'answer')
    expectEqual(await bob.row(shard), before, 'row')
    expectEqual((await alice.renew(shard, token)).type, 'leaseRenewed', 'the owner’s renewal')
  },

  'refuses a lease to a worker that names a counter the lease has not reached': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    await alice.create(shard)
    expectEqual((await alice.acquire(shard, 1)).type, 'leaseRefused', 'answer')
    expectEqual(await alice.row(shard), freshRow(aLease(shard)), 'row')
  },

  'refuses a lease that is not in the table, and makes no row of it': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    expectEqual((await alice.acquire(shard, 0)).type, 'leaseRefused', 'answer')
    expectEqual((await alice.list()).leases, [], 'leases')
  },

  'lets exactly one of two workers take a lease at the same counter': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    const bob = await leaseWorker('bob', fixture.worker('bob'))
    await alice.create(shard)
    const answers = await Promise.all([alice.acquire(shard, 0), bob.acquire(shard, 0)])
    expectEqual(answers.map(({ type }) => type).sort(), ['leaseAcquired', 'leaseRefused'], 'answers')
    const row = await alice.row(shard)
    expectEqual([row?.leaseOwner, row?.leaseCounter], [answers[0].type === 'leaseAcquired' ? 'alice' : 'bob', 1], 'owner and counter')
  },

  'counts a switch when the lease goes from one owner to another': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    const bob = await leaseWorker('bob', fixture.worker('bob'))
    await alice.create(shard)
    await alice.hold(shard)
    await bob.hold(shard)
    await alice.hold(shard)
    const row = await bob.row(shard)
    expectEqual([row?.leaseOwner, row?.leaseCounter, row?.ownerSwitchesSinceCheckpoint], ['alice', 3, 2], 'owner, counter, switches')
  },

  'counts no switch when a worker takes its own lease again': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    await alice.create(shard)
    await alice.hold(shard)
    await alice.hold(shard)
    const row = await alice.row(shard)
    expectEqual([row?.leaseOwner, row?.leaseCounter, row?.ownerSwitchesSinceCheckpoint], ['alice', 2, 0], 'owner, counter, switches')
  },

  'grows the counter with a renewal and changes nothing else': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    await alice.create(shard)
    const token = await alice.hold(shard)
    const before = await alice.row(shard)
    expectEqual((await alice.renew(shard, token)).type, 'leaseRenewed', 'answer')
    expectEqual((await alice.renew(shard, token)).type, 'leaseRenewed', 'second answer')
    expectEqual(await alice.row(shard), { ...before, leaseCounter: 3 }, 'row')
  },

  'renews a lease that no write has renewed since, and changes nothing else where a checkpoint has': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    await alice.create(shard)
    const token = await alice.hold(shard)
    await alice.checkpoint(shard, token, at('5'))
    const before = await alice.row(shard)
    expectEqual((await alice.renew(shard, token)).type, 'leaseRenewed', 'answer')
    expectEqual((await alice.row(shard))?.leaseCounter, (before?.leaseCounter ?? 0) + 1, 'counter')
    expectEqual((await alice.renew(shard, token, Number.MIN_SAFE_INTEGER)).type, 'leaseRenewed', 'second answer')
    const after = await alice.row(shard)
    expectEqual(after, { ...before, leaseCounter: after?.leaseCounter }, 'row')
  },

  'gives a released lease to the next worker at once, without counting a switch': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    const bob = await leaseWorker('bob', fixture.worker('bob'))
    await alice.create(shard)
    const token = await alice.hold(shard)
    expectEqual((await alice.release(shard, token)).type, 'leaseReleased', 'answer')
    expectEqual(await bob.row(shard), { ...freshRow(aLease(shard)), leaseCounter: 2 }, 'row')
    expectEqual((await bob.acquire(shard, 2)).type, 'leaseAcquired', 'the next worker')
    const row = await bob.row(shard)
    expectEqual([row?.leaseOwner, row?.leaseCounter, row?.ownerSwitchesSinceCheckpoint], ['bob', 3, 0], 'owner, counter, switches')
  },

  'grows the counter through the whole life of a lease': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    const bob = await leaseWorker('bob', fixture.worker('bob'))
    await alice.create(shard)
    const counters: (number | undefined)[] = []
    const note = async (): Promise<void> => {
      counters.push((await bob.row(shard))?.leaseCounter)
    }
    await note()
    const first = await alice.hold(shard)
    await note()
    await alice.renew(shard, first)
    await note()
    await alice.checkpoint(shard, first, at('17'))
    await note()
    const second = await bob.hold(shard)
    await note()
    await bob.checkpoint(shard, second, at('SHARD_END'))
    await note()
    await bob.release(shard, second)
    await note()
    expectEqual(counters, [0, 1, 2, 3, 4, 5, 6], 'counters')
  },

  'deletes a lease, also twice': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    await alice.create(shard)
    await alice.create('shardId-000000000001')
    expectEqual((await alice.remove(shard)).type, 'leaseDeleted', 'answer')
    expectEqual((await alice.remove(shard)).type, 'leaseDeleted', 'second answer')
    expectEqual((await alice.list()).leases, [freshRow(aLease('shardId-000000000001'))], 'leases')
  },
}
