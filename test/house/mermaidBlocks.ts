/** An arrow of a drawing: what it joins, and the lines of its label. */
interface Arrow {
  readonly from: string
  readonly to: string
  readonly label: readonly string[]
}

/** A state diagram, read line by line. */
export interface Drawing {
  readonly text: string
  readonly titles: ReadonlyMap<string, string>
  /** What the boxes say, line by line. */
  readonly texts: ReadonlyMap<string, readonly string[]>
  readonly arrows: readonly Arrow[]
}

const id = '[A-Za-z_]+'
/** Text without a character that Mermaid reads as syntax: such characters are codes, and a line break is the one tag. */
const text = '(?:[^#;:"<>\\n]|#\\d+;|<br/>)+'

const head = [/^---$/, /^config:$/, /^ {2}state:$/, /^ {4}(?:node|rank)Spacing: \d+$/, /^---$/, /^stateDiagram-v2$/, /^ {2}direction TB$/]
const declaration = new RegExp(`^state "(${text})" as (${id})$`)
const description = new RegExp(`^(${id}) : (${text})$`)
const arrow = new RegExp(`^(${id}|\\[\\*\\]) --> (${id}|\\[\\*\\])(?: : (${text}))?$`)
const opening = new RegExp(`^state (${id}) \\{$`)
const style = new RegExp(`^(?:classDef ${id} [a-z:\\-0-9, ]+|class ${id}(?:, ${id})* ${id})$`)

/** The state diagrams of a page. @throws Error for a line that is not of the few kinds that are drawn. */
export function drawingsIn(page: string): readonly Drawing[] {
  return [...page.matchAll(/^```mermaid\n([\s\S]*?)\n```$/gm)].map(([, block = '']) => readDrawing(block))
}

/** Reads one state diagram. @throws Error for a line that Mermaid might read as something else, a state that no box was made for, and braces that do not match. */
export function readDrawing(block: string): Drawing {
  const titles = new Map<string, string>()
  const texts = new Map<string, readonly string[]>()
  const arrows: Arrow[] = []
  let depth = 0
  const [lines, kinds] = [block.split('\n'), [...head]]
  while (kinds.length > 0 && kinds[0]?.test(lines[0] ?? '') === true) {
    if (lines.shift()?.includes('nodeSpacing') !== true) kinds.shift()
  }
  if (kinds.length > 0) throw new Error(`expected ${kinds[0]?.source}, got ${lines[0]}`)
  for (const line of lines.map((indented) => indented.trim())) {
    const declared = declaration.exec(line)
    const described = description.exec(line)
    const joined = arrow.exec(line)
    const opened = opening.exec(line)
    if (declared !== null) titles.set(declared[2] ?? '', plain(declared[1]).join(' '))
    else if (joined !== null) arrows.push({ from: joined[1] ?? '', to: joined[2] ?? '', label: plain(joined[3]) })
    else if (described !== null) texts.set(described[1] ?? '', plain(described[2]))
    else if (opened !== null) titles.set(opened[1] ?? '', opened[1] ?? '')
    else if (line !== '}' && !style.test(line)) throw new Error(`not a line of a state diagram: ${line}`)
    depth += opened === null ? (line === '}' ? -1 : 0) : 1
    if (depth < 0) throw new Error('a brace is closed that was not opened')
  }
  if (depth !== 0) throw new Error('a brace is not closed')
  const stray = [...texts.keys(), ...arrows.flatMap(({ from, to }) => [from, to])].find((name) => name !== '[*]' && !titles.has(name))
  if (stray !== undefined) throw new Error(`${stray}: drawn without a box`)
  return { text: block, titles, texts, arrows }
}

function plain(written: string | undefined): readonly string[] {
  if (written === undefined) return []
  return written.split('<br/>').map((line) => line.replace(/#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code))))
}
