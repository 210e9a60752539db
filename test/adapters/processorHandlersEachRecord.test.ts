import type { KinesisRecord } from '@shardwise/effects'
import { eachRecord, type RecordContext } from '@shardwise/processor'
import { describe, expect, it } from 'vitest'
import { aGate, aShard, consumeAll, shardId, textOf, turns } from './processorHandlersSetting.ts'

/** A handler whose calls end when the test says so. */
function aHeldHandler() {
  const started: string[] = []
  const gates = new Map<string, { open(): void; fail(error: Error): void }>()
  return {
    started,
    handler: (record: KinesisRecord): Promise<void> => {
      const text = textOf(record)
      started.push(text)
      return new Promise((resolve, reject) => gates.set(text, { open: resolve, fail: reject }))
    },
    async finish(...texts: readonly string[]): Promise<void> {
      for (const text of texts) gates.get(text)?.open()
      await turns()
    },
    async fail(text: string): Promise<void> {
      gates.get(text)?.fail(new Error(`${text} failed`))
      await turns()
    },
  }
}

describe('eachRecord', () => {
  it('handles one record after another, in order, and checkpoints after each batch', async () => {
    const lines: string[] = []
    const processor = eachRecord(async (record) => {
      lines.push(`> ${textOf(record)}`)
      await turns(1)
      lines.push(`< ${textOf(record)}`)
    })(shardId)
    const { stored } = await consumeAll(aShard(['a1', 'b2', 'c3'], { perRead: 2 }), processor)
    expect(lines).toEqual(['> a1', '< a1', '> b2', '< b2', '> c3', '< c3'])
    expect(stored).toEqual(['b2', 'c3', 'SHARD_END'])
  })

  it('handles as many at once as it may, those of one key one after another, and the earliest that may start first', async () => {
    const { handler, started, finish } = aHeldHandler()
    const consumer = await aShard(['a1', 'a2', 'b3', 'a4', 'c5', 'b6', 'd7']).consume(eachRecord(handler, { concurrency: 3 })(shardId))
    await turns()
    expect(started).toEqual(['a1', 'b3', 'c5'])
    await finish('c5')
    expect(started).toEqual(['a1', 'b3', 'c5', 'd7'])
    await finish('a1')
    expect(started.at(-1)).toBe('a2')
    await finish('a2', 'b3')
    expect(started.slice(5).sort()).toEqual(['a4', 'b6'])
    expect(consumer.stored).toEqual([])
    await finish('d7', 'a4', 'b6')
    expect(await consumer.outcome).toBe('finished')
    expect(consumer.stored).toEqual(['d7', 'SHARD_END'])
  })

  it('does not read on while a record of the batch is being handled', async () => {
    const { handler, finish } = aHeldHandler()
    const shard = aShard(['a1', 'b2', 'c3'], { perRead: 2 })
    const consumer = await shard.consume(eachRecord(handler, { concurrency: 8 })(shardId))
    await turns()
    await finish('b2')
    expect(consumer.effects.filter((type) => type === 'readRecords')).toHaveLength(1)
    await finish('a1')
    expect(consumer.effects.filter((type) => type === 'readRecords')).toHaveLength(2)
    consumer.crash()
  })

  it('starts nothing after a failure, waits for what runs, and stores the low watermark before the batch fails', async () => {
    const { handler, started, finish, fail } = aHeldHandler()
    const consumer = await aShard(['a1', 'b2', 'c3', 'd4', 'b5']).consume(eachRecord(handler, { concurrency: 3 })(shardId))
    await turns()
    await finish('a1')
    expect(started).toEqual(['a1', 'b2', 'c3', 'd4'])
    await fail('b2')
    expect(consumer.failures).toEqual([])
    await finish('c3')
    expect([started.length, consumer.failures.length]).toEqual([4, 0])
    await finish('d4')
    expect(consumer.stored).toEqual(['a1'])
    expect(consumer.failures).toEqual(['recordsFailed Error: b2 failed'])
    // What succeeded above the low watermark is not handled again by the same processor.
    expect(started.slice(4)).toEqual(['b2'])
    await finish('b2')
    await finish('b5')
    expect(started.slice(4)).toEqual(['b2', 'b5'])
    expect(consumer.stored).toEqual(['a1', 'b5', 'SHARD_END'])
  })

  it('hands everything above the stored low watermark to the next processor, also what succeeded there before', async () => {
    const shard = aShard(['a1', 'b2', 'c3'])
    const first = await shard.consume(
      eachRecord(
        (record) => {
          if (textOf(record) === 'b2') throw new Error('always')
        },
        { concurrency: 3 },
      )(shardId),
      { maxAttempts: 3 },
    )
    await expect(first.outcome).rejects.toThrow('too many failures')
    expect(first.stored).toEqual(['a1'])
    const again: string[] = []
    const second = await consumeAll(shard, eachRecord((record) => void again.push(textOf(record)))(shardId))
    expect(again).toEqual(['b2', 'c3'])
    expect(second.stored).toEqual(['c3', 'SHARD_END'])
  })

  it('fails with all errors when several records fail', async () => {
    const handled: string[] = []
    let attempts = 0
    const processor = eachRecord(
      async (record, { attempt }) => {
        attempts = attempt
        await turns(1)
        if (attempt === 0) throw new RangeError(textOf(record))
        handled.push(textOf(record))
      },
      { concurrency: 2 },
    )(shardId)
    const { failures } = await consumeAll(aShard(['a1', 'b2']), processor)
    expect(failures).toEqual(['recordsFailed AggregateError: 2 failures: RangeError: a1; RangeError: b2'])
    expect([attempts, handled]).toEqual([1, ['a1', 'b2']])
  })

  it('stops starting records when the lease is lost', async () => {
    const { handler, started, finish } = aHeldHandler()
    const consumer = await aShard(['a1', 'b2', 'c3']).consume(eachRecord(handler)(shardId))
    await turns()
    consumer.send({ type: 'shutdown', reason: 'LEASE_LOST' })
    await finish('a1')
    expect(await consumer.outcome).toBe('leaseLost')
    expect([started, consumer.stored]).toEqual([['a1'], []])
    expect(consumer.failures).toEqual([`recordsFailed ShutdownException: ${shardId}: the lease is lost, so no further record is handled`])
  })

  it('handles a batch of ten thousand records of one key in order', async () => {
    const texts = Array.from({ length: 10_000 }, (_, n) => `k${n}`)
    const handled: string[] = []
    const processor = eachRecord((record) => void handled.push(textOf(record)), { concurrency: 16 })(shardId)
    await consumeAll(aShard(texts, { perRead: 10_000 }), processor)
    expect(handled).toEqual(texts)
  })
})

