import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { filesUnder, textOf } from '../house/tree.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const options = 'tools/apiReference/typedoc.json'

describe('the reference of the API', () => {
  const { entryPoints } = JSON.parse(readFileSync(root + options, 'utf8')) as { readonly entryPoints: readonly string[] }

  it('covers every entry of every package', () => {
    const manifests = filesUnder('src').filter((path) => path.endsWith('/package.json'))
    const entries = manifests.flatMap((path) => {
      const { exports } = JSON.parse(textOf(path)) as {
        readonly exports: Readonly<Record<string, { readonly '@shardwise/source': string }>>
      }
      return Object.values(exports).map((entry) => path.replace('package.json', entry['@shardwise/source'].replace('./', '')))
    })

    expect(entries.length).toBeGreaterThan(9)
    expect(entryPoints.map((path) => path.replace('../../', '')).toSorted()).toEqual(entries.toSorted())
  })

  it('finds a comment before every export of every module, also of those that no entry hands on', () => {
    const modules = filesUnder('src').filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
    const bare = modules.flatMap((path) => {
      const text = textOf(path)
      const declared = /^export (?:default )?(?:async )?(?:function|const|class|interface|type) (?!\{)([\w[]+)/gm
      return [...text.matchAll(declared)].flatMap(({ 1: name, index }) =>
        text.slice(0, index).endsWith('*/\n') ? [] : [`${path}: ${name}`],
      )
    })

    expect(modules.length).toBeGreaterThan(150)
    expect(bare).toEqual([])
  })

  it.each(entryPoints.map((path) => path.replace('../../', '')))('has a comment for every export of %s', (entry) => {
    const exported = exportsOf(entry)

    expect(exported.length).toBeGreaterThan(2)
    expect(exported.filter(({ declaration }) => !declaration.endsWith('*/\n')).map(({ name }) => name)).toEqual([])
  })
})

/** What a module exports, with the text in front of each declaration. */
function exportsOf(path: string): readonly { readonly name: string; readonly declaration: string }[] {
  const text = textOf(path)
  // Those of a pattern stand on lines of their own, below their comments.
  const declared = /^(?:export (?:async )?(?:function|const|class|interface|type) |(?<=\*\/\n) {2}(?=\w+,\n))(\w+)/gm
  const own = [...text.matchAll(declared)].map(({ 1: name = '', index }) => ({ name, declaration: text.slice(0, index) }))
  const handedOn = [...text.matchAll(/^export (?:type )?\{([^}]*)\} from '\.\/([^']+)'/gm)].flatMap(([, names = '', file = '']) => {
    const named = names.split(',').flatMap((name) => /(\w+)(?: as \w+)?\s*$/.exec(name.trim())?.[1] ?? [])
    const known = exportsOf(`${dirname(path)}/${file}`)
    return named.map((name) => known.find((candidate) => candidate.name === name) ?? { name: `${file}: ${name}`, declaration: '' })
  })
  return [...own, ...handedOn]
}
