import { describe, expect, it } from 'vitest'
import { filesUnder, textOf } from '../house/tree.ts'
import { linksIn } from './markdown.ts'

const page = 'docs/weather.md'
const rows = textOf(page)
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (weather|---)/.test(line))
  .map((line) => line.slice(2, -2).split(' | '))
const shownBy = ([, , , tests = '']: readonly string[]): readonly string[] => linksIn(page, tests).map(({ path }) => path)

describe('the page of bad input and hostile weather', () => {
  it('has for each weather what a worker does, says, and a test that shows it', () => {
    expect(rows.length).toBeGreaterThan(15)
    expect(rows.filter((row) => row.length !== 4 || row.includes(''))).toEqual([])
    expect(rows.filter((row) => shownBy(row).every((path) => !/^test\/.*\.test\.ts$/.test(path)))).toEqual([])
  })

  it('names every test of the weather', () => {
    const named = new Set(rows.flatMap(shownBy))
    const tests = filesUnder('test/weather').filter((path) => path.endsWith('.test.ts'))

    expect(tests.length).toBeGreaterThan(5)
    expect(tests.filter((path) => !named.has(path))).toEqual([])
  })

  it('has the messages in the words of the sources', () => {
    const sources = filesUnder('src')
      .filter((path) => path.endsWith('.ts'))
      .map(textOf)
      .join('\n')
    const said = rows.flatMap(([, , message = '']) => [...message.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text))
    const pieces = said.flatMap((text) => text.split(/\b[A-Z]{3,}\b/)).map((piece) => piece.replaceAll(/^[:,\s]+|[:,\s]+$/g, ''))

    expect(said.length).toBeGreaterThan(15)
    expect([...new Set(pieces)].filter((piece) => !sources.includes(piece))).toEqual([])
  })
})
