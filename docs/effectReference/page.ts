import { type EffectType, effectTable, type Port } from '@shardwise/effects'
import { type DescribedEffect, type Field, readTable, type TableSource } from './readTable.ts'

/** Who carries the effects of a port out, in the packages of this repository. */
const carriers: Readonly<Record<Port, string>> = {
  leaseStore: '`LeaseStore`: `@shardwise/dynamodb`, `@shardwise/memory`',
  leaseTable: '`LeaseTable`: `@shardwise/dynamodb`, `@shardwise/memory`',
  recordSource: '`RecordSource`: `@shardwise/kinesis`, `@shardwise/memory`',
  streamDirectory: '`StreamDirectory`: `@shardwise/kinesis`, `@shardwise/memory`',
  processor: '`Processor`: `@shardwise/processor`, `@shardwise/multilang`',
  timers: '`Timers`: the worker',
  consumerOwner: '`ConsumerOwner`: the host of leases',
  leaseHost: '`LeaseHost`: the host of leases',
  consumerHost: '`ConsumerHost`: the host of leases',
  driver: '`interpret`',
}

const lanes: Readonly<Record<(typeof effectTable)[EffectType]['lane'], string>> = {
  task: 'one at a time for each shard consumer, and none beside a read',
  read: 'one at a time for each shard consumer, and none beside a task',
  checkpoint: 'one at a time for each shard consumer, beside a task or a read',
  coordinator: 'one at a time for each lease, or for the table',
  timer: 'any number',
  notice: 'returns at once, without an answer',
}

/** The page `docs/effects.md`, made from the effect table and its source. */
export function effectsPage(source: TableSource = readTable()): string {
  return `${[
    '# Effects',
    'Made from [`src/effects/table.ts`](../src/effects/table.ts) by `npm run effects`. The words are explained in the [glossary](architecture.md#glossary); ' +
      'how to answer these effects yourself is told in [Writing an adapter](writing-an-adapter.md).',
    '## Rules',
    source.rules.map((rule) => `- ${rule}`).join('\n'),
    'Any effect that has answers may be answered by `effectFailed` with `error: ErrorFacts`, too: the driver makes it of a handler that rejects.',
    '## What may run at once',
    table(['lane', 'of its effects'], Object.entries(lanes)),
    '## Who answers',
    table(
      ['port', 'type of its handlers, and who has them', 'effects'],
      Object.entries(carriers).map(([port, carrier]) => [`\`${port}\``, carrier, linksOf(port)]),
    ),
    '## Types',
    'What effects and answers are declared with. All are plain JSON.',
    table(
      ['type', 'what it is'],
      source.types.map(({ name, says, file }) => [`[\`${name}\`](../src/effects/${file})`, says]),
    ),
    ...source.sections.flatMap(({ heading, effects }) => sectionOf(heading, effects)),
  ].join('\n\n')}\n`
}

/** A heading is the first clause of the comment; what follows it holds for the whole section. */
function sectionOf(heading: string, effects: readonly DescribedEffect[]): readonly string[] {
  const [title = '', ...rest] = heading.split(/(?<=[.:]) /)
  return [`## ${title.replace(/[.:]$/, '')}`, ...(rest.length === 0 ? [] : [sentence(rest.join(' '))]), ...effects.map(effectText)]
}

function effectText({ name, says, asks, answers }: DescribedEffect): string {
  const { port, lane, idempotent, unanswered } = effectTable[name as EffectType]
  const facts = [`port \`${port}\``, `lane \`${lane}\``, idempotent ? 'idempotent' : '**not** idempotent']
  return [
    `### ${name}`,
    says,
    `${facts.join(' · ')}${unanswered === null ? '' : ` · without an answer, ${unanswered}`}`,
    asks.length === 0 ? 'It asks without fields.' : fieldTable('asks', asks),
    answers.length === 0
      ? 'It has no answer.'
      : table(
          ['answers', 'with'],
          answers.map((answer) => [
            `\`${answer.name}\``,
            answer.fields.map(({ name: field, type }) => code(`${field}: ${type}`)).join(', '),
          ]),
        ),
  ].join('\n\n')
}

const fieldTable = (head: string, fields: readonly Field[]): string =>
  table(
    [head, 'type', ''],
    fields.map(({ name, type, says }) => [`\`${name}\``, code(type), says]),
  )

const linksOf = (port: string): string =>
  Object.entries(effectTable)
    .filter(([, facts]) => facts.port === port)
    .map(([name]) => `[\`${name}\`](#${name.toLowerCase()})`)
    .join(', ')

/** A type in a cell of a table: a bar in it would end the cell. */
const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
