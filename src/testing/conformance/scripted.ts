import type { EffectOf, Step } from '@shardwise/effects'
import type { CheckpointRequestedEvent, ShardEffect, ShardEvent } from '@shardwise/machine'
import { Bench, eventLabel, type Handle } from './bench.ts'

/** The snapshot of a scripted machine: what it has heard. */
export interface Heard {
  readonly heard: readonly string[]
}

/** What a scripted machine does. */
export interface Script {
  /** What the machine has heard in an earlier process. */
  readonly heard?: readonly string[]
  readonly start?: readonly ShardEffect[]
  readonly react?: (event: ShardEvent) => readonly ShardEffect[]
  /** Whether a step gives back the very snapshot that it was given. */
  readonly unmoved?: boolean
  readonly isDone?: (heard: readonly string[]) => boolean
  readonly handle?: Handle
  readonly observe?: (step: Step<Heard, ShardEvent, ShardEffect>) => void
}

/** An event from outside, known by its name. */
export const told = (request: string): CheckpointRequestedEvent => ({ type: 'checkpointRequested', request, position: null })
/** An effect that is answered. */
export const timer = (id: number): EffectOf<'startTimer'> => ({ type: 'startTimer', id, delayMs: 0 })
/** An effect without an answer. */
export const drop = (batchId: string): EffectOf<'dropBatch'> => ({ type: 'dropBatch', shardId: 'shardId-000000000000', batchId })
/** Asks the driver to abort an effect. */
export const cancel = (id: number): EffectOf<'cancel'> => ({ type: 'cancel', id })
/** The answer of a timer. */
export const fired = (nowMs = 0) => ({ type: 'timerFired', nowMs }) as const

/** A machine that does what a case says, run by the runtime under test. */
export class ScriptedBench extends Bench {
  /** The events that were fed, in their order. */
  readonly events: ShardEvent[] = []
  /** What the snapshot of each step had heard. */
  readonly befores: (readonly string[])[] = []
  /** The snapshots that the machine gave, the first one included. */
  readonly snapshots: Heard[] = []
  /** The steps that the observer saw. */
  readonly observed: Step<Heard, ShardEvent, ShardEffect>[] = []

  play({ heard = [], start = [], react = () => [], unmoved = false, isDone = () => false, handle, observe }: Script): void {
    const first = { heard }
    this.snapshots.push(first)
    this.run<Heard>({
      machine: {
        step: (snapshot, event) => {
          const line = eventLabel(event)
          this.events.push(event)
          this.befores.push(snapshot.heard)
          this.happen(`> ${line}`)
          const after = unmoved ? snapshot : { heard: [...snapshot.heard, line] }
          this.snapshots.push(after)
          return [after, react(event)]
        },
        isDone: (snapshot) => isDone(snapshot.heard),
      },
      start: [first, start],
      input: { shardId: 'shardId-000000000000', token: 1 },
      handle,
      observe: (step) => {
        this.observed.push(step)
        observe?.(step)
      },
    })
  }
}
