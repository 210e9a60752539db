import { type ShardConsumerInput, start, step } from '@shardwise/machine'
import {
  consumerGraph,
  type Engine,
  invariants,
  type Life,
  live,
  lives,
  type Path,
  type PathRuntime,
  paths,
  pathsOf,
  pureRuntime,
  replayPath,
  shortestPaths,
  type Trace,
  TransitionRecorder,
  traceOf,
} from '@shardwise/testing'
import { describe, expect, it } from 'vitest'

const machine: Engine = { start, step }
const input: ShardConsumerInput = { shardId: 'shardId-000000000000', token: 7 }
const life: Life = {
  world: { stored: 'TRIM_HORIZON', pending: null, length: 4, children: 0, namesChildren: true, options: {} },
  begun: 4,
  operations: [{ does: 'succeed', count: 2 }],
}
const trace = live(life, machine)
const [first] = invariants

/** What a function says to arguments that its types do not allow. */
const complaintOf = (call: (...given: never[]) => unknown, ...given: readonly unknown[]): string => {
  try {
    call(...(given as never[]))
  } catch (error) {
    return (error as Error).message
  }
  return 'nothing'
}

describe('an engine that is none is refused by the name of what is missing', () => {
  const wrong: readonly (readonly [unknown, string])[] = [
    [null, 'engine: expected an object { start, step }, got null'],
    [[input], 'engine: expected an object { start, step }, got a list of 1'],
    [{}, 'engine.start: expected a function, got undefined'],
    [{ start }, 'engine.step: expected a function, got undefined'],
  ]
  it.each<[string, (engine: unknown) => string]>([
    ['live', (engine) => complaintOf(live, life, engine)],
    ['traceOf', (engine) => complaintOf(traceOf, input, [], engine)],
    ['shortestPaths', (engine) => complaintOf(shortestPaths, engine)],
    ['paths', (engine) => complaintOf(paths, engine)],
    ['consumerGraph', (engine) => complaintOf(consumerGraph, input, engine)],
    ['pureRuntime', (engine) => complaintOf(pureRuntime, engine)],
    ['TransitionRecorder', (engine) => complaintOf((given: Engine) => new TransitionRecorder(given), engine)],
    ['check', (engine) => complaintOf((...given: [Trace, Engine]) => first?.check(...given), trace, engine)],
  ])('by %s', (_, complaint) => {
    expect(wrong.map(([engine]) => complaint(engine))).toEqual(wrong.map(([, message]) => message))
  })

  it('by each invariant, those that need no engine as well', () => {
    for (const { check } of invariants) expect(() => check(trace, {} as Engine)).toThrow('engine.start: expected a function')
  })

  it('where there is none at all', () => {
    expect(complaintOf(live, life)).toBe('engine: expected an object { start, step }, got undefined')
  })
})

it('an engine may be an instance of a class, for a trace as for the invariants', () => {
  const recorder = new TransitionRecorder(machine)

  expect(live(life, recorder)).toEqual(trace)
  expect(traceOf(trace.input, [], recorder).steps).toHaveLength(1)
  expect(invariants.flatMap(({ check }) => check(trace, recorder))).toEqual([])
})

describe('an input that is none is refused before anything is walked', () => {
  const unused = (): never => {
    throw new Error('the engine was asked')
  }
  const engine: Engine = { start: unused, step: unused }

  it.each<[unknown, string]>([
    [undefined, 'input: expected that of the start, { shardId, token, … }, got undefined'],
    [{}, 'input: expected that of the start, { shardId, token, … }, got {}'],
    [
      { ...input, maxShutdownAttempts: 1 },
      'input.maxShutdownAttempts: not a member of input; expected one of shardId, leaseKey, token, parentShardIds, seed, openedAtMs, options',
    ],
  ])('%j', (given, message) => {
    expect(complaintOf(consumerGraph, given, engine)).toBe(message)
    expect(complaintOf(traceOf, given, [], engine)).toBe(message)
    expect(complaintOf(shortestPaths, engine, [input, given])).toBe(
      message.replace(/^input/, 'inputs[1]').replace('of input;', 'of inputs[1];'),
    )
  })

  it.each<[unknown, string]>([
    [[], 'inputs: expected a list of one input at least, got []'],
    [{}, 'inputs: expected a list of one input at least, got {}'],
    [null, 'inputs: expected a list of one input at least, got null'],
  ])('as the list of them: %j', (given, message) => {
    expect(complaintOf(shortestPaths, engine, given)).toBe(message)
    expect(complaintOf(paths, engine, given)).toBe(message)
  })

  it('as events', () => {
    expect(complaintOf(traceOf, input, undefined, engine)).toBe('events: expected a list, got undefined')
  })

  it('as a graph', () => {
    expect(complaintOf(pathsOf, undefined)).toBe('graph: expected an object { input, effects, states }, got undefined')
    expect(complaintOf(pathsOf, { input, effects: [], states: {} })).toBe('graph.states: expected a map, got {}')
  })
})

