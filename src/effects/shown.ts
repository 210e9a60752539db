/** A value as error messages show it: texts and objects as JSON. */
export function shown(value: unknown): string {
  return typeof value === 'object' || typeof value === 'string' ? JSON.stringify(value) : String(value)
}
