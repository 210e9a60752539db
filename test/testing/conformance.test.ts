import { interpret } from '@shardwise/effects'
import { type ConformanceCase, conformance, type RunningMachine, type Runtime } from '@shardwise/testing'
import { describe, expect, test } from 'vitest'
import { brokenAnswers } from './brokenAnswers.ts'
import { brokenConsumers } from './brokenConsumers.ts'
import { brokenEnds } from './brokenEnds.ts'
import { brokenOrder } from './brokenOrder.ts'
import { brokenQueues } from './brokenQueues.ts'
import { type Break, type BrokenDriver, brokenRuntime } from './brokenRuntimes.ts'
import { brokenShardDrivers } from './brokenShardDrivers.ts'

/** A case has to notice each of them also when it says that it can do less. */
const brokenLimited = [...brokenQueues, ...brokenShardDrivers]
const brokenDrivers: readonly BrokenDriver[] = [...brokenOrder, ...brokenAnswers, ...brokenEnds, ...brokenConsumers, ...brokenLimited]

/** The driver of the project itself. */
const interpreted: Runtime = {
  can: ['anyMachine', 'restores', 'observes', 'aborts', 'ends', 'closes'],
  run: (setup) => interpret(setup),
}

/** The names of the cases that reject. */
async function complaints(cases: readonly ConformanceCase[]): Promise<readonly string[]> {
  const names: string[] = []
  for (const { name, run } of cases) {
    await run().catch(() => names.push(name))
  }
  return names
}

describe('interpret', () => {
  for (const { name, run } of conformance(interpreted)) test(name, run)
})

describe('the conformance suite', () => {
  test('has nothing to say against another driver that keeps the law', async () => {
    expect(await complaints(conformance(brokenRuntime(() => ({}))))).toEqual([])
  })

  test('lets a driver hear what came at once a turn later, like what was promised', async () => {
    const later: Break = (whole) => ({ hear: (effect, given) => whole.hear(effect, Promise.resolve(given)) })
    expect(await complaints(conformance(brokenRuntime(later)))).toEqual([])
  })

  for (const { fault, noticedBy, breakIt } of brokenDrivers) {
    test(`notices a driver that ${fault}`, async () => {
      const found = conformance(brokenRuntime(breakIt)).find(({ name }) => name === noticedBy)
      await expect(found?.run()).rejects.toThrow()
    })
  }

  for (const { fault, noticedBy, breakIt, can } of brokenLimited) {
    test(`notices a driver that ${fault}, also when all that it can is ${can.join(', ') || 'the least'}`, async () => {
      expect(await complaints(conformance(brokenRuntime(breakIt, can)))).toContain(noticedBy)
    })
  }

  test('has for every case a driver that this case notices', () => {
    const names = conformance(interpreted).map(({ name }) => name)
    expect([...new Set(brokenDrivers.map(({ noticedBy }) => noticedBy))].sort()).toEqual([...names].sort())
  })

  test('says what was expected and what came', async () => {
    const reversed = conformance(brokenRuntime((whole) => ({ startAll: (effects) => whole.startAll(effects.toReversed()) })))
    await expect(reversed[1]?.run()).rejects.toThrow(
      'log: expected ["> go","! dropBatch b1","! startTimer #2","! dropBatch b2","! startTimer #1"], got ["> go","! startTimer #1",',
    )
  })

  test('asks a driver that passes through timers for idle, and is content when it has it', async () => {
    const name = 'feeds events from outside in the order in which they were sent'
    const timers = new Set<Promise<void>>()
    const slow: Runtime = brokenRuntime((whole) => ({
      send(event) {
        const fed = new Promise<void>((resolve) => {
          setTimeout(() => {
            whole.send(event)
            resolve()
          }, 0)
        })
        timers.add(fed)
      },
    }))
    const caseOf = (runtime: Runtime) => conformance(runtime).find((one) => one.name === name)
    await expect(caseOf(slow)?.run()).rejects.toThrow(
      /^events: expected .* got \[\]; idle: expected of a runtime that passes through timers/,
    )
    await Promise.all(timers)
    await caseOf({ can: slow.can, run: (setup) => ({ ...slow.run(setup), idle: () => Promise.all(timers) }) })?.run()
  })

  test('says nothing of idle to a driver that it has heard', async () => {
    const [first] = conformance(brokenRuntime((whole) => ({ startAll: (effects) => whole.startAll(effects.toReversed()) })))
    await expect(first?.run()).rejects.toThrow(/^((?!idle).)*$/)
  })

  test('stops a driver that never comes to rest', async () => {
    const restless = brokenRuntime((whole, parts) => ({ take: (event) => (parts.queue.push(event), whole.take(event)) }))
    const [first] = conformance(restless).filter(({ name }) => name === 'feeds events from outside in the order in which they were sent')
    await expect(first?.run()).rejects.toThrow('the runtime does not come to rest: ')
  })

  test.each([
    ['throws', (): never => fail()],
    ['rejects', async (): Promise<never> => fail()],
  ])('does not swallow what send %s', async (_, send) => {
    const failing: Runtime = { can: ['anyMachine'], run: () => ({ send }) }
    const [first] = conformance(failing).filter(({ name }) => name === 'feeds events from outside in the order in which they were sent')
    await expect(first?.run()).rejects.toThrow('send: it failed with Error: no queue')
  })
})

