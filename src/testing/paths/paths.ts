import type { ConsumerStateValue, ShardConsumerInput, ShardConsumerSnapshot, ShardEffect, ShardEvent } from '@shardwise/machine'
import { aList, anObject, expectMembers, expectRule, type Rule } from '../rules.ts'
import { type Engine, expectInput } from '../trace.ts'
import { type ConsumerGraph, consumerGraph, type Edge, pathInputs } from './consumerGraph.ts'

/** What a consumer is in after a step, and what the step asks for, in the order in which it starts. */
interface Expected {
  readonly value: ConsumerStateValue
  readonly effects: readonly ShardEffect[]
}

/** An event, and what is expected after it. */
export interface PathStep extends Expected {
  readonly name: string
  readonly event: ShardEvent
}

/** A life of a shard consumer from its start, as plain JSON: to be replayed against the machine, or against what embeds it. */
export interface Path {
  /** Its own among those that are made together, with their number. */
  readonly name: string
  readonly input: ShardConsumerInput
  /** What is expected of the start. */
  readonly start: Expected
  readonly steps: readonly PathStep[]
}

/** A shortest path to every state of `consumerGraph`, one graph after the other. @throws Error that names an input or an engine that is none, and what the engine throws. */
export function shortestPaths(engine?: Engine, inputs: readonly ShardConsumerInput[] = pathInputs): readonly Path[] {
  expectInputs(inputs)
  return inputs.flatMap((input, index) => named(index, shortestPathsOf(consumerGraph(input, engine))))
}

/**
 * Paths that together take every event in every state: a shortest path to the state, then the event. Events that nothing comes of share one path for each
 * state, and edges on the way of a longer path have none of their own.
 * @throws Error that names an input or an engine that is none, and what the engine throws.
 */
export function paths(engine?: Engine, inputs: readonly ShardConsumerInput[] = pathInputs): readonly Path[] {
  expectInputs(inputs)
  return inputs.flatMap((input, index) => named(index, pathsOf(consumerGraph(input, engine))))
}

/** Of no inputs there would be no paths, and tests of them would all pass. */
const someInputs: Rule = ['a list of one input at least', (value) => Array.isArray(value) && value.length > 0]

function expectInputs(inputs: readonly ShardConsumerInput[]): void {
  expectRule('inputs', someInputs, inputs)
  for (const [index, input] of inputs.entries()) expectInput(input, `inputs[${index}]`)
}

/** Paths that look alike are told apart by their number, which is the same in every run. */
const named = (input: number, made: readonly Path[]): readonly Path[] =>
  made.map((path, index) => ({ ...path, name: `${input + 1}.${index + 1}: ${path.name}` }))

function shortestPathsOf(graph: ConsumerGraph): readonly Path[] {
  return [...graph.states.values()].map(({ snapshot, way }) => pathOf(graph, `to ${stateName(snapshot)}`, way))
}

/** The paths over every edge of a graph, as `paths` gives them. @throws Error where `graph` is none. */
export function pathsOf(graph: ConsumerGraph): readonly Path[] {
  expectMembers('graph', graph, { input: anObject, effects: aList, states: ['a map', (value) => value instanceof Map] })
  return [...graph.states.values()].flatMap(({ snapshot, way, edges }) => {
    const place = stateName(snapshot)
    const rest = edges.filter((edge) => graph.states.get(edge.toKey)?.way.at(-1) !== edge)
    const idle = rest.filter(({ from, to }) => from === to)
    return [
      ...rest.filter(({ from, to }) => from !== to).map((edge) => pathOf(graph, `${place} on ${edge.name}`, [...way, edge])),
      ...(idle.length === 0 ? [] : [pathOf(graph, `${place} on what changes nothing`, [...way, ...idle])]),
    ]
  })
}

function pathOf({ input, effects, states }: ConsumerGraph, what: string, edges: readonly Edge[]): Path {
  const [first] = states.values()
  if (first === undefined) throw new Error('graph: expected one with a first state')
  return { name: `${what}, length ${edges.length}`, input, start: { value: first.snapshot.value, effects }, steps: edges.map(stepOf) }
}

/** Paths share the steps of their common ways: most of a million are the same 70,000. */
const stepsOfEdges = new WeakMap<Edge, PathStep>()

function stepOf(edge: Edge): PathStep {
  const known = stepsOfEdges.get(edge)
  if (known !== undefined) return known
  const step = { name: edge.name, event: edge.event, value: edge.to.value, effects: edge.effects }
  stepsOfEdges.set(edge, step)
  return step
}

function stateName({ value }: ShardConsumerSnapshot): string {
  return typeof value === 'string' ? value : Object.entries(value).flat().join('.')
}
