/** Measures an engine by the clock of the runtime that it runs in. Part of the bundles that measure. */
import type { Engine } from './engines.ts'
import { type StoryEvents, stepByStep } from './report.ts'

/** How long an engine is run before it is measured, and while it is. */
export interface PaceLengths {
  readonly warmUpMs: number
  readonly measuredMs: number
}

const longEnough: PaceLengths = { warmUpMs: 400, measuredMs: 1_500 }
const roundMs = 20

/** Passes over all stories after which a clock that has not moved is taken to stand still. */
const passesOfAStillClock = 100

/**
 * The nanoseconds that a step takes, start and step alike: those of the fastest round, since whatever else the computer does only makes a round slower.
 * Null where there is no clock, or one that stands still while a program runs.
 */
export function paceOf(
  engine: Engine,
  stories: readonly StoryEvents[],
  now: (() => number) | null,
  { warmUpMs, measuredMs } = longEnough,
): number | null {
  if (now === null) return null
  const stepsPerPass = stories.reduce((steps, { events }) => steps + events.length + 1, 0)
  const round = (lengthMs: number): { readonly spentMs: number; readonly passes: number } => {
    const before = now()
    let passes = 0
    let spentMs = 0
    while (spentMs < lengthMs && (spentMs > 0 || passes < passesOfAStillClock)) {
      for (const story of stories) stepByStep(engine, story)
      passes += 1
      spentMs = now() - before
    }
    return { spentMs, passes }
  }
  if (round(warmUpMs).spentMs === 0) return null
  let fastest = Infinity
  for (let leftMs = measuredMs; leftMs > 0; ) {
    const { spentMs, passes } = round(roundMs)
    fastest = Math.min(fastest, (spentMs * 1_000_000) / (passes * stepsPerPass))
    leftMs -= spentMs
  }
  return fastest
}
