import { Worker } from 'shardwise'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { aDiary, aLogger, aWorld, put, texts, type World } from '../worker/workerSetting.ts'
import { fakeTime, minutes, pass, realTime } from './fakeTime.ts'

beforeEach(fakeTime)
afterEach(realTime)

/** A worker of an application on the stream of one world, with the lease table of another. */
function workerOn(stream: World, { table }: World) {
  const [diary, logger] = [aDiary(), aLogger()]
  const adapters = { ...stream.adapters(), leases: table.store() }
  const worker = new Worker({ applicationName: 'orders', adapters, logger, processor: diary.processor })
  let failure: unknown = null
  const running = worker.run().catch((error: unknown) => {
    failure = error
  })
  return {
    diary,
    logger,
    get failure() {
      return failure
    },
    async stop(): Promise<void> {
      const stopped = worker.stop()
      await pass(minutes(1))
      await Promise.all([stopped, running])
    },
  }
}

const checkpointsOf = ({ table }: World): readonly (readonly [string, string])[] =>
  table.rows().map(({ leaseKey, checkpoint }) => [leaseKey, checkpoint.sequenceNumber])

/** A world whose records were all consumed by a worker that was stopped. */
async function consumedWorld(shardCount: number, change: (world: World) => void = () => undefined): Promise<World> {
  const world = aWorld(shardCount)
  put(world.stream, texts('old', 20))
  change(world)
  const worker = workerOn(world, world)
  await pass(minutes(1))
  await worker.stop()
  return world
}

describe('the leases of another stream', () => {
  it.each([
    ['of more shards', () => consumedWorld(4), 'shardId-000000000000 has other hash keys by its lease than in the stream'],
    ['of fewer shards', () => consumedWorld(1), 'shardId-000000000000 has other hash keys by its lease than in the stream'],
    [
      'that was resharded',
      () => consumedWorld(2, ({ stream }) => void stream.merge('shardId-000000000000', 'shardId-000000000001')),
      'shardId-000000000000 is finished by its lease, and open in the stream',
    ],
  ])('%s end the run: none of them is written to, and no record is consumed', async (_what, makeOther, says) => {
    const other = await makeOther()
    const before = other.table.rows()
    const world = aWorld(2)
    put(world.stream, texts('new', 10))

    const mistaken = workerOn(world, other)
    await pass(minutes(5))

    const message = `tableName: expected the leases of this stream, got those of another, or of an earlier one of its name: ${says}`
    expect(mistaken.failure).toMatchObject({ name: 'LeasesOfAnotherStream', message })
    expect(mistaken.logger.lines).toContain(`error worker: LeasesOfAnotherStream: ${message}`)
    expect(other.table.rows()).toEqual(before)
    expect(mistaken.diary.lines).toEqual([])
  })
})

describe('a stream that is deleted', () => {
  it('ends the run of its worker, with the checkpoints as they stood and the leases given up', async () => {
    const world = aWorld(2)
    put(world.stream, texts('order', 10))
    const worker = workerOn(world, world)
    await pass(5_000)
    const before = checkpointsOf(world)

    world.stream.delete()
    await pass(minutes(1))

    expect(worker.failure).toMatchObject({
      name: 'StreamNotFound',
      message: 'streamName: there is no such stream in this region and account',
    })
    expect(worker.logger.lines).toContain('warn shardId-000000000000: Kinesis does not know the stream: the end of the shard is not stored')
    expect(checkpointsOf(world)).toEqual(before)
    expect(world.table.rows().map(({ leaseOwner }) => leaseOwner)).toEqual([null, null])
    expect(worker.diary.lines.filter((line) => line.endsWith('initialize'))).toHaveLength(2)
    expect(worker.diary.lines.filter((line) => line.endsWith('leaseLost'))).toHaveLength(2)
  })
})
