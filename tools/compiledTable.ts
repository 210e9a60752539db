import { type BranchRow, type ChartTable, compile, type StateRow, shardConsumerMachine } from '@shardwise/machine'

/**
 * The text of `src/machine/shardConsumerTable.ts`: the statechart of a shard consumer, compiled. Guards and actions are members of their modules there, which
 * a bundler replaces by the functions: their names take as much room as a third of the code.
 */
export function compiledTableText(): string {
  const { start, branches, root, states }: ChartTable = compile(shardConsumerMachine)
  return [
    '// Written by `npm run compile` from shardConsumerMachine.ts.',
    "import type { Action } from './change.ts'",
    "import type { ChartTable } from './chartTable.ts'",
    "import type { Guard } from './guards.ts'",
    "import * as does from './actions.ts'",
    "import * as asks from './guards.ts'",
    '',
    '/** The statechart of a shard consumer as a table. */',
    'export const shardConsumerTable: ChartTable<Guard, Action> = {',
    `  start: ${String(start)},`,
    '  branches: [',
    ...branches.map((branch, index) => `    /* ${String(index)} */ ${branchText(branch)},`),
    '  ],',
    `  root: ${JSON.stringify(root)},`,
    '  states: [',
    ...states.map((state, index) => `    /* ${String(index)} */ ${stateText(state)},`),
    '  ],',
    '}',
    '',
  ].join('\n')
}

const doing = (actions: readonly string[]): string => actions.map((name) => `does.${name}`).join(', ')

function branchText([guard, target, ...actions]: BranchRow): string {
  const first = `${guard === null ? 'null' : `asks.${guard}`}, ${String(target)}`
  return actions.length === 0 ? `[${first}]` : `[${first}, ${doing(actions)}]`
}

function stateText({ value, entry, ...rest }: StateRow): string {
  return `{"value":${JSON.stringify(value)},"entry":[${doing(entry)}],${JSON.stringify(rest).slice(1)}`
}
