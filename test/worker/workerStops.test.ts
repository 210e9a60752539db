import { describe, expect, it } from 'vitest'
import { aDiary, aLogger, aWatch, aWorker, aWorld, consumerHeard, deliveredCount, keeperHeard, put, texts } from './workerSetting.ts'

/** A promise that the test settles. */
function aGate() {
  let open = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

describe('a run', () => {
  it('cannot be begun twice', async () => {
    const worker = aWorker(aWorld(), { processor: aDiary().processor })
    const running = worker.run()

    expect(() => worker.run()).toThrow('run: this worker has been run already')
    await worker.stop()
    await running
    expect(() => worker.run()).toThrow('run: this worker has been run already')
  })

  it.each(['was aborted before it began', 'was stopped before it began'])('that %s ends at once, and takes no lease', async (how) => {
    const [world, diary] = [aWorld(), aDiary()]
    const worker = aWorker(world, { processor: diary.processor })
    const aborted = how.includes('aborted')
    if (!aborted) await worker.stop()

    await worker.run(aborted ? { signal: AbortSignal.abort() } : {})

    expect(world.table.rows().filter(({ leaseOwner }) => leaseOwner !== null)).toEqual([])
    expect(diary.lines).toEqual([])
  })

  it('that is aborted while it starts ends without a lease', async () => {
    const [world, diary, watch] = [aWorld(), aDiary(), aWatch()]
    const controller = new AbortController()
    const worker = aWorker(world, {
      processor: diary.processor,
      observe(observation) {
        watch.observe(observation)
        if (observation.machine === 'coordinator' && observation.step.event?.type === 'shardsListed') controller.abort()
      },
    })

    await worker.run({ signal: controller.signal })

    expect(world.table.rows().filter(({ leaseOwner }) => leaseOwner !== null)).toEqual([])
    expect(diary.lines).toEqual([])
  })

  it('that is aborted while it consumes stops in order, and listens no longer', async () => {
    const [world, diary, watch] = [aWorld(2), aDiary(), aWatch()]
    put(world.stream, texts('order', 40))
    const controller = new AbortController()
    const worker = aWorker(world, { processor: diary.processor, observe: watch.observe, maxRecords: 3 })
    const some = watch.until('some records', deliveredCount(diary, 6))
    const running = worker.run({ signal: controller.signal })
    await some

    controller.abort()
    await running

    expect(diary.lines.filter((line) => line.endsWith('shutdownRequested'))).toHaveLength(2)
    expect(diary.lines.filter((line) => line.endsWith('leaseLost'))).toHaveLength(2)
    expect(world.table.rows().map(({ leaseOwner }) => leaseOwner)).toEqual([null, null])
  })
})

describe('stop', () => {
  it('resolves when the run has ended: processors were told, leases released, batches freed', async () => {
    const [world, diary, watch] = [aWorld(3), aDiary(), aWatch()]
    const adapters = world.adapters()
    put(world.stream, texts('order', 30))
    const worker = aWorker(world, { adapters, processor: diary.processor, observe: watch.observe })
    const all = watch.until('all records', deliveredCount(diary, 30))
    const running = worker.run()
    await all

    await Promise.all([worker.stop(), worker.stop()])

    expect(diary.lines.filter((line) => line.endsWith('shutdownRequested'))).toHaveLength(3)
    expect(world.table.rows().map(({ leaseOwner }) => leaseOwner)).toEqual([null, null, null])
    expect(adapters.batches.size).toBe(0)
    await running
  })

  it('waits for a record processor that is busy, renewing its lease meanwhile', async () => {
    const [world, watch, gate] = [aWorld(), aWatch(), aGate()]
    const diary = aDiary()
    put(world.stream, texts('order', 1))
    const worker = aWorker(world, {
      failoverTimeMillis: 1_500,
      observe: watch.observe,
      processor: (shardId) => ({
        ...diary.processor(shardId),
        processRecords: async () => {
          diary.lines.push('busy')
          await gate.opened
        },
      }),
    })
    const busy = watch.until('the processor is busy', consumerHeard('recordsRead'))
    const running = worker.run()
    await busy
    let ended = false
    const stopping = worker.stop().then(() => {
      ended = true
    })

    await watch.until('a renewal', keeperHeard('leaseRenewed'))
    await watch.until('another', keeperHeard('leaseRenewed'))
    expect(ended).toBe(false)
    expect(diary.lines).toEqual(['shardId-000000000000 initialize', 'busy'])
    gate.open()
    await stopping
    await running

    expect(diary.lines.slice(2)).toEqual(['shardId-000000000000 shutdownRequested', 'shardId-000000000000 leaseLost'])
  })

  it('with force releases the lease while its processor is busy, and tells it by its signal', async () => {
    const [world, watch] = [aWorld(), aWatch()]
    const diary = aDiary()
    put(world.stream, texts('order', 1))
    const worker = aWorker(world, {
      observe: watch.observe,
      processor: (shardId) => ({
        ...diary.processor(shardId),
        processRecords: ({ signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              diary.lines.push(`aborted, the owner being ${String(world.table.rows()[0]?.leaseOwner)}`)
              reject(new Error('aborted'))
            })
          }),
      }),
    })
    const busy = watch.until('the processor is busy', consumerHeard('recordsRead'))
    const running = worker.run()
    await busy

    await worker.stop({ force: true })
    await running

    expect(diary.lines).toEqual(['shardId-000000000000 initialize', 'aborted, the owner being null', 'shardId-000000000000 leaseLost'])
  })

  it('with force overtakes one in order that waits for a processor', async () => {
    const [world, watch] = [aWorld(), aWatch()]
    put(world.stream, texts('order', 1))
    const worker = aWorker(world, {
      observe: watch.observe,
      processor: (shardId) => ({
        ...aDiary().processor(shardId),
        processRecords: ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
      }),
    })
    const busy = watch.until('the processor is busy', consumerHeard('recordsRead'))
    const running = worker.run()
    await busy
    const inOrder = worker.stop()

    await worker.stop({ force: true })

    await Promise.all([inOrder, running])
    expect(world.table.rows()[0]?.leaseOwner).toBeNull()
  })
})

describe('a shutdownRequested that throws', () => {
  it('is said by the logger, and the lease is released all the same', async () => {
    const [world, watch, logger] = [aWorld(), aWatch(), aLogger()]
    const worker = aWorker(world, {
      logger,
      observe: watch.observe,
      processor: (shardId) => ({
        ...aDiary().processor(shardId),
        shutdownRequested: () => {
          throw new Error('cannot flush')
        },
      }),
    })
    const reads = watch.until('it reads', consumerHeard('initialized'))
    const running = worker.run()
    await reads

    await worker.stop()
    await running

    expect(logger.lines).toContainEqual(expect.stringMatching(/^warn shardId-000000000000: .*Error: cannot flush/))
    expect(world.table.rows()[0]?.leaseOwner).toBeNull()
  })
})
