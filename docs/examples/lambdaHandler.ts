/**
 * The machine in functions that remember nothing: between two invocations the snapshot is a JSON text in a store. One function takes events from a
 * first-in-first-out queue, one at a time; another carries out the effects, and puts their answers into that queue.
 */
import { isAnswered, type PureMachine } from '@shardwise/effects'
import { restore, type ShardConsumerInput, type ShardConsumerSnapshot, type ShardEffect, type ShardEvent, start } from '@shardwise/machine'
import { effectFailed, type ShardHandlers } from './memoryWorld.ts'

/** What outlives an invocation. */
export interface Cloud {
  load(): Promise<string | null>
  save(snapshot: string): Promise<void>
  sendEvent(event: ShardEvent): Promise<void>
  sendEffect(effect: ShardEffect): Promise<void>
}

/** Begins with a shard, or goes on with it after a crash, whose effects may have been lost on their way. */
export async function wake(input: ShardConsumerInput, cloud: Cloud): Promise<void> {
  const stored = await cloud.load()
  const [snapshot, effects] = stored === null ? start(input) : restore(JSON.parse(stored) as ShardConsumerSnapshot)
  await cloud.save(JSON.stringify(snapshot))
  for (const effect of effects) await cloud.sendEffect(effect)
}

/** Takes one event: one step, from the stored snapshot to the next. The snapshot is stored before its effects leave, so that none is forgotten. */
export async function onEvent<Snapshot>(
  event: ShardEvent,
  machine: PureMachine<Snapshot, ShardEvent, ShardEffect>,
  cloud: Cloud,
): Promise<void> {
  const stored = await cloud.load()
  if (stored === null) throw new Error('snapshot: expected a consumer that was woken, got none')
  const [snapshot, effects] = machine.step(JSON.parse(stored) as Snapshot, event)
  await cloud.save(JSON.stringify(snapshot))
  for (const effect of effects) await cloud.sendEffect(effect)
}

/** Carries out one effect. What runs in another process cannot be aborted: its late answer is stale, and changes nothing. */
export async function onEffect(effect: ShardEffect, handlers: ShardHandlers, cloud: Pick<Cloud, 'sendEvent'>): Promise<void> {
  if (effect.type === 'cancel') return
  const handler = handlers[effect.type] as unknown as (effect: ShardEffect, context: object) => Promise<object>
  const context = { signal: new AbortController().signal, onAbort() {} }
  if (!('id' in effect) || !isAnswered(effect.type)) return void handler.call(handlers, effect, context)
  let body: object
  try {
    body = await handler.call(handlers, effect, context)
  } catch (error) {
    body = effectFailed(error)
  }
  await cloud.sendEvent({ ...body, id: effect.id } as ShardEvent)
}
