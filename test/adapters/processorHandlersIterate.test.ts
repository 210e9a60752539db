import type { KinesisRecord } from '@shardwise/effects'
import { type BatchContext, iterate } from '@shardwise/processor'
import { describe, expect, it } from 'vitest'
import { aGate, aShard, consumeAll, shardId, textOf, turns } from './processorHandlersSetting.ts'

const missedShardEndCheckpoint = 'replay' as const

describe('iterate', () => {
  it('gives the records of all batches to one loop, which ends with the shard, and awaits what follows it before the last checkpoint', async () => {
    const lines: string[] = []
    let stored: readonly string[] = []
    const processor = iterate(async (records) => {
      for await (const record of records) lines.push(textOf(record))
      await turns()
      lines.push(`after ${stored.at(-1)}`)
    })(shardId)
    const consumer = await aShard(['a1', 'b2', 'a3'], { perRead: 2 }).consume(processor)
    ;({ stored } = consumer)
    expect(await consumer.outcome).toBe('finished')
    expect(lines).toEqual(['a1', 'b2', 'a3', 'after a3'])
    expect(consumer.stored).toEqual(['b2', 'a3', 'SHARD_END'])
  })

  it('reads no further batch before the loop asks for more than it was given', async () => {
    const [taken, gates] = [[] as string[], [aGate(), aGate(), aGate()]]
    const processor = iterate(async (records) => {
      for await (const record of records) {
        taken.push(textOf(record))
        await gates[taken.length - 1]?.opened
      }
    })(shardId)
    const consumer = await aShard(['a1', 'b2', 'a3'], { perRead: 2 }).consume(processor)
    const reads = (): number => consumer.effects.filter((type) => type === 'readRecords').length
    await turns()
    expect([taken, reads(), consumer.stored]).toEqual([['a1'], 1, []])
    gates[0]?.open()
    await turns()
    expect([taken, reads(), consumer.stored]).toEqual([['a1', 'b2'], 1, []])
    gates[1]?.open()
    await turns()
    expect([taken, reads(), consumer.stored]).toEqual([['a1', 'b2', 'a3'], 2, ['b2']])
    gates[2]?.open()
    expect(await consumer.outcome).toBe('finished')
  })

  it('gives the record in hand and those behind it again after the loop failed, and stores what was handled first', async () => {
    const lines: string[] = []
    const processor = iterate(async (records, { attempt }) => {
      lines.push(`call ${attempt}`)
      for await (const record of records) {
        lines.push(textOf(record))
        if (textOf(record) === 'b2' && attempt === 0) throw new Error('b2 failed')
      }
    })(shardId)
    const { stored, failures } = await consumeAll(aShard(['a1', 'b2', 'a3']), processor)
    expect(lines).toEqual(['call 0', 'a1', 'b2', 'call 1', 'b2', 'a3'])
    expect(failures).toEqual(['recordsFailed Error: b2 failed'])
    expect(stored).toEqual(['a1', 'a3', 'SHARD_END'])
  })

  it('counts the record in hand as handled when the handler leaves the loop and returns, and calls it again for the rest', async () => {
    const calls: string[] = []
    const processor = iterate(async (records) => {
      const own: string[] = []
      for await (const record of records) {
        own.push(textOf(record))
        if (own.length === 2) break
      }
      calls.push(own.join())
    })(shardId)
    const { stored } = await consumeAll(aShard(['a1', 'b2', 'a3', 'b4', 'a5'], { perRead: 4 }), processor)
    expect(calls).toEqual(['a1,b2', 'a3,b4', 'a5'])
    expect(stored).toEqual(['b4', 'a5', 'SHARD_END'])
  })

  it('fails the batch when the handler returns without taking a record', async () => {
    let calls = 0
    const processor = iterate(async (records) => {
      calls += 1
      if (calls > 1) for await (const _ of records) continue
    })(shardId)
    const { failures, outcome } = await consumeAll(aShard(['a1']), processor)
    expect(failures).toEqual([expect.stringContaining('returned without taking any')])
    expect(outcome).toBe('finished')
  })

  it('fails the next batch with what the handler failed with between two, which then goes to a new call', async () => {
    const shard = aShard(['a1'], { isOpen: true })
    const lines: string[] = []
    let call = 0
    const processor = iterate(async (records) => {
      call += 1
      const own = call
      const iterator = records[Symbol.asyncIterator]()
      for (;;) {
        const next = iterator.next()
        const given = own === 1 && lines.length === 1 ? await Promise.race([next, turns(3).then(() => null)]) : await next
        if (given === null) throw new Error('nothing came')
        if (given.done === true) return
        lines.push(`${own} ${textOf(given.value)}`)
      }
    })(shardId)
    const consumer = await shard.consume(processor, { options: { idleTimeInMilliseconds: 1 }, maxAttempts: 5 })
    await turns(50)
    shard.put('b2')
    shard.end()
    expect(await consumer.outcome).toBe('finished')
    expect(lines).toEqual(['1 a1', '2 b2'])
    expect(consumer.failures).toEqual(['recordsFailed Error: nothing came'])
  })

  it('ends the loop at a graceful stop, and stores what was handled', async () => {
    const lines: string[] = []
    const processor = iterate(
      async (records) => {
        for await (const record of records) lines.push(textOf(record))
        lines.push('flushed')
      },
      { checkpoint: { everyRecords: 100 } },
    )(shardId)
    const consumer = await aShard(['a1', 'b2'], { isOpen: true }).consume(processor)
    await consumer.tip
    expect([lines, consumer.stored]).toEqual([['a1', 'b2'], []])
    consumer.send({ type: 'shutdown', reason: 'REQUESTED' })
    expect(await consumer.outcome).toBe('leaseLost')
    expect([lines, consumer.stored, consumer.failures]).toEqual([['a1', 'b2', 'flushed'], ['b2'], []])
  })

  it('stores nothing at a graceful stop when what follows the loop fails', async () => {
    const processor = iterate(
      async (records) => {
        for await (const _ of records) continue
        throw new Error('flush failed')
      },
      { checkpoint: { everyRecords: 100 } },
    )(shardId)
    const consumer = await aShard(['a1'], { isOpen: true }).consume(processor)
    await consumer.tip
    consumer.send({ type: 'shutdown', reason: 'REQUESTED' })
    await consumer.outcome
    expect([consumer.stored, consumer.failures]).toEqual([[], ['shutdownRequestedFailed Error: flush failed']])
  })

  it('does not end the shard when what follows the loop fails: a new processor gets everything above the last checkpoint', async () => {
    const shard = aShard(['a1', 'b2'])
    const processor = iterate(
      async (records) => {
        for await (const _ of records) continue
        throw new Error('flush failed')
      },
      { checkpoint: 'manual' },
    )(shardId)
    expect(processor.shutdownOnce).toBe(true)
    const first = await consumeAll(shard, processor, { options: { missedShardEndCheckpoint } })
    expect([first.outcome, first.stored, first.failures]).toEqual(['replay', [], ['shardEndedFailed Error: flush failed']])
    const again: string[] = []
    const second = iterate(async (records) => {
      for await (const record of records) again.push(textOf(record))
    })(shardId)
    expect((await consumeAll(shard, second, { options: { missedShardEndCheckpoint } })).outcome).toBe('finished')
    expect(again).toEqual(['a1', 'b2'])
  })

  it('does not end the shard on a second report of its end either', async () => {
    const processor = iterate(async (records) => {
      for await (const _ of records) continue
      throw new Error('flush failed')
    })(shardId)
    const consumer = await aShard(['a1']).consume(processor, { maxAttempts: 4, options: { missedShardEndCheckpoint: 'retry' } })
    await expect(consumer.outcome).rejects.toThrow('the end of the shard was reported already')
    expect(consumer.stored).toEqual(['a1'])
  })

  it('throws ShutdownException into a loop that waits when the lease is lost', async () => {
    const lines: string[] = []
    const processor = iterate(async (records) => {
      try {
        for await (const record of records) lines.push(textOf(record))
        lines.push('in order')
      } catch (error) {
        lines.push((error as Error).name)
        throw error
      }
    })(shardId)
    const consumer = await aShard(['a1'], { isOpen: true }).consume(processor)
    await consumer.tip
    consumer.send({ type: 'shutdown', reason: 'LEASE_LOST' })
    expect(await consumer.outcome).toBe('leaseLost')
    expect([lines, consumer.failures]).toEqual([['a1', 'ShutdownException'], []])
  })

  it('throws ShutdownException into a loop that asks on when the lease is lost meanwhile, and fires its signal', async () => {
    const [taken, gate] = [[] as string[], aGate()]
    let caught: unknown
    const processor = iterate(async (records, shard) => {
      try {
        for await (const record of records) {
          taken.push(textOf(record))
          await gate.opened
          taken.push(`aborted: ${shard.signal.aborted}`)
        }
      } catch (error) {
        caught = error
        throw error
      }
    })(shardId)
    const consumer = await aShard(['a1', 'b2']).consume(processor)
    await turns()
    consumer.send({ type: 'shutdown', reason: 'LEASE_LOST' })
    gate.open()
    expect(await consumer.outcome).toBe('leaseLost')
    expect(taken).toEqual(['a1', 'aborted: true'])
    expect(caught).toMatchObject({ name: 'ShutdownException' })
    expect(consumer.stored).toEqual([])
  })

  it('surfaces what the handler fails with besides, when the lease is lost', async () => {
    const processor = iterate(async (records) => {
      try {
        for await (const _ of records) continue
      } finally {
        // oxlint-disable-next-line no-unsafe-finally
        throw new Error('clean-up failed')
      }
    })(shardId)
    const consumer = await aShard(['a1'], { isOpen: true }).consume(processor)
    await consumer.tip
    consumer.send({ type: 'shutdown', reason: 'LEASE_LOST' })
    expect(await consumer.outcome).toBe('leaseLost')
    expect(consumer.failures).toEqual(['leaseLostFailed Error: clean-up failed'])
  })
})

