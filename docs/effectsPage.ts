/**
 * Writes `docs/effects.md` from the effect table. With `--check` it writes nothing, and exits with 1 when the file differs. Another file may be named.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { effectsPage } from './effectReference/page.ts'

const { values, positionals } = parseArgs({ options: { check: { type: 'boolean', default: false } }, allowPositionals: true })
const path = positionals[0] ?? fileURLToPath(new URL('effects.md', import.meta.url))
const page = effectsPage()

if (!values.check) {
  writeFileSync(path, page)
} else if (!existsSync(path) || readFileSync(path, 'utf8') !== page) {
  console.error(`${path} differs from the effect table: run npm run effects`)
  process.exitCode = 1
}
