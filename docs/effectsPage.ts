/**
 * Writes `docs/effects.md` from the effect table. With `--check` it writes nothing, and exits with 1 when the file differs. Another file may be named.
 */
import { fileURLToPath } from 'node:url'
import { effectsPage } from './effectReference/page.ts'
import { keepPage } from './keptPage.ts'

const complaint = keepPage(process.argv.slice(2), {
  path: fileURLToPath(new URL('effects.md', import.meta.url)),
  make: () => effectsPage(),
  madeBy: 'npm run effects',
})
if (complaint !== null) {
  console.error(complaint)
  process.exitCode = 1
}
