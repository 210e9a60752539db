/**
 * Executes the machine in every runtime, compares what it does, and writes `docs/runtimes.md`. Exits with 1 when a runtime differs, fails or is not there;
 * `--without chromium` leaves one out.
 */
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as machine from '@shardwise/machine'
import { readLeftOut } from './arguments.ts'
import { type BundleKind, bundleOf, sizeOf } from './bundle.ts'
import { type EngineEntry, engines } from './engines.ts'
import { type BundlePaths, execute, isFine, leftOutResult } from './execute.ts'
import { installRuntimes } from './install.ts'
import { pageOf, type Row } from './page.ts'
import { effectsIn, reportOf, wayCount } from './report.ts'
import type { Runtime } from './runtime.ts'
import { runtimes } from './runtimes.ts'
import { readStories, stepsOf } from './stories.ts'

const leftOut = readLeftOut(
  process.argv.slice(2),
  runtimes.map(({ name }) => name),
)
await installRuntimes()
const stories = readStories()
const expected = reportOf(machine, stories)
const folder = await mkdtemp(join(tmpdir(), 'runtimes-'))
try {
  const bundled = await Promise.all(engines.map(async (engine) => ({ engine, bundles: await writeBundles(engine) })))
  const rows: Row[] = []
  for (const runtime of runtimes) {
    for (const { engine, bundles } of bundled) {
      const row = { runtime: runtime.name, engine: engine.name, ...(await outcomeOf(runtime, bundles)) }
      console.log(`${row.runtime} ${row.version}, ${row.engine}: ${row.result}`)
      rows.push(row)
    }
  }
  const page = pageOf({
    stories: stories.length,
    steps: stepsOf(stories),
    ways: wayCount,
    sha256: createHash('sha256').update(effectsIn(expected)).digest('hex'),
    sizes: await Promise.all(engines.map(async (engine) => ({ engine: engine.name, size: await sizeOf(engine) }))),
    rows,
    visible: runtimes.flatMap(({ name, visible }) => (visible.length === 0 ? [] : [{ runtime: name, names: visible }])),
  })
  await writeFile(new URL('../../docs/runtimes.md', import.meta.url), page)
  if (!rows.every(isFine)) process.exitCode = 1
} finally {
  await rm(folder, { recursive: true })
}

async function outcomeOf(runtime: Runtime, bundles: BundlePaths): Promise<Omit<Row, 'runtime' | 'engine'>> {
  return leftOut.has(runtime.name) ? { version: '–', result: leftOutResult, nanosPerStep: null } : execute(runtime, bundles, expected)
}

async function writeBundles(engine: EngineEntry): Promise<BundlePaths> {
  const write = async (kind: BundleKind): Promise<string> => {
    const path = join(folder, `${engine.name}-${kind}.js`)
    await writeFile(path, await bundleOf(engine, kind, stories))
    return path
  }
  return { report: await write('report'), pace: await write('pace') }
}
