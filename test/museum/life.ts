/** One step of a transcript: the event, the state after it, and the effects that were asked for. */
interface LifeStep {
  readonly event: string
  readonly state: string
  readonly effects: readonly string[]
}

/** A transcript, step by step. */
export type Life = readonly LifeStep[]

/** Reads a transcript. Where nothing changes, the state is the one before. */
export function lifeOf(transcript: string): Life {
  const life: { event: string; state: string; effects: string[] }[] = []
  for (const line of transcript.split('\n')) {
    const last = life.at(-1)
    if (line.startsWith('> ')) life.push({ event: line.slice(2), state: last?.state ?? '', effects: [] })
    else if (line.startsWith('    ! ')) last?.effects.push(line.slice(6))
    else if (last !== undefined && line !== '  (nothing changes)' && line !== '') last.state = line.trim()
  }
  return life
}

/** Writes a life down by hand, in the words of a transcript: an event, the state after it, and the effects of each step. */
export function told(...steps: readonly (readonly [event: string, state: string, ...effects: string[]])[]): Life {
  return steps.map(([event, state, ...effects]) => ({ event, state, effects }))
}

/** The life as a transcript. */
export function transcriptOfLife(life: Life): string {
  return life
    .map(({ event, state, effects }) => [`> ${event}`, `  ${state}`, ...effects.map((effect) => `    ! ${effect}`)].join('\n'))
    .join('\n')
}

/** Whether a line has all words of the pattern. */
function matches(line: string, pattern: string): boolean {
  const words = line.split(' ')
  return pattern.split(' ').every((word) => words.includes(word))
}

/** The numbers of the steps that asked for an effect with these words, once per effect. */
export const asked = (life: Life, pattern: string): readonly number[] =>
  life.flatMap(({ effects }, index) => effects.filter((effect) => matches(effect, pattern)).map(() => index))

/** The numbers of the steps whose event has these words. */
export const heard = (life: Life, pattern: string): readonly number[] =>
  life.flatMap(({ event }, index) => (matches(event, pattern) ? [index] : []))

/** Whether the last state has these words. */
export const endsIn = (life: Life, pattern: string): boolean => matches(life.at(-1)?.state ?? '', pattern)

/** Whether each of these happened, and first happened after the one before it. */
export function inOrder(...happenings: readonly (readonly number[])[]): boolean {
  const firsts = happenings.map(([first]) => first)
  return firsts.every((first, index) => first !== undefined && (index === 0 || first > (firsts[index - 1] ?? first)))
}

/** Whether nothing of the second happened after the first did, which it must have. */
export function noneAfter(first: readonly number[], later: readonly number[]): boolean {
  const [from] = first
  return from !== undefined && later.every((index) => index <= from)
}