describe('a checkpoint every n records', () => {
  it('is stored inside the batch, at the low watermark', async () => {
    const { handler, finish } = aHeldHandler()
    const policy = { checkpoint: { everyRecords: 2 }, concurrency: 9 }
    const consumer = await aShard(['a1', 'b2', 'c3', 'd4', 'e5']).consume(eachRecord(handler, policy)(shardId))
    await turns()
    await finish('b2', 'c3', 'd4')
    expect(consumer.stored).toEqual([])
    await finish('a1')
    expect(consumer.stored).toEqual(['d4'])
    await finish('e5')
    expect(consumer.stored).toEqual(['d4', 'SHARD_END'])
  })

  it('lets handlers go on while it is written, and covers what they did with the next', async () => {
    const handled: string[] = []
    const processor = eachRecord((record) => void handled.push(textOf(record)), { checkpoint: { everyRecords: 1 } })(shardId)
    const { stored } = await consumeAll(aShard(['a1', 'a2', 'a3']), processor)
    expect(handled).toEqual(['a1', 'a2', 'a3'])
    expect(stored[0]).toBe('a1')
    expect(stored.slice(-2)).toEqual(['a3', 'SHARD_END'])
  })

  it('counts over batches, and only what is not stored yet', async () => {
    const texts = Array.from({ length: 9 }, (_, n) => `a${n + 1}`)
    const processor = eachRecord(() => undefined, { checkpoint: { everyRecords: 4 } })(shardId)
    const { stored } = await consumeAll(aShard(texts, { perRead: 3 }), processor)
    expect(stored).toEqual(['a4', 'a8', 'SHARD_END'])
  })

  it('that cannot be written fails the batch, which is not handled again', async () => {
    const handled: string[] = []
    const faults = Array.from({ length: 5 }, () => 'throttled' as const)
    const processor = eachRecord((record) => void handled.push(textOf(record)), { checkpoint: { everyRecords: 2 } })(shardId)
    const { stored, failures } = await consumeAll(aShard(['a1', 'a2', 'a3']), processor, { writeFault: () => faults.pop() ?? null })
    expect(failures).toEqual([expect.stringContaining('recordsFailed ThrottlingException')])
    expect(handled).toEqual(['a1', 'a2', 'a3'])
    expect(stored.at(-1)).toBe('SHARD_END')
  })
})

