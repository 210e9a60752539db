import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const folder = fileURLToPath(new URL('../../docs/examples/', import.meta.url))
const page = readFileSync(`${folder}README.md`, 'utf8')
const sources = readdirSync(folder).filter((name) => name !== 'README.md')

describe('the page of examples', () => {
  it('names every file, and no other', () => {
    const linked = [...page.matchAll(/\]\(([^)/]+)\)/g)].map(([, name = '']) => name)
    expect([...linked].sort()).toEqual([...sources].sort())
  })

  it('lists files that a reader takes in at a glance', () => {
    const long = sources.filter(
      (name) =>
        readFileSync(folder + name, 'utf8')
          .trimEnd()
          .split('\n').length > 60,
    )
    expect(long).toEqual([])
  })

  it('lists files that import public packages and each other', () => {
    const imported = sources.flatMap((name) =>
      [...readFileSync(folder + name, 'utf8').matchAll(/ from '([^']+)'/g)].map(([, module = '']) => module),
    )
    const strange = imported.filter(
      (module) => !/^(@shardwise\/\w+|@shardwise\/machine\/host|shardwise|@opentelemetry\/api|\.\/\w+\.ts|xstate|fast-check)$/.test(module),
    )
    expect(strange).toEqual([])
  })
})
