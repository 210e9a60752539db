import { shown, unexpected } from '@shardwise/effects'

/** What a value must be: in words, and whether it is so. */
export type Rule = readonly [expected: string, holds: (value: unknown) => boolean]

/** What the members of an object must be, by name. */
export type Rules = Readonly<Record<string, Rule>>

/** A whole number that is no less. */
export const wholeFrom = (least: number): Rule => [
  `a whole number from ${least}`,
  (value) => Number.isSafeInteger(value) && Number(value) >= least,
]
/** A whole number, below zero or not. */
export const anyWhole: Rule = ['a whole number', Number.isSafeInteger]
/** A boolean. */
export const flag: Rule = ['true or false', (value) => typeof value === 'boolean']
/** null, and not undefined. */
export const isNull: Rule = ['null', (value) => value === null]
/** A function; what comes of it is seen when it is called. */
export const aFunction: Rule = ['a function', (value) => typeof value === 'function']
/** A text, empty or not. */
export const aText: Rule = ['a text', (value) => typeof value === 'string']
/** An array, whatever is in it. */
export const aList: Rule = ['a list', Array.isArray]
/** An object that is no list. */
export const anObject: Rule = ['an object', (value) => typeof value === 'object' && value !== null && !Array.isArray(value)]
/** One of these texts. */
export const oneOf = (...texts: readonly string[]): Rule => [
  texts.map((text) => JSON.stringify(text)).join(', '),
  (value) => texts.includes(value as string),
]
/** What one of these rules allows. */
export const either = (...rules: readonly Rule[]): Rule => [
  rules.map(([expected]) => expected).join(' or '),
  (value) => rules.some(([, holds]) => holds(value)),
]

/** @throws Error that names what does not keep its rule. */
export function expectRule(what: string, [expected, holds]: Rule, value: unknown): void {
  if (!holds(value)) throw unexpected(what, expected, value)
}

/**
 * Holds the members of an object to their rules. `path` stands before their names.
 * @throws Error that names the first member that is missing or wrong, or `what` where it is no object.
 */
export function expectMembers(what: string, given: unknown, rules: Rules, path = `${what}.`): void {
  if (!anObject[1](given)) {
    // The text of a list of paths or lives may be longer than a text can be.
    const got = Array.isArray(given) ? `a list of ${given.length}` : shown(given)
    throw new Error(`${what}: expected an object { ${Object.keys(rules).join(', ')} }, got ${got}`)
  }
  for (const [name, rule] of Object.entries(rules)) expectRule(`${path}${name}`, rule, (given as Readonly<Record<string, unknown>>)[name])
}

/** Refuses members that nobody reads. @throws Error that names the first that is not among `names`. */
export function expectNoOther(what: string, given: object, names: readonly string[], path = `${what}.`): void {
  const unknown = Object.keys(given).find((name) => !names.includes(name))
  if (unknown !== undefined) throw new Error(`${path}${unknown}: not a member of ${what}; expected one of ${names.join(', ')}`)
}
