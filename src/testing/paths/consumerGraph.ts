import { type ShardConsumerInput, type ShardConsumerSnapshot, type ShardEffect, type ShardEvent, start, step } from '@shardwise/machine'
import { getShortestPaths } from '@xstate/graph'
import { type Engine, expectEngine, expectInput } from '../trace.ts'
import { eventsIn } from './eventsIn.ts'
import { keyOf } from './stateKey.ts'

/** A step from one state of a consumer to another, or back to the same. */
export interface Edge {
  readonly fromKey: string
  readonly from: ShardConsumerSnapshot
  /** What happens, in words that are the same in every state. */
  readonly name: string
  readonly event: ShardEvent
  readonly toKey: string
  readonly to: ShardConsumerSnapshot
  readonly effects: readonly ShardEffect[]
}

/** A state of a consumer, as it was first reached. */
export interface GraphState {
  readonly key: string
  readonly snapshot: ShardConsumerSnapshot
  /** A shortest way to it from the start, whose events and effects fit together: ids and positions of one edge are those of the next. */
  readonly way: readonly Edge[]
  readonly edges: readonly Edge[]
}

/** Every state that a consumer can come to, in the order of their distance from the start, and every edge between them. */
export interface ConsumerGraph {
  readonly input: ShardConsumerInput
  /** What the start asks for. */
  readonly effects: readonly ShardEffect[]
  readonly states: ReadonlyMap<string, GraphState>
  readonly edges: readonly Edge[]
}

const twice = { maxCheckpointAttempts: 2, maxShutdownAttempts: 2 }
const once = { maxCheckpointAttempts: 1, maxShutdownAttempts: 1 }
const limits = { maxDeliveryAttempts: 2, maxDeliveryAgeMillis: 100_000 }
const forEmpty = { shouldCallProcessRecordsEvenForEmptyRecordList: true }

/**
 * Options that leave nothing out: one with which all that fails may fail twice; then the other policy for a shardEnded that did not checkpoint, and each way of
 * the error policy, with which what fails beside deliveries fails once.
 */
export const pathInputs: readonly ShardConsumerInput[] = [
  { ...twice, missedShardEndCheckpoint: 'retry' as const },
  { ...once, missedShardEndCheckpoint: 'replay' as const },
  { ...once, maxDeliveryAttempts: 1, bisectBatchOnError: true, deadLetter: true },
  { ...once, ...limits, ...forEmpty, bisectBatchOnError: true, onDeliveryFailure: 'skip' as const },
  { ...once, ...limits, ...forEmpty, deadLetter: true, onDeliveryFailure: 'fail' as const },
  { ...once, maxDeliveryAttempts: 1, deadLetter: true },
].map((options) => ({ shardId: 'shardId-000000000000', token: 7, options }))

/**
 * Walks every state of a shard consumer that can be told apart, and takes every event there. States are those with different keys: ids, positions and delays
 * do not count but by their order, nor do failures beyond `maxShutdownAttempts`; one checkpoint is written at a time, and none waits behind it. The states
 * grow with `maxShutdownAttempts` and `maxCheckpointAttempts`; with 2 of each, as in the first of `pathInputs`, there are up to 8,000.
 * @throws Error where `input` is none of a shard consumer, or `engine` none, and what the engine throws.
 */
export function consumerGraph(input: ShardConsumerInput, engine: Engine = { start, step }): ConsumerGraph {
  expectInput(input)
  expectEngine(engine)
  const [first, effects] = engine.start(input)
  const keys = new Map([[first, keyOf(first)]])
  /** Each key once: of the same text made anew for each edge, none is kept. */
  const reached = new Map([...keys.values()].map((key) => [key, key]))
  const leading = new Map<ShardEvent, Edge>()
  const edgesOf = new Map<ShardConsumerSnapshot, readonly Edge[]>()

  const edgesFrom = (from: ShardConsumerSnapshot): readonly Edge[] => {
    const fromKey = keys.get(from) ?? keyOf(from)
    return eventsIn(from).map(({ name, event }) => {
      const [to, asked] = engine.step(from, event)
      const toKey = to === from ? fromKey : keyOf(to)
      return { fromKey, from, name, event, toKey: reached.get(toKey) ?? toKey, to, effects: asked }
    })
  }
  const ways = shortestWays({
    getInitialSnapshot: () => first,
    transition: (from, event) => leading.get(event)?.to ?? from,
    serializeState: (snapshot) => keys.get(snapshot) ?? keyOf(snapshot),
    serializeEvent: (event) => leading.get(event)?.name ?? event.type,
    // Of the edges to a state the graph tools see the first alone: they join whatever edges have the key in common, and ids and positions of the one are
    // not those of the next.
    events(from) {
      const edges = edgesFrom(from)
      edgesOf.set(from, edges)
      return edges.flatMap((edge) => {
        if (reached.has(edge.toKey)) return []
        reached.set(edge.toKey, edge.toKey)
        keys.set(edge.to, edge.toKey)
        leading.set(edge.event, edge)
        return [edge.event]
      })
    },
  })
  const states = ways.map(({ state, steps }): readonly [string, GraphState] => {
    const key = keys.get(state) ?? keyOf(state)
    const way = steps.flatMap(({ event }) => leading.get(event) ?? [])
    return [key, { key, snapshot: state, way, edges: edgesOf.get(state) ?? [] }]
  })
  return { input, effects, states: new Map(states), edges: [...edgesOf.values()].flat() }
}

interface Traversal {
  readonly getInitialSnapshot: () => ShardConsumerSnapshot
  readonly transition: (from: ShardConsumerSnapshot, event: ShardEvent) => ShardConsumerSnapshot
  readonly serializeState: (snapshot: ShardConsumerSnapshot) => string
  readonly serializeEvent: (event: ShardEvent) => string
  readonly events: (from: ShardConsumerSnapshot) => readonly ShardEvent[]
}

interface Way {
  readonly state: ShardConsumerSnapshot
  readonly steps: readonly { readonly event: ShardEvent }[]
}

function shortestWays({ getInitialSnapshot, transition, ...options }: Traversal): readonly Way[] {
  // The tools are typed for actors of XState, of whose snapshots they know nothing but that they hand them on.
  const waysOf = getShortestPaths as unknown as (
    logic: Pick<Traversal, 'getInitialSnapshot' | 'transition'>,
    options: Partial<Traversal>,
  ) => readonly Way[]
  return waysOf({ getInitialSnapshot, transition }, options)
}
