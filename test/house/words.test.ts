import { describe, expect, it } from 'vitest'
import { filesUnder, textOf } from './tree.ts'

/** Words that say something is left for later. */
const forbiddenWords = ['TODO', 'FIXME', 'XXX']

/** This list itself, and the lockfile, whose hashes may spell anything. */
const unread = new Set(['test/house/words.test.ts', 'package-lock.json'])

const forbiddenIn = (path: string, text: string): readonly string[] =>
  text
    .split('\n')
    .flatMap((line, index) =>
      forbiddenWords.filter((word) => new RegExp(`\\b${word}\\b`).test(line)).map((word) => `${path}:${index + 1} ${word}`),
    )

describe('the tree', () => {
  it('leaves nothing for later', () => {
    const found = filesUnder('')
      .filter((path) => !unread.has(path))
      .flatMap((path) => forbiddenIn(path, textOf(path)))

    expect(found).toEqual([])
  })

  it('is read whole: folders that begin with a dot as well', () => {
    expect(filesUnder('')).toEqual(
      expect.arrayContaining(['.ci/run', '.oxlintrc.json', 'src/effects/table.ts', 'test/house/words.test.ts']),
    )
  })

  it('shows file and line of a word that leaves something for later', () => {
    expect(forbiddenIn('a.ts', 'fine\n// TODO: later')).toEqual(['a.ts:2 TODO'])
    expect(forbiddenIn('a.ts', "mkdtemp('run-XXXXXX')")).toEqual([])
  })
})
