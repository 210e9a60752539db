import { parseShardConsumerOptions } from '@shardwise/machine'
import { simulate } from '@shardwise/testing'
import { describe, expect, it } from 'vitest'
import { Fleet, usualLease } from '../../src/testing/fleet/fleet.ts'
import { planOf } from '../../src/testing/fleet/plan.ts'
import { randomRuns } from '../randomRuns.ts'

const minutes = (count: number): number => count * 60_000
const seeds = Array.from({ length: randomRuns(5) }, (_, index) => index + 1)

describe('a simulated fleet in which nothing goes wrong', () => {
  it('delivers every record exactly once', async () => {
    const { violations, records, deliveries, redeliveries } = await simulate({ seed: 1, faults: false, durationMs: minutes(5) })

    expect({ violations, redeliveries }).toEqual({ violations: [], redeliveries: 0 })
    expect(records).toBe(1_500)
    expect(deliveries).toBe(records)
  })

  it('delivers every record exactly once through splits, merges and workers that come and go in order and hand leases over', async () => {
    const at = (minute: number) => ({ atMs: minutes(minute), pick: minute })
    const { violations, records, deliveries, injected } = await simulate({
      seed: 2,
      workers: 2,
      faults: false,
      operations: [
        { ...at(1), type: 'split' },
        { ...at(2), type: 'join' },
        { ...at(3), type: 'merge' },
        { ...at(4), type: 'leave' },
        { ...at(5), type: 'split' },
        { ...at(6), type: 'join' },
        { ...at(7), type: 'leave' },
      ],
    })

    expect(violations).toEqual([])
    expect(injected).toEqual({ split: 2, join: 2, merge: 1, leave: 2 })
    expect(deliveries).toBe(records)
  })

  it('shares the leases evenly among its workers, also with one that comes late', async () => {
    const { violations, leasesTaken } = await simulate({
      seed: 4,
      workers: 3,
      shards: 10,
      faults: false,
      durationMs: minutes(3),
      operations: [{ atMs: minutes(1), pick: 0, type: 'join' }],
    })

    expect(violations).toEqual([])
    expect(leasesTaken).toBeGreaterThanOrEqual(12)
    expect(leasesTaken).toBeLessThan(30)
  })
})

describe('a simulated fleet in which much goes wrong', () => {
  it.each(seeds)('holds every invariant and comes to rest, seed %i', async (seed) => {
    const { violations, records, deliveries, injected } = await simulate({ seed, workers: 4, durationMs: minutes(5) })

    expect(violations).toEqual([])
    expect(records).toBe(1_500)
    expect(deliveries).toBeGreaterThanOrEqual(records)
    expect(Object.keys(injected).length).toBeGreaterThan(8)
  })
})

describe('a simulated fleet whose workers write heartbeats', () => {
  const leaseMode = 'workerHeartbeat'

  it('delivers every record exactly once, through splits and workers that come and go in order, where nothing goes wrong', async () => {
    const { violations, records, deliveries, injected } = await simulate({
      seed: 2,
      leaseMode,
      workers: 2,
      faults: false,
      operations: (['split', 'join', 'merge', 'leave', 'join'] as const).map((type, n) => ({ atMs: minutes(n + 1), pick: n, type })),
    })

    expect(violations).toEqual([])
    expect(injected).toEqual({ split: 1, join: 2, merge: 1, leave: 1 })
    expect(deliveries).toBe(records)
  })

  it.each(seeds)('holds every invariant and comes to rest where much goes wrong, seed %i', async (seed) => {
    const { violations, plan } = await simulate({ seed, leaseMode, workers: 4, durationMs: minutes(5) })

    expect(violations).toEqual([])
    expect(plan.leaseMode).toBe(leaseMode)
  })

  it('writes at least 50 times less than one that renews each of 100 leases, when nothing happens', async () => {
    const [heartbeats, renewals] = [await idleWrites(leaseMode), await idleWrites('kcl')]

    expect(renewals / heartbeats).toBeGreaterThanOrEqual(50)
    expect(heartbeats).toBeGreaterThan(0)
  })
})

