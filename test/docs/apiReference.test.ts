import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify, stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { filesUnder, textOf } from '../house/tree.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const options = 'tools/apiReference/typedoc.json'

describe('the reference of the API', () => {
  it('covers every entry of every package', () => {
    const { entryPoints } = JSON.parse(readFileSync(root + options, 'utf8')) as { readonly entryPoints: readonly string[] }
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

  it('has a comment for every export, and no link that leads nowhere', { timeout: 300_000 }, async () => {
    const asked = ['--options', options, '--emit', 'none', '--validation.notDocumented', 'true']
    const said = await promisify(execFile)(`${root}node_modules/.bin/typedoc`, asked, { cwd: root }).then(
      ({ stdout, stderr }) => stdout + stderr,
      (error: { readonly stdout: string; readonly stderr: string }) => error.stdout + error.stderr,
    )
    // Members of what is exported may speak for themselves.
    const complaints = stripVTControlCharacters(said)
      .split('\n')
      .filter((line) => /\[(warning|error)\]/.test(line) && !isOfMember(line) && !/Found \d+ errors/.test(line))

    expect(complaints).toEqual([])
    expect(said).toContain('does not have any documentation')
  })
})

const isOfMember = (line: string): boolean => /\] [\w/]+\.\w+\.\S+ \(\w+\), defined in .* does not have any documentation/.test(line)
