import { createHash } from 'node:crypto'
import * as machine from '@shardwise/machine'
import { describe, expect, it } from 'vitest'
import { sizeOf } from '../../tools/runtimes/bundle.ts'
import { engines } from '../../tools/runtimes/engines.ts'
import { manifestVersions } from '../../tools/runtimes/install.ts'
import { type PageFacts, pageOf, type Row } from '../../tools/runtimes/page.ts'
import { effectsIn, reportOf, wayCount } from '../../tools/runtimes/report.ts'
import { runtimes } from '../../tools/runtimes/runtimes.ts'
import { readStories, stepsOf } from '../../tools/runtimes/stories.ts'
import { textOf } from '../house/tree.ts'

const page = textOf('docs/runtimes.md')
const stories = readStories()

/** The cells of the rows of a table that has so many columns. */
const tableRows = (columns: number): readonly (readonly string[])[] =>
  page
    .split('\n')
    .filter((line) => line.startsWith('| ') && line.split(' | ').length === columns)
    .map((line) => line.slice(2, -2).split(' | '))
    .slice(1)

const rows: readonly Row[] = tableRows(7).map(([runtime = '', version = '', engine = '', , , result = '', micros]) => ({
  runtime,
  version,
  engine,
  result,
  nanosPerStep: micros === '–' ? null : Number(micros) * 1_000,
}))

const bytes = (text: string | undefined): number => Math.round(Number.parseFloat(text ?? '') * 1_000)
const sizes = tableRows(3).map(([engine = '', minified, gzipped]) => ({
  engine,
  size: { minified: bytes(minified), gzipped: bytes(gzipped) },
}))

const again = 'docs/runtimes.md is out of date: run npm run runtimes'

describe('the page of the runtimes', () => {
  it('tells of the stories and the effects of now', () => {
    const facts: PageFacts = {
      stories: stories.length,
      steps: stepsOf(stories),
      ways: wayCount,
      sha256: createHash('sha256')
        .update(effectsIn(reportOf(machine, stories)))
        .digest('hex'),
      sizes,
      rows,
      visible: runtimes.flatMap(({ name, visible }) => (visible.length === 0 ? [] : [{ runtime: name, names: visible }])),
    }

    expect(page === pageOf(facts), again).toBe(true)
  })

  it('has a row for every engine in every runtime, and in each the effects are the same', () => {
    expect(rows.map(({ runtime, engine, result }) => ({ runtime, engine, result }))).toEqual(
      runtimes.flatMap(({ name }) => engines.map((engine) => ({ runtime: name, engine: engine.name, result: 'same' }))),
    )
  })

  it('tells the versions that the manifest installs', async () => {
    const installed = await manifestVersions()
    const packages: Readonly<Record<string, string>> = {
      'Node 20': 'node20',
      'Node 22': 'node22',
      'Node 24': 'node24',
      'Node 26': 'node26',
      Bun: '@oven/bun-linux-x64',
      Deno: '@deno/linux-x64-glibc',
      workerd: '@cloudflare/workerd-linux-64',
      QuickJS: 'quickjs-emscripten',
    }
    const told = rows.flatMap(({ runtime, version }) => (runtime in packages ? [[runtime, version]] : []))

    expect(told).toEqual(Object.entries(packages).flatMap(([runtime, name]) => engines.map(() => [runtime, installed.get(name)])))
  })

  it('tells sizes within five per cent of those of now', async () => {
    const now = await Promise.all(engines.map(async (engine) => ({ engine: engine.name, size: await sizeOf(engine) })))

    expect(sizes.map(({ engine }) => engine)).toEqual(now.map(({ engine }) => engine))
    for (const [index, { engine, size }] of now.entries()) {
      const told = sizes[index]?.size
      expect((told?.minified ?? 0) / size.minified, `${engine}: ${again}`).toBeCloseTo(1, 1)
      expect((told?.gzipped ?? 0) / size.gzipped, `${engine}: ${again}`).toBeCloseTo(1, 1)
    }
  })

  it('keeps a result in its cell, whatever went wrong', () => {
    const text = pageOf({
      stories: 1,
      steps: 2,
      ways: 3,
      sha256: 'abc',
      sizes: [],
      rows: [{ runtime: 'Deno', version: '1', engine: 'XState', result: 'failed: a | b\n  c', nanosPerStep: null }],
      visible: [],
    })

    expect(text).toContain('| Deno | 1 | XState | 1 | 2 | failed: a \\| b   c | – |\n')
  })
})

describe('the lockfile of the runtimes', () => {
  const manifest = JSON.parse(textOf('tools/runtimes/package.json')) as { readonly dependencies: Readonly<Record<string, string>> }
  const { packages } = JSON.parse(textOf('tools/runtimes/package-lock.json')) as {
    readonly packages: Readonly<Record<string, { readonly version?: string; readonly dependencies?: Readonly<Record<string, string>> }>>
  }

  it('knows the manifest as it is, each package in one exact version', async () => {
    const locked = Object.keys(manifest.dependencies).map((name) => [name, packages[`node_modules/${name}`]?.version])

    expect(packages['']?.dependencies).toEqual(manifest.dependencies)
    expect(locked).toEqual([...(await manifestVersions())])
  })

  it('is that of a package apart: the root installs no runtime', () => {
    const root = JSON.parse(textOf('package-lock.json')) as { readonly packages: Readonly<Record<string, unknown>> }

    expect(Object.keys(root.packages).filter((path) => path.startsWith('tools/'))).toEqual([])
    expect(Object.keys(manifest.dependencies).filter((name) => `node_modules/${name}` in root.packages)).toEqual([])
  })
})
