import type { AbortSignalLike, HandlerContext, Handlers } from './handlers.ts'
import {
  type AnswerBody,
  type AnsweredEffectType,
  type Effect,
  type EffectOf,
  type EffectType,
  type ErrorFacts,
  effectTable,
  isAnswered,
} from './table.ts'

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
  /** Resolves with the last snapshot when the machine ends; rejects when a contract is broken: the machine, an observer or a notice handler threw, or an answer is not in the table. */
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
  #listener: (() => void) | undefined
  #aborted = false

  get signal(): AbortSignalLike {
    if (this.#controller === undefined) {
      this.#controller = makeAbortController()
      if (this.#aborted) this.#controller.abort()
    }
    return this.#controller.signal
  }

  onAbort(listener: () => void): void {
    if (this.#aborted) {
      listener()
      return
    }
    const earlier = this.#listener
    this.#listener = earlier === undefined ? listener : () => [earlier, listener].forEach((each) => each())
  }

  abort(): void {
    if (this.#aborted) return
    this.#aborted = true
    this.#controller?.abort()
    this.#listener?.()
  }
}

/**
 * Drives a pure machine: starts the effects of each step in the order given, and feeds answers and outside events back one at a time, in the order they
 * arrive, never while a step is being taken. A rejected handler becomes `effectFailed`. `cancel` aborts the signal of the effect it names.
 * `start` is a fresh snapshot with its first effects, or a restored one with the effects that it still awaits; they are started first.
 */
export function interpret<Snapshot, Event extends { readonly type: string }, E extends Effect>(options: {
  readonly machine: PureMachine<Snapshot, Event, E> & UnderstandsAnswers<Event, E>
  readonly start: readonly [Snapshot, readonly E[]]
  readonly handlers: Handlers<Exclude<E['type'], 'cancel'>>
  readonly observe?: ((step: Step<Snapshot, Event, E>) => void) | undefined
}): Interpreter<Snapshot, Event> {
  const { machine, observe } = options
  const handlers = options.handlers as unknown as Readonly<Record<string, AnyHandler | undefined>>
  const outstanding = new Map<number, Outstanding>()
  const queue: Event[] = []
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
    // `done` has resolved already, so the error has to surface where the event came from.
    if (ended) throw error
  }
  const answer = (id: number, event: object): void => {
    outstanding.delete(id)
    // Nothing is awaited after the end.
    if (ended) return
    feed({ ...event, id } as unknown as Event)
  }
  const answerFromTable = (type: AnsweredEffectType, id: number, body: unknown): void => {
    if (isAnswerOf(type, body)) answer(id, body)
    // Not a failure to retry: nobody would ever understand this handler.
    else if (!closed && !ended)
      throw new Error(`handlers: ${type} was answered outside the table, expected ${answersOf(type)}, got ${printed(body)}`)
  }
  const begin = (effect: E): void => {
    const { type, id } = effect as EffectOf<AnsweredEffectType | 'cancel'>
    if (type === 'cancel') {
      outstanding.get(id)?.abort()
      return
    }
    const handler = handlers[type]
    if (handler === undefined) throw new Error(`handlers: none for the effect ${type}`)
    if (!isAnswered(type)) {
      handler.call(handlers, effect, noContext)
      return
    }
    const context = new Outstanding()
    outstanding.set(id, context)
    let answered: unknown
    try {
      answered = handler.call(handlers, effect, context)
    } catch (error) {
      answer(id, failureOf(error))
      return
    }
    if (isThenable(answered)) {
      // Through a promise of our own, for a foreign thenable may settle twice.
      Promise.resolve(answered).then(
        (body: unknown) => {
          try {
            answerFromTable(type, id, body)
          } catch (error) {
            fail(error)
          }
        },
        (error: unknown) => answer(id, failureOf(error)),
      )
    } else answerFromTable(type, id, answered)
  }
  const take = (event: Event | null, before: Snapshot | null, effects: readonly E[]): void => {
    observe?.({ event, before, after: snapshot, effects })
    for (const effect of effects) {
      // Closed by the observer, or by a handler that has just run.
      if (closed) return
      begin(effect)
    }
    if (!closed && !ended && machine.isDone(snapshot)) {
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
  const feed = (event: Event): void => {
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

/** A machine whose events include every answer to its effects. */
type UnderstandsAnswers<Event, E extends Effect> = [MachineAnswer<E['type']>] extends [Event] ? unknown : never

/** The answers that a machine asking for effects K must understand. */
export type MachineAnswer<K extends EffectType> =
  | (AnswerBody<K & AnsweredEffectType> & { readonly id: number })
  | { readonly type: 'effectFailed'; readonly id: number; readonly error: { readonly name: string; readonly message: string } }

type AnyHandler = (effect: unknown, context: HandlerContext) => unknown

const noContext: HandlerContext = {
  get signal(): AbortSignalLike {
    throw new Error('signal: an effect without an answer cannot be cancelled')
  },
  onAbort() {
    throw new Error('onAbort: an effect without an answer cannot be cancelled')
  },
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

function isAnswerOf(type: AnsweredEffectType, body: unknown): body is object {
  return typeof body === 'object' && body !== null && 'type' in body && Object.hasOwn(effectTable[type].answers, String(body.type))
}

function answersOf(type: AnsweredEffectType): string {
  return Object.keys(effectTable[type].answers).join(' or ')
}

function failureOf(error: unknown): { type: 'effectFailed'; error: ErrorFacts } {
  // By structure: an error of another realm is not an instance of this one's Error.
  const isError = typeof error === 'object' && error !== null && 'name' in error && 'message' in error
  const facts = isError ? { name: printed(error.name), message: printed(error.message) } : { name: 'Error', message: printed(error) }
  return { type: 'effectFailed', error: facts }
}

/** The value as text, also where it refuses to be text, as an object without a prototype does. */
function printed(value: unknown): string {
  try {
    return String(value)
  } catch {
    return 'a value that cannot be printed'
  }
}
