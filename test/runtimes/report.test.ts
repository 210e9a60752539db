import * as machine from '@shardwise/machine'
import { describe, expect, it, vi } from 'vitest'
import { readLeftOut } from '../../tools/runtimes/arguments.ts'
import { chromium } from '../../tools/runtimes/chromium.ts'
import { firstDifference } from '../../tools/runtimes/compare.ts'
import type { Engine } from '../../tools/runtimes/engines.ts'
import { execute, isFine } from '../../tools/runtimes/execute.ts'
import { paceOf } from '../../tools/runtimes/pace.ts'
import { reportOf, wayCount } from '../../tools/runtimes/report.ts'
import type { Runtime } from '../../tools/runtimes/runtime.ts'
import { readStories, stepsOf } from '../../tools/runtimes/stories.ts'

const stories = readStories()
const expected = reportOf(machine, stories)
const linesWith = (mark: string): readonly string[] => expected.split('\n').filter((line) => line.startsWith(`${mark} `))

describe('the report of an engine', () => {
  it('tells every story in every way, with every event and all that is asked for', () => {
    expect(linesWith('#')).toHaveLength(stories.length * wayCount)
    expect(linesWith('>')).toHaveLength((stories.length + stepsOf(stories)) * wayCount)
    const effects = stories.flatMap(({ input, events }) => machine.replay(input, events).flatMap(([, asked]) => asked))
    expect(linesWith('!').slice(0, effects.length)).toEqual(effects.map((effect) => `! ${JSON.stringify(effect)}`))
    expect(linesWith('!')).toHaveLength(effects.length * wayCount)
    expect(linesWith('?').length).toBeGreaterThan(stepsOf(stories))
    expect(linesWith('~').length).toBeGreaterThan(stepsOf(stories))
  })

  it('says the same of each way', () => {
    const byWay = (way: string): string =>
      expected
        .split('\n# ')
        .filter((story) => story.split('\n')[0]?.endsWith(`, ${way}`))
        .map((story) => story.trim().split('\n').slice(1).join('\n'))
        .join('\n')

    expect(byWay('step by step')).not.toBe('')
    expect(byWay('through JSON')).toBe(byWay('step by step'))
    expect(byWay('replayed')).toBe(byWay('step by step'))
  })

  it.each<[what: string, engine: Partial<Engine>, heading: string]>([
    ['one field of one effect', { step: (snapshot, event) => withDelay(machine.step(snapshot, event)) }, '# a-happy-life, step by step'],
    ['what is outstanding', { outstanding: () => [] }, '# a-happy-life, step by step'],
    [
      'what a restored snapshot asks for',
      { restore: (snapshot) => [snapshot, machine.outstanding(snapshot)] },
      '# a-happy-life, step by step',
    ],
    ['snapshots that know more than their JSON', rememberingEngine(), '# a-happy-life, through JSON'],
    [
      'a replay that leaves out the last event',
      { replay: (input, events) => machine.replay(input, events.slice(0, -1)) },
      '# a-happy-life, replayed',
    ],
  ])('differs in %s', (_, engine, heading) => {
    const happyLife = stories.slice(0, 1)

    expect(firstDifference(reportOf(machine, happyLife), reportOf({ ...machine, ...engine }, happyLife))).toContain(heading)
  })
})

function withDelay([snapshot, effects]: ReturnType<Engine['step']>): ReturnType<Engine['step']> {
  return [snapshot, effects.map((effect) => (effect.type === 'startTimer' ? { ...effect, delayMs: effect.delayMs + 1 } : effect))]
}

/** An engine that counts on being given the very snapshots that it made. */
function rememberingEngine(): Partial<Engine> {
  const made = new WeakSet<object>()
  const remember = (taken: ReturnType<Engine['step']>): ReturnType<Engine['step']> => {
    made.add(taken[0])
    return taken
  }
  const step: Engine['step'] = (snapshot, event) => (made.has(snapshot) ? remember(machine.step(snapshot, event)) : [snapshot, []])
  return { start: (input) => remember(machine.start(input)), step, shardConsumer: { ...machine.shardConsumer, step } }
}

describe('the first difference', () => {
  const text = ['# a story', '> told', `= ${'x'.repeat(100)}1${'y'.repeat(200)}`, ''].join('\n')

  it('is none between equal texts', () => {
    expect(firstDifference(text, `${text}`)).toBeNull()
  })

  it('is shown with its line, its story, and the part of the line around it', () => {
    expect(firstDifference(text, text.replace('1', '2'))).toBe(
      `line 3, # a story\n  expected …${'x'.repeat(60)}1${'y'.repeat(119)}\n  got      …${'x'.repeat(60)}2${'y'.repeat(119)}`,
    )
  })

  it('is the end of the shorter text', () => {
    expect(firstDifference('# a\n> b', '# a')).toBe('line 2, # a\n  expected > b\n  got      the end')
    expect(firstDifference('# a', '# a\n> b')).toBe('line 2, # a\n  expected the end\n  got      > b')
    expect(firstDifference('a', '')).toBe('line 1, before the first story\n  expected a\n  got      ')
  })
})

