import type { Branch, ChartState } from './chart.ts'

/** Text as Mermaid shows it: what it would read as syntax is written as character codes, and a line break as `<br/>`. */
export function escapeMermaid(text: string): string {
  return text.replace(/[#;:"<>]/g, (character) => `#${character.charCodeAt(0)};`).replace(/\n/g, '<br/>')
}

/** A fenced block of Mermaid, from the lines of a state diagram. The spacing, wider than Mermaid's own, keeps labels apart. */
export function stateDiagram(lines: readonly string[]): string {
  const spacing = ['---', 'config:', '  state:', '    nodeSpacing: 80', '    rankSpacing: 100', '---']
  return ['```mermaid', ...spacing, 'stateDiagram-v2', '  direction TB', ...lines.map((line) => `  ${line}`), '```'].join('\n')
}

/** The name of a state within Mermaid, which has no dots in names. */
export function idOf(path: string): string {
  return path.replaceAll('.', '__')
}

/** The mark from which an arrow starts at an initial state, and at which it ends from a final one. */
export const mark = '[*]'

/** An arrow between states or marks; its label has one line per entry. */
export function arrow(source: string, target: string, label: readonly string[] = []): string {
  return `${idOf(source)} --> ${idOf(target)}${label.length === 0 ? '' : ` : ${escapeMermaid(label.join('\n'))}`}`
}

/** A box: its title, and below a rule what is said about it, one line per entry. */
export function box(path: string, title: string, text: readonly string[]): readonly string[] {
  const id = idOf(path)
  return [`state "${escapeMermaid(title)}" as ${id}`, ...(text.length === 0 ? [] : [`${id} : ${escapeMermaid(text.join('\n'))}`])]
}

/** Branches as labels: events, `[guard]`, `/ actions`. Branches that differ in the event alone share a label. */
function branchLabels(branches: readonly Branch[]): readonly (readonly string[])[] {
  const labels = new Map<string, { readonly events: string[]; readonly rest: readonly string[] }>()
  for (const { event, guard, actions } of branches) {
    const rest = [...(guard === null ? [] : [`[${guard}]`]), ...(actions.length === 0 ? [] : [`/ ${actions.join(', ')}`])]
    const label = labels.get(rest.join(' ')) ?? { events: [], rest }
    label.events.push(event)
    labels.set(rest.join(' '), label)
  }
  return [...labels.values()].map(({ events, rest }) => [events.join(', '), ...rest])
}

/** What a state's box says: what the state is for, what it starts when it is entered, and which branches stay in it. */
export function stateText(state: ChartState, branches: readonly Branch[]): readonly string[] {
  const staying = branches.filter(({ source, target }) => source === state.path && target === null)
  return [
    ...wrapped(state.description, 44),
    ...state.entry.map((action) => `entry / ${action}`),
    ...state.tags.map((tag) => `tag ${tag}`),
    ...branchLabels(staying).map((label) => label.join(' ')),
  ]
}

/** One arrow for each pair of states that branches join, with all their labels; several have bullets. The last comes first: so drawn, labels cover each other less. */
export function branchArrows(branches: readonly Branch[]): readonly string[] {
  const pairs = new Map<string, { readonly source: string; readonly target: string; readonly joining: Branch[] }>()
  for (const branch of branches) {
    const { source, target } = branch
    if (target === null) continue
    const pair = pairs.get(`${source} ${target}`) ?? { source, target, joining: [] }
    pair.joining.push(branch)
    pairs.set(`${source} ${target}`, pair)
  }
  return [...pairs.values()].reverse().map(({ source, target, joining }) => {
    const labels = branchLabels(joining).map((label) => label.flatMap((part) => wrapped(part, 26)).join('\n'))
    return arrow(source, target, labels.length === 1 ? labels : labels.map((label) => `• ${label}`))
  })
}

/** Text in lines of so many characters, broken here because Mermaid makes room for its longest line even where it breaks it. */
function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines.filter((line) => line !== '')
}
