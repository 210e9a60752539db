import { isShardEnd } from '@shardwise/effects'
import { outstanding, tableState } from '@shardwise/machine'
import { invariants, type Life, live, lives, type Trace } from '@shardwise/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isRecord } from '../../src/testing/invariants/places.ts'
import { askedFor, factsOf, passedOver } from '../../src/testing/invariants/traceFacts.ts'
import { indexOf } from '../../src/testing/lives/shardWorld.ts'
import { engines } from '../prove/engines.ts'
import { counterexampleText, prove } from '../prove/prove.ts'
import { randomRuns } from '../randomRuns.ts'

const seed = Number(process.env['SHARDWISE_SEED'] ?? 20_181_118)
const numRuns = randomRuns(250)

/** The lives that a property with this seed meets, so that one that fails is met again where it is made shorter. */
const allLives = fc
  .sample(fc.property(lives(), () => true) as unknown as fc.Arbitrary<readonly [Life]>, { seed, numRuns })
  .map(([life]) => life)
const lived = Object.entries(engines).map(([name, engine]) => ({ name, engine, traces: allLives.map((life) => live(life, engine)) }))

/** The user records that were handed over although others before them were neither completed nor checkpointed. */
function leftOut(trace: Trace): readonly string[] {
  let through: number | null = null
  return factsOf(trace).steps.flatMap((step) => {
    const { event, answered } = step
    const isDone = ['recordsProcessed', 'deadLetterDelivered', 'checkpointWritten'].includes(event?.type ?? '')
    const done =
      answered?.type === 'processRecords' || answered?.type === 'deliverDeadLetter'
        ? answered.batch.last
        : answered?.type === 'writeCheckpoint'
          ? answered.checkpoint
          : null
    if (isDone && done !== null && !isShardEnd(done)) through = Math.max(through ?? -1, indexOf(done))
    const passed = passedOver(step)?.last ?? null
    if (passed !== null) through = Math.max(through ?? -1, indexOf(passed))
    if (event?.type === 'checkpointRead' && answered !== null && isRecord(event.checkpoint)) through = indexOf(event.checkpoint)
    return askedFor(step, 'processRecords').flatMap(({ batch, after }) => {
      if (batch.first === null) return []
      const delivered = Math.max(indexOf(batch.first), isRecord(after) ? indexOf(after) + 1 : 0)
      // Where a sentinel begins is the world's to say; from then on nothing may be missing.
      const first = through === null ? delivered : through + 1
      through ??= first - 1
      return delivered > first ? [`step ${step.index}: ${batch.batchId} begins at ${delivered}, ${first} is missing`] : []
    })
  })
}

describe.each(lived)('a shard consumer run by $name', ({ name, engine, traces }) => {
  it.each(invariants.map((invariant) => [`I${invariant.number}: ${invariant.name}`, invariant] as const))('%s', (_, invariant) => {
    if (traces.every((trace) => invariant.check(trace, engine).length === 0)) return
    const { counterexample } = prove({
      engines: { [name]: engine },
      invariants: [invariant],
      operations: numRuns * 100,
      seed,
      livesPerSeed: numRuns,
    })

    expect(counterexample === null ? null : counterexampleText(counterexample)).toBeNull()
    throw new Error(`I${invariant.number}: it does not hold in a life that the seed ${seed} does not make again`)
  })

  it('leaves no record out: each batch begins where what was completed or checkpointed ends', () => {
    expect(traces.flatMap(leftOut)).toEqual([])
  })
})

describe('the lives that the properties are checked in', () => {
  const [{ traces } = { traces: [] }, ...others] = lived
  const steps = traces.flatMap((trace) => trace.steps)

  it('come to every state and every end', () => {
    expect(new Set(steps.map(({ after }) => tableState(after.value))).size).toBe(7)
    expect(new Set(traces.flatMap(({ steps }) => steps.at(-1)?.after.context.outcome ?? []))).toEqual(
      new Set(['finished', 'leaseLost', 'stopped', 'failed', 'replay']),
    )
  })

  it('give stale answers in great number', () => {
    const stale = steps.filter(
      ({ event, before }) =>
        event !== null &&
        before !== null &&
        'id' in event &&
        !outstanding(before).some((effect) => 'id' in effect && effect.id === event.id),
    )

    expect(stale.length).toBeGreaterThan(numRuns * 1.2)
  })

  it('are the same on every engine', () => {
    expect(others).not.toEqual([])
    for (const other of others) expect(JSON.stringify(other.traces)).toBe(JSON.stringify(traces))
  })
})
