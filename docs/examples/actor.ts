/** The machine as an actor of XState, which emits its effects. */
import { isAnswered } from '@shardwise/effects'
import { type ShardConsumerInput, type ShardEffect, type ShardEvent, shardConsumerMachine, step } from '@shardwise/machine'
import { createActor } from 'xstate'
import { effectFailed, type ShardHandlers } from './memoryWorld.ts'

/** Runs a shard consumer as an actor; `send` feeds it an event from outside, `onState` hears every state that it comes to. */
export function runActor(options: {
  readonly input: ShardConsumerInput
  readonly handlers: ShardHandlers
  readonly onState: (value: string) => void
}): { send(event: ShardEvent): void } {
  const handlers = options.handlers as unknown as Record<string, (effect: ShardEffect, context: object) => object>
  const out = new Map<number, AbortController>()
  const actor = createActor(shardConsumerMachine, { input: options.input })
  let late: Parameters<typeof step>[0] | undefined

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
    new Promise<object>((resolve) => resolve(handlers[effect.type]?.(effect, { signal, onAbort }) ?? {})).then(answer, fail)
  }
  const send = (event: ShardEvent): void => {
    const { value, context, status } = actor.getSnapshot()
    if (status !== 'done') return actor.send(event)
    // An actor that has stopped hears nothing, but whoever asks late for a shutdown is owed an answer.
    const [after, effects] = step(late ?? { value, context: context.memory, status }, event)
    late = after
    for (const effect of effects) begin(effect)
  }

  actor.on('*', begin)
  actor.subscribe(({ value }) => options.onState(typeof value === 'string' ? value : Object.entries(value).flat().join('.')))
  actor.start()
  return { send }
}
