import fc from 'fast-check'
import type { Rule, Rules } from '../rules.ts'

/** A member of what a life is made of: what it may be in a life that comes from outside, and what is drawn, which may be less. */
export type Member<T> = readonly [rule: Rule, drawn: fc.Arbitrary<T>]

type Members = Readonly<Record<string, Member<unknown>>>

/** The rules of members, by name. */
export const rulesOf = (members: Members): Rules => Object.fromEntries(Object.entries(members).map(([name, [rule]]) => [name, rule]))

/** What is drawn for members, by name. */
export const drawnOf = (members: Members): Readonly<Record<string, fc.Arbitrary<unknown>>> =>
  Object.fromEntries(Object.entries(members).map(([name, [, drawn]]) => [name, drawn]))

/**
 * A record that fast-check prints as JSON: half of its own have no prototype, and are printed with a `__proto__`. It can be told to make none of these, but
 * then draws less, and every seed would make other lives.
 */
export const plainRecord = <T extends object>(members: { readonly [Name in keyof T]: fc.Arbitrary<T[Name]> }): fc.Arbitrary<T> =>
  fc.record<T>(members).map((drawn) => ({ ...drawn }))
