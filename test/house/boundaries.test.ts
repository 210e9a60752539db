import { posix } from 'node:path'
import { describe, expect, it } from 'vitest'
import { importsOf, parse } from './imports.ts'
import { type Manifest, manifestIn, packageFolders } from './manifests.ts'
import { type PackageRule, packageTable } from './packageTable.ts'
import { filesUnder, textOf } from './tree.ts'

const isSource = (path: string): boolean => /\.[cm]?[jt]sx?$/.test(path)

/** Why a package may not import a module from a file; undefined when it may. */
function refusal(folder: string, rule: PackageRule, path: string, module: string | null): string | undefined {
  if (module === null) return path === rule.loader ? undefined : 'imports what cannot be read from the source'
  if (module.startsWith('.')) {
    const target = posix.join(posix.dirname(path), module)
    return target.startsWith(`${folder}/`) ? undefined : `reaches out of its package to ${module}`
  }
  if (module.startsWith('node:')) return rule.node ? undefined : `imports ${module}, and must run where there is no Node`
  return [...rule.imports, ...rule.peers].includes(packageOf(module)) ? undefined : `imports ${module}`
}

/** What every module of ours that a manifest exports is called, and the package it belongs to. */
const entries = new Map(
  packageFolders.flatMap((folder) => {
    const { name = '', exports = {} } = manifestIn(folder)
    return Object.keys(exports).map((entry) => [posix.join(name, entry), name] as const)
  }),
)

const packageOf = (module: string): string => entries.get(module) ?? module

/** The package that a module is installed with: its name without the path into it. */
const installed = (module: string): string => module.split('/', module.startsWith('@') ? 2 : 1).join('/')

const refusalsIn = (folder: string, rule: PackageRule, path: string, text: string): readonly string[] =>
  importsOf(parse(path, text)).flatMap(({ module, line }) => {
    const reason = refusal(folder, rule, path, module)
    return reason === undefined ? [] : [`${path}:${line} ${reason}`]
  })

const ruleOf = (folder: string): PackageRule => {
  const rule = packageTable[folder]
  if (rule === undefined) throw new Error(`${folder}: not in the table of packages`)
  return rule
}

describe('imports', () => {
  it.each(packageFolders)('%s imports only what the architecture allows it', (folder) => {
    const sources = filesUnder(folder).filter(isSource)

    expect(sources.flatMap((path) => refusalsIn(folder, ruleOf(folder), path, textOf(path)))).toEqual([])
  })

  it('leaves no source file outside a package', () => {
    const strays = filesUnder('src').filter((path) => isSource(path) && !packageFolders.some((folder) => path.startsWith(`${folder}/`)))

    expect(strays).toEqual([])
  })

  it.each(packageFolders)('%s imports only what its manifest declares', (folder) => {
    const declared = Object.keys(allDependencies(manifestIn(folder)))
    const imported = filesUnder(folder)
      .filter(isSource)
      .flatMap((path) => importsOf(parse(path, textOf(path))))
      .flatMap(({ module }) => (module === null || /^(\.|node:)/.test(module) ? [] : [installed(module)]))

    expect(declared).toEqual(expect.arrayContaining([...new Set(imported)]))
  })
})

describe('manifests', () => {
  it.each(packageFolders)('%s depends on what the architecture allows, peers apart', (folder) => {
    const rule = ruleOf(folder)
    const { dependencies = {}, peerDependencies = {}, optionalDependencies = {} } = manifestIn(folder)

    expect(rule.imports.map(installed)).toEqual(expect.arrayContaining(Object.keys(dependencies)))
    expect(Object.keys(peerDependencies)).toEqual(rule.peers.filter((peer) => peer in peerDependencies))
    expect(optionalDependencies).toEqual({})
  })

  it('proves that effects depends on nothing and the machine on xstate and effects', () => {
    expect(allDependencies(manifestIn('src/effects'))).toEqual({})
    expect(Object.keys(allDependencies(manifestIn('src/machine'))).sort()).toEqual(['@shardwise/effects', 'xstate'])
  })

  it.each(packageFolders.filter((folder) => packageTable[folder]?.node === false))('%s is compiled without the types of Node', (folder) => {
    const { compilerOptions } = JSON.parse(textOf(`${folder}/tsconfig.json`)) as { compilerOptions: { types?: unknown; lib?: unknown } }

    expect(compilerOptions.types).toEqual([])
    expect(compilerOptions.lib).toBeUndefined()
  })
})