describe('a checkpoint that the handler of a record asks for', () => {
  const manual = { checkpoint: 'manual' } as const

  it('is stored when every record up to it is handled, and not before', async () => {
    const { handler, finish } = aHeldHandler()
    const asking = (record: KinesisRecord, { checkpoint }: RecordContext): Promise<void> => {
      if (textOf(record) === 'c3') checkpoint(record)
      return handler(record)
    }
    const consumer = await aShard(['a1', 'b2', 'c3', 'd4']).consume(eachRecord(asking, { ...manual, concurrency: 4 })(shardId))
    await turns()
    await finish('a1', 'c3', 'd4')
    expect(consumer.stored).toEqual([])
    await finish('b2')
    expect(consumer.stored).toEqual(['c3', 'SHARD_END'])
  })

  it('is dropped when its handler fails, and kept when another one does', async () => {
    const shard = aShard(['a1', 'b2', 'c3', 'd4'])
    const asking = (record: KinesisRecord, { checkpoint, attempt }: RecordContext): void => {
      const text = textOf(record)
      if (text === 'b2' && attempt === 0) throw new Error('b2')
      if (text === 'c3' || (text === 'd4' && attempt === 0)) checkpoint(record)
      if (text === 'd4' && attempt === 0) throw new Error('d4')
    }
    const { stored } = await consumeAll(shard, eachRecord(asking, { ...manual, concurrency: 4 })(shardId))
    expect(stored).toEqual(['c3', 'SHARD_END'])
  })

  it('is asked for again when it could not be stored', async () => {
    const faults = Array.from({ length: 5 }, () => 'throttled' as const)
    const handled: string[] = []
    const asking = (record: KinesisRecord, { checkpoint }: RecordContext): void => {
      handled.push(textOf(record))
      checkpoint(record)
    }
    const { stored, failures } = await consumeAll(aShard(['a1']), eachRecord(asking, manual)(shardId), {
      writeFault: () => faults.pop() ?? null,
    })
    expect(handled).toEqual(['a1'])
    expect(failures).toHaveLength(1)
    expect(stored).toEqual(['a1', 'SHARD_END'])
  })

  it('is refused above the record, when it is none, and after the handler has ended', async () => {
    const errors: string[] = []
    let late: (() => void) | undefined
    const attempt = (call: () => void): void => {
      try {
        call()
      } catch (error) {
        errors.push((error as Error).name)
      }
    }
    const asking = (record: KinesisRecord, { checkpoint }: RecordContext): void => {
      attempt(() => checkpoint({ ...record, subSequenceNumber: 1 }))
      attempt(() => checkpoint(undefined as unknown as KinesisRecord))
      attempt(() => checkpoint({ sequenceNumber: 'SHARD_END', subSequenceNumber: 0 }))
      late = () => checkpoint(record)
    }
    const { stored } = await consumeAll(aShard(['a1']), eachRecord(asking, manual)(shardId))
    attempt(() => late?.())
    expect(errors).toEqual([...Array(3).fill('IllegalArgumentException'), 'InvalidStateException'])
    expect(stored).toEqual(['SHARD_END'])
  })
})

describe('the end of the handling', () => {
  it('stores at a graceful stop what was handled and not checkpointed', async () => {
    const shard = aShard(['a1', 'b2'], { isOpen: true })
    const consumer = await shard.consume(eachRecord(() => undefined, { checkpoint: { everyRecords: 100 } })(shardId))
    await consumer.tip
    expect(consumer.stored).toEqual([])
    consumer.send({ type: 'shutdown', reason: 'REQUESTED' })
    await consumer.outcome
    expect(consumer.stored).toEqual(['b2'])
  })

  it('stores nothing at a graceful stop when checkpoints are manual', async () => {
    const shard = aShard(['a1', 'b2'], { isOpen: true })
    const consumer = await shard.consume(eachRecord(() => undefined, { checkpoint: 'manual' })(shardId))
    await consumer.tip
    consumer.send({ type: 'shutdown', reason: 'REQUESTED' })
    await consumer.outcome
    expect([consumer.stored, consumer.failures]).toEqual([[], []])
  })

  it('stores the end of the last batch that succeeded when the worker stops after a batch of which no part could be stored', async () => {
    const failing = aGate()
    const faults = Array.from({ length: 5 }, () => 'throttled' as const)
    let throttles = false
    const handler = async (record: KinesisRecord): Promise<void> => {
      if (textOf(record) !== 'd4') return
      failing.open()
      await turns()
      throttles = true
      throw new Error('d4 failed')
    }
    const shard = aShard(['a1', 'b2', 'c3', 'd4'], { isOpen: true, perRead: 2 })
    const consumer = await shard.consume(eachRecord(handler, { checkpoint: { everyRecords: 100 } })(shardId), {
      writeFault: () => (throttles ? (faults.pop() ?? null) : null),
    })
    await failing.opened
    consumer.send({ type: 'shutdown', reason: 'REQUESTED' })
    await consumer.outcome
    expect(consumer.failures).toEqual([expect.stringMatching(/AggregateError: 2 failures: Error: d4 failed; ThrottlingException: /)])
    expect(consumer.stored).toEqual(['b2'])
  })
})