/** How often a worker that has 100 leases writes to the table in ten minutes without records. */
async function idleWrites(leaseMode: 'kcl' | 'workerHeartbeat'): Promise<number> {
  const writes: Record<string, number> = {}
  let counting = false
  const fleet: Fleet = new Fleet({
    plan: planOf({ seed: 1, leaseMode, workers: 1, shards: 100, faults: false, recordsPerSecond: 0, durationMs: minutes(12) }),
    lease: usualLease,
    shard: parseShardConsumerOptions({ idleTimeInMilliseconds: 60_000 }),
    observe: (atMs, _worker, { step }) => {
      counting = atMs >= minutes(1) && atMs < minutes(11)
      for (const { type } of counting ? (step.effects as readonly { readonly type: string }[]) : []) writes[type] = (writes[type] ?? 0) + 1
    },
    told: () => undefined,
  })
  await fleet.run()
  expect(fleet.ledger.violations).toEqual([])
  const { renewLease = 0, writeHeartbeat = 0, writeCheckpoint = 0, acquireLease = 0, createLease = 0 } = writes
  return renewLease + writeHeartbeat + writeCheckpoint + acquireLease + createLease
}

describe('a simulation', () => {
  it('is the same for the same seed, step by step', async () => {
    const options = { seed: 7, durationMs: minutes(3), transcriptLines: 100_000 }
    const [first, second] = [await simulate(options), await simulate(options)]

    expect(first.transcript.length).toBeGreaterThan(2_000)
    expect(second).toEqual(first)
  })

  it('is another one for another seed', async () => {
    const [first, second] = [await simulate({ seed: 1, durationMs: minutes(1) }), await simulate({ seed: 2, durationMs: minutes(1) })]

    expect(second.steps).not.toBe(first.steps)
    expect(second.injected).not.toEqual(first.injected)
  })

  it('is repeated by its plan', async () => {
    const first = await simulate({ seed: 3, durationMs: minutes(3) })

    expect(await simulate(first.plan)).toEqual(first)
  })

  it.each([
    [{}, 'seed: expected a whole number from 0, got undefined'],
    [{ seed: 1, leaseMode: 'java' }, 'leaseMode: expected "kcl" or "workerHeartbeat", got "java"'],
    [{ seed: 1, workers: 0 }, 'workers: expected a whole number from 1, got 0'],
    [{ seed: 1, faults: { rain: 1 } }, 'faults: expected true, false or rates by name, got {"rain":1}'],
    [{ seed: 1, faults: { slow: 2 } }, 'faults: expected true, false or rates by name, got {"slow":2}'],
    [{ seed: 1, weather: 'bad' }, 'weather: not an option of simulate; expected one of seed,'],
    [{ seed: 1, shard: { idle: 1 } }, 'idle: not an option; expected one of'],
    [{ seed: 1, lease: { failover: 1 } }, 'lease.failover: not an option; expected one of failoverTimeMillis,'],
    [{ seed: 1, lease: { failoverTimeMillis: 0 } }, 'lease.failoverTimeMillis: expected a whole number from 1, got 0'],
    [{ seed: 1, operations: [{ type: 'rain', atMs: 0, pick: 0 }] }, 'operations: expected a type of crash, pause,'],
    [
      { seed: 1, operations: [{ type: 'storm', atMs: 0, pick: 0 }] },
      'operations: expected forMs of a storm to be a whole number from 0, got undefined',
    ],
    [
      { seed: 1, operations: [{ type: 'crash', atMs: 0, pick: 0, downMs: 1 }] },
      'operations: expected sameId of a crash to be true or false, got undefined',
    ],
    [{ seed: 1, shard: { initialPosition: { type: 'LATEST' } } }, 'shard.initialPosition: not an option of simulate'],
    [null, 'simulate: expected an object of options, got null'],
    [{ seed: 1, transcriptLines: -1 }, 'transcriptLines: expected a whole number from 0, got -1'],
    [{ seed: 1, processor: 5 }, 'processor: expected a function that makes a record processor, got 5'],
  ])('refuses %j', async (options, message) => {
    await expect(simulate(options as never)).rejects.toThrow(message)
  })
})
