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
import { stateText } from '../scenarios/transcriptText.ts'

/** What is to be proved, and how long. */
export interface Task {
  /** The engines by name; each lives every life, and those after the first must do what the first does. */
  readonly engines: Readonly<Record<string, Engine>>
  /** At least so many operations; the last life is lived to its end. */
  readonly operations: number
  readonly seed: number
  readonly invariants?: readonly Invariant[]
  /** How many lives are made from one seed; the next lives are made from the next seed. */
  readonly livesPerSeed?: number
}

/** A life that an invariant does not hold in, as short as it could be made. */
export interface Counterexample {
  readonly engine: string
  readonly number: number | null
  readonly name: string
  readonly wrong: readonly string[]
  readonly life: Life
  readonly transcript: string
  /** What fast-check needs to make the life again. */
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

type Wrong = Pick<Counterexample, 'engine' | 'number' | 'name' | 'wrong'> & { readonly trace: Trace | null }

/** Lives random lives until there were operations enough, or one goes wrong. */
export function prove({ engines, operations, seed, invariants = allInvariants, livesPerSeed = 100 }: Task): Proof {
  const states = new Set<string>()
  const transitions = new Set<string>()
  const seeds: number[] = []
  const count = { lives: 0, operations: 0, events: 0 }
  while (count.operations < operations) {
    const next = seed + seeds.length
    seeds.push(next)
    let found: Wrong | null = null
    const judge = (life: Life): boolean => {
      if (found === null && count.operations >= operations) return true
      const judged = found === null ? invariants : invariants.filter(({ number }) => number === found?.number)
      const wrong = wrongIn(life, engines, judged, found === null ? note : () => undefined)
      if (found === null) {
        count.lives += 1
        count.operations += life.begun + life.operations.length
      }
      // What is made shorter is wrong in the same way: another fault would hide the first.
      if (wrong !== null && (found === null || (wrong.number === found.number && wrong.engine === found.engine))) found = wrong
      else return true
      return false
    }
    const note = (trace: Trace): void => {
      count.events += trace.steps.length - 1
      for (const { event, before, after } of trace.steps) {
        states.add(stateText(after))
        if (event !== null && before !== null) transitions.add(`${stateText(before)} ${event.type} ${stateText(after)}`)
      }
    }
    const details = fc.check(fc.property(lives(), judge), { seed: next, numRuns: livesPerSeed })
    if (details.failed) return { seeds, ...count, states, transitions, counterexample: counterexampleOf(details, engines, invariants) }
  }
  return { seeds, ...count, states, transitions, counterexample: null }
}

/** What goes wrong first in a life, by engine and invariant; null when all is well. */
export function wrongIn(
  life: Life,
  engines: Readonly<Record<string, Engine>>,
  invariants: readonly Invariant[],
  note: (trace: Trace) => void = () => undefined,
): Wrong | null {
  let first: Trace | null = null
  for (const [engine, steps] of Object.entries(engines)) {
    const trace = lived(life, steps)
    if (typeof trace === 'string') return { engine, number: null, name: 'No event throws', wrong: [trace], trace: first }
    if (first === null) note(trace)
    else if (!areSame(first, trace))
      return { engine, number: null, name: 'Engines do the same', wrong: [differenceOf(first, trace)], trace }
    first ??= trace
    for (const { number, name, check } of invariants) {
      const wrong = check(trace, steps)
      if (wrong.length > 0) return { engine, number, name, wrong, trace }
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

const areSame = (first: Trace, other: Trace): boolean =>
  first.steps.length === other.steps.length && first.steps.every((step, index) => isSame(step, other.steps[index]))

/** Events are not compared: an engine that is offered another event has done something else before. */
const isSame = (step: TraceStep, other: TraceStep | undefined): boolean =>
  other !== undefined &&
  JSON.stringify(step.after) === JSON.stringify(other.after) &&
  JSON.stringify(step.effects) === JSON.stringify(other.effects)

function differenceOf(first: Trace, other: Trace): string {
  const index = first.steps.findIndex((step, at) => !isSame(step, other.steps[at]))
  return `step ${index}: ${JSON.stringify(first.steps[index])} and ${JSON.stringify(other.steps[index])}`
}

function counterexampleOf(
  { counterexample, seed, counterexamplePath }: fc.RunDetails<[Life]>,
  engines: Readonly<Record<string, Engine>>,
  invariants: readonly Invariant[],
): Counterexample {
  const [life] = counterexample ?? []
  const wrong = life === undefined ? null : wrongIn(life, engines, invariants)
  if (life === undefined || wrong === null) throw new Error(`seed ${seed}: the life that failed does not fail again`)
  const { trace, ...facts } = wrong
  return { ...facts, life, transcript: trace === null ? '' : transcriptOf(trace), seed, path: counterexamplePath ?? '' }
}

/** A trace to read: events, states and effects as JSON. */
export const transcriptOf = ({ steps }: Trace): string =>
  steps
    .flatMap(({ event, after, effects }) => [
      `> ${event === null ? 'start' : JSON.stringify(event)}`,
      `  ${described(after)}`,
      ...effects.map((effect) => `    ! ${JSON.stringify(effect)}`),
    ])
    .join('\n')

const described = (snapshot: ShardConsumerSnapshot): string => {
  const { reason, outcome } = snapshot.context
  return [stateText(snapshot), ...(reason === null ? [] : [`reason=${reason}`]), ...(outcome === null ? [] : [`outcome=${outcome}`])].join(
    ' ',
  )
}

/** A counterexample to read; its life is JSON that replays. */
export const counterexampleText = ({ engine, number, name, wrong, life, transcript, seed, path }: Counterexample): string =>
  [
    `${number === null ? '' : `I${number}: `}${name}`,
    `does not hold with the engine ${engine}, seed ${seed}, path ${path}:`,
    ...wrong.map((what) => `  ${what}`),
    JSON.stringify(life),
    transcript,
  ].join('\n')
