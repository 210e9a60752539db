import { effectTable, isAnswered } from '@shardwise/effects'
import { consumerState, outstanding, type ShardConsumerSnapshot, type ShardEvent, step, tableState } from '@shardwise/machine'
import * as compiled from '@shardwise/machine/compiled'
import { type Edge, TransitionRecorder } from '@shardwise/testing'
import { describe, expect, it } from 'vitest'
import { answersTo } from '../../src/testing/answers.ts'
import { edges } from './walk.ts'

// What is asked of a step below is asked of XState.
/** For what each step costs several more: some of the edges, of every kind. */
const someEdges = edges.filter((_, index) => index % 100 === 0)

const places = [
  'WAITING_ON_PARENT_SHARDS',
  'INITIALIZING',
  'PROCESSING',
  'SHUTDOWN_REQUESTED',
  'SHUTDOWN_REQUESTED.notificationCompletion',
  'SHUTTING_DOWN',
  'SHUTDOWN_COMPLETE',
] as const
const rank = ({ value }: ShardConsumerSnapshot): number => places.indexOf(tableState(value))

/** I2, and two edges more: a processor that was never initialised, or is gone, is not told, so its consumer is notified the moment it is to stop. */
const edgesOfTheTable = [
  'WAITING_ON_PARENT_SHARDS → INITIALIZING',
  'WAITING_ON_PARENT_SHARDS → SHUTDOWN_COMPLETE',
  'INITIALIZING → PROCESSING',
  'INITIALIZING → SHUTDOWN_REQUESTED',
  'INITIALIZING → SHUTDOWN_REQUESTED.notificationCompletion',
  'INITIALIZING → SHUTTING_DOWN',
  'PROCESSING → SHUTDOWN_REQUESTED',
  'PROCESSING → SHUTDOWN_REQUESTED.notificationCompletion',
  'PROCESSING → SHUTTING_DOWN',
  'SHUTDOWN_REQUESTED → SHUTDOWN_REQUESTED.notificationCompletion',
  'SHUTDOWN_REQUESTED → SHUTTING_DOWN',
  'SHUTDOWN_REQUESTED.notificationCompletion → SHUTTING_DOWN',
  'SHUTTING_DOWN → SHUTDOWN_COMPLETE',
]

const failing = (holds: (edge: Edge) => boolean): readonly string[] =>
  edges.filter((edge) => !holds(edge)).map(({ from, name, to }) => `${tableState(from.value)} on ${name} to ${JSON.stringify(to.value)}`)

const restored = (snapshot: ShardConsumerSnapshot): ShardConsumerSnapshot => JSON.parse(JSON.stringify(snapshot)) as ShardConsumerSnapshot

describe('the walk over every state', () => {
  it('takes every transition of the definition, every branch of it and every eventless one', () => {
    const [first] = edges
    if (first === undefined) throw new Error('edges: none')
    let edge = first
    // The steps are those of the walk: only XState is asked once more.
    const recorder = new TransitionRecorder({ ...compiled, step: () => [edge.to, edge.effects] })
    for (edge of edges) recorder.step(edge.from, edge.event)

    expect(recorder.all.length).toBeGreaterThan(150)
    expect(recorder.untaken()).toEqual([])
  })

  it('gives every answer of the effect table, and the failure of every handler', () => {
    const asked = new Map(edges.flatMap(({ from }) => outstanding(from).map((effect) => [effect.type, { effect, from }])))
    const shardPorts = new Set(['leaseStore', 'recordSource', 'processor', 'timers'])
    const known = Object.entries(effectTable).filter(
      ([type, { port }]) => shardPorts.has(port) && isAnswered(type as keyof typeof effectTable),
    )

    expect([...asked.keys()].toSorted()).toEqual(known.map(([type]) => type).toSorted())
    for (const { effect, from } of asked.values()) {
      const given = new Set(answersTo(effect, from.context).map(({ event }) => event.type))
      expect([...given].toSorted()).toEqual([...Object.keys(effectTable[effect.type].answers), 'effectFailed'].toSorted())
    }
  })
})

describe('in every state', () => {
  it('I1: a consumer is in one of the states of the KCL', () => {
    expect(new Set(edges.flatMap(({ from, to }) => [tableState(from.value), tableState(to.value)]))).toEqual(new Set(places))
    expect(edges[0]?.from.value).toEqual({ WAITING_ON_PARENT_SHARDS: 'checking' })
  })

  it('I2: an event leads only along the edges of the table', () => {
    const taken = edges.flatMap(({ from, to }) => {
      const [before, after] = [tableState(from.value), tableState(to.value)]
      return before === after ? [] : [`${before} → ${after}`]
    })
    expect([...new Set(taken)].toSorted()).toEqual(edgesOfTheTable.toSorted())
  })

  it('I3: a completed consumer stays completed and only answers its owner and refuses checkpoints', () => {
    const late = edges.filter(({ from }) => from.status === 'done').flatMap(({ effects }) => effects)

    expect(failing(({ from, to }) => from.status !== 'done' || to.status === 'done')).toEqual([])
    expect([...new Set(late.map(({ type }) => type))].toSorted()).toEqual(['settleCheckpoint', 'signalShutdownComplete'])
  })

  it('I4: the rank of the state never falls', () => {
    expect(failing(({ from, to }) => rank(to) >= rank(from))).toEqual([])
  })

  it('I5: every event is handled or ignored, and none throws but an unknown reason', () => {
    const states = new Map(edges.map(({ fromKey, from }) => [fromKey, from]))
    const oneOfEach = [...new Map(edges.map(({ event }) => [event.type, event])).values()]
    const sample = [
      ...new Map([...states.values()].map((state) => [`${JSON.stringify(state.value)} ${String(state.context.reason)}`, state])).values(),
    ]

    for (const state of sample) {
      const ids = [0, 999_999, ...outstanding(state).flatMap((effect) => ('id' in effect ? [effect.id] : []))]
      for (const event of oneOfEach) for (const id of ids) step(state, { ...event, id } as ShardEvent)
      expect(() => step(state, { type: 'shutdown', reason: 'TERMINATE' } as never)).toThrow(
        'reason: expected REQUESTED, SHARD_END or LEASE_LOST, got',
      )
      expect(step(state, { type: 'unheard' } as never)).toEqual([state, []])
    }
  })

  it('I6: the same event gives the same state and effects, byte for byte', () => {
    const differs = someEdges.filter(({ from, event, to }) => JSON.stringify(step(from, event)[0]) !== JSON.stringify(to))

    expect(differs.map(({ name }) => name)).toEqual([])
  })

  it('I7: a stale answer changes nothing and asks for nothing', () => {
    const stale = edges.filter(({ name }) => name.startsWith('stale'))

    expect(stale.length).toBeGreaterThan(500)
    expect(stale.filter(({ from, to, effects }) => from !== to || effects.length > 0)).toEqual([])
  })

  it('I8: a snapshot that was stored as JSON goes on as the one that was not', () => {
    const differs = someEdges.filter(({ from, event }) => JSON.stringify(step(restored(from), event)) !== JSON.stringify(step(from, event)))

    expect(differs.map(({ name }) => name)).toEqual([])
  })

  it('the state has one name in the KCL', () => {
    expect(new Set(edges.map(({ to }) => consumerState(to.value))).size).toBe(6)
  })
})
