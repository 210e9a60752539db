/** An error message is for a line of a log, and what it shows may come from anyone. */
const mostShown = 200

/** A value as error messages show it: texts and objects as JSON, at most 200 characters, without those that steer a terminal. */
export function shown(value: unknown): string {
  // What is cut off a text here is cut off anyway, and need not be written first.
  const start = typeof value === 'string' ? value.slice(0, mostShown) : value
  const text = String(typeof start === 'object' || typeof start === 'string' ? JSON.stringify(start) : start)
  const printed = text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return printed.length > mostShown ? `${printed.slice(0, mostShown)}…` : printed
}

/** An error that names a field, what was expected of it, and its value. */
export function unexpected(field: string, expected: string, got: unknown): Error {
  return new Error(`${field}: expected ${expected}, got ${shown(got)}`)
}
