import { parseShardConsumerOptions, type ShardConsumerOptions } from '@shardwise/machine'
import fc from 'fast-check'
import { anObject, either, expectMembers, expectNoOther, flag, isNull, oneOf, type Rules, wholeFrom } from '../rules.ts'
import { drawnOf, type Member, plainRecord, rulesOf } from './member.ts'
import type { WorldPlan } from './shardWorld.ts'

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

const members: { readonly [Name in Exclude<keyof WorldPlan, 'options'>]: Member<WorldPlan[Name]> } = {
  stored: [
    either(oneOf('TRIM_HORIZON', 'LATEST', 'AT_TIMESTAMP', 'SHARD_END'), wholeFrom(0)),
    fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom('TRIM_HORIZON' as const, 'LATEST' as const, 'AT_TIMESTAMP' as const) },
      { weight: 4, arbitrary: fc.nat({ max: 3 }) },
      { weight: 1, arbitrary: fc.constant('SHARD_END' as const) },
    ),
  ],
  pending: [either(wholeFrom(0), isNull), fc.option(fc.nat({ max: 3 }), { freq: 3 })],
  length: [wholeFrom(0), fc.integer({ min: 2, max: 12 })],
  children: [wholeFrom(0), fc.nat({ max: 2 })],
  namesChildren: [flag, fc.boolean()],
}

/** Worlds whose consumers get these options; the others vary. */
export const worldWith = (options: Partial<ShardConsumerOptions>): fc.Arbitrary<WorldPlan> =>
  plainRecord({
    ...drawnOf(members),
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
  }) as fc.Arbitrary<WorldPlan>

const rules: Rules = { ...rulesOf(members), options: anObject }

/** Refuses what is no world. @throws Error that names its member that is missing, wrong or unknown. */
export function expectWorld(path: string, given: unknown): asserts given is WorldPlan {
  expectMembers(path, given, rules)
  const world = given as WorldPlan
  expectNoOther(path, world, Object.keys(rules))
  try {
    parseShardConsumerOptions(world.options)
  } catch (cause) {
    throw new Error(`${path}.options.${(cause as Error).message}`, { cause })
  }
}
