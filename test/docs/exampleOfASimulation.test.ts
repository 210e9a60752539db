import { minimize, simulate } from '@shardwise/testing'
import { describe, expect, it } from 'vitest'
import { Books, bookkeeper, simulateBooks } from '../../docs/examples/simulateYourProcessor.ts'

const resharding = { type: 'split', atMs: 60_000, pick: 0 } as const

describe('the example of a simulation, docs/examples/simulateYourProcessor.ts', () => {
  it('has every order in the books, though some came again', async () => {
    const { report, books } = await simulateBooks(1)

    expect(report.violations).toEqual([])
    expect(report.redeliveries).toBeGreaterThan(0)
    expect(books.orders.size).toBe(report.records)
  })

  it('shows a processor that never checkpoints the end of a shard, by a plan that is small and runs again', async () => {
    const processor = (_shardId: string, world: Parameters<typeof bookkeeper>[1]) => ({
      ...bookkeeper(new Books(), world),
      shardEnded() {},
    })
    const small = await minimize({
      seed: 1,
      workers: 2,
      shards: 2,
      durationMs: 300_000,
      recordsPerSecond: 1,
      operations: [resharding],
      processor,
    })
    const [violation] = small.violations

    expect(violation).toMatchObject({ rule: 'D2' })
    expect(small.plan.operations.length).toBeLessThanOrEqual(1)
    expect(small.plan.workers).toBe(1)
    expect(small.transcript.some((line) => line.includes('shardEndedNotified'))).toBe(true)
    expect((await simulate({ ...small.plan, processor })).violations).toEqual(small.violations)
  })

  it('cannot be made smaller where nothing fails', async () => {
    await expect(minimize({ seed: 1, durationMs: 10_000, faults: false })).rejects.toThrow('got 1, which violates none')
  })
})
