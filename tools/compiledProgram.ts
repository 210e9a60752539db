import {
  type BranchList,
  type BranchRow,
  type ChartTable,
  compile,
  type EventRows,
  type StateRow,
  shardConsumerMachine,
} from '@shardwise/machine'

/**
 * The text of `src/machine/shardConsumerProgram.ts`: the statechart of a shard consumer, compiled. Guards and actions are members of their modules there, which
 * a bundler replaces by the functions: their names take as much room as a third of the code.
 */
export function compiledProgramText(): string {
  const table = compile(shardConsumerMachine)
  return [
    '// Written by `npm run compile` from shardConsumerMachine.ts.',
    "import * as does from './actions.ts'",
    "import type { ChartProgram } from './chartProgram.ts'",
    "import * as asks from './guards.ts'",
    '',
    '/** The statechart of a shard consumer as a program. */',
    'export const shardConsumerProgram: ChartProgram = {',
    `  start: ${branchText(branchAt(table, table.start))},`,
    `  root: {${eventsText(table, table.root)}},`,
    '  states: [',
    ...table.states.map((state, index) => `    /* ${String(index)} */ ${stateText(table, state)},`),
    '  ],',
    '}',
    '',
  ].join('\n')
}

const doing = (actions: readonly string[]): string => actions.map((name) => `does.${name}`).join(', ')

function branchAt({ branches }: ChartTable, index: number): BranchRow {
  const branch = branches[index]
  if (branch === undefined) throw new Error(`branches: there is none at ${String(index)}`)
  return branch
}

function branchText([guard, target, ...actions]: BranchRow): string {
  const first = `${guard === null ? 'null' : `asks.${guard}`}, ${String(target)}`
  return actions.length === 0 ? `[${first}]` : `[${first}, ${doing(actions)}]`
}

function listText(table: ChartTable, list: BranchList): string {
  return `[${list.map((index) => branchText(branchAt(table, index))).join(', ')}]`
}

/** Events that lead to the same branches share them. */
function eventsText(table: ChartTable, rows: EventRows): string {
  const typesOf = new Map<string, string[]>()
  for (const [type, list] of Object.entries(rows)) {
    const text = listText(table, list)
    typesOf.set(text, [...(typesOf.get(text) ?? []), type])
  }
  return [...typesOf].map(([text, types]) => `'${types.join(' ')}': ${text}`).join(', ')
}

function stateText(table: ChartTable, { value, entry, status, on, always }: StateRow): string {
  const events = status === 'done' ? 'null' : `{${eventsText(table, on)}}`
  const eventless = always === undefined ? '' : `, ${listText(table, always)}`
  return `[${JSON.stringify(value)}, [${doing(entry)}], ${events}${eventless}]`
}
