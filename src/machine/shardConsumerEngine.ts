import type { PureMachine } from '@shardwise/effects'
import { parseShutdownReason } from '@shardwise/effects'
import { requestCheckpoint } from './checkpoints.ts'
import type { ConsumerStateValue } from './consumerStates.ts'
import { shutdownCompleted } from './reasons.ts'
import type { ShardConsumerContext, ShardConsumerInput, ShardEffect, ShardEvent } from './shardConsumerContext.ts'

/** A shard consumer between two steps: plain JSON, so it can be stored and restored. `value` is the KCL's state, with its sub-state. */
export interface ShardConsumerSnapshot {
  readonly value: ConsumerStateValue
  readonly context: ShardConsumerContext
  readonly status: 'active' | 'done'
}

/** Where a step led, and what it asks for. */
export type ShardStep = readonly [ShardConsumerSnapshot, readonly ShardEffect[]]

/**
 * What runs the statechart of a shard consumer. There are two, and they do the same: XState itself, and a table compiled from its definition, which is
 * faster and a third of the size.
 */
export interface ShardConsumerEngine extends PureMachine<ShardConsumerSnapshot, ShardEvent, ShardEffect> {
  /** Starts a shard consumer: its first snapshot and effects. @throws Error naming the field of the input that is wrong. */
  start(input: ShardConsumerInput): ShardStep
  /**
   * Takes an event: the next snapshot, and the effects to start in their order. An event that changes nothing (a stale answer, say) gives back the very
   * snapshot it was given. The snapshot may be parsed JSON, and may come from the other engine.
   * @throws Error for an unknown shutdown reason or an unknown state, and for nothing else.
   */
  step(snapshot: ShardConsumerSnapshot, event: ShardEvent): ShardStep
  /**
   * Takes up a snapshot whose process died: the snapshot to go on with, and the effects to start. A read whose answer was lost is not repeated, for its source
   * may have moved on: the shard is opened again at the last completed record.
   */
  restore(snapshot: ShardConsumerSnapshot): ShardStep
  /** Replays events from the start: every snapshot with its effects, the first being that of the start. */
  replay(input: ShardConsumerInput, events: readonly ShardEvent[]): readonly ShardStep[]
}

/** The two moves in which engines differ. */
export interface ShardConsumerChart {
  begin(input: ShardConsumerInput): ShardStep
  /** The snapshot is an active one. Where its state stays, its very value is given back. */
  take(snapshot: ShardConsumerSnapshot, event: ShardEvent): ShardStep
}

/** The engine of a chart: what XState leaves open, once for all charts. */
export function engineOf({ begin, take }: ShardConsumerChart): ShardConsumerEngine {
  // Where there is no input at all, XState would be given one that was made up: so it is refused for want of its fields.
  const start = (input: ShardConsumerInput): ShardStep => begin(Object(input) as ShardConsumerInput)
  const step = (snapshot: ShardConsumerSnapshot, event: ShardEvent): ShardStep => {
    if (event.type === 'shutdown') parseShutdownReason(event.reason)
    if (snapshot.status === 'done') return stepDone(snapshot, event)
    const taken = take(snapshot, event)
    const [after, effects] = taken
    return effects.length === 0 && snapshot.value === after.value && sameContext(snapshot.context, after.context)
      ? [snapshot, effects]
      : taken
  }
  return {
    start,
    step,
    isDone: ({ status }) => status === 'done',
    restore(snapshot) {
      const { task } = snapshot.context
      if (task?.type !== 'readRecords') return [snapshot, outstanding(snapshot)]
      const [reopened, effects] = step(snapshot, { type: 'shardNotOpen', id: task.id })
      return [reopened, [...outstanding(snapshot).slice(1), ...effects]]
    },
    replay(input, events) {
      let last = start(input)
      return [last, ...events.map((event) => (last = step(last[0], event)))]
    },
  }
}

/** The effects that a snapshot still awaits, to be started again by a runtime that restored it. */
export function outstanding({ context: { task, write } }: ShardConsumerSnapshot): readonly ShardEffect[] {
  return [task, write?.effect].flatMap((effect) => effect ?? [])
}

/** A consumer that has ended answers a first request to shut down, and refuses checkpoints; all else changes nothing. */
function stepDone(snapshot: ShardConsumerSnapshot, event: ShardEvent): ShardStep {
  const { context } = snapshot
  const { outcome, shutdownAsked } = context
  return event.type === 'shutdown' && !shutdownAsked && outcome !== null
    ? [{ ...snapshot, context: { ...context, shutdownAsked: true } }, [shutdownCompleted(context, outcome)]]
    : [snapshot, requestCheckpoint(context, event).effects ?? []]
}

function sameContext(a: ShardConsumerContext, b: ShardConsumerContext): boolean {
  if (a === b) return true
  return (Object.keys(a) as (keyof ShardConsumerContext)[]).every((key) => a[key] === b[key])
}
