import { parseArgs } from 'node:util'

/** What a proof is told on its command line. */
export interface ProveArguments {
  readonly operations: number
  readonly seed: number
  /** A file with a life as JSON: it alone is lived, and told. */
  readonly replay: string | null
}

const wholeFrom = (least: number, name: string, text: string): number => {
  const value = Number(text)
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(value) || value < least)
    throw new Error(`--${name}: expected a whole number from ${least}, got ${text}`)
  return value
}

/** Reads the command line; a seed that is not given is drawn. @throws Error for an unknown flag, or naming the flag whose value does not fit. */
export function readArguments(given: readonly string[], draw: () => number): ProveArguments {
  const { values } = parseArgs({
    args: [...given],
    options: { operations: { type: 'string', default: '1000000' }, seed: { type: 'string' }, replay: { type: 'string' } },
  })
  return {
    operations: wholeFrom(1, 'operations', values.operations),
    seed: values.seed === undefined ? draw() : wholeFrom(0, 'seed', values.seed),
    replay: values.replay ?? null,
  }
}
