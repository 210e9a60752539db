import type { Step } from '@shardwise/effects'
import type { ShardConsumerInput, ShardConsumerSnapshot, ShardEffect, ShardEvent } from '@shardwise/machine'

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

/** Refuses what is no input of a shard consumer. @throws Error that names what it got. */
export function expectInput(input: unknown): asserts input is ShardConsumerInput {
  const { shardId } = Object(input) as Partial<ShardConsumerInput>
  if (typeof shardId !== 'string')
    throw new Error(`input: expected that of the start, { shardId, token, … }, got ${JSON.stringify(input) ?? 'undefined'}`)
}

/** Runs a shard consumer through events. @throws Error where `input` is none of a shard consumer, and what the engine throws. */
export function traceOf(input: ShardConsumerInput, events: readonly ShardEvent[], { start, step }: Engine): Trace {
  expectInput(input)
  const [first, effects] = start(input)
  const steps: TraceStep[] = [{ event: null, before: null, after: first, effects }]
  let before = first
  for (const event of events) {
    const [after, asked] = step(before, event)
    steps.push({ event, before, after, effects: asked })
    before = after
  }
  return { input, steps }
}
