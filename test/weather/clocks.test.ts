import { simulate } from '@shardwise/testing'
import { Worker } from 'shardwise'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { aDiary, aLogger, aWorld, put, texts } from '../worker/workerSetting.ts'
import { fakeTime, minutes, pass, passUntil, realTime } from './fakeTime.ts'

const [s0, s1] = ['shardId-000000000000', 'shardId-000000000001']

describe('a worker', () => {
  beforeEach(fakeTime)
  afterEach(realTime)

  function aRunningWorker() {
    const [world, diary, logger] = [aWorld(2), aDiary(), aLogger()]
    put(world.stream, texts('before', 10))
    const worker = new Worker({ applicationName: 'orders', adapters: world.adapters(), logger, processor: diary.processor })
    const running = worker.run()
    const stop = async (): Promise<void> => {
      const stopped = worker.stop()
      await pass(minutes(1))
      await Promise.all([stopped, running])
    }
    const delivered = () => [s0, s1].map((shardId) => diary.deliveredTo.get(shardId)?.at(-1)?.sequenceNumber)
    const checkpoints = () => world.table.rows().map(({ checkpoint }) => checkpoint.sequenceNumber)
    return { world, diary, logger, stop, delivered, checkpoints }
  }

  it('whose monotonic clock leaps five minutes ahead gives its leases up, takes them again, and goes on after its checkpoints', async () => {
    const { world, diary, logger, stop, delivered, checkpoints } = aRunningWorker()
    await pass(5_000)
    const clock = performance.now.bind(performance)
    vi.spyOn(performance, 'now').mockImplementation(() => clock() + minutes(5))
    put(world.stream, texts('after', 10))
    await passUntil('everything', () => new Set(diary.delivered).size >= 20, minutes(1))
    await pass(minutes(1))
    await stop()

    const lost = (shardId: string): string =>
      `warn ${shardId}: the lease was not renewed for 10000 ms, and others may have it by now: it is given up`
    expect(logger.lines).toEqual(expect.arrayContaining([lost(s0), lost(s1)]))
    expect(logger.lines.filter((line) => line === `info ${s0}: lease acquired`)).toHaveLength(2)
    expect([...diary.delivered].toSorted()).toEqual([...texts('before', 10), ...texts('after', 10)].toSorted())
    expect(checkpoints()).toEqual(delivered())
  })

  it.each([
    ['back', -1],
    ['ahead', 1],
  ])('whose wall clock is put %s by an hour does not notice', async (_where, sign) => {
    const { world, diary, logger, stop, delivered, checkpoints } = aRunningWorker()
    await pass(5_000)
    vi.setSystemTime(Date.now() + sign * minutes(60))
    put(world.stream, texts('after', 10))
    await pass(minutes(2))
    await stop()

    expect(logger.lines.filter((line) => /^(warn|error)/.test(line))).toEqual([])
    expect([...diary.delivered].toSorted()).toEqual([...texts('before', 10), ...texts('after', 10)].toSorted())
    expect(checkpoints()).toEqual(delivered())
  })
})

describe('workers that do not run for three minutes', () => {
  it.each([
    ['while their clocks stand still, as in a machine that is suspended', true],
    ['while their clocks go on', false],
  ])('%s lose their leases to others, store nothing afterwards in their name, and lose no record', async (_how, clockStops) => {
    const { violations, injected, records, deliveries, leasesTaken } = await simulate({
      seed: 11,
      workers: 2,
      shards: 2,
      durationMs: minutes(6),
      recordsPerSecond: 1,
      faults: { callbackFailed: 0 },
      operations: [{ atMs: minutes(2), pick: 0, type: 'pause', forMs: minutes(3), clockStops }],
    })

    expect(violations).toEqual([])
    expect(injected).toEqual({ pause: 1 })
    expect(leasesTaken).toBeGreaterThan(2)
    expect(records).toBe(360)
    expect(deliveries).toBeGreaterThanOrEqual(records)
  })
})
