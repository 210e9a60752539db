import { type Step, unexpected } from '@shardwise/effects'
import type { ShardConsumerInput, ShardConsumerSnapshot, ShardEffect, ShardEvent } from '@shardwise/machine'
import { aFunction, aList, expectMembers, expectNoOther, expectRule, type Rules } from './rules.ts'

/** What steps a shard consumer: the functions `start` and `step` of the machine, or others that must do the same. */
export interface Engine {
  start(input: ShardConsumerInput): readonly [ShardConsumerSnapshot, readonly ShardEffect[]]
  step(snapshot: ShardConsumerSnapshot, event: ShardEvent): readonly [ShardConsumerSnapshot, readonly ShardEffect[]]
}

/** One step as `interpret` shows it to an observer; in the first, the start, `event` and `before` are null. */
export type TraceStep = Step<ShardConsumerSnapshot, ShardEvent, ShardEffect>

/** Everything that happened to one shard consumer since it was started: plain JSON. */
export interface Trace {
  readonly input: ShardConsumerInput
  readonly steps: readonly TraceStep[]
}

const engineRules: Rules = { start: aFunction, step: aFunction }

/** Refuses what is no engine. @throws Error that names the function that is missing. */
export function expectEngine(engine: unknown): asserts engine is Engine {
  expectMembers('engine', engine, engineRules)
}

const inputMembers: Readonly<Record<keyof ShardConsumerInput, true>> = {
  shardId: true,
  leaseKey: true,
  token: true,
  parentShardIds: true,
  seed: true,
  openedAtMs: true,
  options: true,
}
const inputNames = Object.keys(inputMembers)

/** Refuses what is no input of a shard consumer. What its members are is the machine's to check. @throws Error that names what it got, or a member that is unknown. */
export function expectInput(input: unknown, what = 'input'): asserts input is ShardConsumerInput {
  const { shardId } = Object(input) as Partial<ShardConsumerInput>
  if (typeof shardId !== 'string') throw unexpected(what, 'that of the start, { shardId, token, … }', input)
  expectNoOther(what, input as object, inputNames)
}

/** Runs a shard consumer through events. @throws Error that names what is no input, list of events or engine, and what the engine throws. */
export function traceOf(input: ShardConsumerInput, events: readonly ShardEvent[], engine: Engine): Trace {
  expectInput(input)
  expectRule('events', aList, events)
  expectEngine(engine)
  const [first, effects] = engine.start(input)
  const steps: TraceStep[] = [{ event: null, before: null, after: first, effects }]
  let before = first
  for (const event of events) {
    const [after, asked] = engine.step(before, event)
    steps.push({ event, before, after, effects: asked })
    before = after
  }
  return { input, steps }
}
