/** Random numbers that depend on a seed and a name alone: what one part of a simulation throws changes nothing for the others. */
export interface Dice {
  /** From 0 to below 1. */
  next(): number
  /** Whether something of that probability happens. */
  chance(probability: number): boolean
  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number
}

/** Dice for one part of a simulation. The generator is mulberry32. */
export function diceOf(seed: number, name: string): Dice {
  let state = seed >>> 0
  for (const character of name) state = Math.imul(state ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b) >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return diceFrom(next)
}

/** Dice that throw what `next` gives: numbers from 0 to below 1. */
export function diceFrom(next: () => number): Dice {
  return {
    next,
    chance: (probability) => probability > 0 && next() < probability,
    between: (least, most) => least + Math.floor(next() * (most - least + 1)),
  }
}
