import { type Observation, Worker } from 'shardwise'
import { describe, expect, it } from 'vitest'
import { aDiary, aWatch, aWorld, deliveredCount, put, quick, texts } from './workerSetting.ts'

describe('two workers of one application', () => {
  it.each(['kcl', 'workerHeartbeat'] as const)(
    'share the leases by handing them over, and nothing is lost or delivered twice, with leaseMode %s',
    async (leaseMode) => {
      const world = aWorld(4)
      const diary = aDiary()
      const watch = aWatch()
      const make = (workerId: string): Worker =>
        new Worker({
          ...quick,
          leaseMode,
          failoverTimeMillis: 6_000,
          maxLeasesToStealAtOneTime: 2,
          workerId,
          adapters: world.adapters(),
          processor: diary.processor,
          observe: watch.observe,
        })
      const [early, middle, late] = [texts('early', 40), texts('middle', 40), texts('late', 40)]
      const one = make('one')
      put(world.stream, early)
      const first = watch.until('the first records', deliveredCount(diary, early.length))
      const runningOne = one.run()
      await first

      const two = make('two')
      const shared = watch.until('two leases are handed over', (observation) => {
        if (observation.machine !== 'coordinator') return false
        const { options, kept } = observation.step.after
        return options.workerId === 'two' && kept.length === 2
      })
      const runningTwo = two.run()
      put(world.stream, middle)
      await shared
      const all = watch.until('all records', deliveredCount(diary, early.length + middle.length + late.length))
      put(world.stream, late)
      await all
      const owners = world.table.rows().map(({ leaseOwner }) => String(leaseOwner))
      await Promise.all([one.stop(), two.stop()])
      await Promise.all([runningOne, runningTwo])

      expect(owners.toSorted()).toEqual(['one', 'one', 'two', 'two'])
      expect(world.table.heartbeats()).toEqual([])
      expect(diary.delivered.toSorted()).toEqual([...early, ...middle, ...late].toSorted())
      expect(world.table.rows().map(({ ownerSwitchesSinceCheckpoint }) => ownerSwitchesSinceCheckpoint)).toEqual([0, 0, 0, 0])
    },
  )
})

describe('a worker of another lease mode than those of its table', () => {
  it.each([
    ['kcl', 'workerHeartbeat'],
    ['workerHeartbeat', 'kcl'],
  ] as const)('ends before it takes anything, and they go on: %s beside %s', async (late, early) => {
    const world = aWorld(2)
    const diary = aDiary()
    const watch = aWatch()
    const make = (leaseMode: 'kcl' | 'workerHeartbeat'): Worker =>
      new Worker({
        ...quick,
        leaseMode,
        failoverTimeMillis: 600,
        workerId: leaseMode,
        adapters: world.adapters(),
        processor: diary.processor,
        observe: watch.observe,
      })
    const first = make(early)
    const kept = watch.until('both leases', ({ machine, step }) => machine === 'coordinator' && step.after.kept.length === 2)
    const running = first.run()
    await kept

    await expect(make(late).run()).rejects.toThrow(
      `leaseMode: expected "${early}", as of the workers that live in this table, got "${late}"`,
    )
    const all = watch.until('records', deliveredCount(diary, 10))
    put(world.stream, texts('later', 10))
    await all
    await first.stop()
    await running

    expect(world.table.rows().map(({ ownerSwitchesSinceCheckpoint }) => ownerSwitchesSinceCheckpoint)).toEqual([0, 0])
  })
})

describe('two workers under one id', () => {
  it('are one too many: the one that was there first ends with an error, and the other goes on', async () => {
    const world = aWorld(2)
    const diary = aDiary()
    const make = (watch: ReturnType<typeof aWatch>): Worker =>
      new Worker({
        ...quick,
        failoverTimeMillis: 3_000,
        workerId: 'the-same',
        adapters: world.adapters(),
        processor: diary.processor,
        observe: watch.observe,
      })
    const [watchOne, watchTwo] = [aWatch(), aWatch()]
    const keepsAll = (observation: Observation): boolean =>
      observation.machine === 'coordinator' && observation.step.after.kept.length === 2
    const one = make(watchOne)
    const keptByOne = watchOne.until('both leases', keepsAll)
    const runningOne = one.run()
    await keptByOne

    const two = make(watchTwo)
    const keptByTwo = watchTwo.until('both leases', keepsAll)
    const runningTwo = two.run()
    await keptByTwo

    await expect(runningOne).rejects.toThrow('workerId: expected an id of its own for each worker, got "the-same"')
    const all = watchTwo.until('records', deliveredCount(diary, 10))
    put(world.stream, texts('later', 10))
    await all
    await two.stop()
    await runningTwo
  })
})