const fail = (): never => {
  throw new Error('no queue')
}

describe('a runtime that cannot do everything', () => {
  const least: Runtime = { can: [], run: (setup) => ({ send: interpret(setup).send }) }

  test('is held to what it can, and what is left out says so in its name', async () => {
    const cases = conformance(least)
    const out = cases.filter(({ leftOut }) => leftOut !== null)
    const needsAny = 'starts the first effects in the order given'
    expect(out.map(({ name }) => name)).toContain(
      `${needsAny} (left out: anyMachine: runs whatever machine it is given, not the shard consumer alone)`,
    )
    expect(out.every(({ name }) => name.includes(' (left out: '))).toBe(true)
    expect(await complaints(cases)).toEqual([])
  })

  test('keeps every case in the list, under a name of its own', () => {
    const names = conformance(least).map(({ name }) => name)
    expect(names).toHaveLength(conformance(interpreted).length)
    expect(new Set(names).size).toBe(names.length)
  })

  test('is held to everything that needs nothing, with the shard consumer alone', () => {
    const run = conformance(least).filter(({ leftOut }) => leftOut === null)
    expect(run.map(({ name }) => name)).toContain(
      'runs two consumers side by side, whose effects have the same ids, without mixing them up',
    )
  })

  test.each([
    ['closes', 'close: expected of a runtime that says it closes, got undefined'],
    ['ends', 'done: expected of a runtime that says it ends, got undefined'],
  ] as const)('may not say that it %s when it does not', async (capability, error) => {
    const cases = conformance({ ...least, can: ['anyMachine', capability] })
    await expect(cases[0]?.run()).rejects.toThrow(error)
  })

  test.each([
    [undefined, 'run: expected it to give back a running machine, got undefined'],
    [Promise.resolve(), 'run: expected it to give back a running machine, got a promise of one'],
    [{}, 'send: expected a function, got undefined'],
    [{ send: fail, done: true }, 'done: expected a promise, got true'],
    [{ send: fail, idle: true }, 'idle: expected a function, got true'],
    [{ send: fail, close: null }, 'close: expected a function, got null'],
  ])('must give back a running machine, not %o', async (running, error) => {
    const cases = conformance({ can: [], run: () => running as unknown as RunningMachine }).filter(({ leftOut }) => leftOut === null)
    for (const { run } of cases) await expect(run()).rejects.toThrow(error)
  })

  test.each([
    [{ can: ['aborts'] }, 'run: expected a function that runs a machine, got undefined'],
    [{ can: undefined, run: least.run }, 'can: expected a list of anyMachine, restores, observes, aborts, ends, closes, got undefined'],
    [{ can: ['flies'], run: least.run }, 'can: expected a list of anyMachine, restores, observes, aborts, ends, closes, got flies'],
    [{ can: [], run: least.run, close: least.run }, 'close: not a member of a runtime, expected one of can, run'],
    [null, 'run: expected a function that runs a machine, got undefined'],
  ])('must be a runtime: %o', (runtime, error) => {
    expect(() => conformance(runtime as unknown as Runtime)).toThrow(error)
  })
})
