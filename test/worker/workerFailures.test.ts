import type { EffectOf } from '@shardwise/effects'
import type { Adapters, Observation } from 'shardwise'
import { describe, expect, it } from 'vitest'
import {
  aDiary,
  aLogger,
  aWatch,
  aWorker,
  aWorld,
  consumerHeard,
  deliveredCount,
  keeperHeard,
  put,
  texts,
  type World,
} from './workerSetting.ts'

const s0 = 'shardId-000000000000'

/** Adapters of a world, with some calls about leases replaced. */
const withLeases = (world: World, replace: (given: Adapters['leases']) => Partial<Adapters['leases']>): Adapters => {
  const adapters = world.adapters()
  return { ...adapters, leases: { ...adapters.leases, ...replace(adapters.leases) } }
}

const failing = (name: string) => (): never => {
  throw Object.assign(new Error('said the service'), { name })
}

describe('a record processor', () => {
  it('that throws gets the same batch again, and the next only when it succeeds', async () => {
    const [world, watch, logger, diary] = [aWorld(), aWatch(), aLogger(), aDiary()]
    const attempts: string[] = []
    put(world.stream, texts('order', 6))
    const worker = aWorker(world, {
      logger,
      observe: watch.observe,
      maxRecords: 2,
      processor: (shardId) => ({
        ...diary.processor(shardId),
        async processRecords(input) {
          attempts.push(`${input.records.map(({ partitionKey }) => partitionKey).join()} ${input.attempt}`)
          if (input.records[0]?.partitionKey === 'order-2' && input.attempt < 2) throw new RangeError('out of range')
          await diary.processor(shardId).processRecords(input)
        },
      }),
    })
    const all = watch.until('all records', deliveredCount(diary, 6))
    const running = worker.run()
    await all
    await worker.stop()
    await running

    expect(attempts).toEqual(['order-0,order-1 0', 'order-2,order-3 0', 'order-2,order-3 1', 'order-2,order-3 2', 'order-4,order-5 0'])
    expect(logger.lines).toContain(`warn ${s0}: recordsFailed: RangeError: out of range`)
  })

  it('that blocks its promise for longer than the failover time keeps its lease, though another worker waits for it', async () => {
    const [world, watch] = [aWorld(), aWatch()]
    const failoverTimeMillis = 1_200
    let release = (): void => undefined
    const blocked = new Promise<void>((resolve) => {
      release = resolve
    })
    put(world.stream, texts('order', 1))
    const diary = aDiary()
    const worker = aWorker(world, {
      failoverTimeMillis,
      workerId: 'busy',
      observe: watch.observe,
      processor: (shardId) => ({ ...diary.processor(shardId), processRecords: () => blocked }),
    })
    const other = aWorker(world, { failoverTimeMillis, workerId: 'waiting', processor: diary.processor })
    const busy = watch.until('the processor is busy', consumerHeard('recordsRead'))
    const running = worker.run()
    await busy
    const otherRunning = other.run()
    let firstMs: number | undefined
    await watch.until('renewals for longer than the failover time', ({ machine, step }) => {
      if (machine !== 'leaseKeeper' || step.event?.type !== 'leaseRenewed') return false
      firstMs ??= step.event.nowMs
      return step.event.nowMs - firstMs > failoverTimeMillis
    })

    expect(world.table.rows()[0]).toMatchObject({ leaseOwner: 'busy', ownerSwitchesSinceCheckpoint: 0 })
    expect(diary.lines).toEqual([`${s0} initialize`])
    release()
    await Promise.all([worker.stop(), other.stop(), running, otherRunning])
  })

  it.each([
    ['throws', failing('FactoryError'), 'said the service'],
    ['makes something that is no processor', () => ({}) as never, 'processor.initialize: a processor of the KCL shape'],
  ])('whose factory %s ends the run with that error, and its lease is released', async (_how, processor, message) => {
    const world = aWorld()
    const worker = aWorker(world, { processor })

    await expect(worker.run()).rejects.toThrow(message)
    expect(world.table.rows().map(({ leaseOwner }) => leaseOwner)).toEqual([null])
  })

  it('whose factory throws for one shard of several ends the run after the other processors were told', async () => {
    const [world, diary] = [aWorld(3), aDiary()]
    const worker = aWorker(world, {
      processor: (shardId) => (shardId.endsWith('2') ? failing('FactoryError')() : diary.processor(shardId)),
    })

    await expect(worker.run()).rejects.toMatchObject({ name: 'FactoryError' })
    expect(world.table.rows().map(({ leaseOwner }) => leaseOwner)).toEqual([null, null, null])
    const count = (what: string): number => diary.lines.filter((line) => line.endsWith(what)).length
    expect(count('leaseLost')).toBe(count('initialize'))
  })
})

describe('an observer that throws', () => {
  const steps: readonly (readonly [string, (observation: Observation) => boolean])[] = [
    ['at the first step of the coordinator', ({ machine }) => machine === 'coordinator'],
    ['at the second look at the leases', ({ machine, step }) => machine === 'coordinator' && step.event?.type === 'timerFired'],
    ['at the first step of a lease keeper', ({ machine }) => machine === 'leaseKeeper'],
    ['at a heartbeat, while the shard is consumed', keeperHeard('timerFired')],
    ['at the first step of a shard consumer', ({ machine }) => machine === 'shardConsumer'],
    ['at a later step of a shard consumer', consumerHeard('recordsRead', s0)],
  ]

  it.each(steps)('%s ends the run with its error, and leaves nothing running', async (_when, isTheStep) => {
    const [world, diary] = [aWorld(2), aDiary()]
    put(world.stream, texts('order', 20))
    let thrown = 0
    let stepsAfter = 0
    let ended = false
    const worker = aWorker(world, {
      processor: diary.processor,
      failoverTimeMillis: 1_500,
      observe(observation) {
        if (ended) stepsAfter += 1
        if (thrown === 0 && isTheStep(observation)) {
          thrown += 1
          throw new Error('the observer broke')
        }
      },
    })

    await expect(worker.run()).rejects.toThrow('the observer broke')
    ended = true
    const readsBefore = diary.delivered.length
    put(world.stream, texts('later', 20))
    await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setImmediate(resolve))

    expect(stepsAfter).toBe(0)
    expect(diary.delivered.length).toBe(readsBefore)
  })
})

