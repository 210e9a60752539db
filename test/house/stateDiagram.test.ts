import { consumerStateTable, shardConsumerMachine, tableState } from '@shardwise/machine'
import { describe, expect, it } from 'vitest'
import { type Branch, chartBranches, chartStates } from '../../docs/diagram/chart.ts'
import { escapeMermaid } from '../../docs/diagram/mermaid.ts'
import { exceptions, overviewEdges } from '../../docs/diagram/overview.ts'
import { stateDiagramPage } from '../../docs/diagram/page.ts'
import { type Drawing, drawingsIn, readDrawing } from './mermaidBlocks.ts'
import { textOf } from './tree.ts'

/** The machine's configuration as it is written, read without the code that draws it. */
interface Written {
  readonly on?: Readonly<Record<string, unknown>>
  readonly always?: unknown
  readonly states?: Readonly<Record<string, Written>>
}
interface WrittenBranch {
  readonly guard?: string
  readonly target?: string
  readonly actions?: string | readonly string[]
}

const listOf = (value: unknown): readonly unknown[] => (value === undefined ? [] : Array.isArray(value) ? value : [value])

function writtenBranches(node: Written = shardConsumerMachine.config as Written, path: readonly string[] = []): readonly string[] {
  const absolute = (target: string): string => (target.startsWith('#') ? target.slice(1) : [...path.slice(0, -1), target].join('.'))
  const own = [...Object.entries(node.on ?? {}), ['always', node.always] as const].flatMap(([event, branches]) =>
    (listOf(branches) as readonly WrittenBranch[]).map(({ guard, target, actions }) =>
      lineOf(path.join('.') || 'everyState', event, target === undefined ? '' : absolute(target), guard ?? '', listOf(actions).join(', ')),
    ),
  )
  return [...own, ...Object.entries(node.states ?? {}).flatMap(([name, state]) => writtenBranches(state, [...path, name]))]
}

const lineOf = (source: string, event: string, target: string, guard: string, actions: string): string =>
  `${source} --${event}--> ${target} [${guard}] / ${actions}`

/** Every branch that a drawing shows, on arrows and in boxes. */
function drawnBranches({ arrows, texts }: Drawing): readonly string[] {
  const onArrows = arrows
    .filter(({ label }) => label.length > 0)
    .flatMap(({ from, to, label }) => branchesOf(from, to, label.join(' ').split('• ')))
  const inBoxes = [...texts].flatMap(([box, lines]) => branchesOf(box, '', lines.filter(saysBranch)))
  return [...onArrows, ...inBoxes]
}

