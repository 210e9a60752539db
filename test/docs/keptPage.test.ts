import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { keepPage } from '../../docs/keptPage.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kept-page-'))
})
afterAll(() => rm(folder, { recursive: true }))

const aPage = (name: string) => ({ path: join(folder, name), make: vi.fn(() => 'what is so now'), madeBy: 'npm run page' })

describe('a page that a script writes', () => {
  it('is written, and with --check found up to date', async () => {
    const page = aPage('written.md')

    expect(keepPage([], page)).toBeNull()
    expect(await readFile(page.path, 'utf8')).toBe('what is so now')
    expect(keepPage(['--check'], page)).toBeNull()
  })

  it('is with --check only looked at where it is another', async () => {
    const page = aPage('stale.md')
    await writeFile(page.path, 'what was so')

    expect(keepPage(['--check'], page)).toBe(`${page.path} is not what would be written now: run npm run page`)
    expect(await readFile(page.path, 'utf8')).toBe('what was so')
  })

  it('is with --check missed where there is none', () => {
    const page = aPage('none.md')

    expect(keepPage(['--check'], page)).toBe(`${page.path} is not what would be written now: run npm run page`)
  })

  it('goes to another file where one is named', async () => {
    const page = aPage('own.md')
    const other = join(folder, 'other.md')

    expect(keepPage([other], page)).toBeNull()
    expect(await readFile(other, 'utf8')).toBe('what is so now')
    expect(keepPage(['--check', other], page)).toBeNull()
    expect(keepPage(['--check'], page)).toContain('own.md is not')
  })

  it('is not even made where an option is unknown', () => {
    const page = aPage('refused.md')

    expect(() => keepPage(['--chek'], page)).toThrow("Unknown option '--chek'")
    expect(page.make).not.toHaveBeenCalled()
  })
})