describe('executing a bundle', () => {
  const bundles = { report: 'report.js', pace: 'pace.js' }
  const runtime = (run: Runtime['run'], facts: Partial<Runtime> = {}): Runtime => ({
    name: 'any',
    visible: ['window'],
    version: () => Promise.resolve('1.0'),
    run,
    ...facts,
  })
  const isSame = async (run: Runtime['run'], facts?: Partial<Runtime>) => {
    const outcome = await execute(runtime(run, facts), bundles, '# a\n')
    return [isFine({ runtime: 'any', engine: 'any', ...outcome }), outcome]
  }

  it('finds the same effects, and takes the time in a run of its own', async () => {
    const run = vi.fn(async (path: string) => Promise.resolve(path === 'pace.js' ? '1500.5' : 'visible: window\n# a\n'))

    expect(await isSame(run)).toEqual([true, { version: '1.0', result: 'same', nanosPerStep: 1500.5 }])
    expect(run.mock.calls).toEqual([['report.js'], ['pace.js']])
  })

  it('fails a runtime whose effects differ, or that shows the bundle more of its world', async () => {
    expect(await isSame(() => Promise.resolve('visible: window\n# b\n'))).toEqual([
      false,
      { version: '1.0', result: 'differs: line 2, # a\n  expected # a\n  got      # b', nanosPerStep: null },
    ])
    expect(await isSame(() => Promise.resolve('visible: fetch window\n# a\n'))).toEqual([
      false,
      { version: '1.0', result: expect.stringContaining('got      visible: fetch window'), nanosPerStep: null },
    ])
  })

  it('fails a runtime that is not there, or that fails while it is measured', async () => {
    const gone = { version: () => Promise.reject(new Error('not there')) }
    const failingPace: Runtime['run'] = (path) =>
      path === 'pace.js' ? Promise.reject(new Error('out of memory')) : Promise.resolve('visible: window\n# a\n')

    expect(await isSame(() => Promise.resolve(''), gone)).toEqual([
      false,
      { version: '–', result: 'failed: Error: not there', nanosPerStep: null },
    ])
    expect(await isSame(failingPace)).toEqual([false, { version: '1.0', result: 'failed: Error: out of memory', nanosPerStep: null }])
  })

  it('says where no Chromium is', async () => {
    vi.stubEnv('CHROMIUM', '/nowhere/chromium')

    await expect(chromium.version()).rejects.toThrow(
      'no Chromium at /nowhere/chromium: name one in the variable CHROMIUM, or leave it out with --without chromium',
    )
    vi.unstubAllEnvs()
  })
})

describe('the time of a step', () => {
  const oneStep = stories.slice(0, 1).map((story) => ({ ...story, events: story.events.slice(0, 1) }))

  it('is that of the fastest round, a start counted as a step', () => {
    let nowMs = 0
    const fastFrom = (fastMs: number) => (): number => {
      nowMs += nowMs >= fastMs && nowMs < fastMs + 50 ? 1 : 4
      return nowMs
    }

    // Between two looks at the clock is one pass of two steps, which takes 4 ms, but 1 ms for a while.
    expect(paceOf(machine, oneStep, fastFrom(1_000))).toBe(500_000)
    nowMs = 0
    expect(paceOf(machine, oneStep, fastFrom(5_000))).toBe(2_000_000)
  })

  it('is unknown without a clock, and with one that stands still', () => {
    expect(paceOf(machine, oneStep, null)).toBeNull()
    expect(paceOf(machine, oneStep, () => 7)).toBeNull()
  })
})

describe('the command line', () => {
  const names = ['Node 20', 'node:vm', 'Chromium']

  it('leaves out the runtimes that it names', () => {
    expect([...readLeftOut([], names)]).toEqual([])
    expect([...readLeftOut(['--without', 'chromium', '--without=node20', '--without', 'vm'], names)]).toEqual([
      'Chromium',
      'Node 20',
      'node:vm',
    ])
  })

  it.each([
    [['--without', 'Chromium'], '--without: expected one of node20, vm, chromium, got Chromium'],
    [['--without', 'safari'], '--without: expected one of node20, vm, chromium, got safari'],
    [['--witout', 'chromium'], "Unknown option '--witout'"],
    [['chromium'], "Unexpected argument 'chromium'"],
  ])('refuses %j', (args, message) => {
    expect(() => readLeftOut(args, names)).toThrow(message)
  })
})
