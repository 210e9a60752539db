import { start, step } from '@shardwise/machine/compiled'
import { type Engine, type Invariant, invariants, type Life, live, lives, type Trace } from '@shardwise/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { furtherMutants, type Mutant, mutants } from './mutants.ts'

const machine: Engine = { start, step }
const someLives: readonly Life[] = fc.sample(lives(), { seed: 20_181_118, numRuns: 400 })

/** The first life that shows an invariant to be broken; a mutant may also break in other ways, and throw. */
function firstNoticed({ check }: Invariant, engine: Engine): { readonly life: Life; readonly trace: Trace } | undefined {
  for (const life of someLives) {
    try {
      const trace = live(life, engine)
      if (check(trace, engine).length > 0) return { life, trace }
    } catch {
      // That it throws is not what is asked here.
    }
  }
  return undefined
}

/** Every invariant with each machine that breaks it. */
const faulty = invariants.flatMap((invariant) => {
  const broken = [mutants[invariant.number], ...furtherMutants.map(([number, one]) => (number === invariant.number ? one : undefined))]
  return broken.filter((one): one is Mutant => one !== undefined).map((one) => [invariant, one] as const)
})

describe('the invariants', () => {
  it('are numbered without a gap', () => {
    expect(invariants.map(({ number }) => number)).toEqual(invariants.map((_, index) => index + 1))
    expect(invariants.length).toBeGreaterThanOrEqual(70)
  })

  it('say whether they step on with the engine', () => {
    expect(invariants.filter(({ stepsOn }) => stepsOn).map(({ number }) => number)).toEqual([5, 6, 8, 14, 65, 66, 67, 68])
  })

  it('each have a mutant that they notice', () => {
    expect(Object.keys(mutants).map(Number)).toEqual(invariants.map(({ number }) => number))
  })

  it.each(faulty.map(([invariant, { fault, engine }]) => [invariant.number, fault, invariant, engine] as const))(
    'I%i is noticed to be broken when %s',
    (_, __, invariant, engine) => {
      const noticed = firstNoticed(invariant, engine)

      expect(noticed).toBeDefined()
      if (noticed === undefined) return
      expect(invariant.check(live(noticed.life, machine), machine)).toEqual([])
    },
  )
})
