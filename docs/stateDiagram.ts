/**
 * Writes `docs/state-diagram.md` from the machine. With `--check` it writes nothing, and exits with 1 when the file differs. Another file may be named.
 */
import { fileURLToPath } from 'node:url'
import { stateDiagramPage } from './diagram/page.ts'
import { keepPage } from './keptPage.ts'

const complaint = keepPage(process.argv.slice(2), {
  path: fileURLToPath(new URL('state-diagram.md', import.meta.url)),
  make: () => stateDiagramPage(),
  madeBy: 'npm run diagram',
})
if (complaint !== null) {
  console.error(complaint)
  process.exitCode = 1
}
