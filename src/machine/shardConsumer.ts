import type { PureMachine } from '@shardwise/effects'
import { parseShutdownReason } from '@shardwise/effects'
import { createActor, type SnapshotFrom } from 'xstate'
import { refuseLateRequest } from './checkpoints.ts'
import type { ConsumerStateValue } from './consumerStates.ts'
import type { ShardConsumerContext, ShardConsumerInput, ShardEffect, ShardEvent } from './shardConsumerContext.ts'
import { shardConsumerMachine } from './shardConsumerMachine.ts'

/** A shard consumer between two steps: plain JSON, so it can be stored and restored. `value` is the KCL's state, with its sub-state. */
export interface ShardConsumerSnapshot {
  readonly value: ConsumerStateValue
  readonly context: ShardConsumerContext
  readonly status: 'active' | 'done'
}

type MachineSnapshot = SnapshotFrom<typeof shardConsumerMachine>

/** A snapshot that carries XState's own form of itself, unseen: JSON and comparisons know only its fields. One from elsewhere is resolved when it is met. */
class CarryingSnapshot implements ShardConsumerSnapshot {
  readonly value: ConsumerStateValue
  readonly context: ShardConsumerContext
  readonly status: 'active' | 'done'
  readonly #machine: MachineSnapshot

  constructor(machine: MachineSnapshot) {
    this.value = machine.value
    this.context = machine.context.memory
    this.status = machine.status === 'done' ? 'done' : 'active'
    this.#machine = machine
  }

  static resolve(snapshot: ShardConsumerSnapshot): MachineSnapshot {
    if (#machine in snapshot) return snapshot.#machine
    const { value, context, status } = snapshot
    return shardConsumerMachine.resolveState({ value: value, context: { memory: context }, status })
  }
}

let emitted: ShardEffect[] = []

/** One scope for all steps: making an actor per step, as XState's own `transition` does, costs four times the step itself. */
const scope: Parameters<typeof shardConsumerMachine.transition>[2] = (() => {
  const self = createActor(shardConsumerMachine, { input: { shardId: 'shardId-000000000000', token: 0 } })
  const refuse = (): never => {
    throw new Error('machine: it tried to do something other than to emit an effect')
  }
  return {
    self,
    id: self.id,
    sessionId: self.sessionId,
    system: self.system,
    logger: refuse,
    defer: refuse,
    emit: refuse,
    stopChild: refuse,
    actionExecutor: (action) => {
      if (action.type !== 'xstate.emit') throw new Error(`machine: the action ${action.type} is not an effect`)
      emitted.push((action.params as { event: ShardEffect }).event)
    },
  }
})()

function collect(move: () => MachineSnapshot): readonly [ShardConsumerSnapshot, readonly ShardEffect[]] {
  emitted = []
  const moved = move()
  const effects = emitted
  emitted = []
  return [new CarryingSnapshot(moved), effects]
}

/** Starts a shard consumer: its first snapshot and effects. @throws Error naming the field of the input that is wrong. */
export function start(input: ShardConsumerInput): readonly [ShardConsumerSnapshot, readonly ShardEffect[]] {
  return collect(() => shardConsumerMachine.getInitialSnapshot(scope, input))
}

/**
 * Takes an event: the next snapshot, and the effects to start in their order. An event that changes nothing (a stale answer, say) gives back the very
 * snapshot it was given. The snapshot may be parsed JSON.
 * @throws Error for an unknown shutdown reason, and for nothing else.
 */
export function step(snapshot: ShardConsumerSnapshot, event: ShardEvent): readonly [ShardConsumerSnapshot, readonly ShardEffect[]] {
  if (event.type === 'shutdown') parseShutdownReason(event.reason)
  if (snapshot.status === 'done') return stepDone(snapshot, event)
  const before = CarryingSnapshot.resolve(snapshot)
  const [after, effects] = collect(() => shardConsumerMachine.transition(before, event, scope))
  return effects.length === 0 && sameContext(snapshot.context, after.context) && sameValue(snapshot.value, after.value)
    ? [snapshot, effects]
    : [after, effects]
}

/** A consumer that has ended answers a first request to shut down, and refuses checkpoints; all else changes nothing. */
function stepDone(snapshot: ShardConsumerSnapshot, event: ShardEvent): readonly [ShardConsumerSnapshot, readonly ShardEffect[]] {
  const { context } = snapshot
  if (event.type === 'checkpointRequested') return [snapshot, [refuseLateRequest(context, event.request)]]
  if (event.type !== 'shutdown' || context.shutdownAsked || context.outcome === null) return [snapshot, []]
  const { shardId, leaseKey, token, outcome } = context
  return [
    { ...snapshot, context: { ...context, shutdownAsked: true } },
    [{ type: 'signalShutdownComplete', shardId, leaseKey, token, outcome }],
  ]
}

function sameContext(a: ShardConsumerContext, b: ShardConsumerContext): boolean {
  if (a === b) return true
  return (Object.keys(a) as (keyof ShardConsumerContext)[]).every((key) => a[key] === b[key])
}

function sameValue(a: ConsumerStateValue, b: ConsumerStateValue): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b)
}

/** The effects that a snapshot still awaits, to be started again by a runtime that restored it. */
export function outstanding(snapshot: ShardConsumerSnapshot): readonly ShardEffect[] {
  const { task, write } = snapshot.context
  return [...(task === null ? [] : [task]), ...(write === null ? [] : [write.effect])]
}

/**
 * Takes up a snapshot whose process died: the snapshot to go on with, and the effects to start. A read whose answer was lost is not repeated, for its source
 * may have moved on: the shard is opened again after the last completed batch.
 */
export function restore(snapshot: ShardConsumerSnapshot): readonly [ShardConsumerSnapshot, readonly ShardEffect[]] {
  const { task, write } = snapshot.context
  if (snapshot.status === 'done' || task?.type !== 'readRecords') return [snapshot, outstanding(snapshot)]
  const [reopened, effects] = step(snapshot, { type: 'shardNotOpen', id: task.id })
  return [reopened, [...(write === null ? [] : [write.effect]), ...effects]]
}

/** Replays events from the start: every snapshot with its effects, the first being that of the start. */
export function replay(
  input: ShardConsumerInput,
  events: readonly ShardEvent[],
): readonly (readonly [ShardConsumerSnapshot, readonly ShardEffect[]])[] {
  const steps = [start(input)]
  for (const event of events) {
    const [last] = steps.at(-1) ?? start(input)
    steps.push(step(last, event))
  }
  return steps
}

/** The shard consumer, for `interpret`. */
export const shardConsumer: PureMachine<ShardConsumerSnapshot, ShardEvent, ShardEffect> = {
  step,
  isDone: (snapshot) => snapshot.status === 'done',
}
