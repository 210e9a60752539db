import { describe, expect, it } from 'vitest'
import { filesUnder, textOf } from '../house/tree.ts'
import { linksIn } from './markdown.ts'

const page = 'SECURITY.md'
const text = textOf(page)

/** The items of the lists, each on one line. */
const items = [...text.matchAll(/^\* (?:.+(?:\n {2}.+)*)/gm)].map(([item]) => item.replaceAll(/\s+/g, ' '))

describe('the security page', () => {
  it('shows a test for every promise', () => {
    expect(items.length).toBeGreaterThan(15)
    expect(items.filter((item) => linksIn(page, item).filter(({ path }) => path !== page).length === 0)).toEqual([])
  })

  it('names every call that the sources can make to AWS, and no other', () => {
    const commands = filesUnder('src')
      .filter((path) => path.endsWith('.ts'))
      .flatMap((path) => [...textOf(path).matchAll(/\bnew ([A-Z]\w+)Command\(/g)].map(([, name = '']) => name))
    const [, table = ''] = text.split('\n## What a worker calls\n')
    const named = [...(table.split('\n## ')[0] ?? '').matchAll(/`([A-Z]\w+)`/g)].map(([, name = '']) => name)

    expect([...new Set(named)].sort()).toEqual([...new Set(commands)].sort())
  })
})
