import type { BranchList, BranchRow, ChartTable, EventRows } from '@shardwise/machine'
import type { Action } from '../../src/machine/change.ts'
import { chartOf, type ProgramBranch, type ProgramEvents } from '../../src/machine/chartProgram.ts'
import type { Guard } from '../../src/machine/guards.ts'
import type { ShardConsumerChart } from '../../src/machine/shardConsumerEngine.ts'

/** Makes a chart of a table with names, and of what they stand for. */
export function bindChart(
  { start, branches, root, states }: ChartTable,
  guards: Readonly<Record<string, Guard>>,
  actions: Readonly<Record<string, Action>>,
): ShardConsumerChart {
  const member = <T>(of: Readonly<Record<string, T>>, name: string): T => {
    const found = of[name]
    if (found === undefined) throw new Error(`${name}: the chart names it, but there is none`)
    return found
  }
  const bound = (names: readonly string[]): readonly Action[] => names.map((name) => member(actions, name))
  const branchAt = (index: number): ProgramBranch => {
    const [guard, target, ...names] = branches[index] as BranchRow
    return [guard === null ? null : member(guards, guard), target, ...bound(names)]
  }
  const listed = (list: BranchList): readonly ProgramBranch[] => list.map(branchAt)
  const rows = (on: EventRows): ProgramEvents => Object.fromEntries(Object.entries(on).map(([type, list]) => [type, listed(list)]))
  return chartOf({
    start: branchAt(start),
    root: rows(root),
    states: states.map(({ value, entry, status, on, always = [] }) => [
      value,
      bound(entry),
      status === 'done' ? null : rows(on),
      listed(always),
    ]),
  })
}
