import { parseArgs } from 'node:util'

/** The name of a runtime on the command line: `node20` for Node 20, `vm` for node:vm. */
const optionName = (name: string): string => name.toLowerCase().replace(/^node:| /g, '')

/** Reads the command line: the names of the runtimes to leave out. @throws Error that names what is unknown. */
export function readLeftOut(args: readonly string[], names: readonly string[]): ReadonlySet<string> {
  const { values } = parseArgs({ args: [...args], options: { without: { type: 'string', multiple: true, default: [] } } })
  return new Set(values.without.map((given) => nameOf(given, names)))
}

function nameOf(given: string, names: readonly string[]): string {
  const name = names.find((known) => optionName(known) === given)
  if (name === undefined) throw new Error(`--without: expected one of ${names.map(optionName).join(', ')}, got ${given}`)
  return name
}
