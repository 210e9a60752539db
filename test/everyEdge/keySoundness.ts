import type { ShardConsumerSnapshot } from '@shardwise/machine'
import type { ConsumerGraph, Edge, Engine } from '@shardwise/testing'
import { eventsIn } from '../../src/testing/paths/eventsIn.ts'
import { factsOf, keyOf, renumbered } from '../../src/testing/paths/stateKey.ts'

/** What an event leads to, in terms of the key: the same for all snapshots of a state. */
const outcome = (toKey: string, asked: string): string => `${toKey} ! ${asked}`

const askedOnEdges = new WeakMap<Edge, string>()

/** What an edge asks for, renumbered once for all that look at it. */
function askedOn(edge: Edge): string {
  const asked = askedOnEdges.get(edge) ?? renumbered(edge.effects, edge.to)
  askedOnEdges.set(edge, asked)
  return asked
}

/** What every event leads to in every state, from the snapshot that the walk met first. */
export type OutcomeTable = ReadonlyMap<string, ReadonlyMap<string, string>>

/** The outcomes that the walk saw. */
export function outcomesOf({ states }: ConsumerGraph): OutcomeTable {
  return new Map(
    [...states.values()].map(({ key, edges }) => [key, new Map(edges.map((edge) => [edge.name, outcome(edge.toKey, askedOn(edge))]))]),
  )
}

/** A snapshot as text without what the machine only copies: ids, and how far the shard has come. */
function concrete({ value, context }: ShardConsumerSnapshot): string {
  return JSON.stringify(
    [value, { ...context, nextId: 0, options: null, openedAtMs: context.openedAtMs !== null }],
    (name, content: unknown) =>
      ['id', 'batchId', 'request'].includes(name) ? null : name === 'sequenceNumber' ? String(content).slice(-1) : content,
  )
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
export function differencesAt(snapshot: ShardConsumerSnapshot, known: OutcomeTable, { step }: Engine): readonly string[] {
  const key = keyOf(snapshot)
  const expected = known.get(key)
  return eventsIn(snapshot).flatMap(({ name, event }) => {
    const [to, effects] = step(snapshot, event)
    const found = outcome(to === snapshot ? key : keyOf(to), renumbered(effects, to))
    return found === expected?.get(name) ? [] : [`${key} on ${name}: ${expected?.get(name)}, but also ${found}`]
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

/** Whether two states would be taken for one without a fact, and yet behave differently. */
export function isMissed(fact: string, { states }: ConsumerGraph): boolean {
  const without = new Map<string, string>()
  for (const { key, snapshot } of states.values()) {
    const { [fact]: _, ...rest } = factsOf(snapshot)
    without.set(key, JSON.stringify(rest))
  }
  const merged = new Map<string, Map<string, string>>()
  for (const { key, edges } of states.values()) {
    const mergedKey = without.get(key) ?? key
    const known = merged.get(mergedKey)
    const found = new Map(edges.map((edge) => [edge.name, outcome(without.get(edge.toKey) ?? edge.toKey, askedOn(edge))]))
    if (known === undefined) merged.set(mergedKey, found)
    else if (found.size !== known.size || [...found].some(([name, led]) => known.get(name) !== led)) return true
  }
  return false
}
