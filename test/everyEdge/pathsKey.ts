import { start, step } from '@shardwise/machine/compiled'
import { describe, expect, it } from 'vitest'
import { differencesAt, factTable, isMissed, outcomesOf, twins, wander } from './keySoundness.ts'
import { graphs } from './walk.ts'

const engine = { start, step }

const policies = graphs.map((graph) => ({ policy: JSON.stringify(graph.input.options), graph }))

describe.each(policies)('the key of a state, with the policy $policy', ({ graph }) => {
  const known = outcomesOf(graph)

  it('is the same after every event, as are the effects, for snapshots of one key that were reached in different ways', () => {
    const others = twins(graph, 3)

    expect(others.length).toBeGreaterThan(graph.states.size / 2)
    expect(others.flatMap((snapshot) => differencesAt(snapshot, known, engine))).toEqual([])
  })

  it('holds in long lives, whose counts and places are far from those of the walk', () => {
    const snapshots = [...wander(graph, engine, 20_261_122, 12_000)]
    const some = snapshots.filter((_, index) => index % 8 === 0)

    expect(new Set(snapshots.map(({ value }) => JSON.stringify(value))).size).toBeGreaterThan(18)
    expect(some.flatMap((snapshot) => differencesAt(snapshot, known, engine))).toEqual([])
  })

  it('tells all states and all events apart by name', () => {
    expect([...graph.states.values()].filter(({ edges }) => new Set(edges.map(({ name }) => name)).size !== edges.length)).toEqual([])
  })
})

describe('each fact of the key', () => {
  // Small graphs first: one that misses a fact is enough.
  const tables = graphs.map((graph) => ({ graph, facts: factTable(graph) })).toSorted((a, b) => a.facts.size - b.facts.size)
  const names = new Set(tables.flatMap(({ facts }) => [...facts.values()].flatMap((of) => Object.keys(of))))

  it.each([...names])('%s is missed where it is left out', (name) => {
    expect(tables.some(({ graph, facts }) => isMissed(name, graph, facts))).toBe(true)
  })
})
