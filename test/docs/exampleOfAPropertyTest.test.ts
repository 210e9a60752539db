import type { ProcessRecordsInput } from '@shardwise/processor'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { countsEveryOrderOnce, OrderCounter } from '../../docs/examples/propertyTestYourProcessor.ts'

/** Counts what it gets, and forgets that a batch may come again. */
class ForgetfulCounter extends OrderCounter {
  override processRecords(input: ProcessRecordsInput): Promise<void> {
    this.last = null
    return super.processRecords(input)
  }
}

describe('propertyTestYourProcessor.ts', () => {
  it('holds for a processor that knows how far it has come', async () => {
    await fc.assert(
      countsEveryOrderOnce(() => new OrderCounter()),
      { seed: 1, numRuns: 100 },
    )
  })

  it('finds a short life in which one that forgets counts twice', async () => {
    const { failed, counterexample } = await fc.check(
      countsEveryOrderOnce(() => new ForgetfulCounter()),
      { seed: 1, numRuns: 100 },
    )
    expect(failed).toBe(true)
    expect(counterexample?.[0].operations.length).toBeLessThanOrEqual(10)
  })
})
