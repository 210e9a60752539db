import { describe, expect, it } from 'vitest'
import { readArguments } from '../../bench/arguments.ts'
import { median, tableOf } from '../../bench/results.ts'

const round = (wallMs: number, cpuMicros: number) => ({ records: 1_000, wallMs, cpuMicros })

describe('the table of the benchmark', () => {
  it('shows medians, and ratios taken round by round', () => {
    const table = tableOf([
      { name: 'first', rounds: [round(1_000, 4_000), round(10_000, 4_000), round(2_000, 5_000)] },
      { name: 'second', rounds: [round(2_000, 6_000), round(20_000, 6_000), round(3_000, 5_000)] },
    ])

    expect(table).toBe(
      [
        '        records/s  ratio  µs CPU/record  ratio',
        'first         500   1.00           4.00   1.00',
        'second        333   0.50           6.00   1.50',
      ].join('\n'),
    )
  })

  it('takes the middle value, and the mean of the two in the middle of an even number', () => {
    expect(median([3, 1, 2])).toBe(2)
    expect(median([4, 1, 2, 3])).toBe(2.5)
    expect(() => median([])).toThrow('median: of no values')
  })
})

describe('the command line of the benchmark', () => {
  it('runs seven pairs of pages of 10,000 records unless told otherwise', () => {
    expect(readArguments([])).toEqual({ pairs: 7, pageSizes: [10_000, 100], quick: false })
    expect(readArguments(['--quick'])).toEqual({ pairs: 3, pageSizes: [10_000, 100], quick: true })
    expect(readArguments(['--quick', '--pairs', '9', '--page-size', '100'])).toEqual({ pairs: 9, pageSizes: [100], quick: true })
  })

  it.each([
    [['--pairs', '0'], '--pairs: expected a whole number from 1 to 1000, got 0'],
    [['--pairs', '2.5'], '--pairs: expected a whole number from 1 to 1000, got 2.5'],
    [['--page-size', '10001'], '--page-size: expected a whole number from 1 to 10000, got 10001'],
    [['--page-size='], '--page-size: expected a whole number from 1 to 10000, got '],
    [['--speed'], "Unknown option '--speed'"],
    [['seven'], "Unexpected argument 'seven'"],
  ])('refuses %j', (args, message) => {
    expect(() => readArguments(args)).toThrow(message)
  })
})
