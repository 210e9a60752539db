import type { ShardConsumerSnapshot } from '@shardwise/machine'
import {
  invariants as allInvariants,
  type Engine,
  type Invariant,
  type Life,
  live,
  lives,
  type Trace,
  type TraceStep,
} from '@shardwise/testing'
import fc from 'fast-check'
import { sameEnd } from '../../src/testing/invariants/invariant.ts'
import { stateText } from '../scenarios/transcriptText.ts'

type Engines = Readonly<Record<string, Engine>>

/** What is to be proved, and how long. */
export interface Task {
  /** Each engine lives every life, and those after the first must do what the first does. */
  readonly engines: Engines
  /** At least so many operations; the last life is lived to its end. */
  readonly operations: number
  readonly seed: number
  readonly invariants?: readonly Invariant[]
  /** How many lives are made from one seed; the next ones are made from the next seed. */
  readonly livesPerSeed?: number
}

/** What is wrong with a life: an invariant, an engine that throws, or engines that differ. */
export interface Wrong {
  readonly engine: string
  readonly title: string
  readonly wrong: readonly string[]
  /** Null where the engine threw. */
  readonly trace: Trace | null
}

/** A life in which something goes wrong, as short as it could be made, and what makes it again. */
export interface Counterexample extends Wrong {
  readonly life: Life
  readonly seed: number
  readonly path: string
}

/** What was tried, and the first counterexample that was found. */
export interface Proof {
  readonly seeds: readonly number[]
  readonly lives: number
  readonly operations: number
  readonly events: number
  readonly states: ReadonlySet<string>
  /** From state, event, to state. */
  readonly transitions: ReadonlySet<string>
  readonly counterexample: Counterexample | null
}

/** Lives random lives until there were operations enough, or one goes wrong. */
export function prove({ engines, operations, seed, invariants = allInvariants, livesPerSeed = 100 }: Task): Proof {
  const seen = { states: new Set<string>(), transitions: new Set<string>() }
  const count = { lives: 0, operations: 0, events: 0 }
  const seeds: number[] = []
  const note = ({ steps }: Trace): void => {
    count.events += steps.length - 1
    for (const { event, before, after } of steps) {
      seen.states.add(stateText(after))
      if (event !== null && before !== null) seen.transitions.add(`${stateText(before)} ${event.type} ${stateText(after)}`)
    }
  }
  while (count.operations < operations) {
    const next = seed + seeds.length
    seeds.push(next)
    let first: Wrong | null = null
    const isRight = (life: Life): boolean => {
      if (first !== null) return !isSameFault(first, wrongIn(life, engines, invariants))
      if (count.operations >= operations) return true
      count.lives += 1
      count.operations += life.begun + life.operations.length
      first = wrongIn(life, engines, invariants, note)
      return first === null
    }
    const details = fc.check(fc.property(lives(), isRight), { seed: next, numRuns: livesPerSeed })
    if (details.failed) return { ...count, ...seen, seeds, counterexample: counterexampleOf(details, engines, invariants) }
  }
  return { ...count, ...seen, seeds, counterexample: null }
}

/** What is made shorter must go wrong in the same way: another fault would hide the first. */
const isSameFault = (first: Wrong, other: Wrong | null): boolean =>
  other !== null && other.title === first.title && other.engine === first.engine

/** What goes wrong first in a life; null when all is well. `note` gets the trace of the first engine. */
export function wrongIn(life: Life, engines: Engines, invariants: readonly Invariant[], note?: (trace: Trace) => void): Wrong | null {
  let first: Trace | null = null
  for (const [name, engine] of Object.entries(engines)) {
    const trace = lived(life, engine)
    if (typeof trace === 'string') return { engine: name, title: 'I5: No event throws', wrong: [trace], trace: null }
    if (first === null) note?.(trace)
    else if (differingStep(first, trace) >= 0)
      return { engine: name, title: 'That engines do the same', wrong: [differenceOf(first, trace)], trace: first }
    // Of an equal trace only those that step on have something else to say.
    const asked = first === null ? invariants : invariants.filter(({ stepsOn }) => stepsOn)
    first ??= trace
    for (const invariant of asked) {
      const wrong = invariant.check(trace, engine)
      if (wrong.length > 0) return { engine: name, title: `I${invariant.number}: ${invariant.name}`, wrong, trace }
    }
  }
  return null
}

function lived(life: Life, engine: Engine): Trace | string {
  try {
    return live(life, engine)
  } catch (error) {
    return String(error)
  }
}

/** The first step that engines take differently; -1 where there is none. Each is offered its events by what it did before. */
function differingStep(first: Trace, other: Trace): number {
  const longer = first.steps.length >= other.steps.length ? first : other
  const shorter = longer === first ? other : first
  return longer.steps.findIndex((step, index) => !sameEnd(shorter.steps[index], step))
}

function differenceOf(first: Trace, other: Trace): string {
  const index = differingStep(first, other)
  return `step ${index}: ${endText(other.steps[index])}, where the first engine comes to ${endText(first.steps[index])}`
}

const endText = (step: TraceStep | undefined): string =>
  step === undefined ? 'no step' : JSON.stringify({ after: step.after, effects: step.effects })

function counterexampleOf(
  { counterexample, seed, counterexamplePath }: fc.RunDetails<[Life]>,
  engines: Engines,
  invariants: readonly Invariant[],
): Counterexample {
  const [life] = counterexample ?? []
  const wrong = life === undefined ? null : wrongIn(life, engines, invariants)
  if (life === undefined || wrong === null) throw new Error(`seed ${seed}: a life went wrong, and did not when it was lived again`)
  return { ...wrong, life, seed, path: counterexamplePath ?? '' }
}

/** A trace to read: events, states and effects. */
export const transcriptOf = ({ steps }: Trace): string =>
  steps
    .flatMap(({ event, after, effects }) => [
      `> ${event === null ? 'start' : JSON.stringify(event)}`,
      `  ${described(after)}`,
      ...effects.map((effect) => `    ! ${JSON.stringify(effect)}`),
    ])
    .join('\n')

function described(snapshot: ShardConsumerSnapshot): string {
  const { reason, outcome } = snapshot.context
  return [stateText(snapshot), ...(reason === null ? [] : [`reason=${reason}`]), ...(outcome === null ? [] : [`outcome=${outcome}`])].join(
    ' ',
  )
}

/** A counterexample to read. The line of its life is JSON that replays. */
export const counterexampleText = ({ engine, title, wrong, life, trace, seed, path }: Counterexample): string =>
  [
    '',
    `${title} does not hold with the engine ${engine} (seed ${seed}, path ${path}):`,
    ...wrong.map((what) => `  ${what}`),
    JSON.stringify(life),
    ...(trace === null ? [] : [transcriptOf(trace)]),
  ].join('\n')
