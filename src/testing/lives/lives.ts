import { parseShardConsumerOptions, type ShardConsumerOptions, type ShardConsumerSnapshot } from '@shardwise/machine'
import fc from 'fast-check'
import { aList, anObject, expectMembers, expectNoOther, expectRule, type Rule, type Rules, wholeFrom } from '../rules.ts'
import { type Engine, expectEngine, type Trace, type TraceStep } from '../trace.ts'
import { plainRecord } from './member.ts'
import { expectOperation, operation } from './operationMembers.ts'
import { eventOf, type Operation, singlesOf } from './operations.ts'
import { ShardWorld, type WorldPlan } from './shardWorld.ts'
import { expectWorld, worldWith } from './worldMembers.ts'

/** What happens to a shard consumer, from its start on: plain JSON. `live` makes it a trace. */
export interface Life {
  readonly world: WorldPlan
  /** How many successes come before the operations. */
  readonly begun: number
  readonly operations: readonly Operation[]
}

/** Which lives are made. */
export interface LivesOptions {
  /** The most operations of a life; 90 unless said otherwise. */
  readonly maxOperations?: number
  /** Options that every consumer gets; the others vary. */
  readonly options?: Partial<ShardConsumerOptions>
}

const someOptions: Rule = ['an object of options', anObject[1]]
const livesOptionNames: readonly string[] = ['maxOperations', 'options'] satisfies readonly (keyof LivesOptions)[]

/**
 * Lives of a shard consumer, for any engine. Most of them are long, for short ones come to no end, and begin with a shard that is being read; a counterexample
 * is short. @throws Error naming the option that is unknown or does not fit.
 */
export function lives(given: LivesOptions = {}): fc.Arbitrary<Life> {
  expectRule('lives', someOptions, given)
  for (const name of Object.keys(given))
    if (!livesOptionNames.includes(name)) throw new Error(`${name}: not an option; expected one of ${livesOptionNames.join(', ')}`)
  const { maxOperations = 90, options = {} } = given
  expectRule('maxOperations', wholeFrom(1), maxOperations)
  expectRule('options', someOptions, options)
  parseShardConsumerOptions(options)
  // Three lists in a row are seldom short, and yet shrink to nothing.
  const parts = [0, 1, 2].map((part) => fc.array(operation, { maxLength: Math.floor((maxOperations + part) / 3), size: 'max' }))
  return plainRecord<Life>({
    world: worldWith(options),
    begun: fc.constantFrom(0, 3, 4, 5, 5, 5),
    operations: fc.tuple(...parts).map((lists) => lists.flat()),
  })
}

const lifeRules: Rules = { world: anObject, begun: wholeFrom(0), operations: aList }

/** A life may come from a file, and one that is no life would be lived, and hold. */
function expectLife(given: Life): void {
  expectMembers('life', given, lifeRules, '')
  expectNoOther('life', given, Object.keys(lifeRules), '')
  expectWorld('world', given.world)
  for (const [index, each] of given.operations.entries()) expectOperation(`operations[${index}]`, each)
}

/**
 * Lives a life: every operation becomes the event that it means in the state it meets, or nothing where it means none.
 * @throws Error that names a member of the life that is missing, wrong or unknown, or that the engine has not got, before anything is lived, and what the engine throws.
 */
export function live(life: Life, engine: Engine): Trace {
  expectLife(life)
  expectEngine(engine)
  const { world: plan, begun, operations } = life
  const input = { shardId: 'shardId-000000000000', token: 7, options: plan.options }
  const [first, effects] = engine.start(input)
  const world = new ShardWorld(plan)
  const steps: TraceStep[] = [{ event: null, before: null, after: first, effects }]
  let before = first
  const beginning = Array.from({ length: begun }, (): Operation => ({ does: 'succeed', count: 2 }))
  for (const operation of [...beginning, ...operations]) {
    for (const single of singlesOf(operation, before)) {
      const event = eventOf(single, before, steps, world)
      if (single.does === 'crash') before = JSON.parse(JSON.stringify(before)) as ShardConsumerSnapshot
      if (event === null) continue
      const [after, asked] = engine.step(before, event)
      steps.push({ event, before, after, effects: asked })
      before = after
    }
  }
  return { input, steps }
}
