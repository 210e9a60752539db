import { type Effect, type EffectOf, type Handlers, type Interpreter, interpret, type MachineAnswer, type Step } from '@shardwise/effects'

/** The effects of the machines in these tests: one with an answer, one without, and the driver's own. */
export type TestEffect = EffectOf<'startTimer' | 'dropBatch' | 'cancel'>
/** What the tests tell a machine from outside. */
export interface Told {
  readonly type: 'told'
  readonly what: string
}
export type TestEvent = Told | MachineAnswer<'startTimer' | 'dropBatch'>
/** A machine that only listens: its snapshot is what it has heard. */
export type Heard = readonly TestEvent[]
type TestHandlers = Handlers<'startTimer' | 'dropBatch'>

export const told = (what: string): Told => ({ type: 'told', what })
export const timer = (id: number): EffectOf<'startTimer'> => ({ type: 'startTimer', id, delayMs: 0 })
export const drop = (batchId: string): EffectOf<'dropBatch'> => ({ type: 'dropBatch', shardId: 'shardId-0', batchId })
export const cancel = (id: number): EffectOf<'cancel'> => ({ type: 'cancel', id })
export const fired = (nowMs: number) => ({ type: 'timerFired', nowMs }) as const

export interface ListeningMachine {
  readonly start?: readonly TestEffect[]
  readonly react?: (event: TestEvent) => readonly TestEffect[]
  readonly isDone?: (heard: Heard) => boolean
  readonly handlers?: Partial<TestHandlers>
  readonly observe?: (step: Step<Heard, TestEvent, Effect>) => void
}

/** Drives a machine that asks for `start`, then for what `react` says. Handlers that are not given never answer. */
export function drive({
  start = [],
  react = () => [],
  isDone = () => false,
  handlers,
  observe,
}: ListeningMachine): Interpreter<Heard, TestEvent> {
  return interpret<Heard, TestEvent, TestEffect>({
    machine: { step: (heard, event) => [[...heard, event], react(event)], isDone },
    start: [[], start],
    handlers: { startTimer: () => new Promise(() => undefined), dropBatch: () => undefined, ...handlers },
    observe,
  })
}

/** Waits until every promise that is settled by now has been heard. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve()
}
