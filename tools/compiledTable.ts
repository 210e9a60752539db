import { type ChartTable, compile, shardConsumerMachine } from '@shardwise/machine'

/** The text of `src/machine/shardConsumerTable.ts`: the statechart of a shard consumer, compiled. */
export function compiledTableText(): string {
  const { start, branches, root, states }: ChartTable = compile(shardConsumerMachine)
  return [
    '// Written by `npm run compile` from shardConsumerMachine.ts.',
    "import type { actions } from './actions.ts'",
    "import type { ChartTable } from './chartTable.ts'",
    "import type { guards } from './guards.ts'",
    '',
    '/** The statechart of a shard consumer as a table. */',
    'export const shardConsumerTable: ChartTable<keyof typeof guards, keyof typeof actions> = {',
    `  start: ${String(start)},`,
    '  branches: [',
    ...branches.map((branch, index) => `    /* ${String(index)} */ ${JSON.stringify(branch)},`),
    '  ],',
    `  root: ${JSON.stringify(root)},`,
    '  states: [',
    ...states.map((state, index) => `    /* ${String(index)} */ ${JSON.stringify(state)},`),
    '  ],',
    '}',
    '',
  ].join('\n')
}