describe('the lockfile', () => {
  const { packages } = JSON.parse(textOf('package-lock.json')) as { packages: Readonly<Record<string, LockedPackage>> }

  it('installs xstate and effects for the machine, and nothing else', () => {
    expect(closureOf('src/machine', packages)).toEqual(['@shardwise/effects', 'xstate'])
  })

  it('installs nothing for effects', () => {
    expect(closureOf('src/effects', packages)).toEqual([])
  })

  it.each(packageFolders)('knows the manifest of %s as it is', (folder) => {
    expect(allDependencies(packages[folder] ?? {})).toEqual(allDependencies(manifestIn(folder)))
  })

  it('is followed through dependencies of dependencies, nearest copy first', () => {
    const nested = {
      app: { dependencies: { a: '1' } },
      'node_modules/a': { dependencies: { b: '2' }, peerDependencies: { c: '1' } },
      'node_modules/a/node_modules/b': { dependencies: { d: '1' } },
      'node_modules/b': { dependencies: { wrong: '1' } },
      'node_modules/c': {},
      'node_modules/d': { link: true, resolved: 'libs/d' },
      'libs/d': { optionalDependencies: { e: '1' } },
      'node_modules/e': {},
    }

    expect(closureOf('app', nested)).toEqual(['a', 'b', 'c', 'd', 'e'])
  })
})

describe('the reader of imports', () => {
  it('sees every way to name a module', () => {
    const text = [
      "import a from 'a'",
      "import type { B } from 'b'",
      "export * from 'c'",
      "export type { D } from 'd'",
      "import 'e'",
      "const f = await import('f')",
      "const g = require('g')",
      "type H = import('h').H",
      "import i = require('i')",
      'const j = await import(somewhere)',
      "declare module 'k' {}",
      "const l = createRequire(import.meta.url)('l')",
      'const load = createRequire(import.meta.url)',
      '/// not a reference',
    ].join('\n')

    expect(importsOf(parse('any.ts', text)).map(({ module }) => module)).toEqual([
      'a',
      'b',
      'c',
      'd',
      'e',
      'f',
      'g',
      'h',
      'i',
      null,
      'k',
      'l',
      null,
    ])
    expect(importsOf(parse('any.ts', '/// <reference types="node" />\n'))).toEqual([{ module: 'node', line: 1 }])
  })

  it.each([
    ['src/machine', "import { f } from '../effects/batch.ts'", 'reaches out of its package to ../effects/batch.ts'],
    ['src/machine', "import { f } from '@shardwise/effects/batch.ts'", 'imports @shardwise/effects/batch.ts'],
    ['src/machine', "import { f } from '@shardwise/memory'", 'imports @shardwise/memory'],
    ['src/machine', "import type { Stats } from 'node:fs'", 'imports node:fs, and must run where there is no Node'],
    ['src/adapters/kinesis', "import { f } from '@shardwise/machine'", 'imports @shardwise/machine'],
    ['src/adapters/kinesis', "import { f } from '@aws-sdk/client-dynamodb'", 'imports @aws-sdk/client-dynamodb'],
    ['src/adapters/kinesis', "import { f } from 'fs'", 'imports fs'],
    ['src/adapters/kinesis', "import { f } from '@bufbuild/protobuf'", 'imports @bufbuild/protobuf'],
    ['src/adapters/kinesis', "import { f } from '@bufbuild/protobuf/codegenv2'", 'imports @bufbuild/protobuf/codegenv2'],
    ['src/adapters/kinesis', "import { f } from '@bufbuild/protobuf/wire/varint'", 'imports @bufbuild/protobuf/wire/varint'],
    ['src/adapters/dynamodb', "import { f } from '@bufbuild/protobuf/wire'", 'imports @bufbuild/protobuf/wire'],
    ['src/effects', "import { f } from 'xstate'", 'imports xstate'],
  ])('refuses in %s: %s', (folder, text, reason) => {
    expect(refusalsIn(folder, ruleOf(folder), `${folder}/any.ts`, text)).toEqual([`${folder}/any.ts:1 ${reason}`])
  })
})

interface LockedPackage extends Manifest {
  readonly link?: boolean
  readonly resolved?: string
}

function allDependencies(manifest: Manifest): Readonly<Record<string, string>> {
  return { ...manifest.dependencies, ...manifest.peerDependencies, ...manifest.optionalDependencies }
}

/** The names of all packages that installing a package brings along, itself left out. */
function closureOf(start: string, packages: Readonly<Record<string, LockedPackage>>): readonly string[] {
  const names = new Set<string>()
  const seen = new Set([start])
  for (const at of seen) {
    for (const name of Object.keys(allDependencies(packages[at] ?? {}))) {
      names.add(name)
      seen.add(locate(name, at, packages))
    }
  }
  return [...names].sort()
}

/** Where Node finds a package from a folder: the nearest node_modules upward; links are followed. */
function locate(name: string, from: string, packages: Readonly<Record<string, LockedPackage>>): string {
  for (let folder = from; ; folder = posix.dirname(folder)) {
    const path = folder === '.' || folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`
    const found = packages[path]
    if (found !== undefined) return found.link === true && found.resolved !== undefined ? found.resolved : path
    if (folder === '.' || folder === '') throw new Error(`${name}: wanted by ${from}, not in the lockfile`)
  }
}
