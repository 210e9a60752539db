import type { Action } from './change.ts'
import type { ConsumerStateValue } from './consumerStates.ts'
import type { Guard } from './guards.ts'
import {
  copyContext,
  createShardConsumerContext,
  type ShardConsumerContext,
  type ShardEffect,
  type ShardEvent,
} from './shardConsumerContext.ts'
import type { ShardConsumerChart, ShardStep } from './shardConsumerEngine.ts'

/** One way out of a state: the guard that must hold, the state it leads to by its index in the table, and what is done before that state is entered. */
export type BranchRow<G = string, A = string> = readonly [guard: G | null, target: number | null, ...actions: readonly A[]]

/** Branches in the order in which they are asked, by their indexes in the table. */
export type BranchList = readonly number[]

/** What may happen: for each event the branches that are asked. */
export type EventRows = Readonly<Record<string, BranchList>>

/** A state without sub-states, with all that its ancestors below the root say, too. */
export interface StateRow<A = string> {
  readonly value: ConsumerStateValue
  readonly entry: readonly A[]
  readonly status?: 'done'
  readonly on: EventRows
  /** The branches that need no event; none when left out. */
  readonly always?: BranchList
}

/** A statechart as a dense table: with guards and actions by their names it is plain JSON, with the functions themselves it runs. */
export interface ChartTable<G = string, A = string> {
  /** The branch that a start takes, by its index. */
  readonly start: number
  readonly branches: readonly BranchRow<G, A>[]
  /** What happens when the state has no branch that holds. */
  readonly root: EventRows
  readonly states: readonly StateRow<A>[]
}

interface Branch {
  readonly guard: Guard | null
  readonly target: number | null
  readonly actions: readonly Action[]
}

interface State {
  readonly value: ConsumerStateValue
  readonly status: 'active' | 'done'
  readonly on: ReadonlyMap<string, readonly Branch[]>
  readonly always: readonly Branch[]
}

/**
 * Makes a chart of a table, once, so that a step looks up nothing but its state and its event. The table comes from `compile`: its indexes are good.
 */
export function chartOf(table: ChartTable<Guard, Action>): ShardConsumerChart {
  const branches = table.branches.map(
    ([guard, target, ...actions]): Branch => ({
      guard,
      target,
      actions: target === null ? actions : [...actions, ...(table.states[target] as StateRow<Action>).entry],
    }),
  )
  const listed = (list: BranchList): readonly Branch[] => list.map((index) => branches[index] as Branch)
  const rows = (on: EventRows): State['on'] => new Map(Object.entries(on).map(([type, list]) => [type, listed(list)]))
  const root = rows(table.root)
  const states = table.states.map(
    ({ value, status, on, always = [] }): State => ({ value, status: status ?? 'active', on: rows(on), always: listed(always) }),
  )
  const byValue = new Map<unknown, State>(states.map((state) => [state.value, state]))
  /** A value that was made here is known by its identity; one that comes from JSON, by its text. */
  const find = (value: ConsumerStateValue): State => {
    const text = JSON.stringify(value)
    const state = states.find((candidate) => JSON.stringify(candidate.value) === text)
    if (state === undefined) throw new Error(`value: expected a state of the machine, got ${text}`)
    return state
  }
  const run = (
    first: Branch | undefined,
    from: State,
    before: ConsumerStateValue,
    context: ShardConsumerContext,
    event: ShardEvent,
  ): ShardStep => {
    let effects: readonly ShardEffect[] = []
    let memory = context
    let state = from
    // As XState has it: after an event the eventless branches are asked, and again as long as one of them changes something.
    let branch = first
    let asks = true
    do {
      if (branch !== undefined) {
        for (const action of branch.actions) {
          const change = action(memory, event)
          if (change.effects !== undefined) effects = effects.length > 0 ? [...effects, ...change.effects] : change.effects
          if (change.context !== undefined) {
            asks = true
            // The first change makes a copy, which is this step's own.
            if (memory === context) memory = copyContext(context)
            Object.assign(memory, change.context)
          }
        }
        if (branch.target !== null) {
          asks ||= state !== states[branch.target]
          state = states[branch.target] as State
        }
      }
      branch = asks && state.status === 'active' ? choose(state.always, memory, event) : undefined
      asks = false
    } while (branch !== undefined)
    return [{ value: state === from ? before : state.value, context: memory, status: state.status }, effects]
  }
  const first = states[0] as State
  return {
    begin: (input) => run(branches[table.start], first, first.value, createShardConsumerContext(input), began),
    take({ value, context }, event) {
      const state = byValue.get(value) ?? find(value)
      const branch = choose(state.on.get(event.type), context, event) ?? choose(root.get(event.type), context, event)
      return run(branch, state, value, context, event)
    },
  }
}

/** What XState calls the event that starts a machine; no guard and no action of the start asks for it. */
const began = { type: 'xstate.init' } as unknown as ShardEvent

function choose(branches: readonly Branch[] = [], context: ShardConsumerContext, event: ShardEvent): Branch | undefined {
  for (const branch of branches) if (branch.guard === null || branch.guard(context, event)) return branch
  return undefined
}
