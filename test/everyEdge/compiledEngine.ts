import { type ShardConsumerSnapshot, type ShardEvent, shardConsumer } from '@shardwise/machine'
import * as compiled from '@shardwise/machine/compiled'
import { pathInputs } from '@shardwise/testing'
import { describe, expect, it } from 'vitest'
import { edges, graphs } from './walk.ts'

/** Every edge as XState takes it. Where both engines do the same on all of them, they come to the same states. */
const byXState = edges.map((edge) => ({ ...edge, step: shardConsumer.step(edge.from, edge.event) }))
const states = graphs.flatMap((graph) => [...graph.states.values()].map(({ snapshot }) => snapshot))

const textOf = (step: readonly unknown[]): string => JSON.stringify(step)

/** Whether two values are the same JSON, to the order of their keys: a step leaves most of a snapshot to the very object, which is not looked into. */
function sameText(one: unknown, other: unknown): boolean {
  if (one === other) return true
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false
  const [ones, others] = [Object.entries(one), Object.entries(other)]
  return (
    Array.isArray(one) === Array.isArray(other) &&
    ones.length === others.length &&
    ones.every(([name, value], index) => name === others[index]?.[0] && sameText(value, others[index]?.[1]))
  )
}
const parsed = (snapshot: ShardConsumerSnapshot): ShardConsumerSnapshot => JSON.parse(JSON.stringify(snapshot)) as ShardConsumerSnapshot

describe('the compiled shard consumer', () => {
  it.each(pathInputs)('starts as that of XState does: $options', (input) => {
    expect(textOf(compiled.start(input))).toBe(textOf(shardConsumer.start(input)))
  })

  it('leads from every state, with every event, to the same state and the same effects', () => {
    expect(edges.length).toBeGreaterThan(50_000)
    const different = byXState.filter(({ to, effects, step }) => !sameText([to, effects], step))

    expect(different.map(({ from, name }) => [from.value, name])).toEqual([])
  })

  it('takes snapshots that were JSON', () => {
    const some = byXState.filter((_, index) => index % 50 === 0)
    const different = some.filter(({ from, event, step }) => textOf(compiled.step(parsed(from), event)) !== textOf(step))

    expect(different).toEqual([])
  })

  it('gives back the very snapshot that an event does not change', () => {
    const still = byXState.filter(({ from, step: [to, effects] }) => from === to && effects.length === 0)

    expect(still.length).toBeGreaterThan(10_000)
    expect(still.filter(({ from, to }) => to !== from)).toEqual([])
  })

  it('never changes a snapshot that it was given', () => {
    const before = states.map((snapshot) => JSON.stringify(snapshot))
    for (const { from, event } of edges.filter((_, index) => index % 20 === 0)) compiled.step(from, event)

    expect(states.map((snapshot) => JSON.stringify(snapshot))).toEqual(before)
  })

  it('restores every state as that of XState does', () => {
    expect(states.filter((snapshot) => textOf(compiled.restore(snapshot)) !== textOf(shardConsumer.restore(snapshot)))).toEqual([])
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
