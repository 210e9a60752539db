import { invariants } from '@shardwise/testing'
import { describe, expect, it } from 'vitest'
import { textOf } from '../house/tree.ts'
import { rowOf } from '../museum/piece.ts'
import { pieces } from '../museum/pieces.ts'
import { exists, linksIn } from './markdown.ts'

const page = 'docs/guarantees.md'
const text = textOf(page)

/** The numbers of the invariants that a file defines. */
const numbersIn = (path: string): readonly string[] =>
  [...textOf(path).matchAll(/\binvariant\(\s*(\d+),/g)].map(([, number = '']) => number)

/** What is wrong with the invariants that a page names. */
function wrongInvariants(markdown: string): readonly string[] {
  const links = linksIn(page, markdown).filter(({ label }) => /^I\d+$/.test(label))
  const exported = invariants.map(({ number }) => String(number))
  const named = [...markdown.matchAll(/\bI(\d+)\b/g)].map(([, number = '']) => number)
  return [
    ...named.filter((number) => !exported.includes(number)).map((number) => `I${number}: there is no such invariant`),
    ...links
      .filter(({ label, path }) => exists(path) && !numbersIn(path).includes(label.slice(1)))
      .map(({ label, path }) => `${label} is not in ${path}`),
  ]
}

/** The lines of a section, up to the next heading of its rank or above. */
function section(markdown: string, heading: string): string {
  const [, after = ''] = markdown.split(`\n## ${heading}\n`)
  return after.split('\n## ')[0] ?? ''
}

/** The items of the lists in a section, each on one line. */
const itemsOf = (markdown: string): readonly string[] =>
  [...markdown.matchAll(/^\* (?:.+(?:\n {2}.+)*)/gm)].map(([item]) => item.replaceAll(/\s+/g, ' '))

describe('the page of guarantees', () => {
  it('names invariants that exist, and finds them where it says', () => {
    expect(wrongInvariants(text)).toEqual([])
    expect(text.match(/\[I\d+\]/g)?.length).toBeGreaterThan(30)
  })

  it('shows a proof for every promise and every limit', () => {
    for (const heading of ['Promised', 'Known limits']) {
      const items = itemsOf(section(text, heading))

      expect(items.length).toBeGreaterThan(5)
      expect(items.filter((item) => linksIn(page, item).filter(({ path }) => path !== page).length === 0)).toEqual([])
    }
  })

  it('shows a proof for every difference from the KCL', () => {
    const rows = section(text, 'How it differs from the KCL')
      .split('\n')
      .filter((line) => line.startsWith('| ') && !line.startsWith('| when '))

    expect(rows.length).toBeGreaterThan(10)
    expect(rows.filter((row) => linksIn(page, row.split(' | ').at(-1) ?? '').length === 0)).toEqual([])
  })

  it('shows every piece of the museum, in words of the piece', async () => {
    const table = `| piece | upstream | here |\n|---|---|---|\n${pieces.map((piece) => `${rowOf(piece)}\n`).join('')}`

    await expect(text.replace(/^\| piece \| upstream \| here \|\n(?:\|.*\n)*/m, () => table)).toMatchFileSnapshot(`../../${page}`)
    expect(text).toContain('\n| piece | upstream | here |\n')
  })
})

describe('a page of guarantees', () => {
  it('is told of an invariant that is not there, or elsewhere', () => {
    expect(wrongInvariants('I999 and [I41](../src/testing/invariants/stateInvariants.ts)')).toEqual([
      'I999: there is no such invariant',
      'I41 is not in src/testing/invariants/stateInvariants.ts',
    ])
  })
})
