import { type EffectType, effectTable, type HandlerContext, isAnswered, type PureMachine, type Step } from '@shardwise/effects'
import type { ShardConsumerInput, ShardEffect, ShardEvent } from '@shardwise/machine'
import { checkRunning, type RunningMachine, type Runtime, type RuntimeSetup } from './runtime.ts'

const quietTurns = 50

const consumerPorts: readonly string[] = ['leaseStore', 'recordSource', 'processor', 'timers', 'consumerOwner']
const handledTypes = (Object.keys(effectTable) as EffectType[]).filter((type) => consumerPorts.includes(effectTable[type].port))

/** What a handler does: answers at once, gives a promise or throws; undefined leaves the answer to `answer` and `fail`. */
export type Handle = (effect: ShardEffect, context: HandlerContext) => unknown

/** What a case puts on the bench. */
export interface Workpiece<Snapshot> {
  readonly machine: PureMachine<Snapshot, ShardEvent, ShardEffect>
  readonly start: readonly [Snapshot, readonly ShardEffect[]]
  readonly input: ShardConsumerInput
  readonly handle?: Handle | undefined
  readonly observe?: ((step: Step<Snapshot, ShardEvent, ShardEffect>) => void) | undefined
}

/** One machine run by the runtime under test, with handlers that wait for the case, and a log of what happened. */
export class Bench {
  /** Steps as `> event`, handlers called as `! effect`, in the order in which they happened. */
  readonly log: string[] = []
  /** The effects whose handlers were called. */
  readonly started: ShardEffect[] = []
  /** The effects whose handlers were told to abort, by id. */
  readonly aborted: number[] = []
  /** How `done` stands: undefined while it is pending or not there. */
  end: { readonly snapshot: unknown } | { readonly error: unknown } | undefined
  /** More happenings than these mean that the runtime goes round in circles. */
  mostHappenings = 5_000
  /** Whether the case means to break a contract. */
  mayBreak = false
  readonly #runtime: Runtime
  readonly #waiting = new Map<number, { resolve(answer: unknown): void; reject(error: unknown): void }>()
  readonly #faults: unknown[] = []
  #running: RunningMachine | undefined
  #happened = 0
  /** How much had happened when the case last asked something of the runtime; null when it has not since the last rest. */
  #asked: number | null = null
  #wasDeaf = false

  constructor(runtime: Runtime) {
    this.#runtime = runtime
  }

  /** Why a case may have failed that the runtime only needs more time for; null when that cannot be. */
  get impatience(): string | null {
    if (!this.#wasDeaf) return null
    return `idle: expected of a runtime that passes through timers, a disk or a network; it has none, and nothing happened in ${quietTurns} turns of the microtask queue`
  }

  /** Has the runtime run a machine. */
  run<Snapshot>({ machine, start, input, handle, observe }: Workpiece<Snapshot>): void {
    this.#asked = this.#happened
    const handlers = Object.fromEntries(handledTypes.map((type) => [type, this.#handler(handle)]))
    const running = this.#runtime.run({
      machine,
      start,
      input,
      handlers: handlers as unknown as RuntimeSetup<Snapshot>['handlers'],
      observe: (step: Step<Snapshot, ShardEvent, ShardEffect>) => {
        this.happen()
        observe?.(step)
      },
    })
    checkRunning(running, this.#runtime.can)
    this.#running = running
    running.done?.then(
      (snapshot) => (this.end = { snapshot }),
      (error: unknown) => (this.end = { error }),
    )
  }

  /** Sends an event from outside. What `send` throws, now or later, is thrown by `idle`. */
  send(event: ShardEvent): void {
    this.#asked = this.#happened
    try {
      const sent = this.#runningMachine().send(event)
      Promise.resolve(sent).catch((error: unknown) => this.#faults.push(error))
    } catch (error) {
      this.#faults.push(error)
    }
  }

  /** Answers an effect that waits. @throws Error when no handler of that id waits. */
  answer(id: number, body: object): void {
    this.#take(id).resolve(body)
  }

  /** Rejects an effect that waits. */
  fail(id: number, error: unknown): void {
    this.#take(id).reject(error)
  }

  close(): void {
    this.#runningMachine().close?.()
  }

  /** Resolves when the runtime has come to rest. */
  async idle(): Promise<void> {
    const asked = this.#asked
    for (let before = -1; before !== this.#happened; ) {
      before = this.#happened
      for (let turn = 0; turn < quietTurns; turn += 1) await Promise.resolve()
      await this.#runningMachine().idle?.()
    }
    this.#asked = null
    if (asked === this.#happened && this.#runningMachine().idle === undefined) this.#wasDeaf = true
    this.#expectRest()
    if (this.mayBreak) return
    for (const cause of this.#faults) throw new Error(`send: it failed with ${String(cause)}`, { cause })
    if (this.end === undefined || !('error' in this.end)) return
    const cause = this.end.error
    throw new Error(`done: it rejected, although no contract was broken, with ${String(cause)}`, { cause })
  }

  /** Says that something happened, so that nobody takes the runtime for idle. */
  happen(line?: string): void {
    this.#happened += 1
    if (line !== undefined) this.log.push(line)
    this.#expectRest()
  }

  #expectRest(): void {
    if (this.#happened > this.mostHappenings) throw new Error(`the runtime does not come to rest: ${this.log.slice(-4).join(', ')}`)
  }

  #runningMachine(): RunningMachine {
    if (this.#running === undefined) throw new Error('bench: nothing runs yet')
    return this.#running
  }

  #take(id: number) {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined)
      throw new Error(`expected the handler of effect ${id} to have been called; the log is ${this.log.join(', ')}`)
    this.#waiting.delete(id)
    this.#asked = this.#happened
    return waiting
  }

  #handler(handle: Handle | undefined): Handle {
    return (effect, context) => {
      this.started.push(effect)
      this.happen(`! ${effectLabel(effect)}`)
      const given = handle?.(effect, context)
      if (given !== undefined || !isAnswered(effect.type) || !('id' in effect)) return given
      const { id } = effect
      if (this.#runtime.can.includes('aborts')) context.onAbort(() => this.aborted.push(id))
      return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
    }
  }
}

/** An effect by its type and what tells it from others. */
function effectLabel(effect: ShardEffect): string {
  if ('id' in effect) return `${effect.type} #${effect.id}`
  if (effect.type === 'dropBatch') return `${effect.type} ${effect.batchId}`
  return effect.type === 'settleCheckpoint' ? `${effect.type} ${effect.request}` : effect.type
}

/** An event by its type and what tells it from others. */
export function eventLabel(event: ShardEvent): string {
  if ('id' in event) return `${event.type} #${event.id}`
  if (event.type === 'checkpointRequested') return event.request
  return event.type === 'shutdown' ? `shutdown ${event.reason}` : event.type
}
