import type { AnyRecordProcessor } from '@shardwise/processor'
import { describe, expect, it } from 'vitest'
import { aDiary, aLogger, aWatch, aWorker, aWorld, consumerHeard, put, textOf, texts } from './workerSetting.ts'

const [s0, s1, s2] = [0, 1, 2].map((n) => `shardId-00000000000${n}`) as [string, string, string]

/** Processors of the three shapes that write the same lines. */
const shapes: Readonly<Record<string, (lines: string[], shardId: string) => AnyRecordProcessor>> = {
  'of the KCL': (lines, shardId) => ({
    initialize: (input) => void lines.push(`${input.shardId} initialize`),
    processRecords: ({ records }) => void lines.push(`${shardId} ${records.map(textOf).join()}`),
    leaseLost: () => void lines.push(`${shardId} lost`),
    async shardEnded({ checkpointer }) {
      await checkpointer.checkpoint()
      lines.push(`${shardId} ended`)
    },
    shutdownRequested: () => void lines.push(`${shardId} requested`),
  }),
  'of version 2': (lines, shardId) => ({
    version: 2,
    initialize: (input) => void lines.push(`${input.shardId} initialize`),
    processRecords: ({ records }) => void lines.push(`${shardId} ${records.map(textOf).join()}`),
    async shutdown({ reason, checkpointer }) {
      if (reason === 'TERMINATE') await checkpointer.checkpoint()
      lines.push(`${shardId} ${reason === 'TERMINATE' ? 'ended' : 'lost'}`)
    },
    shutdownRequested: () => void lines.push(`${shardId} requested`),
  }),
  'of version 1': (lines, shardId) => ({
    version: 1,
    initialize: (given) => void lines.push(`${given} initialize`),
    processRecords: (records) => void lines.push(`${shardId} ${records.map(textOf).join()}`),
    async shutdown(checkpointer, reason) {
      if (reason === 'TERMINATE') await checkpointer.checkpoint()
      lines.push(`${shardId} ${reason === 'TERMINATE' ? 'ended' : 'lost'}`)
    },
    shutdownRequested: () => void lines.push(`${shardId} requested`),
  }),
}

describe('a record processor', () => {
  it.each(Object.keys(shapes))('%s lives through the end of its shard, and its children through a stop', async (shape) => {
    const [world, watch] = [aWorld(), aWatch()]
    const lines: string[] = []
    put(world.stream, ['one', 'two'])
    world.stream.split(s0)
    const worker = aWorker(world, {
      observe: watch.observe,
      processor: (shardId) => shapes[shape]?.(lines, shardId) ?? aDiary().processor(shardId),
    })
    const children = Promise.all([s1, s2].map((shardId) => watch.until(`${shardId} reads`, consumerHeard('recordsRead', shardId))))
    const running = worker.run()
    await children
    await worker.stop()
    await running

    expect(lines.slice(0, 3)).toEqual([`${s0} initialize`, `${s0} one,two`, `${s0} ended`])
    for (const shardId of [s1, s2]) {
      const own = lines.filter((line) => line.startsWith(shardId))
      expect(own).toEqual([`${shardId} initialize`, `${shardId} requested`, `${shardId} lost`])
    }
  })

  it('of version 2 that forgets to checkpoint at TERMINATE is made anew and gets the records again, loudly, until it does', async () => {
    const [world, watch, logger] = [aWorld(), aWatch(), aLogger()]
    const lives: string[][] = []
    put(world.stream, texts('order', 3))
    world.stream.split(s0)
    const worker = aWorker(world, {
      logger,
      observe: watch.observe,
      processor(shardId) {
        if (shardId !== s0) return aDiary().processor(shardId)
        const life: string[] = []
        const forgets = lives.push(life) < 3
        return {
          version: 2,
          initialize: ({ sequenceNumber }) => void life.push(`from ${sequenceNumber}`),
          processRecords: ({ records }) => void life.push(records.map(textOf).join()),
          async shutdown({ reason, checkpointer }) {
            life.push(reason)
            if (!forgets) await checkpointer.checkpoint()
          },
        }
      },
    })
    const children = watch.until('the children', consumerHeard('initialized', s1))
    const running = worker.run()
    await children
    await worker.stop()
    await running

    expect(lives).toEqual(Array.from({ length: 3 }, () => ['from TRIM_HORIZON', 'order-0,order-1,order-2', 'TERMINATE']))
    const loud = logger.lines.filter((line) => line.includes(s0) && /^(warn|error)/.test(line))
    expect(loud.filter((line) => line.includes('returned without a successful checkpoint'))).toHaveLength(2)
    expect(
      loud.filter((line) => line === `error ${s0}: the record processor ended without the checkpoint of the shard's end: it is made anew`),
    ).toHaveLength(2)
    expect(loud.filter((line) => line === `warn ${s0}: a fresh record processor starts from the last checkpoint`)).toHaveLength(2)
  })

  it('of the KCL that forgets to checkpoint in shardEnded is called again, loudly, and its children wait', async () => {
    const [world, watch, logger] = [aWorld(), aWatch(), aLogger()]
    const attempts: number[] = []
    world.stream.split(s0)
    const worker = aWorker(world, {
      logger,
      observe: watch.observe,
      processor: (shardId) => ({
        ...aDiary().processor(shardId),
        async shardEnded({ checkpointer, attempt }) {
          attempts.push(attempt)
          expect(
            world.table.rows().some(({ leaseKey, checkpoint }) => leaseKey === s1 && checkpoint.sequenceNumber !== 'TRIM_HORIZON'),
          ).toBe(false)
          if (attempt >= 2) await checkpointer.checkpoint()
        },
      }),
    })
    const children = watch.until('the children', consumerHeard('initialized', s2))
    const running = worker.run()
    await children
    await worker.stop()
    await running

    expect(attempts).toEqual([0, 1, 2])
    expect(logger.lines.filter((line) => line.startsWith(`error ${s0}: shardEnded must checkpoint, and did not`))).toHaveLength(2)
  })

  it('is made once for every tenure of a lease, and told its token', async () => {
    const [world, diary] = [aWorld(), aDiary()]
    const tokens: number[] = []
    for (let run = 0; run < 2; run += 1) {
      const watch = aWatch()
      const worker = aWorker(world, {
        observe: watch.observe,
        processor: (shardId) => ({ ...diary.processor(shardId), initialize: ({ token }) => void tokens.push(token) }),
      })
      const reads = watch.until('it reads', consumerHeard('initialized'))
      const running = worker.run()
      await reads
      await worker.stop()
      await running
    }

    expect(tokens).toHaveLength(2)
    expect(tokens[1]).toBeGreaterThan(tokens[0] ?? Infinity)
  })
})
