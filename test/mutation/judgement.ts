/** One change to the source that the tests were run against. `line` is the source line where it begins, trimmed; whitespace is collapsed in all texts. */
export interface Mutant {
  readonly file: string
  readonly line: string
  /** The text that was replaced, an arrow, and its replacement; long texts are cut. */
  readonly change: string
  readonly outcome: 'detected' | 'survived' | 'invalid'
}

/** Mutants of one line that may survive, and why no test should fail for them. The same change twice in a line is listed twice. */
export interface ArguedSurvivors {
  readonly file: string
  readonly line: string
  readonly changes: readonly string[]
  readonly why: string
}

/** What the results come to. */
export interface Judgement {
  /** Detected mutants per hundred valid ones; 100 where there is none. */
  readonly score: number
  /** Survivors that nobody argued for. */
  readonly unargued: readonly Mutant[]
  /** Argued survivors that did not survive, or are no mutants any more. */
  readonly gone: readonly Omit<Mutant, 'outcome'>[]
}

interface Position {
  readonly line: number
  readonly column: number
}

const longest = 90
const collapsed = (text: string): string => text.replaceAll(/\s+/g, ' ').trim()
const cut = (text: string): string => (text.length <= longest ? text : `${text.slice(0, longest)}…`)

/** A mutant told by its text and not by its place, so that it is found again when lines move. Lines and columns count from 1, and the end is left out, as in Stryker's reports. */
export function mutantAt(
  source: string,
  {
    file,
    start,
    end,
    replacement,
    outcome,
  }: Pick<Mutant, 'file' | 'outcome'> & {
    readonly start: Position
    readonly end: Position
    readonly replacement: string
  },
): Mutant {
  const lines = source.split('\n')
  const covered = lines.slice(start.line - 1, end.line)
  const last = covered.length - 1
  const original = covered.map((text, n) => text.slice(n === 0 ? start.column - 1 : 0, n === last ? end.column - 1 : undefined)).join('\n')
  return {
    file,
    line: collapsed(lines[start.line - 1] ?? ''),
    change: `${cut(collapsed(original))} → ${cut(collapsed(replacement))}`,
    outcome,
  }
}

const keyOf = ({ file, line, change }: Omit<Mutant, 'outcome'>): string => JSON.stringify([file, line, change])

/** Compares the survivors among the mutants with those that were argued for. Files without mutants are not judged. */
export function judge(mutants: readonly Mutant[], argued: readonly ArguedSurvivors[]): Judgement {
  const files = new Set(mutants.map(({ file }) => file))
  const expected = argued
    .filter(({ file }) => files.has(file))
    .flatMap(({ file, line, changes }) => changes.map((change) => ({ file, line, change })))
  const open = new Map<string, number>()
  for (const entry of expected) open.set(keyOf(entry), (open.get(keyOf(entry)) ?? 0) + 1)
  const take = (key: string): boolean => {
    const left = open.get(key) ?? 0
    open.set(key, left - 1)
    return left > 0
  }
  const survivors = mutants.filter(({ outcome }) => outcome === 'survived')
  const unargued = survivors.filter((mutant) => !take(keyOf(mutant)))
  const gone = expected.filter((entry) => {
    const left = open.get(keyOf(entry)) ?? 0
    if (left > 0) open.set(keyOf(entry), left - 1)
    return left > 0
  })
  const detected = mutants.filter(({ outcome }) => outcome === 'detected').length
  const valid = detected + survivors.length
  return { score: valid === 0 ? 100 : (100 * detected) / valid, unargued, gone }
}
