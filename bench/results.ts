import type { Measurement } from './measure.ts'

/** A contestant with what it took in each round. */
export interface Results {
  readonly name: string
  readonly rounds: readonly Measurement[]
}

/** The middle of the values; of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const upper = sorted[Math.floor(sorted.length / 2)]
  const lower = sorted[Math.ceil(sorted.length / 2) - 1]
  if (upper === undefined || lower === undefined) throw new Error('median: of no values')
  return (lower + upper) / 2
}

const recordsPerSecond = ({ records, wallMs }: Measurement): number => records / (wallMs / 1_000)
const cpuMicrosPerRecord = ({ records, cpuMicros }: Measurement): number => cpuMicros / records

/**
 * A table of medians. A ratio is the median of the ratios of each round, so that what slowed a whole round down weighs nothing; it is taken to the
 * first contestant.
 */
export function tableOf(results: readonly Results[]): string {
  const [first] = results
  if (first === undefined) throw new Error('results: expected at least one contestant')
  const ratio = (rounds: readonly Measurement[], of: (round: Measurement) => number): string =>
    median(
      rounds.map((round, index) => {
        const base = first.rounds[index]
        if (base === undefined) throw new Error(`rounds: ${first.name} has no round ${index + 1}`)
        return of(round) / of(base)
      }),
    ).toFixed(2)
  const rows = results.map(({ name, rounds }) => [
    name,
    Math.round(median(rounds.map(recordsPerSecond))).toLocaleString('en'),
    ratio(rounds, recordsPerSecond),
    median(rounds.map(cpuMicrosPerRecord)).toFixed(2),
    ratio(rounds, cpuMicrosPerRecord),
  ])
  return alignColumns([['', 'records/s', 'ratio', 'µs CPU/record', 'ratio'], ...rows])
}

/** A table as text: the first column to the left, the others to the right. */
export function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const align = (cell: string, column: number): string =>
    column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)
  return rows.map((row) => row.map(align).join('  ')).join('\n')
}
