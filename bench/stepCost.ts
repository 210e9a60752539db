import {
  type ShardConsumerEngine,
  type ShardConsumerSnapshot,
  type ShardEvent,
  shardConsumer,
  shardConsumerMachine,
} from '@shardwise/machine'
import { shardConsumer as compiled } from '@shardwise/machine/compiled'
import { initialTransition, transition } from 'xstate'
import { fieldByField, handWrittenStep } from './handWrittenSwitch.ts'

/** A way to take the steps of a shard consumer: `State` is what it keeps between two steps. */
export interface Stepper<State> {
  start(shardId: string): State
  step(state: State, event: ShardEvent): State
  /** The id of the effect that is awaited. */
  awaited(state: State): number
}

const engine = ({ start, step }: Pick<ShardConsumerEngine, 'start' | 'step'>): Stepper<ShardConsumerSnapshot> => ({
  start: (shardId) => start({ shardId, token: 1 })[0],
  step: (state, event) => step(state, event)[0],
  awaited: ({ context }) => awaitedBy(context.task),
})

const pureTransition: Stepper<ReturnType<typeof initialTransition<typeof shardConsumerMachine>>[0]> = {
  start: (shardId) => initialTransition(shardConsumerMachine, { shardId, token: 1 })[0],
  step: (state, event) => transition(shardConsumerMachine, state, event)[0],
  awaited: ({ context }) => awaitedBy(context.memory.task),
}

/** The switch is written for the loop alone: the steps before it are the machine's. */
const byHand = (step: ShardConsumerEngine['step']): Stepper<ShardConsumerSnapshot> =>
  engine({
    ...compiled,
    step: (state, event) => (event.type === 'recordsRead' || event.type === 'recordsProcessed' ? step : compiled.step)(state, event),
  })

/** Everyone who takes steps. Each keeps to a state of his own type, which only he sees. */
export const steppers: Readonly<Record<string, Stepper<unknown>>> = {
  transition: pureTransition,
  xstate: engine(shardConsumer),
  compiled: engine(compiled),
  switch: byHand((state, event) => handWrittenStep(state, event)),
  tunedSwitch: byHand((state, event) => handWrittenStep(state, event, fieldByField)),
}

const place = (sequenceNumber: string) => ({ sequenceNumber, subSequenceNumber: 0 })
const batch = {
  batchId: 'b1',
  count: 100,
  first: place('49590338271490256608559692538361571095921575989136588898'),
  last: place('49590338271490256608559692540925702759324208523137515618'),
  bytes: 20_000,
  millisBehindLatest: 5_000,
  atShardEnd: false,
  childShards: [],
}

/** Shard consumers that read and process batches, each in its turn. */
export class Loop<State> {
  readonly #stepper: Stepper<State>
  readonly #states: State[]

  constructor(stepper: Stepper<State>, consumers: number) {
    this.#stepper = stepper
    this.#states = Array.from({ length: consumers }, (_, index) => {
      const beginning: readonly ShardEvent[] = [
        { type: 'parentShardsCompleted', id: 1 },
        { type: 'checkpointRead', id: 2, checkpoint: place('TRIM_HORIZON'), pendingCheckpoint: null },
        { type: 'shardOpened', id: 3, openedAtMs: 0 },
        { type: 'initialized', id: 4 },
      ]
      return beginning.reduce((state, event) => stepper.step(state, event), stepper.start(`shardId-${String(index).padStart(12, '0')}`))
    })
  }

  /** Takes so many steps, two for each batch. Returns the CPU time of this process, nanoseconds per step. */
  run(steps: number): number {
    const { step, awaited } = this.#stepper
    const states = this.#states
    const before = process.cpuUsage()
    for (let taken = 0; taken < steps; taken += 2) {
      const index = (taken / 2) % states.length
      const waiting = states[index]
      if (waiting === undefined) throw new Error(`states: none at ${index}`)
      const processing = step(waiting, { type: 'recordsRead', id: awaited(waiting), batch })
      states[index] = step(processing, { type: 'recordsProcessed', id: awaited(processing) })
    }
    const { user, system } = process.cpuUsage(before)
    return ((user + system) * 1_000) / steps
  }
}

function awaitedBy(task: { readonly id: number } | null): number {
  if (task === null) throw new Error('task: the consumer waits for nothing')
  return task.id
}
