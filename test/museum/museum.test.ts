import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { lifeOf, told } from './life.ts'
import { originOf, textOf } from './piece.ts'
import { pieces } from './pieces.ts'

const named = pieces.map((piece) => [piece.name, piece] as const)

describe('a bug of another consumer', () => {
  it.each(named)('does not happen here: %s', async (name, piece) => {
    const here = await piece.here()

    await expect(textOf(piece, here)).toMatchFileSnapshot(`./${name}.txt`)
    expect(piece.holds(lifeOf(here)), piece.fact).toBe(true)
  })

  it.each(named)('is told apart by its check: %s', (_name, piece) => {
    expect(piece.holds(piece.there), 'the check holds on what happened there').toBe(false)
    expect(piece.holds(told(['start', 'WAITING_ON_PARENT_SHARDS'])), 'the check holds where nothing happens').toBe(false)
  })
})

describe('the pieces', () => {
  it('have a file each, under a name of their own', () => {
    const files = readdirSync(new URL('.', import.meta.url)).filter((file) => file.endsWith('.txt'))

    expect(files.toSorted()).toEqual(pieces.map(({ name }) => `${name}.txt`).toSorted())
  })

  it('are named after the thread upstream that tells of them, or after the release that does it', () => {
    expect(pieces.filter((piece) => !piece.name.startsWith(`${originOf(piece)}-`)).map(({ name }) => name)).toEqual([])
  })
})
