import { type ShardConsumerSnapshot, type ShardEvent, shardConsumer } from '@shardwise/machine'
import * as compiled from '@shardwise/machine/compiled'
import { type Edge, pathInputs } from '@shardwise/testing'
import { describe, expect, it } from 'vitest'
import { edges, graphs } from './walk.ts'

const states = graphs.flatMap((graph) => [...graph.states.values()].map(({ snapshot }) => snapshot))

const textOf = (step: readonly unknown[]): string => JSON.stringify(step)

/** Whether two values are the same JSON, to the order of their keys: a step leaves most of a snapshot to the very object, which is not looked into. */
function sameText(one: unknown, other: unknown): boolean {
  if (one === other) return true
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false
  const names = Object.keys(one)
  if (Array.isArray(one) !== Array.isArray(other) || names.length !== Object.keys(other).length) return false
  // A loop without iterators, for it compares every field of every edge.
  let index = 0
  for (const name in other) {
    if (name !== names[index]) return false
    index += 1
    const [here, there] = [(one as Fields)[name], (other as Fields)[name]]
    if (here !== there && !sameText(here, there)) return false
  }
  return true
}

type Fields = Readonly<Record<string, unknown>>

/** The edges that XState takes otherwise, and those on which nothing changes in XState. Where both do the same on all edges, they come to the same states. */
const different: Edge[] = []
const still: Edge[] = []
for (const { input, states: reached, edges: all } of graphs) {
  const first = all[0]?.from
  const firstOf = new Set([...reached.values()].map(({ snapshot }) => snapshot))
  /** XState goes on with snapshots of its own, for which it does not look up its states anew. */
  const own = new Map([[first, shardConsumer.start(input)[0]]])
  for (const edge of all) {
    const from = own.get(edge.from) ?? edge.from
    const step = shardConsumer.step(from, edge.event)
    if (!sameText([edge.to, edge.effects], step)) different.push(edge)
    if (step[0] === from && step[1].length === 0) still.push(edge)
    if (firstOf.has(edge.to) && !own.has(edge.to)) own.set(edge.to, step[0])
  }
}

const parsed = (snapshot: ShardConsumerSnapshot): ShardConsumerSnapshot => JSON.parse(JSON.stringify(snapshot)) as ShardConsumerSnapshot

describe('the compiled shard consumer', () => {
  it.each(pathInputs)('starts as that of XState does: $options', (input) => {
    expect(textOf(compiled.start(input))).toBe(textOf(shardConsumer.start(input)))
  })

  it('leads from every state, with every event, to the same state and the same effects', () => {
    expect(edges.length).toBeGreaterThan(50_000)
    expect(different.map(({ from, name }) => [from.value, name])).toEqual([])
  })

  it('takes snapshots that were JSON', () => {
    const some = edges.filter((_, index) => index % 50 === 0)
    const otherwise = some.filter(
      ({ from, event }) => textOf(compiled.step(parsed(from), event)) !== textOf(shardConsumer.step(from, event)),
    )

    expect(otherwise).toEqual([])
  })

  it('gives back the very snapshot that an event does not change', () => {
    expect(still.length).toBeGreaterThan(10_000)
    expect(still.filter(({ from, to }) => to !== from)).toEqual([])
  })

  it('never changes a snapshot that it was given', () => {
    const some = edges.filter((_, index) => index % 20 === 0)
    const before = some.map(({ from }) => JSON.stringify(from))
    for (const { from, event } of some) compiled.step(from, event)

    expect(some.filter(({ from }, index) => JSON.stringify(from) !== before[index])).toEqual([])
  })

  it('restores every state as that of XState does', () => {
    expect(states.filter((snapshot) => !sameText(compiled.restore(snapshot), shardConsumer.restore(snapshot)))).toEqual([])
  })

  it('replays a life', () => {
    const [input] = pathInputs
    const way = [...(graphs[0]?.states.values() ?? [])].at(-1)?.way ?? []
    const events = way.map(({ event }) => event)

    expect(input).toBeDefined()
    expect(events.length).toBeGreaterThan(10)
    if (input !== undefined) expect(textOf(compiled.replay(input, events))).toBe(textOf(shardConsumer.replay(input, events)))
  })

  it('lets the other engine go on with its snapshots', () => {
    const [input] = pathInputs
    if (input === undefined) throw new Error('pathInputs: none')
    const [started] = compiled.start(input)
    const done: ShardEvent = { type: 'parentShardsCompleted', id: 1 }

    expect(textOf(shardConsumer.step(started, done))).toBe(textOf(compiled.step(started, done)))
  })

  it('refuses an unknown reason and an unknown state, as that of XState does', () => {
    const [first] = states
    if (first === undefined) throw new Error('states: none')
    const mad = { type: 'shutdown', reason: 'TERMINATE' } as unknown as ShardEvent

    for (const snapshot of states.filter((_, index) => index % 200 === 0)) {
      expect(() => compiled.step(snapshot, mad)).toThrow('reason: expected REQUESTED, SHARD_END or LEASE_LOST, got "TERMINATE"')
    }
    expect(() => compiled.step({ ...first, value: { PROCESSING: 'dreaming' } }, { type: 'timerFired', id: 1, nowMs: 0 })).toThrow(
      'value: expected a state of the machine, got {"PROCESSING":"dreaming"}',
    )
    expect(compiled.step(first, { type: 'unheardOf' } as unknown as ShardEvent)).toEqual([first, []])
  })
})
