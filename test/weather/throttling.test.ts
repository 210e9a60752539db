import { Worker, type WorkerOptions } from 'shardwise'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { aDiary, aLogger, aWorld, put, texts, type World } from '../worker/workerSetting.ts'
import { fakeTime, minutes, pass, passUntil, realTime } from './fakeTime.ts'

beforeEach(fakeTime)
afterEach(realTime)

const [s0, s1] = ['shardId-000000000000', 'shardId-000000000001']

/** The effects that can be answered with `throttled`. */
const throttling = {
  leases: [
    'readCheckpoint',
    'writeCheckpoint',
    'createChildLeases',
    'listLeases',
    'createLease',
    'acquireLease',
    'renewLease',
    'releaseLease',
  ],
  source: ['openShard', 'readRecords', 'listShards', 'listChildShards'],
} as const

/** The adapters of a world, behind a service that throttles everything while it is told to, and counts what it throttled. */
function aThrottledWay(world: World) {
  const given = world.adapters()
  const way = { throttles: { leases: false, source: false }, throttled: 0, adapters: given }
  const behind = <Handlers extends object>(port: 'leases' | 'source', handlers: Handlers): Handlers => {
    const throttled = throttling[port].map((name) => {
      const handler = handlers[name as keyof Handlers] as (...of: unknown[]) => unknown
      const through = (...of: unknown[]): unknown => {
        if (!way.throttles[port]) return handler(...of)
        way.throttled += 1
        return { type: 'throttled' }
      }
      return [name, through] as const
    })
    return { ...handlers, ...Object.fromEntries(throttled) }
  }
  way.adapters = { ...given, leases: behind('leases', given.leases), source: behind('source', given.source) }
  return way
}

function aThrottledWorker(options: Partial<WorkerOptions> = {}) {
  const [world, diary, logger] = [aWorld(2), aDiary(), aLogger()]
  const way = aThrottledWay(world)
  const worker = new Worker({ applicationName: 'orders', adapters: way.adapters, logger, processor: diary.processor, ...options })
  const warnings = (): readonly string[] => [...new Set(logger.lines.filter((line) => /^(warn|error)/.test(line)))].sort()
  const checkpoints = () => world.table.rows().map(({ checkpoint }) => checkpoint.sequenceNumber)
  /** The last sequence number that was delivered of each shard. */
  const delivered = () => [s0, s1].map((shardId) => diary.deliveredTo.get(shardId)?.at(-1)?.sequenceNumber)
  const stop = async (running: Promise<void>): Promise<void> => {
    const stopped = worker.stop()
    await pass(minutes(1))
    await Promise.all([stopped, running])
  }
  return { world, diary, logger, way, worker, warnings, checkpoints, delivered, stop }
}

describe('ten minutes of throttling', () => {
  it('by Kinesis: the leases are kept, the shards are called stuck, and every record is delivered once', async () => {
    const { world, diary, way, worker, warnings, checkpoints, delivered, stop } = aThrottledWorker()
    put(world.stream, texts('before', 10))
    const running = worker.run()
    await pass(5_000)
    way.throttles.source = true
    put(world.stream, texts('during', 10))
    const [stored, owners] = [checkpoints(), world.table.rows().map(({ leaseOwner }) => leaseOwner)]
    await pass(minutes(10))

    expect(checkpoints()).toEqual(stored)
    expect(world.table.rows().map(({ leaseOwner }) => leaseOwner)).toEqual(owners)
    const stuck =
      /^error (shardId-\d+): stuck in PROCESSING\.\w+: no progress for \d+ s, waiting for \w+ #\d+ for \d+ s, \d+ failures in a row$/
    expect(warnings().map((line) => stuck.exec(line)?.[1] ?? line)).toEqual([s0, s1, `warn ${s0}: throttled`, `warn ${s1}: throttled`])
    expect(worker.health().shards.map(({ isStuck }) => isStuck)).toEqual([true, true])
    // Some 30 s apart: two shards for ten minutes.
    expect(way.throttled).toBeLessThan(100)

    way.throttles.source = false
    put(world.stream, texts('after', 10))
    await passUntil('everything', () => diary.delivered.length >= 30, minutes(2))
    await stop(running)

    expect(diary.delivered.toSorted()).toEqual([...texts('before', 10), ...texts('during', 10), ...texts('after', 10)].toSorted())
    expect(checkpoints()).toEqual(delivered())
  })

  it('by DynamoDB: the leases count as lost, nothing is stored, and what was not checkpointed comes again', async () => {
    const { world, diary, way, worker, warnings, checkpoints, delivered, stop } = aThrottledWorker()
    put(world.stream, texts('before', 10))
    const running = worker.run()
    await pass(5_000)
    way.throttles.leases = true
    put(world.stream, texts('during', 10))
    const stored = checkpoints()
    await pass(minutes(10))

    expect(checkpoints()).toEqual(stored)
    const lost = (shardId: string): string =>
      `warn ${shardId}: the lease was not renewed for 10000 ms, and others may have it by now: it is given up`
    expect(warnings()).toEqual(expect.arrayContaining([lost(s0), lost(s1), `warn ${s0}: lease: throttled`, 'warn leases: throttled']))
    expect(diary.lines).toEqual(expect.arrayContaining([`${s0} leaseLost`, `${s1} leaseLost`]))
    expect(way.throttled).toBeLessThan(200)

    way.throttles.leases = false
    put(world.stream, texts('after', 10))
    await passUntil('everything', () => new Set(diary.delivered).size >= 30, minutes(2))
    await stop(running)

    expect([...new Set(diary.delivered)].toSorted()).toEqual(
      [...texts('before', 10), ...texts('during', 10), ...texts('after', 10)].toSorted(),
    )
    expect(diary.delivered.filter((text) => !text.startsWith('during'))).toHaveLength(20)
    expect(checkpoints()).toEqual(delivered())
  })

  it('from the start on: the run ends with an error that names the call, and no lease was touched', async () => {
    const { world, way, worker, logger } = aThrottledWorker()
    way.throttles.leases = true
    const ended = worker.run().catch((error: unknown) => error)
    await pass(minutes(10))

    expect(await ended).toMatchObject({ name: 'ThrottlingException', message: 'listLeases was throttled' })
    expect(logger.lines).toContain('error worker: ThrottlingException: listLeases was throttled')
    expect(world.table.rows()).toEqual([])
  })
})
