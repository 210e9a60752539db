const mostShown = 1_000

/** A text of a child as it may go into a log: at most 1,000 characters, without those that steer a terminal or begin a line. `cut` says that it is a part already. */
export function printable(text: string, cut = false): string {
  const shown = text.slice(0, mostShown).replaceAll(/[\p{Cc}\u2028\u2029]/gu, (character) => (character === '\t' ? ' ' : '?'))
  return cut || text.length > mostShown ? `${shown}…` : shown
}
