import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { textOf } from '../house/tree.ts'
import { program } from '../worker/program.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'written-pages-'))
})
afterAll(() => rm(folder, { recursive: true }))

it.each([
  ['effects', 'docs/effectsPage.ts', 'docs/effects.md'],
  ['diagram', 'docs/stateDiagram.ts', 'docs/state-diagram.md'],
])('npm run %s exits with 1 when --check finds another page, and leaves it alone', async (command, source, page) => {
  const script = await program(fileURLToPath(new URL(`../../${source}`, import.meta.url)), ['typescript'])
  const path = join(folder, `${command}.md`)
  const stale = `${textOf(page)} `
  await writeFile(path, stale)

  await expect(promisify(execFile)(process.execPath, [script, '--check', path])).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`${path} is not what would be written now: run npm run ${command}`),
  })
  expect(await readFile(path, 'utf8')).toBe(stale)
})
