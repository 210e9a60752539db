import { expectEqual } from './expectEqual.ts'
import type { LeaseTableFixture } from './leaseTableContract.ts'
import { at, leaseWorker } from './leaseWorker.ts'

type Body = (fixture: LeaseTableFixture) => Promise<void>

const shard = 'shardId-000000000000'
const longNumber = '49590338271490256608559692538361571095921575989136588898'

/** Reading and writing checkpoints of a held lease. */
export const leaseCheckpointCases: Readonly<Record<string, Body>> = {
  'reads the checkpoint that the lease was created with, whatever its sentinel': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    for (const sentinel of ['TRIM_HORIZON', 'LATEST', 'AT_TIMESTAMP']) {
      await alice.create(sentinel, { checkpoint: at(sentinel) })
      const token = await alice.hold(sentinel)
      expectEqual(
        await alice.read(sentinel, token),
        { type: 'checkpointRead', checkpoint: at(sentinel), pendingCheckpoint: null },
        sentinel,
      )
    }
  },

  'says so when the lease to read has no row': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    expectEqual((await alice.read(shard, 1)).type, 'leaseNotFound', 'answer')
  },

  'reads back what was written, also in another worker': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    const bob = await leaseWorker('bob', fixture.worker('bob'))
    await alice.create(shard)
    const token = await alice.hold(shard)
    expectEqual((await alice.checkpoint(shard, token, at('17'))).type, 'checkpointWritten', 'answer')
    expectEqual(await alice.read(shard, token), { type: 'checkpointRead', checkpoint: at('17'), pendingCheckpoint: null }, 'own read')
    const bobsToken = await bob.hold(shard)
    expectEqual(await bob.read(shard, bobsToken), { type: 'checkpointRead', checkpoint: at('17'), pendingCheckpoint: null }, 'other read')
  },

  'keeps every digit of a sequence number and its sub-sequence number': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    await alice.create(shard)
    const token = await alice.hold(shard)
    await alice.checkpoint(shard, token, at(longNumber, 7))
    expectEqual(await alice.read(shard, token), { type: 'checkpointRead', checkpoint: at(longNumber, 7), pendingCheckpoint: null }, 'read')
    expectEqual((await alice.row(shard))?.checkpoint, at(longNumber, 7), 'listed')
  },

  'replaces the sub-sequence number together with the sequence number': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    await alice.create(shard)
    const token = await alice.hold(shard)
    await alice.checkpoint(shard, token, at('17', 12))
    await alice.checkpoint(shard, token, at('18'))
    expectEqual((await alice.row(shard))?.checkpoint, at('18'), 'checkpoint')
  },

  'writes the same checkpoint twice without complaint': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    await alice.create(shard)
    const token = await alice.hold(shard)
    expectEqual((await alice.checkpoint(shard, token, at('17'))).type, 'checkpointWritten', 'answer')
    expectEqual((await alice.checkpoint(shard, token, at('17'))).type, 'checkpointWritten', 'second answer')
    expectEqual((await alice.row(shard))?.checkpoint, at('17'), 'checkpoint')
  },

  'sets the count of owner switches back with a checkpoint, and keeps owner, parents and hash range': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    const bob = await leaseWorker('bob', fixture.worker('bob'))
    await alice.create(shard, { parentShardIds: ['shardId-000000000009'] })
    await alice.hold(shard)
    const token = await bob.hold(shard)
    const before = await bob.row(shard)
    expectEqual(before?.ownerSwitchesSinceCheckpoint, 1, 'switches before')
    await bob.checkpoint(shard, token, at('17'))
    expectEqual(await bob.row(shard), { ...before, leaseCounter: 3, checkpoint: at('17'), ownerSwitchesSinceCheckpoint: 0 }, 'row')
  },

  'keeps the checkpoint through renewal, release and the next owner': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    const bob = await leaseWorker('bob', fixture.worker('bob'))
    await alice.create(shard)
    const token = await alice.hold(shard)
    await alice.checkpoint(shard, token, at(longNumber, 3))
    await alice.renew(shard, token)
    await alice.release(shard, token)
    await bob.hold(shard)
    expectEqual((await bob.row(shard))?.checkpoint, at(longNumber, 3), 'checkpoint')
  },

  'stores the end of a shard, also twice': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    await alice.create(shard)
    const token = await alice.hold(shard)
    expectEqual((await alice.checkpoint(shard, token, at('SHARD_END'))).type, 'checkpointWritten', 'answer')
    expectEqual((await alice.checkpoint(shard, token, at('SHARD_END'))).type, 'checkpointWritten', 'second answer')
    expectEqual(
      await alice.read(shard, token),
      { type: 'checkpointRead', checkpoint: at('SHARD_END'), pendingCheckpoint: null },
      'checkpoint',
    )
  },

  'never moves a stored end of a shard back': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    const bob = await leaseWorker('bob', fixture.worker('bob'))
    await alice.create(shard)
    const token = await alice.hold(shard)
    await alice.checkpoint(shard, token, at('SHARD_END'))
    await alice.checkpoint(shard, token, at(longNumber))
    expectEqual((await alice.row(shard))?.checkpoint, at('SHARD_END'), 'checkpoint after the same owner')
    const bobsToken = await bob.hold(shard)
    await bob.checkpoint(shard, bobsToken, at('TRIM_HORIZON'))
    expectEqual((await bob.row(shard))?.checkpoint, at('SHARD_END'), 'checkpoint after the next owner')
  },
}
