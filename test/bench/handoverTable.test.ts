import { describe, expect, it } from 'vitest'
import { isWithin, percentile, tableOfGaps } from '../../bench/handoverTable.ts'

const hundred = Array.from({ length: 100 }, (_, n) => 100 - n)

describe('the table of hand-overs', () => {
  it('tells percentiles by rank, whatever the order', () => {
    expect([50, 99, 100].map((percent) => percentile(hundred, percent))).toEqual([50, 99, 100])
    expect([50, 99, 100].map((percent) => percentile([7], percent))).toEqual([7, 7, 7])
  })

  it('says where the 99th percentile reaches its bound', () => {
    expect(isWithin({ name: 'x', gapsMs: hundred, boundMs: 100 })).toBe(true)
    expect(isWithin({ name: 'x', gapsMs: hundred, boundMs: 99 })).toBe(false)
    expect(tableOfGaps([{ name: 'is stopped', gapsMs: [1_200, 5], boundMs: 1_000 }])).toContain(
      '| is stopped | 2 | 5 ms | 1,200 ms | 1,200 ms | ABOVE 1,000 ms |',
    )
  })
})
