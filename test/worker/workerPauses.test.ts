import type { RecordProcessorV2 } from '@shardwise/processor'
import { eachBatch, eachRecord, iterate, type Observation, type WorkerOptions } from 'shardwise'
import { describe, expect, it } from 'vitest'
import { aDiary, aLogger, aWatch, aWorker, aWorld, consumerHeard, put, textOf, texts } from './workerSetting.ts'

const s0 = 'shardId-000000000000'
const s1 = 'shardId-000000000001'

/** Whether the consumer of the first shard holds a batch. */
const holds = (observation: Observation): boolean =>
  observation.machine === 'shardConsumer' &&
  observation.shardId === s0 &&
  JSON.stringify(observation.step.after.value).includes('holding') &&
  observation.step.after.context.task === null

describe('a paused shard of a worker', () => {
  const seen: string[] = []
  let resume = (): void => undefined
  let pauses = 0
  const pausesOnce = (pause: () => () => void): void => {
    pauses += 1
    if (pauses === 1) resume = pause()
  }
  it.each<[string, WorkerOptions['processor']]>([
    [
      'eachBatch',
      eachBatch((records, { pause }) => {
        seen.push(...records.map(textOf))
        pausesOnce(pause)
      }),
    ],
    [
      'eachRecord',
      eachRecord((record, { pause }) => {
        seen.push(textOf(record))
        pausesOnce(pause)
      }),
    ],
    [
      'iterate',
      iterate(async (records, { pause }) => {
        for await (const record of records) {
          seen.push(textOf(record))
          pausesOnce(pause)
        }
      }),
    ],
  ])(
    'hands nothing more to a handler of %s that pauses it, and everything, once and in order, when it resumes it',
    async (_, processor) => {
      seen.length = 0
      pauses = 0
      const [world, watch] = [aWorld(), aWatch()]
      const [early, late] = [texts('early', 3), texts('late', 40)]
      put(world.stream, early)
      const worker = aWorker(world, { processor, observe: watch.observe })
      const first = watch.until('the first batch', consumerHeard('recordsProcessed', s0))
      const held = watch.until('a held batch', holds)
      const running = worker.run()
      await first
      put(world.stream, late)
      await held

      expect(seen).toEqual(early)
      expect(worker.health()).toMatchObject({ isLive: true, shards: [{ shardId: s0, place: 'PROCESSING.holding', isPaused: true }] })
      const all = watch.until('the others', () => seen.length >= early.length + late.length)
      resume()
      await all
      await worker.stop()
      await running
      expect(seen).toEqual([...early, ...late])
    },
  )

  it('is paused and resumed from outside, while the other shards go on, its lease is renewed, and nobody calls it stuck', async () => {
    const [world, diary, watch, logger] = [aWorld(2), aDiary(), aWatch(), aLogger()]
    const stuck: string[] = []
    const worker = aWorker(world, {
      processor: diary.processor,
      observe: watch.observe,
      logger,
      stuckAfterMillis: 10_000,
      failoverTimeMillis: 4_500,
      onStuck: ({ shardId }) => void stuck.push(shardId),
    })
    const reading = watch.until('the first shard', consumerHeard('initialized', s0))
    const running = worker.run()
    await reading
    worker.pause(s0)
    const held = watch.until('a held batch', holds)
    const all = texts('order', 60)
    put(world.stream, all)
    await held
    const renewed = watch.until(
      'a renewal',
      ({ machine, step }) => machine === 'leaseKeeper' && step.event?.type === 'leaseRenewed' && step.after.input.leaseKey === s0,
    )
    await watch.until('the records of the other shard', () => diary.deliveredTo.has(s1))
    await renewed

    expect(diary.deliveredTo.has(s0)).toBe(false)
    const delivered = watch.until('all records', () => diary.delivered.length === all.length)
    worker.resume(s0)
    await delivered
    await worker.stop()
    await running
    expect(diary.delivered.toSorted()).toEqual([...all].toSorted())
    expect(stuck).toEqual([])
    expect(logger.lines).toEqual(expect.arrayContaining([`info ${s0}: paused`, `info ${s0}: resumed`]))
  })

  it('stays paused from outside when its handler resumes it', async () => {
    const [world, watch] = [aWorld(), aWatch()]
    const seen: string[] = []
    let resume = (): void => undefined
    const processor = eachBatch((records, { pause }) => {
      seen.push(...records.map(textOf))
      if (seen.length === 1) resume = pause()
    })
    put(world.stream, ['a'])
    const worker = aWorker(world, { processor, observe: watch.observe })
    const first = watch.until('the first batch', consumerHeard('recordsProcessed', s0))
    const held = watch.until('a held batch', holds)
    const running = worker.run()
    await first
    put(world.stream, ['b'])
    await held
    worker.pause(s0)
    resume()

    expect(worker.health()).toMatchObject({ shards: [{ place: 'PROCESSING.holding', isPaused: true }] })
    const delivered = watch.until('the second batch', () => seen.length === 2)
    worker.resume(s0)
    await delivered
    await worker.stop()
    await running
    expect(seen).toEqual(['a', 'b'])
  })

  it('stays paused when its record processor is made anew', async () => {
    const [world, watch] = [aWorld(), aWatch()]
    const lines: string[] = []
    let made = 0
    const worker = aWorker(world, {
      processor: (shardId) => {
        if (shardId !== s0) return aDiary().processor(shardId)
        made += 1
        const number = made
        const processor: RecordProcessorV2 = {
          version: 2,
          initialize: () => void lines.push(`${number} initialize`),
          processRecords: ({ records }) => void lines.push(`${number} ${records.map(textOf).join(' ')}`),
          // The first one pauses its shard, and forgets to checkpoint its end.
          shutdown: ({ checkpointer }) => (number === 1 ? worker.pause(s0) : checkpointer.checkpoint()),
        }
        return processor
      },
      observe: watch.observe,
    })
    put(world.stream, ['a', 'b'])
    world.stream.split(s0)
    const held = watch.until('a held batch', holds)
    const running = worker.run()
    await held

    expect(lines).toEqual(['1 initialize', '1 a b', '2 initialize'])
    const ended = watch.until('the end', ({ machine, step }) => machine === 'leaseKeeper' && step.after.phase === 'gone')
    worker.resume(s0)
    await ended
    await worker.stop()
    await running
    expect(lines.slice(0, 4)).toEqual(['1 initialize', '1 a b', '2 initialize', '2 a b'])
  })

  it('is told of a shutdown at once, and is not paused for its next owner', async () => {
    const [world, diary, watch] = [aWorld(), aDiary(), aWatch()]
    const worker = aWorker(world, { processor: diary.processor, observe: watch.observe, workerId: 'w1' })
    const reading = watch.until('the shard', consumerHeard('initialized', s0))
    const running = worker.run()
    await reading
    worker.pause(s0)
    const held = watch.until('a held batch', holds)
    put(world.stream, ['a', 'b'])
    await held
    await worker.stop()
    await running
    expect([diary.lines, diary.delivered]).toEqual([[`${s0} initialize`, `${s0} shutdownRequested`, `${s0} leaseLost`], []])

    const next = aWorker(world, { processor: diary.processor, observe: watch.observe, workerId: 'w2' })
    const delivered = watch.until('the records', () => diary.delivered.length === 2)
    const nextRunning = next.run()
    await delivered
    await next.stop()
    await nextRunning
    expect(diary.delivered).toEqual(['a', 'b'])
  })

  it('must be one that the worker holds', async () => {
    const [world, watch] = [aWorld(2), aWatch()]
    const worker = aWorker(world, { processor: aDiary().processor, observe: watch.observe })
    expect(() => worker.pause(s0)).toThrow(`shardId: expected a shard that this worker holds (now none) to pause, got "${s0}"`)

    const reading = watch.until('the shards', () => worker.health().shards.length === 2)
    const running = worker.run()
    await reading
    expect(() => worker.resume('shardId-7')).toThrow(
      `shardId: expected a shard that this worker holds (${s0}, ${s1}) to resume, got "shardId-7"`,
    )
    await worker.stop()
    await running
    expect(() => worker.resume(s0)).toThrow('(now none) to resume')
  })
})
