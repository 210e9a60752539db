import type { ShardConsumerInput, ShardConsumerSnapshot, ShardEvent } from '@shardwise/machine'
import { start, step } from '@shardwise/machine/compiled'
import {
  consumerGraph,
  type Engine,
  invariants,
  type Path,
  pathInputs,
  paths,
  pureRuntime,
  replayPath,
  shortestPaths,
  TransitionRecorder,
  traceOf,
} from '@shardwise/testing'
import { describe, expect, it } from 'vitest'
import { keyOf } from '../../src/testing/paths/stateKey.ts'

const engine: Engine = { start, step }
/** The smallest of the graphs, for what need not be seen in all of them. */
const input: ShardConsumerInput = {
  shardId: 'shardId-000000000000',
  token: 7,
  options: { maxCheckpointAttempts: 1, maxShutdownAttempts: 1, maxDeliveryAttempts: 1, deadLetter: true },
}
const graph = consumerGraph(input, engine)
const all = paths(engine, [input])
const every = (count: number): readonly Path[] => all.filter((_, index) => index % count === 0)

interface Passed {
  readonly snapshot: ShardConsumerSnapshot
  /** The edges on the way, each as the key it starts from and its name. */
  readonly edge: string | null
  readonly next: Map<ShardEvent, Passed>
}
const beginning: Passed = { snapshot: engine.start(input)[0], edge: null, next: new Map() }

/** Takes a path with the machine: every place that it passes. Paths that begin alike are taken together. */
function pass({ steps }: Path): readonly Passed[] {
  let here = beginning
  return steps.map(({ name, event }) => {
    const known = here.next.get(event)
    if (known !== undefined) return (here = known)
    const [snapshot] = step(here.snapshot, event)
    const place = { snapshot, edge: `${keyOf(here.snapshot)} ${name}`, next: new Map() }
    here.next.set(event, place)
    return (here = place)
  })
}

const changed = (change: Partial<Engine>): Engine => ({ ...engine, ...change })
const complaint = (path: Path | undefined, broken: Engine): Promise<unknown> =>
  path === undefined ? Promise.resolve('no path') : replayPath(path, pureRuntime(broken)).catch((error: unknown) => error)

describe('the paths to every state', () => {
  const shortest = shortestPaths(engine, [input])

  it('end in each state once', () => {
    expect(shortest.map((path) => keyOf((pass(path).at(-1) ?? beginning).snapshot)).toSorted()).toEqual([...graph.states.keys()].toSorted())
  })

  it('each have a name of their own, which is the same in every run', () => {
    const names = shortest.map(({ name }) => name)

    expect(new Set(names).size).toBe(names.length)
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length)
    expect(shortestPaths(engine, [input]).map(({ name }) => name)).toEqual(names)
    expect(names[0]).toBe('1.1: to WAITING_ON_PARENT_SHARDS.checking, length 0')
    expect(
      shortestPaths(engine, [input, input])
        .map(({ name }) => name)
        .slice(names.length),
    ).toEqual(names.map((name) => name.replace('1.', '2.')))
  })

  it('are the shortest: no edge leads to a state by more than one step fewer', () => {
    const distance = new Map([...graph.states].map(([key, { way }]) => [key, way.length]))

    expect(graph.edges.filter(({ fromKey, toKey }) => (distance.get(toKey) ?? 0) > (distance.get(fromKey) ?? 0) + 1)).toEqual([])
  })
})

