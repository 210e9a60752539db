import { shown } from '@shardwise/effects'

/** Where a hosted child is heard of; the console is one. */
export interface ChildLogger {
  warn(message: string): void
}

/** How record processors are run as child processes. Times are milliseconds. */
export interface ChildProcessorOptions {
  /** The program and its arguments, as `splitCommand` makes them of an `executableName`. No shell reads them. */
  readonly command: readonly string[]
  /** Hears every line that a child writes and that is no message, and how children end against the protocol. Records are never logged. */
  readonly logger: ChildLogger
  /** How long a child may take for each of its messages; no limit unless given. */
  readonly timeoutMs?: number | undefined
  /** How long a child may live after its stdin was closed, before SIGTERM; 10,000 unless given. */
  readonly exitTimeoutMs?: number | undefined
  /** How long it may live after that, before SIGKILL; 5,000 unless given. */
  readonly killTimeoutMs?: number | undefined
}

/** Options that were checked, with their defaults. */
export interface ParsedOptions extends ChildProcessorOptions {
  readonly exitTimeoutMs: number
  readonly killTimeoutMs: number
}

type Rule = readonly [expected: string, holds: (value: unknown) => boolean]

/** The longest wait that the timers of the platform know. */
const longestMs = 2 ** 31 - 1
const ms: Rule = [
  `a whole number from 1 to ${longestMs}`,
  (value) => typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= longestMs,
]
const optionalMs: Rule = [ms[0], (value) => value === undefined || ms[1](value)]
const rules: { readonly [Name in keyof ChildProcessorOptions]-?: Rule } = {
  command: ['a program and its arguments, as a list of texts', isCommand],
  logger: [
    'an object with a function warn',
    (value) => typeof value === 'object' && value !== null && 'warn' in value && typeof value.warn === 'function',
  ],
  timeoutMs: optionalMs,
  exitTimeoutMs: optionalMs,
  killTimeoutMs: optionalMs,
}

/** Fills in the defaults. @throws Error naming the option that is unknown, missing or wrong, and what was expected. */
export function parseOptions(given: ChildProcessorOptions): ParsedOptions {
  if (typeof given !== 'object' || given === null) throw new Error(`childProcessors: expected an object of options, got ${String(given)}`)
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(rules, name)) throw new Error(`${name}: not an option; expected one of ${Object.keys(rules).join(', ')}`)
  }
  for (const [name, [expected, holds]] of Object.entries(rules)) {
    const value: unknown = given[name as keyof ChildProcessorOptions]
    if (!holds(value)) throw new Error(`${name}: expected ${expected}, got ${JSON.stringify(value) ?? String(value)}`)
  }
  return { ...given, exitTimeoutMs: given.exitTimeoutMs ?? 10_000, killTimeoutMs: given.killTimeoutMs ?? 5_000 }
}

/**
 * The program and the arguments of an `executableName`, cut at blanks, as the MultiLangDaemon does: there is no quoting.
 * @throws Error when there is nothing but blanks.
 */
export function splitCommand(executableName: string): readonly string[] {
  const words = executableName.split(' ').filter((word) => word !== '')
  if (!isCommand(words)) throw new Error(`executableName: expected a program and its arguments, got ${shown(executableName)}`)
  return words
}

function isCommand(value: unknown): boolean {
  // The platform ends a text at NUL.
  const isWord = (word: unknown): boolean => typeof word === 'string' && !word.includes('\0')
  return Array.isArray(value) && value.length > 0 && value[0] !== '' && value.every(isWord)
}
