import { describe, expect, it } from 'vitest'
import { manifestIn, packageFolders } from './manifests.ts'
import { packageTable } from './packageTable.ts'
import { filesUnder, textOf } from './tree.ts'

const rootManifest = manifestIn('')

describe('every package', () => {
  it('is a workspace of the root, and every workspace is a package', () => {
    expect([...packageFolders].sort()).toEqual([...(rootManifest.workspaces ?? [])].sort())
  })

  it.each(packageFolders)('%s carries its name, the version of all, the licence, and runs on the same Node', (folder) => {
    const { name, version, license, type, engines } = manifestIn(folder)

    expect(name).toBe(packageTable[folder]?.name)
    expect({ version, license, type, engines }).toEqual({
      version: rootManifest.version,
      license: 'Apache-2.0',
      type: 'module',
      engines: rootManifest.engines,
    })
  })

  it.each(packageFolders)('%s exports sources to the workspace, then types, then the build', (folder) => {
    const exported = manifestIn(folder).exports?.['.'] ?? {}

    expect(Object.entries(exported)).toEqual([
      ['@shardwise/source', './index.ts'],
      ['types', './dist/index.d.ts'],
      ['default', './dist/index.js'],
    ])
  })

  it.each(packageFolders)('%s publishes its build and the sources that the source maps point to', (folder) => {
    expect(manifestIn(folder).files).toEqual(expect.arrayContaining(['dist']))
    expect(manifestIn(folder).files?.some((pattern) => pattern.endsWith('*.ts'))).toBe(true)
  })

  it.each(packageFolders)('%s pins its sisters to the version of all', (folder) => {
    const sisters = Object.entries(manifestIn(folder).dependencies ?? {}).filter(([name]) => /^(@shardwise\/|shardwise$)/.test(name))

    expect(sisters.filter(([, range]) => range !== rootManifest.version)).toEqual([])
  })

  it.each(packageFolders)('%s has one index, of named exports, that fits one screen', (folder) => {
    const indexes = filesUnder(folder).filter((path) => path.endsWith('/index.ts'))
    const text = textOf(`${folder}/index.ts`)

    expect(indexes).toEqual([`${folder}/index.ts`])
    expect(text).not.toMatch(/export \*/)
    expect(text.split('\n').length - 1).toBeLessThan(50)
  })
})

describe('the licence', () => {
  it('is Apache-2.0, whole', () => {
    expect(rootManifest.license).toBe('Apache-2.0')
    expect(textOf('LICENSE')).toMatch(/^\s*Apache License\n\s*Version 2\.0, January 2004\n/)
    expect(textOf('LICENSE')).toContain('END OF TERMS AND CONDITIONS')
  })
})

describe('the architecture page', () => {
  const rows = new Map(
    textOf('docs/architecture.md')
      .split('\n')
      .filter((line) => line.startsWith('| `src/') && line.split('|').length === 6)
      .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')))
      .map(([, folder = '', name, , imports]) => [folder, { name, imports }]),
  )

  it('lists every package, and no other', () => {
    expect([...rows.keys()].sort()).toEqual([...packageFolders].sort())
  })

  it.each(packageFolders.filter((folder) => folder !== 'src/worker'))('says what %s may import', (folder) => {
    const { name, imports, peers } = packageTable[folder] ?? { name: '', imports: [], peers: [] }
    const allowed = [...imports.toSorted((a, b) => a.localeCompare(b)), ...peers.map((peer) => `peer ${peer}`)].join(', ')

    expect(rows.get(folder)).toEqual({ name, imports: allowed === '' ? 'nothing' : allowed })
  })
})
