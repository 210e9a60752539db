import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { effectTable } from '@shardwise/effects'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { effectsPage } from '../../docs/effectReference/page.ts'
import { readTable } from '../../docs/effectReference/readTable.ts'
import { textOf } from '../house/tree.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'effects-page-'))
})
afterAll(() => rm(folder, { recursive: true }))

describe('the page of effects', () => {
  const source = readTable()
  const page = effectsPage(source)
  const effects = source.sections.flatMap((section) => section.effects)

  it('is what the effect table says now', () => {
    expect(textOf('docs/effects.md') === page, 'docs/effects.md differs from the effect table: run npm run effects').toBe(true)
  })

  it('describes every effect, in the order of the table, with its answers', () => {
    expect(effects.map(({ name, answers }) => [name, answers.map((answer) => answer.name)])).toEqual(
      Object.entries(effectTable).map(([name, { answers }]) => [name, Object.keys(answers)]),
    )
    expect([...page.matchAll(/^### (\w+)$/gm)].map(([, name]) => name)).toEqual(Object.keys(effectTable))
  })

  it('says of every effect whether it may be started again, and what waits without an answer', () => {
    for (const [name, { idempotent, unanswered }] of Object.entries(effectTable)) {
      const [, text = ''] = page.split(`\n### ${name}\n`)
      const [chapter = ''] = text.split('\n#')

      expect(chapter).toContain(idempotent ? ' · idempotent' : ' · **not** idempotent')
      expect(chapter).toContain(unanswered === null ? '\nIt has no answer.' : `without an answer, ${unanswered}`)
    }
  })

  it('reads fields with their types and comments, whatever they are put together from', () => {
    const [readRecords] = effects.filter(({ name }) => name === 'readRecords')

    expect(readRecords?.asks).toEqual([
      { name: 'shardId', type: 'ShardId', says: '' },
      { name: 'after', type: 'ExtendedSequenceNumber | null', says: '' },
      { name: 'maxRecords', type: 'number', says: '' },
      {
        name: 'prefetch',
        type: '{ readonly maxRecords: number; readonly maxBytes: number }',
        says: 'What may be read ahead: 0 records for nothing.',
      },
    ])
    expect(readRecords?.answers[0]).toEqual({ name: 'recordsRead', fields: [{ name: 'batch', type: 'BatchHandle', says: '' }] })
  })

  it('explains every type that a field is declared with', () => {
    expect(source.types.filter(({ says }) => says === '')).toEqual([])
    expect(source.types.map(({ name }) => name)).toEqual(expect.arrayContaining(['BatchHandle', 'Lease', 'Position', 'ShutdownReason']))
  })
})

describe('a table', () => {
  const facts = 'asks: of<object>(), answers: {}'
  it.each([
    ['has an effect without a comment', `// A section.\n\n  open: { ${facts} },`, 'open: expected a comment that says what it asks for'],
    ['begins without a section', `/** Opens. */\n  open: { ${facts} },`, 'open: expected a comment above it that begins a section'],
    ['has an effect without answers to read', '// A section.\n\n  /** Opens. */\n  open: { asks: of<object>() },', 'expected answers'],
  ])('is refused where it %s', async (what, text, message) => {
    const file = join(folder, `${what.replaceAll(' ', '-')}.ts`)
    await writeFile(file, `interface Shape<T> { x?: T }\nconst of = <T>(): Shape<T> => ({})\nexport const effectTable = {\n  ${text}\n}\n`)

    expect(() => readTable(file)).toThrow(message)
  })
})
