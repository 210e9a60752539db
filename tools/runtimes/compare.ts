const shownBefore = 60
const shownAfter = 120

/** Says where two texts first differ: the line, the story it belongs to, and the part of it that differs; null where they are the same. */
export function firstDifference(expected: string, found: string): string | null {
  if (expected === found) return null
  const [wanted, got] = [expected.split('\n'), found.split('\n')]
  const index = firstIndex(wanted, got)
  const story = wanted.slice(0, index + 1).findLast((line) => line.startsWith('# ')) ?? 'before the first story'
  const from = Math.max(0, firstIndex(wanted[index] ?? '', got[index] ?? '') - shownBefore)
  const part = (line: string | undefined): string =>
    line === undefined ? 'the end' : `${from > 0 ? '…' : ''}${line.slice(from, from + shownBefore + shownAfter)}`
  return [`line ${index + 1}, ${story}`, `  expected ${part(wanted[index])}`, `  got      ${part(got[index])}`].join('\n')
}

function firstIndex(a: string | readonly string[], b: string | readonly string[]): number {
  let index = 0
  while (index < a.length && index < b.length && a[index] === b[index]) index += 1
  return index
}
