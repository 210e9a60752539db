import type { ChartTable } from '@shardwise/machine'
import type { Action } from '../../src/machine/change.ts'
import { chartOf } from '../../src/machine/chartTable.ts'
import type { Guard } from '../../src/machine/guards.ts'
import type { ShardConsumerChart } from '../../src/machine/shardConsumerEngine.ts'

/** Makes a chart of a table with names, and of what they stand for. */
export function bindChart(
  { branches, states, ...table }: ChartTable,
  guards: Readonly<Record<string, Guard>>,
  actions: Readonly<Record<string, Action>>,
): ShardConsumerChart {
  const member = <T>(of: Readonly<Record<string, T>>, name: string): T => {
    const found = of[name]
    if (found === undefined) throw new Error(`${name}: the chart names it, but there is none`)
    return found
  }
  const bound = (names: readonly string[]): readonly Action[] => names.map((name) => member(actions, name))
  return chartOf({
    ...table,
    branches: branches.map(([guard, target, ...names]) => [guard === null ? null : member(guards, guard), target, ...bound(names)]),
    states: states.map((state) => ({ ...state, entry: bound(state.entry) })),
  })
}
