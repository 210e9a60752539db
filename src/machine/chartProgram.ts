import { unexpected } from '@shardwise/effects'
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

/** One way out of a state: the guard that must hold, the state it leads to by its index in the program, and what is done before that state is entered. */
export type ProgramBranch = readonly [guard: Guard | null, target: number | null, ...actions: readonly Action[]]

/** What may happen: for each event, or several with spaces between them, the branches in the order in which they are asked. */
export type ProgramEvents = Readonly<Record<string, readonly ProgramBranch[]>>

/** A state without sub-states; `on` is null for a final one, `always` are the branches that need no event. */
type ProgramState = readonly [
  value: ConsumerStateValue,
  entry: readonly Action[],
  on: ProgramEvents | null,
  always?: readonly ProgramBranch[],
]

/**
 * A chart table with the functions in the place of their names, and the branches in the place of their indexes: what runs. It is written for bundlers and
 * compressors, which take the same list again for little and an index of three digits for more.
 */
export interface ChartProgram {
  readonly start: ProgramBranch
  readonly root: ProgramEvents
  readonly states: readonly ProgramState[]
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

/** Makes a chart of a program, once, so that a step looks up nothing but its state and its event. */
export function chartOf(program: ChartProgram): ShardConsumerChart {
  const branchOf = ([guard, target, ...actions]: ProgramBranch): Branch => ({
    guard,
    target,
    actions: target === null ? actions : [...actions, ...(program.states[target] as ProgramState)[1]],
  })
  const rows = (on: ProgramEvents): State['on'] =>
    new Map(Object.entries(on).flatMap(([types, list]) => types.split(' ').map((type) => [type, list.map(branchOf)])))
  const root = rows(program.root)
  const states = program.states.map(
    ([value, , on, always = []]): State => ({
      value,
      status: on === null ? 'done' : 'active',
      on: rows(on ?? {}),
      always: always.map(branchOf),
    }),
  )
  const byValue = new Map<unknown, State>(states.map((state) => [state.value, state]))
  /** A value that was made here is known by its identity; one that comes from JSON, by its text. */
  const find = (value: ConsumerStateValue): State => {
    const text = JSON.stringify(value)
    const state = states.find((candidate) => JSON.stringify(candidate.value) === text)
    if (state === undefined) throw unexpected('value', 'a state of the machine', value)
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
    begin: (input) => run(branchOf(program.start), first, first.value, createShardConsumerContext(input), began),
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
