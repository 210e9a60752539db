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
import { bundleOf, sizeOf } from './bundle.ts'
import { firstDifference } from './compare.ts'
import { type EngineEntry, engines } from './engines.ts'
import { installRuntimes } from './install.ts'
import { pageOf, type Row } from './page.ts'
import { reportOf, wayCount } from './report.ts'
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
  const rows: Row[] = []
  for (const engine of engines) await writeBundles(engine)
  for (const runtime of runtimes) for (const engine of engines) rows.push(await rowOf(runtime, engine))
  const page = pageOf({
    stories: stories.length,
    steps: stepsOf(stories),
    ways: wayCount,
    sha256: createHash('sha256').update(expected).digest('hex'),
    sizes: await Promise.all(engines.map(async (engine) => ({ engine: engine.name, size: await sizeOf(engine) }))),
    rows,
    visible: runtimes.flatMap(({ name, visible }) => (visible.length === 0 ? [] : [{ runtime: name, names: visible }])),
  })
  await writeFile(new URL('../../docs/runtimes.md', import.meta.url), page)
  if (rows.some(({ result }) => result !== 'same' && result !== 'not run')) process.exitCode = 1
} finally {
  await rm(folder, { recursive: true })
}

async function writeBundles(engine: EngineEntry): Promise<void> {
  for (const kind of ['report', 'pace'] as const) await writeFile(bundlePath(engine, kind), await bundleOf(engine, kind, stories))
}

function bundlePath({ name }: EngineEntry, kind: 'report' | 'pace'): string {
  return join(folder, `${name}-${kind}.js`)
}

/** Executes an engine in a runtime. Whatever goes wrong is a row: the other runtimes have their turn all the same. */
async function rowOf(runtime: Runtime, engine: EngineEntry): Promise<Row> {
  const row = { runtime: runtime.name, engine: engine.name, nanosPerStep: null }
  if (leftOut.has(runtime.name)) return told({ ...row, version: '–', result: 'not run' })
  let version = '–'
  try {
    version = await runtime.version()
    const found = await runtime.run(bundlePath(engine, 'report'))
    const difference = firstDifference(`visible: ${runtime.visible.join(' ')}\n${expected}`, found)
    if (difference !== null) return told({ ...row, version, result: `differs: ${difference}` })
    const nanosPerStep = JSON.parse(await runtime.run(bundlePath(engine, 'pace'))) as number | null
    return told({ ...row, version, result: 'same', nanosPerStep })
  } catch (error) {
    return told({ ...row, version, result: `failed: ${(error as Error).message.slice(0, 1_000)}` })
  }
}

function told(row: Row): Row {
  console.log(`${row.runtime} ${row.version}, ${row.engine}: ${row.result}`)
  return row
}
