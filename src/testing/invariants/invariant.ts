import { type ShardConsumerSnapshot, start, step } from '@shardwise/machine'
import { type Engine, expectEngine, type Trace, type TraceStep } from '../trace.ts'
import { factsOf, type TraceFacts } from './traceFacts.ts'

/**
 * What holds in every trace of a shard consumer. `check` says what is wrong, nothing where nothing is. Some invariants are about what would happen next, or
 * again: they step on with the engine, which is the machine unless said otherwise. @throws Error that names what is missing in a trace, or an engine, that is none.
 */
export interface Invariant {
  readonly number: number
  /** A sentence. */
  readonly name: string
  /** What it leaves to others, where a wider form of it cannot be said of a machine that only decides. */
  readonly narrowed?: string
  /** Whether it steps on, or again, with the engine: the others say the same of equal traces. */
  readonly stepsOn: boolean
  check(trace: Trace, engine?: Engine): readonly string[]
}

const machine: Engine = { start, step }

/** Makes an invariant of what it says of the facts of a trace, and of an engine where it takes one. */
export function invariant(
  number: number,
  name: string,
  check: (facts: TraceFacts, engine: Engine) => readonly string[],
  narrowed?: string,
): Invariant {
  return {
    number,
    name,
    ...(narrowed === undefined ? {} : { narrowed }),
    stepsOn: check.length > 1,
    check(trace, engine = machine) {
      expectEngine(engine)
      return check(factsOf(trace), engine)
    },
  }
}

/** What is wrong in the steps of a trace, each with its number. */
export const none = <T extends { readonly index: number }>(
  steps: readonly T[],
  isWrong: (step: T) => boolean,
  say: (step: T) => unknown,
): readonly string[] => steps.filter(isWrong).map((step) => `step ${step.index}: ${text(say(step))}`)

/** What is wrong of the trace as a whole. */
export const never = (isWrong: boolean, say: unknown): readonly string[] => (isWrong ? [text(say)] : [])

/** A value as text: strings as they are, the others as JSON. */
const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

/** Whether two values are the same JSON. */
export const same = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b)

const snapshotTexts = new WeakMap<ShardConsumerSnapshot, string>()

/** A snapshot as JSON, made once: snapshots do not change, and many invariants compare them. */
export function snapshotText(snapshot: ShardConsumerSnapshot): string {
  const known = snapshotTexts.get(snapshot) ?? JSON.stringify(snapshot)
  snapshotTexts.set(snapshot, known)
  return known
}

/** Whether two steps end in the same JSON. */
export const sameEnd = (a: Pick<TraceStep, 'after' | 'effects'> | undefined, b: Pick<TraceStep, 'after' | 'effects'>): boolean =>
  a !== undefined &&
  (a.after === b.after || snapshotText(a.after) === snapshotText(b.after)) &&
  (a.effects.length + b.effects.length === 0 || same(a.effects, b.effects))

/** A few items spread over a list, the last among them: what is tried anew in each would take too long in all. */
export function spread<T>(items: readonly T[], most: number): readonly T[] {
  if (items.length <= most) return items
  return Array.from({ length: most }, (_, index) => items[Math.ceil(((index + 1) * items.length) / most) - 1]).filter(
    (item) => item !== undefined,
  )
}
