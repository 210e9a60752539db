import { compareSequenceNumbers } from '@shardwise/effects'
import { type ShardEffect, start, step } from '@shardwise/machine'
import type { ProcessRecordsInput, RecordProcessor } from '@shardwise/processor'
import { live, lives } from '@shardwise/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { liveThrough } from '../../docs/examples/liveThrough.ts'
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

const sampled = fc.sample(lives(), { seed: 1, numRuns: 200 })

/** Whether nothing is left of a batch: its parts were delivered one by one. */
const isOfNothing = (effect: ShardEffect): boolean =>
  effect.type === 'processRecords' &&
  effect.after !== null &&
  effect.batch.last !== null &&
  compareSequenceNumbers(effect.after, effect.batch.last) >= 0

/** What a life asks of its processor, in order, but for what the processor is gone for. */
function askedIn(life: (typeof sampled)[number]): readonly string[] {
  const { steps } = live(life, { start, step })
  const answers = new Map(steps.toReversed().flatMap(({ event }) => (event !== null && 'id' in event ? [[event.id, event.type]] : [])))
  const asked = steps
    .flatMap(({ effects }) => effects)
    .filter((effect) => 'id' in effect && /^(initialize|processR|notify)/.test(effect.type) && !isOfNothing(effect))
  return asked
    .filter((effect) => 'id' in effect && !['processorGone', 'batchGone'].includes(String(answers.get(effect.id))))
    .map(({ type }) => type)
}

describe('liveThrough.ts', () => {
  it('calls the processor for everything that the life asks of it, in its order, and fails some of its checkpoints', async () => {
    const kinds = new Set<string>()
    let failedCheckpoints = 0
    for (const life of sampled) {
      const called: string[] = []
      const note = (type: string): void => void called.push(type)
      const checkpoint = ({ checkpointer }: Pick<ProcessRecordsInput, 'checkpointer'>) =>
        checkpointer.checkpoint().catch(() => void (failedCheckpoints += 1))
      const processor: RecordProcessor = {
        initialize: () => note('initialize'),
        processRecords: (input) => (note('processRecords'), checkpoint(input)),
        shutdownRequested: (input) => (note('notifyShutdownRequested'), checkpoint(input)),
        leaseLost: () => note('notifyLeaseLost'),
        shardEnded: (input) => (note('notifyShardEnded'), checkpoint(input)),
      }
      await liveThrough(life, processor)
      expect(called).toEqual(askedIn(life))
      for (const type of called) kinds.add(type)
    }
    expect([...kinds].sort()).toEqual(['initialize', 'notifyLeaseLost', 'notifyShardEnded', 'notifyShutdownRequested', 'processRecords'])
    expect(failedCheckpoints).toBeGreaterThan(0)
  })

  it('does not swallow what a processor throws where the life knows of no failure', async () => {
    const throwing: RecordProcessor = {
      initialize() {},
      processRecords() {},
      leaseLost() {},
      shardEnded() {
        throw new Error('unwell')
      },
    }
    const ends = sampled.find((life) => askedIn(life).includes('notifyShardEnded') && wellIn(life, 'shardEndedNotified'))
    if (ends === undefined) throw new Error('expected a life that ends its shard')
    await expect(liveThrough(ends, throwing)).rejects.toThrow('notifyShardEnded: expected no error, got shardEndedFailed')
  })
})

const wellIn = (life: (typeof sampled)[number], type: string): boolean =>
  live(life, { start, step }).steps.some(({ event }) => event?.type === type)
