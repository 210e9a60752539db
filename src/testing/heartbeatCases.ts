import { expectEqual } from './expectEqual.ts'
import type { LeaseTableFixture } from './leaseTableContract.ts'
import { aLease, freshRow, leaseWorker } from './leaseWorker.ts'

const shard = 'shardId-000000000000'

/** The heartbeats of workers. */
export const heartbeatCases: Readonly<Record<string, (fixture: LeaseTableFixture) => Promise<void>>> = {
  'lists the heartbeats of workers beside the leases, and none as a lease': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    const bob = await leaseWorker('bob', fixture.worker('bob'))
    await alice.create(shard)
    expectEqual(await alice.heartbeats(), [], 'heartbeats before')
    await alice.beat(null)
    await bob.beat(null)
    await bob.beat(1)
    const both = [
      { workerId: 'alice', counter: 1 },
      { workerId: 'bob', counter: 2 },
    ]
    expectEqual(await alice.heartbeats(), both, 'heartbeats')
    expectEqual((await alice.list()).leases, [freshRow(aLease(shard))], 'leases')
  },

  'makes a heartbeat with the counter 1, and grows it by one with every beat': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    const counters: unknown[] = []
    for (const counter of [null, 1, 2]) {
      const answer = await alice.beat(counter)
      counters.push(answer.type === 'heartbeatWritten' ? answer.counter : answer)
    }
    expectEqual(counters, [1, 2, 3], 'counters')
  },

  'refuses a beat on another counter than the one that stands, and tells it': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    const again = await leaseWorker('alice', fixture.worker('alice'))
    expectEqual(await alice.beat(5), { type: 'heartbeatRefused', counter: null }, 'a beat without a row')
    await alice.beat(null)
    await alice.beat(1)
    expectEqual(await again.beat(null), { type: 'heartbeatRefused', counter: 2 }, 'a first beat')
    expectEqual(await again.beat(1), { type: 'heartbeatRefused', counter: 2 }, 'an old counter')
    expectEqual(await again.heartbeats(), [{ workerId: 'alice', counter: 2 }], 'heartbeats')
  },

  'lets exactly one of two processes with one worker id beat on the same counter': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    const other = await leaseWorker('alice', fixture.worker('alice'))
    await alice.beat(null)
    const answers = await Promise.all([alice.beat(1), other.beat(1)])
    expectEqual(answers.map(({ type }) => type).sort(), ['heartbeatRefused', 'heartbeatWritten'], 'answers')
  },

  'deletes a heartbeat that has the counter which is named, also twice, and no other': async (fixture) => {
    const alice = await leaseWorker('alice', fixture.worker('alice'))
    const bob = await leaseWorker('bob', fixture.worker('bob'))
    await bob.beat(null)
    await bob.beat(1)
    expectEqual(await alice.forget(1, 'bob'), { type: 'heartbeatRefused', counter: 2 }, 'an old counter')
    expectEqual(await alice.heartbeats(), [{ workerId: 'bob', counter: 2 }], 'heartbeats')
    expectEqual((await alice.forget(2, 'bob')).type, 'heartbeatDeleted', 'answer')
    expectEqual((await alice.forget(2, 'bob')).type, 'heartbeatDeleted', 'second answer')
    expectEqual(await bob.beat(2), { type: 'heartbeatRefused', counter: null }, 'a beat after that')
    expectEqual(await alice.heartbeats(), [], 'heartbeats after that')
  },
}
