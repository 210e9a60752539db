/** The gaps of one way to end a worker, in ms, and what their 99th percentile must stay below. */
export interface Gaps {
  readonly name: string
  readonly gapsMs: readonly number[]
  readonly boundMs: number
}

/** The smallest gap that so many of a hundred do not exceed. */
export function percentile(gapsMs: readonly number[], percent: number): number {
  const sorted = gapsMs.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? 0
}

/** Whether the 99th percentile stays below the bound. */
export const isWithin = ({ gapsMs, boundMs }: Gaps): boolean => percentile(gapsMs, 99) < boundMs

/** The table of all ways, as Markdown. */
export function tableOfGaps(all: readonly Gaps[]): string {
  const inMs = (value: number): string => `${Math.round(value).toLocaleString('en-US')} ms`
  const rows = all.map((gaps) => {
    const { name, gapsMs, boundMs } = gaps
    const figures = [50, 99, 100].map((percent) => inMs(percentile(gapsMs, percent)))
    return `| ${[name, gapsMs.length, ...figures, `${isWithin(gaps) ? 'below' : 'ABOVE'} ${inMs(boundMs)}`].join(' | ')} |`
  })
  return ['| the old worker | samples | median | p99 | longest | p99 is to be |', '|---|---|---|---|---|---|', ...rows].join('\n')
}
