import { type BatchContext, eachBatch } from '@shardwise/processor'
import { describe, expect, it } from 'vitest'
import { aShard, consumeAll, shardId, textOf, turns } from './processorHandlersSetting.ts'

describe('eachBatch', () => {
  it('hands over batch after batch, checkpoints after each, and ends the shard by itself', async () => {
    const batches: string[] = []
    const processor = eachBatch((records) => void batches.push(records.map(textOf).join()))(shardId)
    const { outcome, stored } = await consumeAll(aShard(['a1', 'b2', 'a3'], { perRead: 2 }), processor)
    expect(batches).toEqual(['a1,b2', 'a3'])
    expect(stored).toEqual(['b2', 'a3', 'SHARD_END'])
    expect(outcome).toBe('finished')
  })

  it('tells shard, fencing token, milliseconds behind, attempt and a signal, and its functions may be taken apart', async () => {
    const contexts: unknown[] = []
    let fails = true
    const processor = eachBatch((_, { shardId: id, token, millisBehindLatest, attempt, signal, checkpoint }) => {
      contexts.push([id, token, millisBehindLatest, attempt, signal.aborted, typeof checkpoint])
      if (fails) {
        fails = false
        throw new Error('once')
      }
    })(shardId)
    await consumeAll(aShard(['a1']), processor)
    const [first, second] = contexts
    expect(first).toEqual([shardId, 1, 0, 0, false, 'function'])
    expect(second).toEqual([shardId, 1, 0, 1, false, 'function'])
  })

  it('gets the whole batch again when it failed, and stores nothing of it before', async () => {
    const [batches, storedAtFailure]: [string[], number[]] = [[], []]
    let stored: readonly string[] = []
    const processor = eachBatch((records) => {
      batches.push(records.map(textOf).join())
      storedAtFailure.push(stored.length)
      if (batches.length === 2) throw new Error('once')
    })(shardId)
    const consumer = await aShard(['a1', 'b2', 'a3', 'b4'], { perRead: 2 }).consume(processor)
    ;({ stored } = consumer)
    await consumer.outcome
    expect(batches).toEqual(['a1,b2', 'a3,b4', 'a3,b4'])
    expect(storedAtFailure).toEqual([0, 1, 1])
    expect(consumer.stored).toEqual(['b2', 'b4', 'SHARD_END'])
    expect(consumer.failures).toEqual(['recordsFailed Error: once'])
  })

  it('gets only what is above its own checkpoint when it failed after that', async () => {
    const batches: string[] = []
    const processor = eachBatch(async (records, { checkpoint }) => {
      batches.push(records.map(textOf).join())
      const [first] = records
      if (first !== undefined && records.length > 1) {
        await checkpoint(first)
        throw new Error('the second one')
      }
    })(shardId)
    const { stored } = await consumeAll(aShard(['a1', 'b2']), processor)
    expect(batches).toEqual(['a1,b2', 'b2'])
    expect(stored).toEqual(['a1', 'b2', 'SHARD_END'])
  })

  it('is not called again for a batch whose checkpoint alone failed', async () => {
    const batches: string[] = []
    const processor = eachBatch((records) => void batches.push(records.map(textOf).join()))(shardId)
    const faults = Array.from({ length: 7 }, () => 'throttled' as const)
    const { stored, failures } = await consumeAll(aShard(['a1', 'b2']), processor, { writeFault: () => faults.pop() ?? null })
    expect(batches).toEqual(['a1,b2'])
    expect(failures).toEqual([expect.stringContaining('recordsFailed ThrottlingException')])
    expect(stored).toEqual(['b2', 'SHARD_END'])
  })

  it('rejects a checkpoint of a record that it was not given, and of none', async () => {
    const names: unknown[] = []
    const kept: string[] = []
    const processor = eachBatch(async (records, { checkpoint }) => {
      const [first] = records
      for (const position of [{ sequenceNumber: '9'.repeat(60), subSequenceNumber: 0 }, undefined, { ...first, subSequenceNumber: -1 }]) {
        names.push(await checkpoint(position as Parameters<BatchContext['checkpoint']>[0]).catch(({ name }: Error) => name))
      }
      kept.push(...records.map(textOf))
    })(shardId)
    const { stored } = await consumeAll(aShard(['a1']), processor)
    expect(names).toEqual(Array(3).fill('IllegalArgumentException'))
    expect(stored).toEqual(['a1', 'SHARD_END'])
  })

  it('is told by its signal when the lease is lost, and nothing is stored afterwards', async () => {
    let aborted = false
    const shard = aShard(['a1', 'b2'], { perRead: 1 })
    const processor = eachBatch(async (_, { signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      aborted = true
    })(shardId)
    const consumer = await shard.consume(processor)
    await turns()
    consumer.send({ type: 'shutdown', reason: 'LEASE_LOST' })
    expect(await consumer.outcome).toBe('leaseLost')
    expect([aborted, consumer.stored]).toEqual([true, []])
  })

  it('is called for reads that found nothing only where the consumer is told to', async () => {
    const counts: number[] = []
    const processor = eachBatch((records) => void counts.push(records.length))(shardId)
    const shard = aShard([], { isOpen: true })
    const consumer = await shard.consume(processor, { options: { shouldCallProcessRecordsEvenForEmptyRecordList: true } })
    await consumer.tip
    consumer.crash()
    expect(counts).toEqual([0])
  })
})
