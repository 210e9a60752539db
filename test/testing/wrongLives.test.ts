import { start, step } from '@shardwise/machine/compiled'
import { type Engine, type Life, live, lives, type Operation } from '@shardwise/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

const life: Life = {
  world: { stored: 'TRIM_HORIZON', pending: null, length: 6, children: 2, namesChildren: true, options: {} },
  begun: 4,
  operations: [{ does: 'succeed', count: 2 }],
}

/** What living it says, where nothing may be lived. */
function refusalOf(given: unknown): string {
  const unused = (): never => {
    throw new Error('the engine was asked')
  }
  try {
    live(given as Life, { start: unused, step: unused })
  } catch (error) {
    return (error as Error).message
  }
  return 'nothing'
}
const withOperation = (operation: unknown): unknown => ({ ...life, operations: [...life.operations, operation] })
const withWorld = (change: object): unknown => ({ ...life, world: { ...life.world, ...change } })

describe('a life that is none is refused before anything is lived', () => {
  it.each<[unknown, string]>([
    [undefined, 'life: expected an object { world, begun, operations }, got undefined'],
    [null, 'life: expected an object { world, begun, operations }, got null'],
    ['{}', 'life: expected an object { world, begun, operations }, got "{}"'],
    [[], 'life: expected an object { world, begun, operations }, got a list of 0'],
    [{}, 'world: expected an object, got undefined'],
    [{ world: life.world, operations: [] }, 'begun: expected a whole number from 0, got undefined'],
    [{ ...life, begun: 'x' }, 'begun: expected a whole number from 0, got "x"'],
    [{ ...life, begun: 1.5 }, 'begun: expected a whole number from 0, got 1.5'],
    [{ ...life, operations: {} }, 'operations: expected a list, got {}'],
    [{ ...life, operation: [] }, 'operation: not a member of life; expected one of world, begun, operations'],
  ])('%j', (given, message) => {
    expect(refusalOf(given)).toBe(message)
  })

  it('in the list of values of a counterexample', () => {
    expect(refusalOf([life])).toBe('life: expected an object { world, begun, operations }, got a list of 1')
  })
})

describe('an operation that is none is refused with its place', () => {
  it.each<[unknown, string]>([
    [null, 'operations[1]: expected an object { does }, got null'],
    ['crash', 'operations[1]: expected an object { does }, got "crash"'],
    [{ does: 'succeed' }, 'operations[1].count: expected a whole number from 0, got undefined'],
    [{ does: 'succeed', count: '2' }, 'operations[1].count: expected a whole number from 0, got "2"'],
    [{ does: 'succeed', count: -3 }, 'operations[1].count: expected a whole number from 0, got -3'],
    [{ does: 'fail' }, 'operations[1].pick: expected a whole number from 0, got undefined'],
    [{ does: 'failWrite', pick: -1 }, 'operations[1].pick: expected a whole number from 0, got -1'],
    [{ does: 'answerLate', pick: null }, 'operations[1].pick: expected a whole number from 0, got null'],
    [{ does: 'poison' }, 'operations[1].times: expected a whole number from 0, got undefined'],
    [{ does: 'burst', at: 'everything' }, 'operations[1].count: expected a whole number from 0, got undefined'],
    [{ does: 'burst', at: 'LATEST', count: 2 }, 'operations[1].at: expected a whole number or "everything", got "LATEST"'],
    [{ does: 'checkpoint' }, 'operations[1].at: expected a whole number or "everything", "LATEST", "SHARD_END", "nonsense", got undefined'],
    [
      { does: 'interrupt', by: 'crash', pick: 0 },
      'operations[1].by: expected "requestShutdown", "endShard", "loseLease", "failWrite", "pause", got "crash"',
    ],
    [{ does: 'crash', count: 2 }, 'operations[1].count: not a member of operations[1]; expected one of does'],
    [{ does: 'fail', pick: 0, times: 2 }, 'operations[1].times: not a member of operations[1]; expected one of does, pick'],
  ])('%j', (operation, message) => {
    expect(refusalOf(withOperation(operation))).toBe(message)
  })

  it.each(['requestShutDown', 'toString', '__proto__', 7, undefined])('where it does %s', (does) => {
    expect(refusalOf(withOperation({ does }))).toMatch(/^operations\[1\]\.does: expected "succeed", "fail", .+, "crash", got /)
  })
})

describe('a world that is none is refused by its member', () => {
  it.each<[object, string]>([
    [{ stored: 'END' }, 'world.stored: expected "TRIM_HORIZON", "LATEST", "AT_TIMESTAMP", "SHARD_END" or a whole number from 0, got "END"'],
    [{ pending: undefined }, 'world.pending: expected a whole number from 0 or null, got undefined'],
    [{ length: '6' }, 'world.length: expected a whole number from 0, got "6"'],
    [{ children: -1 }, 'world.children: expected a whole number from 0, got -1'],
    [{ namesChildren: 1 }, 'world.namesChildren: expected true or false, got 1'],
    [{ options: [] }, 'world.options: expected an object, got []'],
    [{ options: { maxRecords: -1 } }, 'world.options.maxRecords: expected a whole number from 1 to 10000, got -1'],
    [{ child: 1 }, 'world.child: not a member of world; expected one of stored, pending, length, children, namesChildren, options'],
  ])('%j', (change, message) => {
    expect(refusalOf(withWorld(change))).toBe(message)
  })
})

describe('a life that was drawn', () => {
  const engine: Engine = { start, step }

  it('is plain JSON where fast-check prints it, and can be lived again as it is printed', () => {
    const printed = fc.sample(lives(), { seed: 5, numRuns: 50 }).map((each) => fc.stringify(each))

    for (const text of printed) expect(live(JSON.parse(text) as Life, engine).steps.length).toBeGreaterThan(0)
  })

  it('does everything that an operation can do, among a few hundred', () => {
    const done = new Set(fc.sample(lives(), { seed: 5, numRuns: 300 }).flatMap(({ operations }) => operations.map(({ does }) => does)))
    const all: Record<Operation['does'], true> = {
      succeed: true,
      fail: true,
      succeedWrite: true,
      failWrite: true,
      answerLate: true,
      answerTwice: true,
      fireTimer: true,
      requestShutdown: true,
      endShard: true,
      loseLease: true,
      pause: true,
      resume: true,
      checkpoint: true,
      burst: true,
      interrupt: true,
      poison: true,
      crash: true,
    }

    expect([...done].toSorted()).toEqual(Object.keys(all).toSorted())
  })
})
