import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type ArguedSurvivors, judge, type Mutant, mutantAt } from './judgement.ts'
import { survivors } from './survivors.ts'

const aMutant = (change: string, outcome: Mutant['outcome'] = 'survived'): Mutant => ({
  file: 'src/effects/a.ts',
  line: 'return a > b',
  change,
  outcome,
})
const argue = (...changes: readonly string[]): ArguedSurvivors => ({
  file: 'src/effects/a.ts',
  line: 'return a > b',
  changes,
  why: 'they are equal',
})
const changesOf = (mutants: readonly Omit<Mutant, 'outcome'>[]) => mutants.map(({ change }) => change)

describe('the judgement of mutants', () => {
  it('is the share of those that were detected, without those that do not run', () => {
    const mutants = [aMutant('1', 'detected'), aMutant('2', 'detected'), aMutant('3', 'detected'), aMutant('4'), aMutant('5', 'invalid')]

    expect(judge(mutants, [argue('4')])).toEqual({ score: 75, unargued: [], gone: [] })
    expect(judge([], [])).toMatchObject({ score: 100 })
  })

  it('names a survivor that nobody argued for, also one more of a kind that was argued for once', () => {
    const { unargued, gone } = judge([aMutant('1'), aMutant('1'), aMutant('2')], [argue('1')])

    expect(changesOf(unargued)).toEqual(['1', '2'])
    expect(gone).toEqual([])
  })

  it('names what is listed and does not survive, or is no mutant any more, as often as it is listed in vain', () => {
    const { unargued, gone } = judge([aMutant('1', 'detected'), aMutant('2')], [argue('1', '2', '2', '3')])

    expect(unargued).toEqual([])
    expect(changesOf(gone)).toEqual(['1', '2', '3'])
  })

  it('leaves out what is listed for files that were not mutated', () => {
    expect(judge([{ ...aMutant('1'), file: 'src/effects/b.ts', outcome: 'detected' }], [argue('1')]).gone).toEqual([])
  })
})

describe('a mutant', () => {
  const source = 'const a = 1\nif (a > 0) {\n  stop()\n}\n'
  const at = (start: readonly [number, number], end: readonly [number, number], replacement: string) =>
    mutantAt(source, {
      file: 'src/effects/a.ts',
      start: { line: start[0], column: start[1] },
      end: { line: end[0], column: end[1] },
      replacement,
      outcome: 'survived',
    })

  it('is told by its line and by its text, wherever it stands', () => {
    expect(at([2, 5], [2, 10], 'a >= 0')).toEqual({ ...aMutant('a > 0 → a >= 0'), line: 'if (a > 0) {' })
  })

  it('is told by its first line and its text in one line when it takes several', () => {
    expect(at([2, 12], [4, 2], '{}')).toEqual({ ...aMutant('{ stop() } → {}'), line: 'if (a > 0) {' })
  })

  it('has its text cut where it is long', () => {
    const { change } = at([1, 11], [1, 12], 'x'.repeat(200))

    expect(change).toBe(`1 → ${'x'.repeat(90)}…`)
  })
})

describe('the survivors that are listed', () => {
  it.each(survivors.map((entry) => [entry.file, entry.line, entry] as const))('stand in %s: %s', (file, line, { why, changes }) => {
    const lines = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8').split('\n')

    expect(lines.map((text) => text.replaceAll(/\s+/g, ' ').trim())).toContain(line)
    expect(changes.length).toBeGreaterThan(0)
    expect(why).toMatch(/^[A-Z].*\.$/)
  })

  it('are listed once for each line of a file', () => {
    const places = survivors.map(({ file, line }) => `${file}: ${line}`)

    expect(places.filter((place, n) => places.indexOf(place) !== n)).toEqual([])
  })
})