describe('options of lives that are none are refused', () => {
  it.each<[unknown, string]>([
    [null, 'lives: expected an object of options, got null'],
    [7, 'lives: expected an object of options, got 7'],
    [[], 'lives: expected an object of options, got []'],
    [{ options: null }, 'options: expected an object of options, got null'],
    [{ options: 3 }, 'options: expected an object of options, got 3'],
  ])('%j', (given, message) => {
    expect(complaintOf(lives, given)).toBe(message)
  })
})

describe('a step of a trace that is none is refused by its member', () => {
  const changed = (index: number, change: object): Trace => ({
    ...trace,
    steps: trace.steps.map((each, at) => (at === index ? { ...each, ...change } : each)),
  })
  it('where it is nothing', () => {
    const [start, ...later] = trace.steps
    const check = (steps: readonly unknown[]) => complaintOf((given: Trace) => first?.check(given), { input, steps })

    expect(check([null])).toBe('steps[0]: expected the start, whose event and before are null, got null')
    expect(check([start, undefined, ...later])).toBe('steps[1]: expected an object { after, effects, event, before }, got undefined')
  })

  it.each<[number, object, string]>([
    [0, { after: undefined }, 'steps[0].after: expected an object, got undefined'],
    [0, { after: { value: 'PROCESSING' } }, 'steps[0].after.context: expected an object, got undefined'],
    [0, { effects: undefined }, 'steps[0].effects: expected a list of effects, got undefined'],
    [1, { effects: [null] }, 'steps[1].effects: expected a list of effects, got [null]'],
    [1, { event: null }, 'steps[1].event: expected an object, got null'],
    [1, { event: {} }, 'steps[1].event.type: expected a text, got undefined'],
    [2, { before: undefined }, 'steps[2].before: expected an object, got undefined'],
    [2, { before: {} }, 'steps[2].before.value: expected a text or an object, got undefined'],
  ])('step %i with %j', (index, change, message) => {
    const broken = changed(index, change)

    for (const { check } of invariants) expect(() => check(broken)).toThrow(new Error(message))
  })
})

describe('what is no path, or no runtime, is refused before the runtime is started', () => {
  const path: Path = { name: 'a path', input, start: { value: 'SHUTDOWN_COMPLETE', effects: [] }, steps: [] }
  const aStep = { name: 'pause', event: { type: 'pause' }, value: 'SHUTDOWN_COMPLETE', effects: [] }
  const unused = (): never => {
    throw new Error('the runtime was asked')
  }
  const runtime: PathRuntime = { start: unused, send: unused, value: unused }
  const complaint = async (...given: readonly unknown[]): Promise<unknown> =>
    replayPath(...(given as Parameters<typeof replayPath>)).then(
      () => 'nothing',
      (error: unknown) => String(error),
    )

  it.each<[unknown, string]>([
    [undefined, 'path: expected an object { name, input, start, steps }, got undefined'],
    [[path], 'path: expected an object { name, input, start, steps }, got a list of 1'],
    [{}, 'path.name: expected a text, got undefined'],
    [{ ...path, start: undefined }, 'path.start: expected an object, got undefined'],
    [{ ...path, start: { value: '' } }, 'path.start.effects: expected a list, got undefined'],
    [{ ...path, steps: undefined }, 'path.steps: expected a list, got undefined'],
    [{ ...path, steps: [aStep, { ...aStep, event: undefined }] }, 'path.steps[1].event: expected an object, got undefined'],
    [{ ...path, steps: [{ ...aStep, effects: undefined }] }, 'path.steps[0].effects: expected a list, got undefined'],
  ])('the path %j', async (given, message) => {
    expect(await complaint(given, runtime)).toBe(`Error: ${message}`)
  })

  it.each<[unknown, string]>([
    [undefined, 'runtime: expected an object { start, send, value }, got undefined'],
    [{}, 'runtime.start: expected a function, got undefined'],
    [{ start: unused, value: unused }, 'runtime.send: expected a function, got undefined'],
    [{ start: unused, send: unused, value: 'SHUTDOWN_COMPLETE' }, 'runtime.value: expected a function, got "SHUTDOWN_COMPLETE"'],
  ])('the runtime %j', async (given, message) => {
    expect(await complaint(path, given)).toBe(`Error: ${message}`)
  })
})
