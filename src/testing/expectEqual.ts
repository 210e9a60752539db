/** Compares plain JSON values by content: a member that is undefined is one that is missing, as it is in JSON. @throws Error with both values when they differ. */
export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  if (!sameContent(actual, expected)) throw new Error(`${what}: expected ${textOf(expected)}, got ${textOf(actual)}`)
}

function sameContent(a: unknown, b: unknown): boolean {
  if (a === b || Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || Array.isArray(a) !== Array.isArray(b)) return false
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((value, index) => sameContent(value, b[index]))
  const left = membersOf(a)
  const right = new Map(membersOf(b))
  return left.length === right.size && left.every(([key, value]) => right.has(key) && sameContent(value, right.get(key)))
}

const membersOf = (given: object): readonly (readonly [string, unknown])[] =>
  Object.entries(given).filter(([, value]) => value !== undefined)

/** JSON, but for what differs from JSON and would be left out, or look like null. */
const textOf = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) => (isNoJson(each) ? String(each) : each)) ?? String(value)

const isNoJson = (value: unknown): boolean =>
  ['bigint', 'function', 'symbol'].includes(typeof value) || (typeof value === 'number' && !Number.isFinite(value))
