import { execFileSync } from 'node:child_process'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { packageFolders } from '../house/manifests.ts'
import { filesUnder, textOf } from '../house/tree.ts'

interface PublishedManifest {
  readonly name: string
  readonly repository?: unknown
  readonly publishConfig?: unknown
  readonly scripts?: unknown
  readonly private?: boolean
  readonly bin?: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, Readonly<Record<string, string>>>>
}

const manifestOf = (folder: string): PublishedManifest => JSON.parse(textOf(`${folder}/package.json`)) as PublishedManifest

describe('the manifest of every package', () => {
  it.each(packageFolders)('%s says where it comes from, and is published for all, with its provenance', (folder) => {
    const { repository, publishConfig, private: isPrivate } = manifestOf(folder)

    expect(repository).toEqual({ type: 'git', url: 'git+https://github.com/shardwise/shardwise.git', directory: folder })
    expect(publishConfig).toEqual({ access: 'public', provenance: true })
    expect(isPrivate).toBeUndefined()
  })

  it.each(packageFolders)('%s has no scripts: nothing runs when it is installed', (folder) => {
    expect(manifestOf(folder).scripts).toBeUndefined()
  })

  it.each(packageFolders)('%s has types for whatever it exports, and says so before the build', (folder) => {
    for (const conditions of Object.values(manifestOf(folder).exports)) {
      const { default: built = '', types } = conditions

      expect(Object.keys(conditions)).toEqual(['@shardwise/source', 'types', 'default'])
      expect(built).toMatch(/^\.\/dist\/.+\.js$/)
      expect(types).toBe(built.replace(/\.js$/, '.d.ts'))
    }
  })

  it.each(packageFolders)('%s carries the licence of all', (folder) => {
    expect(textOf(`${folder}/LICENSE`)).toBe(textOf('LICENSE'))
  })
})

interface Packed {
  readonly name: string
  readonly files: readonly { readonly path: string }[]
}

/** What npm would publish, by the names of the packages. */
const packed = new Map<string, ReadonlySet<string>>()

beforeAll(() => {
  const root = fileURLToPath(new URL('../../', import.meta.url))
  const answer = execFileSync('npm', ['pack', '--dry-run', '--json', '--workspaces', '--loglevel=error'], { cwd: root, encoding: 'utf8' })
  for (const { name, files } of JSON.parse(answer) as readonly Packed[]) packed.set(name, new Set(files.map(({ path }) => path)))
}, 60_000)

const filesOf = (folder: string): ReadonlySet<string> => packed.get(manifestOf(folder).name) ?? new Set()

/** What was written by hand and is compiled. */
const sourcesOf = (folder: string): readonly string[] =>
  filesUnder(folder)
    .filter((path) => path.endsWith('.ts'))
    .map((path) => posix.relative(folder, path))

describe('the tarball of every package', () => {
  it.each(packageFolders)('%s holds what its manifest points to, README and licence', (folder) => {
    const { exports, bin = {} } = manifestOf(folder)
    const targets = [...Object.values(exports).flatMap((conditions) => Object.values(conditions)), ...Object.values(bin)]

    expect([...filesOf(folder)]).toEqual(
      expect.arrayContaining(['package.json', 'README.md', 'LICENSE', ...targets.map((target) => posix.normalize(target))]),
    )
  })

  it.each(packageFolders)('%s holds each source with its build, and the maps between them', (folder) => {
    const sources = sourcesOf(folder)
    const builds = sources.flatMap((path) => ['.js', '.js.map', '.d.ts', '.d.ts.map'].map((end) => `dist/${path.replace(/\.ts$/, end)}`))

    const missing = [...sources, ...builds].filter((path) => !filesOf(folder).has(path))

    expect(sources.length).toBeGreaterThan(0)
    expect(missing, 'a build that is older than its sources lacks some: npm run build').toEqual([])
  })

  it.each(packageFolders)('%s holds nothing else: no tests, no notes of the compiler', (folder) => {
    const sources = new Set(sourcesOf(folder))
    const bins = Object.values(manifestOf(folder).bin ?? {})
    const expected = (path: string): boolean =>
      sources.has(path) || ['package.json', 'README.md', 'LICENSE', ...bins].includes(path) || /^dist\/.+\.(js|d\.ts)(\.map)?$/.test(path)

    expect([...filesOf(folder)].filter((path) => !expected(path) || /\.test\.|\.tsbuildinfo$/.test(path))).toEqual([])
  })
})
