import type { ShardConsumerSnapshot } from '@shardwise/machine'
import type { ConsumerGraph, Edge, Engine } from '@shardwise/testing'
import type { GraphState } from '../../src/testing/paths/consumerGraph.ts'
import { eventsIn } from '../../src/testing/paths/eventsIn.ts'
import { factsOf, keyOf, renumbered } from '../../src/testing/paths/stateKey.ts'

const askedOnEdges = new Map<Edge, string>()

/** What an edge asks for, renumbered once for all that look at it. */
function askedOn(edge: Edge): string {
  const asked = askedOnEdges.get(edge) ?? renumbered(edge.effects, edge.to)
  askedOnEdges.set(edge, asked)
  return asked
}

/** What every event leads to in every state, from the snapshot that the walk met first. */
export type OutcomeTable = ReadonlyMap<string, ReadonlyMap<string, Edge>>

/** The outcomes that the walk saw. */
export function outcomesOf({ states }: ConsumerGraph): OutcomeTable {
  return new Map([...states.values()].map(({ key, edges }) => [key, new Map(edges.map((edge) => [edge.name, edge]))]))
}

const copied = new Set(['id', 'batchId', 'request'])
const concreteParts = new WeakMap<object, string>()

/** A part of a context as text; snapshots share most of them. */
function concretePart(part: object): string {
  const known = concreteParts.get(part)
  if (known !== undefined) return known
  const text = JSON.stringify(part, (name, content: unknown) =>
    copied.has(name) ? null : name === 'sequenceNumber' ? String(content).slice(-1) : content,
  )
  concreteParts.set(part, text)
  return text
}

/** A snapshot as text without what the machine only copies: ids, and how far the shard has come. */
function concrete({ value, context }: ShardConsumerSnapshot): string {
  const { nextId: _, options: __, openedAtMs, ...rest } = context
  const parts = Object.values(rest).map((part) => (typeof part === 'object' && part !== null ? concretePart(part) : part))
  return JSON.stringify([value, openedAtMs !== null, parts])
}

/** Snapshots that have the key of a state and another content than the one that the walk met first: for each state, those among the last `most` that led there. */
export function twins({ states, edges }: ConsumerGraph, most: number): readonly ShardConsumerSnapshot[] {
  const met = new Map<string, ShardConsumerSnapshot[]>([...states.keys()].map((key) => [key, []]))
  for (const { toKey, to, from } of edges.toReversed()) {
    const others = met.get(toKey)
    if (to !== from && others !== undefined && others.length < most) others.push(to)
  }
  return [...states.values()].flatMap(({ key, snapshot }) => {
    const differing = new Map((met.get(key) ?? []).map((other) => [concrete(other), other]))
    differing.delete(concrete(snapshot))
    return [...differing.values()]
  })
}

/** What the events do to a snapshot otherwise than to the one of its key that the walk met first. */
export function differencesAt(snapshot: ShardConsumerSnapshot, outcomes: OutcomeTable, { step }: Engine): readonly string[] {
  const key = keyOf(snapshot)
  const expected = outcomes.get(key)
  return eventsIn(snapshot).flatMap(({ name, event }) => {
    const [to, effects] = step(snapshot, event)
    const toKey = to === snapshot ? key : keyOf(to)
    const before = expected?.get(name)
    if (before !== undefined && toKey === before.toKey) {
      if (effects.length === 0 && before.effects.length === 0) return []
      if (renumbered(effects, to) === askedOn(before)) return []
    }
    const known = before === undefined ? 'nothing' : `${before.toKey} ! ${askedOn(before)}`
    return [`${key} on ${name}: ${known}, but also ${toKey} ! ${renumbered(effects, to)}`]
  })
}

/** A consumer's snapshots along a long life of events that seem random; each is the same from the same seed. */
export function* wander(graph: ConsumerGraph, { start, step }: Engine, seed: number, steps: number): Generator<ShardConsumerSnapshot> {
  let state = seed
  const below = (bound: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * bound)
  }
  let [snapshot] = start(graph.input)
  for (let taken = 0; taken < steps; taken++) {
    if (snapshot.status === 'done') [snapshot] = start(graph.input)
    yield snapshot
    // A life that is asked to stop at every third event is over before its counts and places have come apart.
    const events = eventsIn(snapshot).filter(({ name }) => below(8) === 0 || !/^shutdown|gone|not found|no row/.test(name))
    const chosen = events[below(events.length)]
    if (chosen !== undefined) [snapshot] = step(snapshot, chosen.event)
  }
}

/** The facts of every state of a graph, each as text. */
export type FactTable = ReadonlyMap<string, Readonly<Record<string, string>>>

/** The facts of every state. */
export function factTable({ states }: ConsumerGraph): FactTable {
  const texts = (snapshot: ShardConsumerSnapshot): Readonly<Record<string, string>> =>
    Object.fromEntries(Object.entries(factsOf(snapshot)).map(([name, fact]) => [name, JSON.stringify(fact)]))
  return new Map([...states.values()].map(({ key, snapshot }) => [key, texts(snapshot)]))
}

/** Whether two states would be taken for one without a fact, and yet behave differently. */
export function isMissed(fact: string, { states }: ConsumerGraph, facts: FactTable): boolean {
  const textWithout = (texts: object): string => JSON.stringify(Object.entries(texts).filter(([name]) => name !== fact))
  const without = new Map([...facts].map(([key, texts]) => [key, textWithout(texts)]))
  const nextOf = ({ toKey }: Edge): string => without.get(toKey) ?? toKey
  const firstOf = new Map<string, GraphState>()
  for (const state of states.values()) {
    const merged = without.get(state.key) ?? state.key
    const first = firstOf.get(merged)
    if (first === undefined) firstOf.set(merged, state)
    else {
      const known = new Map(first.edges.map((edge) => [edge.name, edge]))
      const isSame = (edge: Edge, other = known.get(edge.name)): boolean =>
        other !== undefined && nextOf(edge) === nextOf(other) && askedOn(edge) === askedOn(other)
      if (first.edges.length !== state.edges.length || !state.edges.every((edge) => isSame(edge))) return true
    }
  }
  return false
}
