/** The machine in a loop of your own: one queue of events, one step at a time, the effects of a step started in their order. */
import { isAnswered, type PureMachine, type Step } from '@shardwise/effects'
import type { ShardEffect, ShardEvent } from '@shardwise/machine'
import { effectFailed, type ShardHandlers } from './memoryWorld.ts'

/** Runs a machine; `send` feeds it an event from outside. */
export function plainLoop<Snapshot>(options: {
  readonly machine: PureMachine<Snapshot, ShardEvent, ShardEffect>
  readonly start: readonly [Snapshot, readonly ShardEffect[]]
  readonly handlers: ShardHandlers
  readonly observe: (step: Step<Snapshot, ShardEvent, ShardEffect>) => void
}): { send(event: ShardEvent): void } {
  const { machine, observe } = options
  const handlers = options.handlers as unknown as Record<string, (effect: ShardEffect, context: object) => object>
  const out = new Map<number, AbortController>()
  const queue: ShardEvent[] = []
  let [snapshot, effects] = options.start
  let stepping = false

  const begin = (effect: ShardEffect): void => {
    if (effect.type === 'cancel') return out.get(effect.id)?.abort()
    if (!('id' in effect) || !isAnswered(effect.type)) return void handlers[effect.type]?.(effect, {})
    const answer = (body: object): void => {
      out.delete(effect.id)
      send({ ...body, id: effect.id } as ShardEvent)
    }
    const fail = (error: unknown): void => answer(effectFailed(error))
    const controller = new AbortController()
    const { signal } = controller
    const onAbort = (listener: () => void): void => (signal.aborted ? listener() : signal.addEventListener('abort', listener))
    out.set(effect.id, controller)
    // A promise of its own: a handler that throws rejects it, and it settles once.
    new Promise<object>((resolve) => resolve(handlers[effect.type]?.(effect, { signal, onAbort }) ?? {})).then(answer, fail)
  }
  const finishStep = (event: ShardEvent | null, before: Snapshot | null): void => {
    observe({ event, before, after: snapshot, effects })
    for (const effect of effects) begin(effect)
    if (machine.isDone(snapshot)) for (const controller of out.values()) controller.abort()
  }
  const send = (event: ShardEvent): void => {
    queue.push(event)
    if (stepping) return
    stepping = true
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const before = snapshot
      ;[snapshot, effects] = machine.step(before, next)
      finishStep(next, before)
    }
    stepping = false
  }

  finishStep(null, null)
  return { send }
}
