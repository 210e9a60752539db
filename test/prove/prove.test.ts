import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { start, step } from '@shardwise/machine/compiled'
import { type Engine, invariants, type Life } from '@shardwise/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { readArguments } from './arguments.ts'
import { runCommandLine } from './commandLine.ts'
import { engines } from './engines.ts'
import { counterexampleText, prove, wrongIn } from './prove.ts'

const machine: Engine = { start, step }

const closesTwice: Engine = {
  start,
  step(before, event) {
    const [after, effects] = step(before, event)
    const again = event.type === 'shardClosed' && effects.length > 0
    return [after, again ? [...effects, { type: 'closeShard', id: after.context.nextId, shardId: after.context.shardId }] : effects]
  },
}
/** Of the events of a proof only those of a life ask for such a checkpoint. */
const throwsAtCheckpoints: Engine = {
  start,
  step(before, event) {
    if (event.type === 'checkpointRequested' && /^r[0-9]+$/.test(event.request)) throw new Error('checkpoint: not expected')
    return step(before, event)
  },
}
/** It backs off for other times. */
const otherwiseSeeded: Engine = { start: (input) => start({ ...input, seed: 1 }), step }

let folder: string | null = null
afterEach(() => {
  if (folder !== null) rmSync(folder, { recursive: true })
  folder = null
})

function fileWith(life: Life): string {
  folder = mkdtempSync(join(tmpdir(), 'shardwise-prove-'))
  const file = join(folder, 'life.json')
  writeFileSync(file, JSON.stringify(life))
  return file
}

function run(given: readonly string[], engine: Engine = machine): { readonly code: number; readonly said: string } {
  const said: string[] = []
  const code = runCommandLine(
    given,
    { engine },
    (line) => said.push(line),
    () => 5,
  )
  return { code, said: said.join('\n') }
}

describe('a proof', () => {
  it('lives as many operations as were asked for, over all engines, and finds nothing wrong', () => {
    const proof = prove({ engines, operations: 2_000, seed: 3 })

    expect(proof.counterexample).toBeNull()
    expect(proof.operations).toBeGreaterThanOrEqual(2_000)
    expect(proof.operations).toBeLessThan(2_100)
    expect(proof.states.size).toBeGreaterThan(15)
    expect(proof.transitions.size).toBeGreaterThan(proof.states.size)
  })

  it('is the same for the same seed, and another for another', () => {
    const [one, same, other] = [3, 3, 4].map((seed) => prove({ engines: { machine }, operations: 1_500, seed, invariants: [] }))

    expect(one).toEqual(same)
    expect(one?.events).not.toBe(other?.events)
  })

  it('goes on with the next seed when a seed is used up', () => {
    expect(prove({ engines: { machine }, operations: 500, seed: 8, invariants: [], livesPerSeed: 3 }).seeds.slice(0, 3)).toEqual([8, 9, 10])
  })

  it('finds a broken engine, and makes its life short: it goes wrong again when it comes from JSON', () => {
    const { counterexample } = prove({ engines: { closesTwice }, operations: 100_000, seed: 3 })
    if (counterexample === null) throw new Error('nothing was found')
    const { life, ...wrong } = counterexample

    expect(life.operations.length).toBeLessThanOrEqual(6)
    expect(wrongIn(JSON.parse(JSON.stringify(life)) as Life, { closesTwice }, invariants)).toMatchObject({
      engine: wrong.engine,
      title: wrong.title,
      wrong: wrong.wrong,
    })
    expect(counterexampleText(counterexample).split('\n')).toContain(JSON.stringify(life))
    expect(counterexampleText(counterexample)).toContain('! {"type":"closeShard"')
  })

  it('finds an engine that throws, with the error', () => {
    const { counterexample } = prove({ engines: { throwsAtCheckpoints }, operations: 100_000, seed: 3 })

    expect(counterexample).toMatchObject({ title: 'I5: No event throws', wrong: ['Error: checkpoint: not expected'] })
  })

  it('finds an engine that does not do what the first does, even where it keeps all invariants', () => {
    const { counterexample } = prove({ engines: { machine, otherwiseSeeded }, operations: 100_000, seed: 3 })

    expect(counterexample).toMatchObject({ engine: 'otherwiseSeeded', title: 'That engines do the same' })
    expect(prove({ engines: { otherwiseSeeded }, operations: 500, seed: 3 }).counterexample).toBeNull()
  })
})

describe('a second engine', () => {
  it('is asked what it would do next, also where it did what the first did', () => {
    const fragile: Engine = {
      start,
      step(before, event) {
        if ('id' in event && event.id === 0) throw new Error('id: nobody asked')
        return step(before, event)
      },
    }

    expect(prove({ engines: { machine, fragile }, operations: 1_000, seed: 3 }).counterexample).toMatchObject({
      engine: 'fragile',
      title: expect.stringMatching(/^I5: /) as string,
    })
  })
})

describe('the lives that were counterexamples once', () => {
  const lives = join(import.meta.dirname, 'lives')

  it.each(readdirSync(lives))('%s goes well now, on every engine', (file) => {
    expect(wrongIn(JSON.parse(readFileSync(join(lives, file), 'utf8')) as Life, engines, invariants)).toBeNull()
  })
})

describe('the command', () => {
  it('says what it did, and succeeds', () => {
    const { code, said } = run(['--operations', '300', '--seed', '12'])

    expect(code).toBe(0)
    expect(said).toMatch(/^seed 12\n/)
    for (const word of ['operations', 'lives', 'states', 'transitions', 'time per operation']) expect(said).toContain(word)
  })

  it('draws a seed where none is given, and says it first', () => {
    expect(run(['--operations', '1']).said).toMatch(/^seed 5\n/)
  })

  it('fails with a life that it can be told to live again', () => {
    const found = run(['--operations', '100000', '--seed', '3'], closesTwice)
    const line = found.said.split('\n').find((text) => text.startsWith('{"world"')) ?? ''
    const again = run(['--replay', fileWith(JSON.parse(line) as Life)], closesTwice)

    expect(found.code).toBe(1)
    expect(again.code).toBe(1)
    expect(again.said).toContain('closeShard')
    expect(again.said).toContain('does not hold with the engine engine')
    expect(run(['--replay', fileWith(JSON.parse(line) as Life)])).toMatchObject({ code: 0 })
  })

  it.each([
    [['--operation', '5'], /--operation/],
    [['5'], /5/],
    [['--operations', '0'], '--operations: expected a whole number from 1, got 0'],
    [['--operations', '1e6'], '--operations: expected a whole number from 1, got 1e6'],
    [['--seed', 'abc'], '--seed: expected a whole number from 0, got abc'],
    [['--replay', '/no/such/file'], /no such file/],
  ] as const)('refuses %j', (given, message) => {
    const { code, said } = run(given)

    expect(code).toBe(2)
    expect(said).toMatch(message)
  })

  it('reads a million operations where nothing is said', () => {
    expect(readArguments([], () => 9)).toEqual({ operations: 1_000_000, seed: 9, replay: null })
  })
})
