import type { AbortSignalLike, HandlerContext, Handlers } from './handlers.ts'
import { type AnswerBody, type AnsweredEffectType, type Effect, type EffectOf, type EffectType, isAnswered } from './table.ts'

/** One step of a machine, as an observer sees it. `effects` are the very objects that the handlers get. */
export interface Step<Snapshot, Event, E> {
  /** null for the start. */
  readonly event: Event | null
  readonly before: Snapshot | null
  readonly after: Snapshot
  readonly effects: readonly E[]
}

/** A pure machine: a snapshot and an event give the next snapshot and the effects to carry out. */
export interface PureMachine<Snapshot, Event, E extends Effect> {
  step(snapshot: Snapshot, event: Event): readonly [Snapshot, readonly E[]]
  /** Whether the machine has ended: what is still outstanding is then aborted. */
  isDone(snapshot: Snapshot): boolean
}

/** A machine at work. */
export interface Interpreter<Snapshot, Event> {
  /** Feeds an event from outside; it waits for the step being taken, and for the events before it. */
  send(event: Event): void
  readonly snapshot: Snapshot
  /** Resolves with the last snapshot when the machine ends; rejects when a contract is broken: the machine, an observer or a notice handler threw. */
  readonly done: Promise<Snapshot>
  /** Stops at once, as a crash would: aborts what is outstanding and ignores every later event. `done` stays pending. To stop in order, send an event. */
  close(): void
}

interface AbortControllerLike {
  readonly signal: AbortSignalLike
  abort(): void
}

const makeAbortController = (): AbortControllerLike => {
  const { AbortController } = globalThis as unknown as { AbortController?: new () => AbortControllerLike }
  if (AbortController === undefined) throw new Error('signal: this runtime has no AbortController')
  return new AbortController()
}

/** The signal of one outstanding effect, made only when a handler asks for it. */
class Outstanding implements HandlerContext {
  #controller: AbortControllerLike | undefined
  #aborted = false

  get signal(): AbortSignalLike {
    if (this.#controller === undefined) {
      this.#controller = makeAbortController()
      if (this.#aborted) this.#controller.abort()
    }
    return this.#controller.signal
  }

  abort(): void {
    this.#aborted = true
    this.#controller?.abort()
  }
}

/**
 * Drives a pure machine: starts the effects of each step in the order given, and feeds answers and outside events back one at a time, in the order they
 * arrive, never while a step is being taken. A rejected handler becomes `effectFailed`. `cancel` aborts the signal of the effect it names.
 * `outstanding` are effects that a restored snapshot still awaits; they are started first.
 */
export function interpret<Snapshot, Event extends { readonly type: string }, K extends EffectType>(options: {
  readonly machine: PureMachine<Snapshot, Event | MachineAnswer<K>, EffectOf<K | 'cancel'>>
  readonly start: readonly [Snapshot, readonly EffectOf<K | 'cancel'>[]]
  readonly handlers: Handlers<Exclude<K, 'cancel'>>
  readonly observe?: ((step: Step<Snapshot, Event | MachineAnswer<K>, EffectOf<K | 'cancel'>>) => void) | undefined
}): Interpreter<Snapshot, Event> {
  type AnyEvent = Event | MachineAnswer<K>
  const { machine, observe } = options
  const handlers = options.handlers as unknown as Readonly<Record<string, AnyHandler | undefined>>
  const outstanding = new Map<number, Outstanding>()
  const queue: AnyEvent[] = []
  let snapshot = options.start[0]
  let stepping = false
  let closed = false
  let ended = false
  let resolve: (snapshot: Snapshot) => void
  let reject: (error: unknown) => void
  const done = new Promise<Snapshot>((ok, no) => {
    resolve = ok
    reject = no
  })

  const abortAll = (): void => {
    for (const effect of outstanding.values()) effect.abort()
    outstanding.clear()
  }
  const fail = (error: unknown): void => {
    closed = true
    abortAll()
    reject(error)
  }
  const answer = (id: number, event: object): void => {
    outstanding.delete(id)
    feed({ ...event, id } as unknown as AnyEvent)
  }
  const begin = (effect: EffectOf<K | 'cancel'>): void => {
    const { type, id } = effect as EffectOf<AnsweredEffectType | 'cancel'>
    if (type === 'cancel') {
      outstanding.get(id)?.abort()
      return
    }
    const handler = handlers[type]
    if (handler === undefined) throw new Error(`handlers: none for the effect ${type}`)
    if (!isAnswered(type)) {
      handler(effect, noContext)
      return
    }
    const context = new Outstanding()
    outstanding.set(id, context)
    let answered: unknown
    try {
      answered = handler(effect, context)
    } catch (error) {
      answer(id, failureOf(error))
      return
    }
    if (isPromise(answered)) {
      answered.then(
        (body) => answer(id, body as object),
        (error: unknown) => answer(id, failureOf(error)),
      )
    } else answer(id, answered as object)
  }
  const take = (event: AnyEvent | null, before: Snapshot | null, effects: readonly EffectOf<K | 'cancel'>[]): void => {
    observe?.({ event, before, after: snapshot, effects })
    for (const effect of effects) begin(effect)
    if (!ended && machine.isDone(snapshot)) {
      ended = true
      abortAll()
      resolve(snapshot)
    }
  }
  const drain = (): void => {
    stepping = true
    try {
      for (let event = queue.shift(); event !== undefined && !closed; event = queue.shift()) {
        const before = snapshot
        const [after, effects] = machine.step(before, event)
        snapshot = after
        take(event, before, effects)
      }
    } catch (error) {
      fail(error)
    } finally {
      stepping = false
    }
  }
  const feed = (event: AnyEvent): void => {
    if (closed) return
    queue.push(event)
    if (!stepping) drain()
  }

  stepping = true
  try {
    take(null, null, options.start[1])
  } catch (error) {
    fail(error)
  }
  stepping = false
  drain()

  return {
    send: (event) => feed(event),
    get snapshot() {
      return snapshot
    },
    done,
    close() {
      closed = true
      abortAll()
    },
  }
}

/** The answers that a machine asking for effects K must understand. */
export type MachineAnswer<K extends EffectType> =
  | (AnswerBody<K & AnsweredEffectType> & { readonly id: number })
  | { readonly type: 'effectFailed'; readonly id: number; readonly error: { readonly name: string; readonly message: string } }

type AnyHandler = (effect: unknown, context: HandlerContext) => unknown

const noContext: HandlerContext = {
  get signal(): AbortSignalLike {
    throw new Error('signal: an effect without an answer cannot be cancelled')
  },
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value
}

function failureOf(error: unknown): { type: 'effectFailed'; error: { name: string; message: string } } {
  if (error instanceof Error) return { type: 'effectFailed', error: { name: error.name, message: error.message } }
  return { type: 'effectFailed', error: { name: 'Error', message: String(error) } }
}
