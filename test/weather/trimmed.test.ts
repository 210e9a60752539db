import { Worker } from 'shardwise'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { aDiary, aLogger, aWorld, put, texts, type World } from '../worker/workerSetting.ts'
import { fakeTime, minutes, pass, realTime } from './fakeTime.ts'

beforeEach(fakeTime)
afterEach(realTime)

const hours = (count: number): number => minutes(60 * count)
const s0 = 'shardId-000000000000'

/** Runs a worker in a world for a minute, and stops it. */
async function aMinuteIn(world: World) {
  const [diary, logger] = [aDiary(), aLogger()]
  const worker = new Worker({ applicationName: 'orders', adapters: world.adapters(), logger, processor: diary.processor, maxRecords: 2 })
  const running = worker.run()
  await pass(minutes(1))
  const stopped = worker.stop()
  await pass(minutes(1))
  await Promise.all([stopped, running])
  return { diary, warnings: logger.lines.filter((line) => /^(warn|error)/.test(line)) }
}

/** A world whose records of one day were consumed, and those of the next were not. */
async function aWorldLeftAlone(): Promise<{ world: World; unread: readonly string[] }> {
  const world = aWorld()
  put(world.stream, texts('read', 4))
  await aMinuteIn(world)
  const unread = texts('unread', 8).map((text) => world.stream.put({ partitionKey: text, data: Buffer.from(text) }).sequenceNumber)
  return { world, unread }
}

describe('a retention that is shorter than the lag', () => {
  it('leaves what is left: it is read from the oldest record on, each once, and the lag is warned of', async () => {
    const { world, unread } = await aWorldLeftAlone()
    await pass(hours(30))
    world.stream.trim(s0, unread[3] ?? '')
    put(world.stream, texts('new', 2))

    const { diary, warnings } = await aMinuteIn(world)

    expect(diary.delivered).toEqual([...texts('unread', 8).slice(3), ...texts('new', 2)])
    expect(world.table.row(s0)?.checkpoint.sequenceNumber).toBe(diary.deliveredTo.get(s0)?.at(-1)?.sequenceNumber)
    expect(warnings).toEqual([
      `warn ${s0}: 30 h behind the newest record: what is older than the retention of the stream, 24 h unless it was raised, is gone unread`,
    ])
  })

  it('is warned of before anything is gone, at half of the shortest retention', async () => {
    const { world } = await aWorldLeftAlone()
    await pass(hours(12))
    put(world.stream, texts('new', 2))

    const { diary, warnings } = await aMinuteIn(world)

    expect(diary.delivered).toEqual([...texts('unread', 8), ...texts('new', 2)])
    expect(warnings).toEqual([expect.stringContaining(`${s0}: 12 h behind the newest record`)])
  })

  it('takes a closed shard away whole: its end is stored when its children have leases, and they are read from their beginning', async () => {
    const { world } = await aWorldLeftAlone()
    const children = world.stream.split(s0)
    put(world.stream, texts('new', 10))
    await pass(hours(30))
    world.stream.trim(s0)
    expect(world.stream.listShards().map(({ shardId }) => shardId)).toEqual(children)

    const { diary, warnings } = await aMinuteIn(world)

    expect(warnings[0]).toBe(`warn ${s0}: Kinesis does not know this shard`)
    expect(diary.lines).toContain(`${s0} shardEnded`)
    expect(diary.delivered.toSorted()).toEqual(texts('new', 10).toSorted())
    expect(world.table.row(s0)?.checkpoint.sequenceNumber).toBe('SHARD_END')
    for (const child of children) {
      expect(world.table.row(child)?.checkpoint.sequenceNumber).toBe(diary.deliveredTo.get(child)?.at(-1)?.sequenceNumber)
    }
  })
})
