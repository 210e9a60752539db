import { parseArgs } from 'node:util'

/** How the benchmark is to run. */
export interface BenchArguments {
  readonly pairs: number
  /** Records per page: a table is printed for each. */
  readonly pageSizes: readonly number[]
  readonly quick: boolean
}

/** Reads the command line. @throws Error that names the option, when one is unknown or out of range. */
export function readArguments(args: readonly string[]): BenchArguments {
  const { values } = parseArgs({
    args: [...args],
    options: { pairs: { type: 'string' }, 'page-size': { type: 'string' }, quick: { type: 'boolean', default: false } },
  })
  return {
    pairs: wholeNumber('--pairs', values.pairs ?? (values.quick ? '3' : '7'), 1_000),
    pageSizes: values['page-size'] === undefined ? [10_000, 100] : [wholeNumber('--page-size', values['page-size'], 10_000)],
    quick: values.quick,
  }
}

function wholeNumber(name: string, text: string, most: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < 1 || value > most) throw new Error(`${name}: expected a whole number from 1 to ${most}, got ${text}`)
  return value
}
