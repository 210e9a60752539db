/** @throws Error when `options` is no object, or has a name beside the known ones. */
export function refuseUnknownOptions(caller: string, options: object, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) throw new Error(`${caller}: expected an object of options, got ${String(options)}`)
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) throw new Error(`${caller}: unknown option ${name}, expected ${known.join(', ')}`)
  }
}
