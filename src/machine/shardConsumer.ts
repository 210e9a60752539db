import { type AnyStateMachine, createActor, type SnapshotFrom } from 'xstate'
import type { ConsumerStateValue } from './consumerStates.ts'
import type { ShardConsumerContext, ShardEffect } from './shardConsumerContext.ts'
import { engineOf, type ShardConsumerSnapshot, type ShardStep } from './shardConsumerEngine.ts'
import { shardConsumerMachine } from './shardConsumerMachine.ts'

type MachineSnapshot = SnapshotFrom<typeof shardConsumerMachine>

/** A snapshot that carries XState's own form of itself, unseen: JSON and comparisons know only its fields. One from elsewhere is resolved when it is met. */
class CarryingSnapshot implements ShardConsumerSnapshot {
  readonly value: ConsumerStateValue
  readonly context: ShardConsumerContext
  readonly status: 'active' | 'done'
  readonly #machine: MachineSnapshot

  constructor(machine: MachineSnapshot, value: ConsumerStateValue) {
    this.value = value
    this.context = machine.context.memory
    this.status = machine.status === 'done' ? 'done' : 'active'
    this.#machine = machine
  }

  static resolve(snapshot: ShardConsumerSnapshot): MachineSnapshot {
    if (#machine in snapshot) return snapshot.#machine
    const { value, context, status } = snapshot
    const resolved = shardConsumerMachine.resolveState({ value, context: { memory: context }, status })
    // XState completes a value that names a state without its sub-state.
    if (!sameValue(resolved.value, value)) throw new Error(`value: expected a state of the machine, got ${JSON.stringify(value)}`)
    return resolved
  }
}

/** The effects of the step that is being taken, or was last. */
let emitted: ShardEffect[]

/** One scope for all steps: making an actor per step, as XState's own `transition` does, costs four times the step itself. */
const scope: Parameters<typeof shardConsumerMachine.transition>[2] = (() => {
  const self = createActor(shardConsumerMachine as AnyStateMachine)
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

function collect(move: () => MachineSnapshot, before?: ConsumerStateValue): ShardStep {
  emitted = []
  const moved = move()
  if (moved.status === 'error') throw moved.error
  const value = before !== undefined && sameValue(before, moved.value) ? before : moved.value
  return [new CarryingSnapshot(moved, value), emitted]
}

function sameValue(a: ConsumerStateValue, b: ConsumerStateValue): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}

/** The shard consumer run by XState; `interpret` takes it as it is. */
export const shardConsumer = engineOf({
  begin: (input) => collect(() => shardConsumerMachine.getInitialSnapshot(scope, input)),
  take: (snapshot, event) =>
    collect(() => shardConsumerMachine.transition(CarryingSnapshot.resolve(snapshot), event, scope), snapshot.value),
})

export const {
  /** Starts a shard consumer: its first snapshot and effects. @throws Error naming the field of the input that is wrong. */
  start,
  /** Takes an event: the next snapshot, and the effects to start in their order. @throws Error for an unknown shutdown reason or state only. */
  step,
  /** Takes up a snapshot whose process died: the snapshot to go on with, and the effects to start. */
  restore,
  /** Replays events from the start: every snapshot with its effects. */
  replay,
} = shardConsumer
