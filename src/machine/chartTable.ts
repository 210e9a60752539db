import type { ConsumerStateValue } from './consumerStates.ts'

/** One way out of a state: the guard that must hold, the state it leads to by its index in the table, and what is done before that state is entered. */
export type BranchRow = readonly [guard: string | null, target: number | null, ...actions: readonly string[]]

/** Branches in the order in which they are asked, by their indexes in the table. */
export type BranchList = readonly number[]

/** What may happen: for each event the branches that are asked. */
export type EventRows = Readonly<Record<string, BranchList>>

/** A state without sub-states, with all that its ancestors below the root say, too. */
export interface StateRow {
  readonly value: ConsumerStateValue
  readonly entry: readonly string[]
  readonly status?: 'done'
  readonly on: EventRows
  /** The branches that need no event; none when left out. */
  readonly always?: BranchList
}

/** A statechart as a dense table: plain JSON, with guards and actions by their names. */
export interface ChartTable {
  /** The branch that a start takes, by its index. */
  readonly start: number
  readonly branches: readonly BranchRow[]
  /** What happens when the state has no branch that holds. */
  readonly root: EventRows
  readonly states: readonly StateRow[]
}