describe('a checkpoint that a loop asks for', () => {
  it('is stored at once, up to the last record taken', async () => {
    const errors: string[] = []
    const seen: KinesisRecord[] = []
    let shardContext: BatchContext | undefined
    const processor = iterate(
      async (records, context) => {
        shardContext = context
        for await (const record of records) {
          seen.push(record)
          if (textOf(record) === 'b2') await context.checkpoint(record)
        }
      },
      { checkpoint: 'manual' },
    )(shardId)
    const consumer = await aShard(['a1', 'b2', 'a3'], { isOpen: true }).consume(processor)
    await consumer.tip
    expect(consumer.stored).toEqual(['b2'])
    for (const position of [
      undefined,
      { sequenceNumber: '9'.repeat(60), subSequenceNumber: 0 },
      { sequenceNumber: 'LATEST', subSequenceNumber: 0 },
    ]) {
      await shardContext?.checkpoint(position as KinesisRecord).catch(({ name }: Error) => errors.push(name))
    }
    expect(errors).toEqual(Array(3).fill('IllegalArgumentException'))
    const last = seen.at(-1)
    if (last !== undefined) await shardContext?.checkpoint(last)
    expect(consumer.stored).toEqual(['b2', 'a3'])
    consumer.crash()
  })

  it('may come after the loop, before the worker stops', async () => {
    const processor = iterate(
      async (records, { checkpoint }) => {
        let last: KinesisRecord | undefined
        for await (const record of records) last = record
        if (last !== undefined) await checkpoint(last)
      },
      { checkpoint: 'manual' },
    )(shardId)
    const consumer = await aShard(['a1', 'b2'], { isOpen: true }).consume(processor)
    await consumer.tip
    consumer.send({ type: 'shutdown', reason: 'REQUESTED' })
    await consumer.outcome
    expect([consumer.stored, consumer.failures]).toEqual([['b2'], []])
  })
})

describe('a checkpoint every n records of a loop', () => {
  it('is stored between two records', async () => {
    const before: Record<string, number> = {}
    let stored: readonly string[] = []
    const processor = iterate(
      async (records) => {
        for await (const record of records) before[textOf(record)] = stored.length
      },
      { checkpoint: { everyRecords: 2 } },
    )(shardId)
    const consumer = await aShard(['a1', 'a2', 'a3', 'a4', 'a5']).consume(processor)
    ;({ stored } = consumer)
    await consumer.outcome
    expect(before).toEqual({ a1: 0, a2: 0, a3: 1, a4: 1, a5: 2 })
    expect(consumer.stored).toEqual(['a2', 'a4', 'SHARD_END'])
  })
})
