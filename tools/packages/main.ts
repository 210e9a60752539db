/** Packs every package, installs the tarballs into empty folders, and uses them there as users would. Ends with 1 at the first thing that does not work. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { billOfMaterials, installed, load, runCommandLine } from './consumers.ts'
import { run } from './run.ts'
import { packAll } from './tarballs.ts'
import { compileConsumer, installCompilers } from './typeScript.ts'

const root = join(import.meta.dirname, '../..')
const folder = await mkdtemp(join(tmpdir(), 'packages-'))
try {
  const tarballs = await packAll(folder)
  const files = tarballs.map(({ file }) => file)
  console.log(`packed: ${tarballs.length} packages`)

  for (const { name, file } of tarballs) {
    await run('npx', ['--no', 'publint', 'run', file, '--strict'], root)
    await run('npx', ['--no', 'attw', file, '--profile', 'esm-only'], root)
    console.log(`${name}: publint and attw have nothing to say`)
  }
  for (const [index, tarball] of tarballs.entries()) {
    await load(await installed(join(folder, `alone-${index}`), tarball.withSisters), tarball)
    console.log(`${tarball.name}: installed alone, imported and required (Node ${process.versions.node})`)
  }

  const types = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { devDependencies: Record<string, string> }
  const together = await installed(join(folder, 'together'), [...files, `@types/node@${types.devDependencies['@types/node']}`])
  console.log(`npm sbom: ${await billOfMaterials(together, tarballs)} components, all packages among them`)
  for (const [version, compiler] of await installCompilers(join(folder, 'compilers'))) {
    await compileConsumer(together, tarballs, compiler)
    console.log(`types: TypeScript ${version}`)
  }

  const { version } = JSON.parse(await readFile(join(root, 'src/worker/package.json'), 'utf8')) as { version: string }
  await runCommandLine(join(folder, 'global'), files, version)
  console.log('shardwise: its command line runs from a global installation')
} finally {
  await rm(folder, { recursive: true })
}
