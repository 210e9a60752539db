/** Measures an engine by the clock of the runtime that it runs in. Part of the bundles that measure. */
import type { Engine } from './engines.ts'
import { type StoryEvents, stepByStep } from './report.ts'

const rounds = 7
const roundMs = 150
const warmUpMs = 400

/** Passes over all stories after which a clock that has not moved is taken to stand still. */
const passesOfAStillClock = 100

/**
 * The nanoseconds that a step takes, start and step alike: the fastest of seven rounds, since whatever else the machine does only makes a round slower.
 * Null where there is no clock, or one that stands still while a program runs.
 */
export function paceOf(engine: Engine, stories: readonly StoryEvents[], now: (() => number) | null): number | null {
  if (now === null) return null
  const stepsPerPass = stories.reduce((steps, { events }) => steps + events.length + 1, 0)
  const round = (lengthMs: number): number | null => {
    const before = now()
    let passes = 0
    for (let spentMs = 0; spentMs < lengthMs; spentMs = now() - before) {
      if (spentMs === 0 && passes === passesOfAStillClock) return null
      for (const story of stories) stepByStep(engine, story)
      passes += 1
    }
    return ((now() - before) * 1_000_000) / (passes * stepsPerPass)
  }
  if (round(warmUpMs) === null) return null
  return Math.min(...Array.from({ length: rounds }, () => round(roundMs) ?? Infinity))
}
