import type { Branch, ChartState } from './chart.ts'

/** Text as Mermaid shows it: what it would read as syntax is written as character codes, and a line break as `<br/>`. */
export function escapeMermaid(text: string): string {
  return text.replace(/[#;:"<>]/g, (character) => `#${character.charCodeAt(0)};`).replace(/\n/g, '<br/>')
}

/** A fenced block of Mermaid, from the lines of a state diagram. */
export function stateDiagram(lines: readonly string[]): string {
  return ['```mermaid', 'stateDiagram-v2', '  direction TB', ...lines.map((line) => `  ${line}`), '```'].join('\n')
}

/** An arrow; its label has one line per entry. */
export function arrow(source: string, target: string, label: readonly string[] = []): string {
  return `${source} --> ${target}${label.length === 0 ? '' : ` : ${escapeMermaid(label.join('\n'))}`}`
}

/** A box: its title, and below a rule what is said about it, one line per entry. */
export function box(path: string, title: string, text: readonly string[]): readonly string[] {
  return [`state "${escapeMermaid(title)}" as ${path}`, ...(text.length === 0 ? [] : [`${path} : ${escapeMermaid(text.join('\n'))}`])]
}

/** Branches as lines `events [guard] / actions`. Branches that differ in the event alone share a line. */
export function branchLines(branches: readonly Branch[]): readonly string[] {
  const events = new Map<string, string[]>()
  for (const { event, guard, actions } of branches) {
    const rest = `${guard === null ? '' : ` [${guard}]`}${actions.length === 0 ? '' : ` / ${actions.join(', ')}`}`
    events.set(rest, [...(events.get(rest) ?? []), event])
  }
  return [...events].map(([rest, names]) => `${names.join(', ')}${rest}`)
}

/** What a state's box says: what the state is for, what it starts when it is entered, and which branches stay in it. */
export function stateText(state: ChartState, branches: readonly Branch[]): readonly string[] {
  const staying = branches.filter(({ source, target }) => source === state.path && target === null)
  return [
    ...wrapped(state.description, 44),
    ...state.entry.map((action) => `entry / ${action}`),
    ...state.tags.map((tag) => `tag ${tag}`),
    ...branchLines(staying),
  ]
}

/** One arrow for each pair of states that branches join, with a line for every branch. */
export function branchArrows(branches: readonly Branch[]): readonly string[] {
  const pairs = new Map<string, Branch[]>()
  for (const branch of branches) {
    if (branch.target === null) continue
    const pair = `${branch.source} ${branch.target}`
    pairs.set(pair, [...(pairs.get(pair) ?? []), branch])
  }
  return [...pairs.values()].flatMap((joined) => {
    const [first] = joined
    return first?.target == null ? [] : [arrow(first.source, first.target, branchLines(joined))]
  })
}

function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines.filter((line) => line !== '')
}
