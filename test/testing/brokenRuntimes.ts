import { effectTable, type HandlerContext, isAnswered } from '@shardwise/effects'
import type { ShardEffect, ShardEvent } from '@shardwise/machine'
import type { Runtime, RuntimeSetup } from '@shardwise/testing'

interface Out {
  readonly context: HandlerContext
  abort(): void
}

/** A driver in small parts, so that each can be replaced by a broken one. Every part calls the others through the object. */
interface DriverParts {
  readonly setup: RuntimeSetup<unknown>
  snapshot: unknown
  readonly queue: ShardEvent[]
  readonly out: Map<number, Out>
  closed: boolean
  /** Puts an event into the queue, and empties the queue unless that is being done. */
  feed(event: ShardEvent): void
  drain(): void
  /** Takes one step. */
  take(event: ShardEvent): void
  startAll(effects: readonly ShardEffect[]): void
  begin(effect: ShardEffect): void
  makeOut(id: number): Out
  call(effect: ShardEffect, context: HandlerContext): unknown
  /** Hears what a handler gave back. */
  hear(effect: ShardEffect & { readonly id: number }, given: unknown): void
  answered(id: number, body: object): void
  failed(id: number, error: unknown): void
  cancel(id: number): void
  observe(event: ShardEvent | null, before: unknown, effects: readonly ShardEffect[]): void
  /** The machine has ended. */
  finish(): void
  /** A contract is broken. */
  fail(error: unknown): void
  send(event: ShardEvent): void
  close(): void
  resolve(snapshot: unknown): void
  reject(error: unknown): void
  ended: boolean
  draining: boolean
}

function makeParts(setup: RuntimeSetup<unknown>): { parts: DriverParts; done: Promise<unknown> } {
  let resolve: (snapshot: unknown) => void = () => undefined
  let reject: (error: unknown) => void = () => undefined
  const done = new Promise((ok, no) => {
    resolve = ok
    reject = no
  })
  const parts: DriverParts = {
    setup,
    snapshot: setup.start[0],
    queue: [],
    out: new Map(),
    closed: false,
    ended: false,
    draining: false,
    resolve,
    reject,
    feed(event) {
      if (parts.closed) return
      parts.queue.push(event)
      if (!parts.draining) parts.drain()
    },
    drain() {
      parts.draining = true
      try {
        for (let next = parts.queue.shift(); next !== undefined && !parts.closed; next = parts.queue.shift()) parts.take(next)
      } catch (error) {
        parts.fail(error)
      }
      parts.draining = false
    },
    take(event) {
      const before = parts.snapshot
      const [after, effects] = setup.machine.step(before, event)
      parts.snapshot = after
      parts.observe(event, before, effects)
      parts.startAll(effects)
      parts.finish()
    },
    startAll(effects) {
      for (const effect of effects) if (!parts.closed) parts.begin(effect)
    },
    begin(effect) {
      if (effect.type === 'cancel') {
        parts.cancel(effect.id)
        return
      }
      if (!('id' in effect)) {
        parts.call(effect, parts.makeOut(-1).context)
        return
      }
      const out = parts.makeOut(effect.id)
      parts.out.set(effect.id, out)
      try {
        parts.hear(effect, parts.call(effect, out.context))
      } catch (error) {
        parts.failed(effect.id, error)
      }
    },
    makeOut() {
      const controller = new AbortController()
      const { signal } = controller
      const onAbort = (listener: () => void): void => (signal.aborted ? listener() : signal.addEventListener('abort', listener))
      return { context: { signal, onAbort }, abort: () => controller.abort() }
    },
    call(effect, context) {
      const handlers = setup.handlers as unknown as Readonly<Record<string, (effect: ShardEffect, context: HandlerContext) => unknown>>
      return handlers[effect.type]?.(effect, context)
    },
    hear({ id, type }, given) {
      const check = (body: object): void => {
        if (isAnswered(type) && 'type' in body && Object.hasOwn(effectTable[type].answers, String(body.type))) parts.answered(id, body)
        else parts.fail(new Error(`${type} was answered outside the table`))
      }
      if (isThenable(given)) Promise.resolve(given).then(check, (error: unknown) => parts.failed(id, error))
      else check(given as object)
    },
    answered(id, body) {
      parts.out.delete(id)
      parts.feed({ ...body, id } as unknown as ShardEvent)
    },
    failed(id, error) {
      const facts = typeof error === 'object' && error !== null && 'name' in error && 'message' in error ? error : null
      const { name, message } = facts ?? { name: 'Error', message: typeof error === 'string' ? error : 'no error' }
      parts.answered(id, { type: 'effectFailed', error: { name, message } })
    },
    cancel: (id) => parts.out.get(id)?.abort(),
    observe: (event, before, effects) => setup.observe({ event, before, after: parts.snapshot, effects }),
    finish() {
      if (parts.ended || parts.closed || !setup.machine.isDone(parts.snapshot)) return
      parts.ended = true
      for (const { abort } of parts.out.values()) abort()
      parts.resolve(parts.snapshot)
    },
    fail(error) {
      parts.closed = true
      parts.reject(error)
    },
    send: (event) => parts.feed(event),
    close() {
      parts.closed = true
      for (const { abort } of parts.out.values()) abort()
    },
  }
  return { parts, done }
}

function isThenable(value: unknown): value is PromiseLike<object> {
  return typeof value === 'object' && value !== null && 'then' in value
}

/** What is wrong with a driver: parts that replace the whole ones. `whole` are these. */
export type Break = (whole: Readonly<DriverParts>, parts: DriverParts) => Partial<DriverParts>

/** A driver that breaks one law, and the case that must notice. */
export interface BrokenDriver {
  readonly fault: string
  readonly noticedBy: string
  readonly breakIt: Break
}

/** A driver in which some parts are replaced. */
export function brokenRuntime(
  breakIt: Break,
  can: Runtime['can'] = ['anyMachine', 'restores', 'observes', 'aborts', 'ends', 'closes'],
): Runtime {
  return {
    can,
    run(setup) {
      const { parts, done } = makeParts(setup as RuntimeSetup<unknown>)
      Object.assign(parts, breakIt({ ...parts }, parts))
      parts.draining = true
      parts.observe(null, null, setup.start[1])
      parts.startAll(setup.start[1])
      parts.finish()
      parts.draining = false
      parts.drain()
      return { send: (event) => parts.send(event), close: () => parts.close(), done }
    },
  }
}
