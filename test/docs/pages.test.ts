import { posix } from 'node:path'
import { describe, expect, it } from 'vitest'
import { declareMultilangOptions, declareOptions, readMultilangOptions, readOptions } from '../../src/worker/commandLineOptions.ts'
import { filesUnder, textOf } from '../house/tree.ts'
import { type Block, blocksIn, brokenLinks, exists, linksIn } from './markdown.ts'

const pages = filesUnder('').filter((path) => path.endsWith('.md'))
const guides = pages.filter((path) => path === 'README.md' || (path.startsWith('docs/') && !path.startsWith('docs/examples/')))

/** Pages whose programs are run as they stand on the page, and the tests that do so. */
const ranFromThePage: Readonly<Record<string, string>> = {
  'README.md': 'test/worker/readme.process.test.ts',
  'docs/handlers.md': 'test/docs/handlersPage.test.ts',
}

/** Files that are not programs, or are drawn. */
const told = new Set(['', 'text', 'json', 'mermaid'])
const programs = new Set(['ts', 'js', 'py'])

const tests = filesUnder('test')

/** The programs under docs that tests run: those that tests name, and what these import. */
const ran = new Set<string>()
function collect(path: string): void {
  if (ran.has(path) || !exists(path)) return
  ran.add(path)
  for (const [, imported = ''] of textOf(path).matchAll(/ from '(\.[^']+)'/g)) collect(posix.join(posix.dirname(path), imported))
}
for (const test of tests) {
  for (const [, path = ''] of textOf(test).matchAll(/\b(docs\/examples\/[\w./-]+)/g)) collect(path)
}

/** What is wrong with a block of a page; undefined when it is as it should be. */
function complaintOf(page: string, { language, source, text }: Block): string | undefined {
  if (told.has(language)) return undefined
  if (language === 'sh') return text.trimEnd().split('\n').map(notUnderstood).find(Boolean)
  if (!programs.has(language)) return `${language}: not a language of these pages`
  if (page in ranFromThePage) return undefined
  if (source === '') return `${language}: expected the file that the block is a part of`
  const path = posix.join(posix.dirname(page), source)
  if (!exists(path)) return `${source}: there is no such file`
  if (!`\n${textOf(path)}`.includes(`\n${text}`)) return `${source}: the block is not a part of it`
  return ran.has(path) || tests.includes(path) ? undefined : `${source}: no test runs it`
}

/** What is not understood of a line for a shell. */
function notUnderstood(line: string): string | undefined {
  const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Readonly<Record<string, string>> }
  const known = new Set(['npm ci && npm start', 'npm ci && npm run verify', ...Object.keys(scripts).map((name) => `npm run ${name}`)])
  if (known.has(line)) return undefined
  const [, command, args = ''] = /^npx shardwise (consume|multilang) (.*)$/.exec(line) ?? []
  const quiet = { writeErr: () => undefined }
  try {
    const said = { from: 'user' } as const
    if (command === 'consume') readOptions(declareOptions().exitOverride().configureOutput(quiet).parse(args.split(' '), said))
    else if (command === 'multilang') {
      readMultilangOptions(declareMultilangOptions().exitOverride().configureOutput(quiet).parse(args.split(' '), said))
    } else return `${line}: not a command that is known here`
    return undefined
  } catch (error) {
    return `${line}: ${(error as Error).message}`
  }
}

describe.each(pages)('%s', (page) => {
  it('has no link that leads nowhere', () => {
    expect(brokenLinks(page, textOf(page))).toEqual([])
  })
})

describe.each(guides)('%s', (page) => {
  it('shows no program that no test runs, and no command that is not understood', () => {
    expect(blocksIn(textOf(page)).flatMap((block) => complaintOf(page, block) ?? [])).toEqual([])
  })
})

describe('the pages', () => {
  it('are found from the first one', () => {
    const found = new Set(['README.md'])
    for (const page of found) {
      for (const { path } of linksIn(page, textOf(page))) if (guides.includes(path)) found.add(path)
    }

    expect(guides.filter((page) => !found.has(page))).toEqual([])
  })

  it('run their own programs where the tests say that they do', () => {
    for (const [page, test] of Object.entries(ranFromThePage)) expect(textOf(test)).toContain(page.split('/').at(-1))
  })
})

describe('a page', () => {
  const complaint = (markdown: string): readonly (string | undefined)[] =>
    blocksIn(markdown).map((block) => complaintOf('docs/page.md', block))

  it.each([
    ['a file that is not there', '[x](../test/none.txt)', 'x: there is no test/none.txt'],
    ['a heading that is not on the page', '# A b\n[x](#a-c)', 'x: there is no #a-c in docs/handlers.md'],
    ['a heading that is only in a block', '```sh\n# a\n```\n[x](#a)', 'x: there is no #a in docs/handlers.md'],
    ['a heading that is not on another page', '[x](architecture.md#none)', 'x: there is no #none in docs/architecture.md'],
  ])('is told of a link to %s', (_what, markdown, said) => {
    expect(brokenLinks('docs/handlers.md', markdown)).toEqual([said])
  })

  it.each([
    ['from nowhere', '```ts\na\n```', 'ts: expected the file that the block is a part of'],
    ['from a file that is not there', '```ts examples/none.ts\na\n```', 'examples/none.ts: there is no such file'],
    [
      'that its file does not have',
      '```ts examples/leaseRows.ts\nexport const rows = 1\n```',
      'examples/leaseRows.ts: the block is not a part of it',
    ],
    [
      'from the middle of a line',
      '```ts examples/leaseRows.ts\nfunction rowsInMemory(): LeaseRows {\n```',
      'examples/leaseRows.ts: the block is not a part of it',
    ],
    ['that no test runs', "```ts pathReport.ts\nimport { parseArgs } from 'node:util'\n```", 'pathReport.ts: no test runs it'],
    ['of a language that is not run', '```rb\nputs 1\n```', 'rb: not a language of these pages'],
    [
      'with a flag that is unknown',
      '```sh\nnpx shardwise consume --stream a --application b --processor c --fast\n```',
      expect.stringContaining("unknown option '--fast'"),
    ],
    ['with a script that is not there', '```sh\nnpm run none\n```', 'npm run none: not a command that is known here'],
  ])('is told of a block %s', (_what, markdown, said) => {
    expect(complaint(markdown)).toEqual([said])
  })

  it('may show a part of a file that a test runs', () => {
    const part = '    // delete from leases where lease_key = $1\n'

    expect(complaint(`\`\`\`ts examples/leaseRows.ts\n${part}\`\`\``)).toEqual([undefined])
    expect(complaint('```sh\nnpm run diagram\nnpx shardwise multilang app.properties\n```')).toEqual([undefined])
  })
})