describe('the paths over every edge', () => {
  it('together take every event in every state', () => {
    const walked = new Set(all.flatMap((path) => pass(path).map(({ edge }) => edge)))

    expect(graph.edges.filter(({ fromKey, name }) => !walked.has(`${fromKey} ${name}`)).map(({ name }) => name)).toEqual([])
    expect(walked.size).toBe(graph.edges.length)
  })

  it('are plain JSON, each with a name and an input', () => {
    const some = every(50)

    expect(JSON.parse(JSON.stringify(some))).toEqual(some)
    expect(some.every(({ name }) => /^1\.\d+: [A-Z_]+(\.\w+)? on .+, length \d+$/.test(name))).toBe(true)
  })

  it('hold for the machine that they were made with', async () => {
    const recorder = new TransitionRecorder(engine)
    for (const path of every(20)) await replayPath(path, pureRuntime(recorder))

    expect(recorder.taken.size).toBeGreaterThan(100)
  })

  it('cannot be made from an input that the engine refuses', () => {
    expect(() => paths(engine, [{ ...input, token: -1 }])).toThrow(/^token: /)
  })

  it('cover both policies for a shardEnded without a checkpoint, and each way of the error policy, where no inputs are given', () => {
    expect(pathInputs.flatMap(({ options }) => options?.missedShardEndCheckpoint ?? [])).toEqual(['retry', 'replay'])
    expect(pathInputs.filter(({ options }) => options?.maxDeliveryAttempts !== undefined).length).toBe(4)
  })
})

describe('replaying a path', () => {
  const lost = all.find(({ steps }) => steps.some(({ effects }) => effects.some(({ type }) => type === 'signalLeaseLost')))

  it('names the step at which the effects differ, and both effects', async () => {
    const silent = (before: ShardConsumerSnapshot, event: ShardEvent): ReturnType<Engine['step']> => {
      const [after, effects] = step(before, event)
      return [after, effects.filter(({ type }) => type !== 'signalLeaseLost')]
    }

    expect(String(await complaint(lost, changed({ step: silent })))).toMatch(
      /^Error: .+: step \d+, .+: effects: expected \[.*signalLeaseLost.*\], got \[/,
    )
  })

  it('names the step whose effects come in another order, which no invariant does', async () => {
    const turned = (before: ShardConsumerSnapshot, event: ShardEvent): ReturnType<Engine['step']> => {
      const [after, effects] = step(before, event)
      return [after, effects.toReversed()]
    }
    const backwards = changed({ step: turned })
    const settling = all.find(({ steps }) => steps.some(({ effects }) => effects.length > 1))
    const trace = traceOf(input, settling?.steps.map(({ event }) => event) ?? [], backwards)

    expect(String(await complaint(settling, backwards))).toMatch(/: step \d+, .+: effects: expected \[.+\], got \[/)
    expect(invariants.flatMap(({ check }) => check(trace, backwards))).toEqual([])
  })

  it('names the step at which the state differs, and both states', async () => {
    const stuck = (before: ShardConsumerSnapshot, event: ShardEvent): ReturnType<Engine['step']> => {
      const [after, effects] = step(before, event)
      return after.status === 'done' ? [before, effects] : [after, effects]
    }
    const ending = all.find(({ steps }) => steps.at(-1)?.value === 'SHUTDOWN_COMPLETE')

    expect(String(await complaint(ending, changed({ step: stuck })))).toMatch(/: step \d+, .+: state: expected "SHUTDOWN_COMPLETE", got \{/)
  })

  it('names the start where that differs', async () => {
    const slow = (given: ShardConsumerInput): ReturnType<Engine['start']> => [start(given)[0], []]

    expect(String(await complaint(all[0], changed({ start: slow })))).toMatch(/: start: effects: expected \[.+\], got \[\]$/)
  })

  it('names the step at which the runtime throws, and keeps what it threw', async () => {
    const thrown = new Error('out of order')
    const throwing = (): never => {
      throw thrown
    }
    const error = await complaint(lost, changed({ step: throwing }))

    expect(error).toMatchObject({ cause: thrown })
    expect(String(error)).toMatch(/: step 1, .+: the runtime threw Error: out of order$/)
  })

  it('waits for a runtime that answers with promises', async () => {
    const { start: begin, send, value } = pureRuntime(engine)
    const [path] = every(1)
    const asynchronous = {
      start: async (given: ShardConsumerInput) => begin(given),
      send: async (event: ShardEvent) => send(event),
      value: async () => value(),
    }

    await expect(path === undefined ? null : replayPath(path, asynchronous)).resolves.toBeUndefined()
  })

  it('is told what to do by a runtime that was not started', () => {
    expect(() => pureRuntime(engine).value()).toThrow('send: expected a consumer that was started')
  })
})
