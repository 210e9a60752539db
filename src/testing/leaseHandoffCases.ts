import { expectEqual } from './expectEqual.ts'
import type { LeaseTableFixture } from './leaseTableContract.ts'
import { at, leaseWorker } from './leaseWorker.ts'

type Body = (fixture: LeaseTableFixture) => Promise<void>

const shard = 'shardId-000000000000'

/** A lease that its owner hands over to the worker that asked for it. */
export const leaseHandoffCases: Readonly<Record<string, Body>> = {
  'names the next owner of a lease, and leaves its counter and checkpoint as they are': async (fixture) => {
    const { bob } = await heldByAlice(fixture)
    const before = await bob.row(shard)
    expectEqual((await bob.request(shard, 'alice')).type, 'handoffRequested', 'answer')
    expectEqual(await bob.row(shard), { ...before, leaseOwner: 'bob', checkpointOwner: 'alice' }, 'row')
    expectEqual((await bob.request(shard, 'alice')).type, 'handoffRequested', 'the same once more')
  },

  'tells the owner at its renewals who asked, and lets it checkpoint until it releases': async (fixture) => {
    const { alice, bob, token } = await heldByAlice(fixture)
    const nextOwner = async (): Promise<string | null | undefined> => {
      const answer = await alice.renew(shard, token)
      return answer.type === 'leaseRenewed' ? answer.nextOwner : undefined
    }
    expectEqual(await nextOwner(), null, 'the next owner before')
    await bob.request(shard, 'alice')
    expectEqual(await nextOwner(), 'bob', 'the next owner')
    expectEqual((await alice.checkpoint(shard, token, at('17'))).type, 'checkpointWritten', 'the checkpoint of the old owner')
    expectEqual(await nextOwner(), 'bob', 'the next owner after the checkpoint')
    expectEqual((await bob.row(shard))?.checkpoint, at('17'), 'checkpoint')
  },

  'gives a lease that is released to the next owner to nobody else, and counts no switch': async (fixture) => {
    const { alice, bob, token } = await heldByAlice(fixture)
    await bob.request(shard, 'alice')
    await alice.checkpoint(shard, token, at('17'))
    const before = await bob.row(shard)
    expectEqual((await alice.release(shard, token, 'bob')).type, 'leaseReleased', 'answer')
    expectEqual(await bob.row(shard), { ...before, leaseCounter: 3, checkpointOwner: null }, 'row')
    expectEqual((await bob.acquire(shard, 3)).type, 'leaseAcquired', 'the next owner')
    expectEqual((await bob.row(shard))?.ownerSwitchesSinceCheckpoint, 0, 'switches')
    expectEqual((await alice.checkpoint(shard, token, at('18'))).type, 'checkpointRefused', 'the old owner')
  },

  'gives a lease to anybody when its owner releases it to nobody in the middle of a hand-off': async (fixture) => {
    const { alice, bob, token } = await heldByAlice(fixture)
    await bob.request(shard, 'alice')
    expectEqual((await alice.release(shard, token)).type, 'leaseReleased', 'answer')
    const row = await bob.row(shard)
    expectEqual([row?.leaseOwner, row?.checkpointOwner], [null, null], 'owners')
  },

  'refuses to hand over what another worker owns, what nobody owns, and what is not there': async (fixture) => {
    const { bob } = await heldByAlice(fixture)
    await bob.create('shardId-000000000001')
    const before = (await bob.list()).leases
    expectEqual((await bob.request(shard, 'carol')).type, 'handoffRefused', 'a lease of another')
    expectEqual((await bob.request('shardId-000000000001', 'alice')).type, 'handoffRefused', 'a lease of nobody')
    expectEqual((await bob.request('shardId-000000000002', 'alice')).type, 'handoffRefused', 'no lease')
    expectEqual((await bob.list()).leases, before, 'leases')
  },

  'refuses a second worker that asks for the same lease': async (fixture) => {
    const { bob } = await heldByAlice(fixture)
    const carol = await leaseWorker('carol', fixture.worker('carol'))
    await bob.request(shard, 'alice')
    const before = await bob.row(shard)
    expectEqual((await carol.request(shard, 'alice')).type, 'handoffRefused', 'by the owner that was listed')
    expectEqual((await carol.request(shard, 'bob')).type, 'handoffRefused', 'by the owner that is named now')
    expectEqual(await bob.row(shard), before, 'row')
  },

  'fences the old owner when the lease is taken in the middle of a hand-off': async (fixture) => {
    const { alice, bob, token } = await heldByAlice(fixture)
    await bob.request(shard, 'alice')
    expectEqual((await bob.acquire(shard, 1)).type, 'leaseAcquired', 'the next owner, which waits no longer')
    const before = await bob.row(shard)
    expectEqual([before?.leaseOwner, before?.checkpointOwner], ['bob', null], 'owners')
    expectEqual((await alice.checkpoint(shard, token, at('17'))).type, 'checkpointRefused', 'the old owner’s checkpoint')
    expectEqual((await alice.release(shard, token, 'bob')).type, 'leaseRefused', 'the old owner’s release')
    expectEqual(await bob.row(shard), before, 'row')
  },
}

/** Alice holds the lease, at counter 1; bob is another worker. */
async function heldByAlice(fixture: LeaseTableFixture) {
  const alice = await leaseWorker('alice', fixture.worker('alice'))
  const bob = await leaseWorker('bob', fixture.worker('bob'))
  await alice.create(shard)
  return { alice, bob, token: await alice.hold(shard) }
}
