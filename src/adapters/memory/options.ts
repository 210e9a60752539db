/** @throws Error that names the first option outside `known`. */
export function expectKnownOptions(maker: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown !== undefined) throw new Error(`${unknown}: not an option of ${maker}, expected one of ${known.join(', ')}`)
}

/** @throws Error that names the option when it is not a function. */
export function expectFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw new Error(`${name}: expected a function, got ${inWords(value)}`)
}

/** @throws Error that names the option when it is not a whole number from `min` to `max`. */
export function expectWholeNumber(name: string, value: unknown, min: number, max: number): void {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
    throw new Error(`${name}: expected a whole number from ${min} to ${max}, got ${inWords(value)}`)
  }
}

/** @throws Error that names the option when it is not an object with that member. */
export function expectPart(name: string, value: unknown, member: string, what: string): void {
  if (typeof value !== 'object' || value === null || !(member in value)) throw new Error(`${name}: expected ${what}, got ${inWords(value)}`)
}

function inWords(value: unknown): string {
  if (value === undefined || typeof value === 'number' || typeof value === 'bigint') return String(value)
  return typeof value === 'object' || typeof value === 'string' || typeof value === 'boolean' ? JSON.stringify(value) : `a ${typeof value}`
}
