import { compareSequenceNumbers } from '@shardwise/effects'
import { shardConsumer } from '@shardwise/machine'
import { describe, expect, it } from 'vitest'
import { aDiary, aWatch, aWorker, aWorld, consumerHeard, type Diary, deliveredCount, put, texts } from './workerSetting.ts'

const [s0, s1, s2, s3, s4, s5] = [0, 1, 2, 3, 4, 5].map((n) => `shardId-00000000000${n}`) as [
  string,
  string,
  string,
  string,
  string,
  string,
]

/** Each shard's records rose, and none was delivered twice. */
function expectOrder({ deliveredTo }: Diary): void {
  for (const records of deliveredTo.values()) {
    const steps = records.slice(1).map((record, n) => Math.sign(compareSequenceNumbers(record, records[n] ?? record)))
    expect(new Set(steps.filter((step) => step !== 1))).toEqual(new Set())
  }
}

describe('a worker', () => {
  it.each([
    ['the compiled machine', undefined],
    ['XState', shardConsumer],
  ])('delivers every record once and in order through a split and a merge, children after their parents, with %s', async (_, engine) => {
    const [world, diary, watch] = [aWorld(3), aDiary(), aWatch()]
    const [early, middle, late] = [texts('early', 60), texts('middle', 40), texts('late', 60)]
    put(world.stream, early)
    const worker = aWorker(world, { processor: diary.processor, observe: watch.observe, engine })

    const firstGeneration = watch.until('the first records', deliveredCount(diary, early.length))
    const running = worker.run()
    await firstGeneration
    put(world.stream, middle)
    world.stream.split(s0)
    world.stream.merge(s1, s2)
    put(world.stream, late)
    await watch.until('all records', deliveredCount(diary, early.length + middle.length + late.length))
    await worker.stop()
    await running

    expect(diary.delivered.toSorted()).toEqual([...early, ...middle, ...late].toSorted())
    expectOrder(diary)
    for (const [parent, child] of [
      [s0, s3],
      [s0, s4],
      [s1, s5],
      [s2, s5],
    ] as const) {
      expect(diary.lines.indexOf(`${parent} shardEnded`)).toBeGreaterThanOrEqual(0)
      expect(diary.lines.indexOf(`${child} initialize`)).toBeGreaterThan(diary.lines.indexOf(`${parent} shardEnded`))
    }
    expect(
      world.table.rows().map(({ leaseKey, leaseOwner, checkpoint }) => [leaseKey, leaseOwner, checkpoint.sequenceNumber === 'SHARD_END']),
    ).toEqual([
      [s0, null, true],
      [s1, null, true],
      [s2, null, true],
      [s3, null, false],
      [s4, null, false],
      [s5, null, false],
    ])
  })

  it('hands over to the next where it stopped: nothing is lost, and nothing delivered twice', async () => {
    const [world, diary] = [aWorld(2), aDiary()]
    const all = texts('order', 200)
    put(world.stream, all.slice(0, 100))
    const first = aWatch()
    const one = aWorker(world, { processor: diary.processor, observe: first.observe, maxRecords: 7 })
    const midway = first.until('some records', deliveredCount(diary, 20))
    const running = one.run()
    await midway
    await one.stop()
    await running
    const deliveredByOne = diary.delivered.length

    put(world.stream, all.slice(100))
    const second = aWatch()
    const two = aWorker(world, { processor: diary.processor, observe: second.observe, maxRecords: 7 })
    const rest = second.until('all records', deliveredCount(diary, all.length))
    const runningTwo = two.run()
    await rest
    await two.stop()
    await runningTwo

    expect(deliveredByOne).toBeLessThan(all.length)
    expect(diary.lines.filter((line) => line.endsWith('shutdownRequested'))).toHaveLength(4)
    expect(diary.delivered.toSorted()).toEqual([...all].toSorted())
    expectOrder(diary)
  })

  it('shares the shards with another, which takes over what it gives up, without waiting for its leases to expire', async () => {
    const [world, diary] = [aWorld(2), aDiary()]
    const [watchOne, watchTwo] = [aWatch(), aWatch()]
    const one = aWorker(world, { processor: diary.processor, observe: watchOne.observe, workerId: 'one', maxLeasesForWorker: 1 })
    const two = aWorker(world, { processor: diary.processor, observe: watchTwo.observe, workerId: 'two' })
    const oneReads = watchOne.until('one reads', consumerHeard('initialized'))
    const runningOne = one.run()
    await oneReads
    const twoReads = watchTwo.until('two reads', consumerHeard('initialized'))
    const runningTwo = two.run()
    await twoReads
    expect(world.table.rows().map(({ leaseOwner }) => leaseOwner)).toEqual(['one', 'two'])

    const takenOver = watchTwo.until('two took over', consumerHeard('initialized', s0))
    await one.stop()
    await takenOver
    const all = texts('order', 20)
    const delivered = watchTwo.until('all records', deliveredCount(diary, all.length))
    put(world.stream, all)
    await delivered
    await two.stop()
    await Promise.all([runningOne, runningTwo])

    expect(diary.delivered.toSorted()).toEqual([...all].toSorted())
  })

  it('reads on through expired iterators and throttled reads', async () => {
    const [world, diary, watch] = [aWorld(1), aDiary(), aWatch()]
    const all = texts('order', 60)
    put(world.stream, all.slice(0, 20))
    const worker = aWorker(world, { processor: diary.processor, observe: watch.observe, maxRecords: 5 })
    const some = watch.until('some records', deliveredCount(diary, 20))
    const running = worker.run()
    await some

    world.stream.expireIterators()
    put(world.stream, all.slice(20, 40))
    await watch.until('more records', deliveredCount(diary, 40))
    world.stream.throttle(5)
    put(world.stream, all.slice(40))
    await watch.until('all records', deliveredCount(diary, 60))
    await worker.stop()
    await running

    expect(diary.delivered).toEqual(all)
  })

  it('starts at LATEST with what is put after it has begun to read', async () => {
    const [world, diary, watch] = [aWorld(1), aDiary(), aWatch()]
    put(world.stream, texts('old', 10))
    const worker = aWorker(world, { processor: diary.processor, observe: watch.observe, initialPosition: { type: 'LATEST' } })
    const reads = watch.until('it reads', consumerHeard('recordsRead'))
    const running = worker.run()
    await reads

    const delivered = watch.until('the new records', deliveredCount(diary, 10))
    put(world.stream, texts('new', 10))
    await delivered
    await worker.stop()
    await running

    expect(diary.delivered).toEqual(texts('new', 10))
  })

  it('takes the longest waits for long, although the timers of the platform would make them none', async () => {
    const [world, diary, watch] = [aWorld(1), aDiary(), aWatch()]
    const longest = 2 ** 40
    let fired = 0
    const worker = aWorker(world, {
      processor: diary.processor,
      leaseScanIntervalMillis: longest,
      failoverTimeMillis: 3 * longest,
      observe(observation) {
        watch.observe(observation)
        if (observation.machine !== 'shardConsumer' && observation.step.event?.type === 'timerFired') fired += 1
      },
    })
    let reads = 0
    const readOften = watch.until('25 reads', (observation) => consumerHeard('recordsRead')(observation) && (reads += 1) === 25)
    const running = worker.run()
    await readOften
    await worker.stop()
    await running

    // The keeper of the lease asks once what time it is, when it begins.
    expect(fired).toBe(1)
  })
})
