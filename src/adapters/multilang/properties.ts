const escapes: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' }

/**
 * Reads the text of a Java properties file: `key = value`, `key: value` or `key value`; comments after `#` or `!`; lines that end with an odd number of
 * backslashes go on in the next, without its leading blanks. The last of several values for one key wins. Source: `java.util.Properties.load`.
 * @throws Error naming the line of a malformed \uXXXX escape.
 */
export function parseProperties(text: string): ReadonlyMap<string, string> {
  const properties = new Map<string, string>()
  for (const { line, number } of logicalLines(text)) {
    // Everything up to the first separator that no backslash protects.
    const [, key = '', value = ''] = /^((?:\\[^]|[^\\=: \t\f])*)[ \t\f]*[=:]?[ \t\f]*([^]*)$/.exec(line) ?? []
    properties.set(unescaped(key, number), unescaped(value, number))
  }
  return properties
}

/** Lines put together from their continuations, without blanks before them, comments and empty lines; `number` is that of their first line, from 1. */
function logicalLines(text: string): readonly { readonly line: string; readonly number: number }[] {
  const lines: { line: string; readonly number: number }[] = []
  let open: { line: string; readonly number: number } | undefined
  for (const [index, natural] of text.split(/\r\n|\n|\r/).entries()) {
    const line = natural.replace(/^[ \t\f]+/, '')
    if (open === undefined && (line === '' || line.startsWith('#') || line.startsWith('!'))) continue
    const goesOn = backslashesAtEnd(line) % 2 === 1
    const content = goesOn ? line.slice(0, -1) : line
    // A lone backslash begins nothing: the next line may be a comment.
    if (open === undefined && content === '') continue
    if (open === undefined) {
      open = { line: content, number: index + 1 }
      lines.push(open)
    } else open.line += content
    if (!goesOn) open = undefined
  }
  return lines
}

// A regular expression would begin again at each backslash of a line that ends otherwise.
function backslashesAtEnd(line: string): number {
  let start = line.length
  while (line[start - 1] === '\\') start -= 1
  return line.length - start
}

function unescaped(text: string, number: number): string {
  return text.replaceAll(/\\(u[0-9A-Fa-f]{4}|[^])/g, (_, escaped: string) => {
    if (escaped.length > 1) return String.fromCharCode(Number.parseInt(escaped.slice(1), 16))
    if (escaped === 'u') throw new Error(`properties: line ${number}: expected four hexadecimal digits after \\u`)
    return escapes[escaped] ?? escaped
  })
}