const saysBranch = (line: string): boolean => !line.startsWith('entry /') && (/ [[/] ?/.test(line) || line === '*')

function branchesOf(from: string, to: string, labels: readonly string[]): readonly string[] {
  return labels
    .filter((label) => label.trim() !== '')
    .flatMap((label) => {
      const [, events = '', guard = '', actions = ''] = /^([^[/]+?)(?: \[(\w+)\])?(?: \/ ([\w, ]+?))?\s*$/.exec(label) ?? []
      return events.split(', ').map((event) => lineOf(pathOf(from), event, pathOf(to), guard, actions))
    })
}

const pathOf = (id: string): string => id.replace('__', '.')

const page = stateDiagramPage()
const [overview, ...others] = drawingsIn(page)
const whole = others.at(-1)
const byState = others.slice(0, -1)
if (overview === undefined || whole === undefined) throw new Error('docs/state-diagram.md: expected an overview and the whole chart')

describe('the page of the state diagram', () => {
  it('is what the machine says now', () => {
    const upToDate = textOf('docs/state-diagram.md') === page

    expect(upToDate, 'docs/state-diagram.md differs from the machine: run npm run diagram').toBe(true)
  })

  it('names every state, event, guard and action of the machine', () => {
    const names = chartBranches().flatMap(({ source, event, guard, actions }) => [...source.split('.'), event, guard ?? '', ...actions])

    expect(names.filter((name) => !page.includes(name))).toEqual([])
  })

  it('tells where the behaviour of the KCL differs from its own drawing, and which of the two is followed', () => {
    expect(page).toMatch(
      /since its release 2\.3\.0[\s\S]*WAITING_ON_PARENT_SHARDS to SHUTTING_DOWN[\s\S]*Here it leads to SHUTDOWN_COMPLETE/,
    )
  })

  it('has a row of the table for each of the seven states', () => {
    const rows = page.split('\n').filter((line) => Object.keys(consumerStateTable).some((state) => line.startsWith(`| ${state} |`)))

    expect(rows).toHaveLength(7)
    expect(rows).toContain('| PROCESSING | PROCESS | PROCESSING | SHUTDOWN_REQUESTED | SHUTTING_DOWN | SHUTTING_DOWN |  | yes |  |')
    expect(rows).toContain(
      '| SHUTDOWN_REQUESTED.notificationCompletion | SHUTDOWN_NOTIFICATION | SHUTDOWN_REQUESTED.notificationCompletion | SHUTDOWN_REQUESTED.notificationCompletion | SHUTTING_DOWN | SHUTTING_DOWN |  |  | yes |',
    )
  })

  it('has a row of a table for each branch', () => {
    const rows = page.split('\n').filter((line) => /^\| `[\w*]+` \| (`\w+`)? \| [\w.]+ \|/.test(line))

    expect(rows).toHaveLength(writtenBranches().length)
  })
})

describe('the whole chart', () => {
  it('has as many transitions as the machine, and the same', () => {
    expect(drawnBranches(whole)).toHaveLength(writtenBranches().length)
    expect([...drawnBranches(whole)].sort()).toEqual([...writtenBranches()].sort())
  })

  it('has one arrow for each pair of states that the machine joins, one into each composite state, and one in and out of the whole', () => {
    const pairs = new Set(chartBranches().flatMap(({ source, target }) => (target === null ? [] : [`${source} ${target}`])))
    const composites = chartStates().states.filter(({ states }) => states.length > 0)

    expect(whole.arrows).toHaveLength(pairs.size + composites.length + 2)
  })

  it('says in the box of each state what it is for and what it starts', () => {
    const leaves = chartStates().states.flatMap((state) => (state.states.length === 0 ? [state] : state.states))
    const silent = leaves.filter(({ path, description, entry }) => {
      const said = whole.texts.get(path.replace('.', '__'))?.join(' ') ?? ''
      return description === '' || !said.startsWith(description) || entry.some((action) => !said.includes(`entry / ${action}`))
    })

    expect(silent).toEqual([])
  })

  it('stays within what Mermaid draws', () => {
    expect(whole.text.length).toBeLessThan(50_000)
    expect(whole.arrows.length).toBeLessThan(500)
  })
})

describe('the charts state by state', () => {
  it('show every branch of the machine once, but those of every state', () => {
    const expected = writtenBranches().filter((branch) => !branch.startsWith('everyState'))

    expect(byState.flatMap(drawnBranches).sort()).toEqual([...expected].sort())
  })

  it('stay small enough to be read', () => {
    expect(byState.filter(({ arrows }) => arrows.length > 30)).toEqual([])
  })
})

describe('the overview', () => {
  const branches = chartBranches()
  const aBranch = (branch: Partial<Branch>): Branch => ({
    source: 'PROCESSING.reading',
    event: 'shutdown',
    guard: null,
    target: null,
    actions: [],
    ...branch,
  })

  it('draws the edges of the KCL, and the exceptions', () => {
    expect(overview.arrows.map(({ from, to, label }) => [pathOf(from), pathOf(to), label.join(' ')].join(' | '))).toEqual([
      '[*] | WAITING_ON_PARENT_SHARDS | ',
      'WAITING_ON_PARENT_SHARDS | INITIALIZING | Success',
      'WAITING_ON_PARENT_SHARDS | SHUTDOWN_COMPLETE | All Reasons',
      'INITIALIZING | PROCESSING | Success',
      'INITIALIZING | SHUTDOWN_REQUESTED | Requested',
      'INITIALIZING | SHUTDOWN_REQUESTED.notificationCompletion | Requested, processor not initialised',
      'INITIALIZING | SHUTTING_DOWN | Terminated (SHARD_END) Zombie (LEASE_LOST)',
      'PROCESSING | PROCESSING | Success',
      'PROCESSING | SHUTDOWN_REQUESTED | Requested',
      'PROCESSING | SHUTDOWN_REQUESTED.notificationCompletion | Requested, processor gone',
      'PROCESSING | SHUTTING_DOWN | Terminated (SHARD_END) Zombie (LEASE_LOST) Processor gone Given up',
      'SHUTDOWN_REQUESTED | SHUTDOWN_REQUESTED.notificationCompletion | Success Requested',
      'SHUTDOWN_REQUESTED | SHUTTING_DOWN | Terminated (SHARD_END) Zombie (LEASE_LOST)',
      'SHUTDOWN_REQUESTED.notificationCompletion | SHUTDOWN_REQUESTED.notificationCompletion | Success Requested',
      'SHUTDOWN_REQUESTED.notificationCompletion | SHUTTING_DOWN | Terminated (SHARD_END) Zombie (LEASE_LOST)',
      'SHUTTING_DOWN | SHUTDOWN_COMPLETE | Success All Reasons',
      'SHUTDOWN_COMPLETE | [*] | ',
    ])
  })

  it('leaves out no edge of the table that leads from one state to another', () => {
    const drawn = new Set(overviewEdges(branches).map(({ from, to }) => `${from} ${to}`))
    const edges = Object.entries(consumerStateTable).flatMap(([from, { success, shutdown }]) =>
      [success, ...Object.values(shutdown)].filter((to) => to !== from).map((to) => `${from} ${to}`),
    )

    expect(edges.filter((edge) => !drawn.has(edge))).toEqual([])
  })

  it('refuses a branch of the chart that leads elsewhere than the table says', () => {
    const stray = aBranch({ guard: 'leaseIsLost', target: 'SHUTDOWN_REQUESTED.notifying' })

    expect(() => overviewEdges([...branches, stray])).toThrow(
      'PROCESSING.reading to SHUTDOWN_REQUESTED.notifying on shutdown [leaseIsLost]: the table says that LEASE_LOST leads to SHUTTING_DOWN',
    )
  })

  it('refuses a branch whose guard does not say why the state is left', () => {
    const stray = aBranch({ guard: 'failedBefore', target: 'SHUTTING_DOWN.closing' })

    expect(() => overviewEdges([...branches, stray])).toThrow('expected a guard that says whether success or a shutdown leads there')
  })

  it('refuses a branch that makes the success of one state lead past the next', () => {
    const stray = aBranch({ source: 'WAITING_ON_PARENT_SHARDS.checking', guard: 'answered', target: 'PROCESSING' })

    expect(() => overviewEdges([...branches, stray])).toThrow('the table says that success leads to INITIALIZING')
  })

  it.each(exceptions)('refuses to list $label once the chart does not do so', ({ from, to, covers }) => {
    const rowOf = (path: string): string => {
      const [state = '', subState] = path.split('.')
      return tableState(subState === undefined ? state : { [state]: subState })
    }
    const without = branches.filter(
      (branch) => branch.source === '' || !covers(branch) || rowOf(branch.source) !== from || rowOf(branch.target ?? branch.source) !== to,
    )

    expect(() => overviewEdges(without)).toThrow(`${from} to ${to}: listed as an exception to the table, but not in the chart`)
  })
})

describe('the text of a drawing', () => {
  it('escapes what Mermaid would read as syntax', () => {
    expect(escapeMermaid('a: b; #1 "c" <d>\ne')).toBe('a#58; b#59; #35;1 #34;c#34; #60;d#62;<br/>e')
  })

  it.each([
    ['a semicolon', 'a : one; two', 'not a line of a state diagram'],
    ['a colon', 'a : one: two', 'not a line of a state diagram'],
    ['an arrow to a state without a box', 'a --> b', 'b: drawn without a box'],
    ['a brace too few', 'state b {', 'a brace is not closed'],
    ['a brace too many', '}', 'a brace is closed that was not opened'],
  ])('is refused with %s', (_, line, message) => {
    const block = ['---', 'config:', '  state:', '    nodeSpacing: 1', '    rankSpacing: 1', '---', 'stateDiagram-v2', '  direction TB']

    expect(readDrawing([...block, 'state "A" as a', '[*] --> a'].join('\n')).arrows).toHaveLength(1)
    expect(() => readDrawing([...block, 'state "A" as a', line].join('\n'))).toThrow(message)
  })
})