describe('a lease', () => {
  it('that another worker takes is lost: the processor is told, and the rest is consumed on', async () => {
    const [world, watch, logger, diary] = [aWorld(2), aWatch(), aLogger(), aDiary()]
    put(world.stream, texts('order', 10))
    const worker = aWorker(world, { logger, processor: diary.processor, observe: watch.observe, workerId: 'me' })
    const all = watch.until('all records', deliveredCount(diary, 10))
    const running = worker.run()
    await all

    const thief = world.table.store()
    const { leaseCounter = 0, leaseOwner = null } = world.table.rows()[0] ?? {}
    const effect: EffectOf<'acquireLease'> = { type: 'acquireLease', id: 1, leaseKey: s0, leaseCounter, leaseOwner, workerId: 'thief' }
    const lost = watch.until('the loss', consumerHeard('leaseLostNotified', s0))
    const keeperHears = watch.until('the keeper hears of it', keeperHeard('consumerLostLease'))
    await thief.acquireLease(effect, neverAborted)
    // A checkpoint shows the loss sooner than the next renewal.
    put(world.stream, texts('more', 40))
    await Promise.all([lost, keeperHears])
    await worker.stop()
    await running

    expect(diary.lines).toContain(`${s0} leaseLost`)
    expect(diary.lines).not.toContain(`${s0} shutdownRequested`)
    expect(world.table.rows().map(({ leaseOwner }) => leaseOwner)).toEqual(['thief', null])
  })
})

describe('the lease table', () => {
  it('that refuses access ends the run with the name of the error', async () => {
    const world = aWorld()
    const logger = aLogger()
    const adapters = withLeases(world, () => ({ listLeases: failing('AccessDeniedException') }))

    const run = aWorker(world, { adapters, logger, processor: aDiary().processor }).run()

    await expect(run).rejects.toMatchObject({ name: 'AccessDeniedException', message: 'said the service' })
    expect(logger.lines).toContain('error worker: AccessDeniedException: said the service')
  })

  it('that refuses access later ends the run after processors were told and leases released', async () => {
    const [world, diary] = [aWorld(2), aDiary()]
    let lists = 0
    const adapters = withLeases(world, ({ listLeases }) => ({
      listLeases: (effect, context) => {
        lists += 1
        return lists > 4 ? failing('AccessDeniedException')() : listLeases(effect, context)
      },
    }))

    await expect(aWorker(world, { adapters, processor: diary.processor }).run()).rejects.toMatchObject({ name: 'AccessDeniedException' })

    expect(world.table.rows().map(({ leaseOwner }) => leaseOwner)).toEqual([null, null])
    const count = (what: string): number => diary.lines.filter((line) => line.endsWith(what)).length
    expect([count('initialize'), count('shutdownRequested'), count('leaseLost')]).toEqual([2, 2, 2])
  })

  it('that cannot be reached for a while is tried again, and the logger warns', async () => {
    const [world, diary, watch, logger] = [aWorld(), aDiary(), aWatch(), aLogger()]
    let failures = 2
    const adapters = withLeases(world, ({ listLeases, writeCheckpoint }) => ({
      listLeases: (effect, context) => {
        failures -= 1
        return failures >= 0 ? failing('TimeoutError')() : listLeases(effect, context)
      },
      writeCheckpoint,
    }))
    put(world.stream, texts('order', 3))
    const worker = aWorker(world, { adapters, logger, processor: diary.processor, observe: watch.observe })
    const all = watch.until('all records', deliveredCount(diary, 3))
    const running = worker.run()
    await all
    await worker.stop()
    await running

    expect(logger.lines.filter((line) => line === 'warn leases: TimeoutError: said the service')).toHaveLength(2)
  })

  it('that answers outside the effect table ends the run', async () => {
    const world = aWorld()
    const adapters = withLeases(world, () => ({ readCheckpoint: () => ({ type: 'nonsense' }) as never }))

    await expect(aWorker(world, { adapters, processor: aDiary().processor }).run()).rejects.toThrow(
      'readCheckpoint was answered outside the table',
    )
    expect(world.table.rows()[0]?.leaseOwner).toBeNull()
  })
})

describe('a stream', () => {
  it('that is not there ends the run, and says so', async () => {
    const world = aWorld()
    world.stream.delete()

    await expect(aWorker(world, { processor: aDiary().processor }).run()).rejects.toMatchObject({ name: 'StreamNotFound' })
  })

  it('that throttles reads is read on, and the logger warns', async () => {
    const [world, diary, watch, logger] = [aWorld(), aDiary(), aWatch(), aLogger()]
    const worker = aWorker(world, { logger, processor: diary.processor, observe: watch.observe })
    const reads = watch.until('it reads', consumerHeard('recordsRead'))
    const running = worker.run()
    await reads

    world.stream.throttle(2)
    put(world.stream, texts('order', 1))
    await watch.until('the record', deliveredCount(diary, 1))
    await worker.stop()
    await running

    expect(logger.lines).toContain(`warn ${s0}: throttled`)
  })
})

const neverAborted = { signal: new AbortController().signal, onAbort: () => undefined }
