import fc from 'fast-check'
import { anyWhole, either, expectMembers, expectNoOther, oneOf, type Rules, wholeFrom } from '../rules.ts'
import { drawnOf, type Member, plainRecord, rulesOf } from './member.ts'
import type { Operation } from './operations.ts'

type Kind = Operation['does']
type MembersOf<K extends Kind, O = Operation> = O extends { readonly does: infer Kinds }
  ? K extends Kinds
    ? { readonly [Name in Exclude<keyof O, 'does'>]: Member<O[Name]> }
    : never
  : never

const pick: Member<number> = [wholeFrom(0), fc.nat({ max: 11 })]
const everything = fc.constant('everything' as const)

/** What an operation says besides what it does. */
const members: { readonly [K in Kind]: MembersOf<K> } = {
  succeed: { count: [wholeFrom(0), fc.nat({ max: 3 })] },
  fail: { pick },
  succeedWrite: {},
  failWrite: { pick },
  answerLate: { pick },
  answerTwice: {},
  fireTimer: {},
  requestShutdown: {},
  endShard: {},
  loseLease: {},
  pause: {},
  resume: {},
  checkpoint: {
    at: [
      either(anyWhole, oneOf('everything', 'LATEST', 'SHARD_END', 'nonsense')),
      fc.oneof(
        { weight: 6, arbitrary: everything },
        { weight: 6, arbitrary: fc.integer({ min: -4, max: 3 }) },
        { weight: 1, arbitrary: fc.constantFrom('LATEST' as const, 'SHARD_END' as const, 'nonsense' as const) },
      ),
    ],
  },
  burst: {
    at: [either(anyWhole, oneOf('everything')), fc.oneof(everything, fc.integer({ min: -3, max: 0 }))],
    count: [wholeFrom(0), fc.integer({ min: 2, max: 20 })],
  },
  interrupt: {
    by: [
      oneOf('requestShutdown', 'endShard', 'loseLease', 'failWrite', 'pause'),
      fc.oneof(
        { weight: 1, arbitrary: fc.constant('failWrite' as const) },
        { weight: 1, arbitrary: fc.constant('pause' as const) },
        { weight: 1, arbitrary: fc.constantFrom('requestShutdown' as const, 'endShard' as const, 'loseLease' as const) },
      ),
    ],
    // The first is the failure of the callback itself.
    pick: [wholeFrom(0), fc.constantFrom(0, 0, 0, 1, 1, 2, 3)],
  },
  poison: { times: [wholeFrom(0), fc.integer({ min: 1, max: 4 })] },
  crash: {},
}

/** How often each is drawn; those of one row have the same members. */
const weights: readonly (readonly [weight: number, first: Kind, ...others: readonly Kind[]])[] = [
  [36, 'succeed'],
  [8, 'fail'],
  [6, 'succeedWrite'],
  [9, 'failWrite'],
  [5, 'answerLate'],
  [2, 'answerTwice'],
  [2, 'fireTimer'],
  [2, 'crash'],
  [1, 'requestShutdown'],
  // A shard that is paused soon stands still.
  [3, 'pause', 'resume', 'resume'],
  [1, 'loseLease', 'endShard'],
  [9, 'interrupt'],
  [4, 'poison'],
  [2, 'burst'],
  [20, 'checkpoint'],
]

/** Any operation, as often as makes lives that go on. */
export const operation: fc.Arbitrary<Operation> = fc.oneof(
  ...weights.map(([weight, first, ...others]) => ({
    weight,
    arbitrary: plainRecord({ does: fc.constantFrom(first, ...others), ...drawnOf(members[first]) }) as fc.Arbitrary<Operation>,
  })),
)

const kinds = Object.keys(members)
const rules: Readonly<Record<string, Rules>> = Object.fromEntries(Object.entries(members).map(([kind, own]) => [kind, rulesOf(own)]))
const names = new Map(Object.entries(rules).map(([kind, own]) => [kind, ['does', ...Object.keys(own)]]))
const does: Rules = { does: oneOf(...kinds) }

/** Refuses what is no operation. @throws Error that names its member that is missing, wrong or unknown. */
export function expectOperation(path: string, given: unknown): asserts given is Operation {
  expectMembers(path, given, does)
  const operation = given as Operation
  expectMembers(path, operation, rules[operation.does] ?? {})
  expectNoOther(path, operation, names.get(operation.does) ?? [])
}
