import { Worker } from 'shardwise'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { neverAborted } from '../adapters/handlerContext.ts'
import { aDiary, aLogger, aWorld, put, texts } from '../worker/workerSetting.ts'
import { fakeTime, minutes, pass, passUntil, realTime } from './fakeTime.ts'

beforeEach(fakeTime)
afterEach(realTime)

it('a table whose rows are deleted under the feet of a worker gets them again, and the stream is consumed again', async () => {
  const [world, diary, logger] = [aWorld(2), aDiary(), aLogger()]
  put(world.stream, texts('order', 10))
  const worker = new Worker({ applicationName: 'orders', adapters: world.adapters(), logger, processor: diary.processor })
  const running = worker.run()
  await pass(5_000)
  expect(diary.delivered).toHaveLength(10)

  const [s0, s1] = world.table.rows().map(({ leaseKey }) => leaseKey)
  for (const leaseKey of [s0 ?? '', s1 ?? '']) {
    await world.table.store().deleteLease({ type: 'deleteLease', id: 1, leaseKey }, neverAborted)
  }
  put(world.stream, texts('later', 10))
  const ends = (): readonly (string | undefined)[] =>
    [s0, s1].map((shardId) => diary.deliveredTo.get(shardId ?? '')?.at(-1)?.sequenceNumber)
  const stored = (): readonly string[] => world.table.rows().map(({ checkpoint }) => checkpoint.sequenceNumber)
  await passUntil('the last checkpoints', () => stored().length === 2 && stored().every((at, n) => at === ends()[n]), minutes(10))
  const stopped = worker.stop()
  await pass(minutes(1))
  await Promise.all([stopped, running])

  expect(logger.lines).toEqual(expect.arrayContaining([`warn ${s0}: the lease is lost`, `warn ${s1}: the lease is lost`]))
  // All of it again, from the initial position.
  const last = diary.delivered.slice(-20)
  expect(last.toSorted()).toEqual([...texts('order', 10), ...texts('later', 10)].toSorted())
  expect(stored()).toEqual(ends())
})
