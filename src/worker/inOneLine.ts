/** Longer texts than these are cut: an error may quote what someone sent. */
const mostShown = 2_000

/** What AWS quotes when a signature does not match holds the session token. */
const sessionToken = /(x-amz-security-token["']?\s*[:=]\s*["']?)[^\s"'&]+/gi

/** A text as a line of a log: ends of lines are blanks, what steers a terminal is a question mark, no session token, 2,000 characters at most. */
export function inOneLine(text: string): string {
  const line = text
    .slice(0, 2 * mostShown)
    .replaceAll(sessionToken, '$1…')
    .split(/[\n\r\u2028\u2029]/)
    .flatMap((part, _, { length }) => (length === 1 ? [part] : part.trim() || []))
    .join(' ')
    .replaceAll(/\t/g, ' ')
    .replaceAll(/\p{Cc}/gu, '?')
  return line.length > mostShown || text.length > 2 * mostShown ? `${line.slice(0, mostShown)}…` : line
}
