import fc from 'fast-check'
import { it } from 'vitest'
import { stateText } from '../scenarios/transcriptText.ts'
import { type Life, live, lives } from './operations.ts'
import type { Trace } from './trace.ts'

/** What is wrong with a life; nothing when the property holds. */
export type Check = (trace: Trace) => readonly string[]

const seed = Number(process.env['SHARDWISE_SEED'] ?? 20_181_118)
const numRuns = Number(process.env['SHARDWISE_RUNS'] ?? 250)

/** The same lives for all properties of a file; a property that fails lives them again, to shrink its counterexample. */
const lived: readonly Trace[] = fc
  .sample(fc.property(lives, () => true) as unknown as fc.Arbitrary<readonly [Life]>, { seed, numRuns })
  .map(([life]) => live(life))

/** Every life that the properties of this file are checked on. */
export const allLives: readonly Trace[] = lived

/** Declares a property of every life of a shard consumer. SHARDWISE_SEED and SHARDWISE_RUNS choose other lives. */
export function property(name: string, check: Check): void {
  it(name, () => {
    if (lived.every((trace) => check(trace).length === 0)) return
    fc.assert(
      fc.property(lives, (life) => {
        const trace = live(life)
        const wrong = check(trace)
        if (wrong.length > 0)
          throw new Error(
            [
              ...wrong,
              ...trace.steps.map(
                ({ event, after, effects }) =>
                  `${JSON.stringify(event)}\n  ${stateText(after)}${effects.map((effect) => `\n    ! ${JSON.stringify(effect)}`).join('')}`,
              ),
            ].join('\n'),
          )
      }),
      { seed, numRuns },
    )
    throw new Error(`${name}: it failed on a life that the seed ${seed} does not make again`)
  })
}

/** What is wrong in the items of a life, said of each. */
export const none = <T>(items: readonly T[], isWrong: (item: T) => boolean, say: (item: T) => string): readonly string[] =>
  items.filter(isWrong).map(say)
