import { parseShardConsumerOptions, type ShardConsumerOptions, type ShardConsumerSnapshot } from '@shardwise/machine'
import fc from 'fast-check'
import type { Engine, Trace, TraceStep } from '../trace.ts'
import { eventOf, type Operation, singlesOf } from './operations.ts'
import { ShardWorld, type WorldPlan } from './shardWorld.ts'

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

const does = <const D extends string>(...kinds: readonly D[]) => fc.record({ does: fc.constantFrom(...kinds) })
const choosing = <const D extends string>(kind: D) => fc.record({ does: fc.constant(kind), pick: fc.nat({ max: 11 }) })

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 36, arbitrary: fc.record({ does: fc.constant('succeed' as const), count: fc.nat({ max: 3 }) }) },
  { weight: 8, arbitrary: choosing('fail') },
  { weight: 6, arbitrary: does('succeedWrite') },
  { weight: 9, arbitrary: choosing('failWrite') },
  { weight: 5, arbitrary: choosing('answerLate') },
  { weight: 2, arbitrary: does('answerTwice') },
  { weight: 2, arbitrary: does('fireTimer') },
  { weight: 2, arbitrary: does('crash') },
  { weight: 1, arbitrary: does('requestShutdown') },
  // A shard that is paused soon stands still.
  { weight: 3, arbitrary: does('pause', 'resume', 'resume') },
  { weight: 1, arbitrary: does('loseLease', 'endShard') },
  {
    weight: 9,
    arbitrary: fc.record({
      does: fc.constant('interrupt' as const),
      by: fc.oneof(
        { weight: 1, arbitrary: fc.constant('failWrite' as const) },
        { weight: 1, arbitrary: fc.constant('pause' as const) },
        { weight: 1, arbitrary: fc.constantFrom('requestShutdown' as const, 'endShard' as const, 'loseLease' as const) },
      ),
      // The first is the failure of the callback itself.
      pick: fc.constantFrom(0, 0, 0, 1, 1, 2, 3),
    }),
  },
  { weight: 4, arbitrary: fc.record({ does: fc.constant('poison' as const), times: fc.integer({ min: 1, max: 4 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('burst' as const),
      at: fc.oneof(fc.constant('everything' as const), fc.integer({ min: -3, max: 0 })),
      count: fc.integer({ min: 2, max: 20 }),
    }),
  },
  {
    weight: 20,
    arbitrary: fc.record({
      does: fc.constant('checkpoint' as const),
      at: fc.oneof(
        { weight: 6, arbitrary: fc.constant('everything' as const) },
        { weight: 6, arbitrary: fc.integer({ min: -4, max: 3 }) },
        { weight: 1, arbitrary: fc.constantFrom('LATEST' as const, 'SHARD_END' as const, 'nonsense' as const) },
      ),
    }),
  },
)

/** The error policy of a consumer: none in some lives, and what follows a limit only where there is one. */
const errorPolicy: fc.Arbitrary<Partial<ShardConsumerOptions>> = fc.oneof(
  { weight: 1, arbitrary: fc.constant({}) },
  {
    weight: 3,
    arbitrary: fc.record({
      maxDeliveryAttempts: fc.integer({ min: 1, max: 3 }),
      maxDeliveryAgeMillis: fc.constantFrom(null, 1, 1_000, 60_000),
      bisectBatchOnError: fc.boolean(),
      deadLetter: fc.boolean(),
      onDeliveryFailure: fc.constantFrom(null, 'skip' as const, 'stop' as const, 'fail' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ maxDeliveryAgeMillis: fc.constantFrom(1, 1_000), bisectBatchOnError: fc.boolean() }) },
)

const worldWith = (options: Partial<ShardConsumerOptions>): fc.Arbitrary<WorldPlan> =>
  fc.record({
    stored: fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom('TRIM_HORIZON' as const, 'LATEST' as const, 'AT_TIMESTAMP' as const) },
      { weight: 4, arbitrary: fc.nat({ max: 3 }) },
      { weight: 1, arbitrary: fc.constant('SHARD_END' as const) },
    ),
    pending: fc.option(fc.nat({ max: 3 }), { freq: 3 }),
    length: fc.integer({ min: 2, max: 12 }),
    children: fc.nat({ max: 2 }),
    namesChildren: fc.boolean(),
    options: fc
      .record({
        initialPosition: fc.constantFrom(
          { type: 'TRIM_HORIZON' } as const,
          { type: 'LATEST' } as const,
          { type: 'AT_TIMESTAMP', timestampMs: 1_001 } as const,
        ),
        maxCheckpointAttempts: fc.integer({ min: 1, max: 3 }),
        maxShutdownAttempts: fc.integer({ min: 1, max: 3 }),
        missedShardEndCheckpoint: fc.constantFrom('retry' as const, 'replay' as const),
        shouldCallProcessRecordsEvenForEmptyRecordList: fc.boolean(),
        idleTimeInMilliseconds: fc.constantFrom(0, 1_000),
      })
      .chain((varied) => errorPolicy.map((policy) => ({ ...varied, ...policy, ...options }))),
  })

const livesOptionNames: readonly string[] = ['maxOperations', 'options'] satisfies readonly (keyof LivesOptions)[]

/**
 * Lives of a shard consumer, for any engine. Most of them are long, for short ones come to no end, and begin with a shard that is being read; a counterexample
 * is short. @throws Error naming the option that is unknown or does not fit.
 */
export function lives(given: LivesOptions = {}): fc.Arbitrary<Life> {
  for (const name of Object.keys(given))
    if (!livesOptionNames.includes(name)) throw new Error(`${name}: not an option; expected one of ${livesOptionNames.join(', ')}`)
  const { maxOperations = 90, options = {} } = given
  if (!Number.isSafeInteger(maxOperations) || maxOperations < 1)
    throw new Error(`maxOperations: expected a whole number from 1, got ${String(maxOperations)}`)
  parseShardConsumerOptions(options)
  // Three lists in a row are seldom short, and yet shrink to nothing.
  const parts = [0, 1, 2].map((part) => fc.array(operation, { maxLength: Math.floor((maxOperations + part) / 3), size: 'max' }))
  return fc.record({
    world: worldWith(options),
    begun: fc.constantFrom(0, 3, 4, 5, 5, 5),
    operations: fc.tuple(...parts).map((lists) => lists.flat()),
  })
}

/** Lives a life: every operation becomes the event that it means in the state it meets, or nothing where it means none. Throws what the engine throws. */
export function live({ world: plan, begun, operations }: Life, { start, step }: Engine): Trace {
  const input = { shardId: 'shardId-000000000000', token: 7, options: plan.options }
  const [first, effects] = start(input)
  const world = new ShardWorld(plan)
  const steps: TraceStep[] = [{ event: null, before: null, after: first, effects }]
  let before = first
  const beginning = Array.from({ length: begun }, (): Operation => ({ does: 'succeed', count: 2 }))
  for (const operation of [...beginning, ...operations]) {
    for (const single of singlesOf(operation, before)) {
      const event = eventOf(single, before, steps, world)
      if (single.does === 'crash') before = JSON.parse(JSON.stringify(before)) as ShardConsumerSnapshot
      if (event === null) continue
      const [after, asked] = step(before, event)
      steps.push({ event, before, after, effects: asked })
      before = after
    }
  }
  return { input, steps }
}
