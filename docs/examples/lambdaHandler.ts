/**
 * The machine in functions that remember nothing but one JSON text in a store. One function takes events from a first-in-first-out queue, one at a time, and
 * again when it crashed; another carries out the effects, and puts their answers into that queue.
 */
import { isAnswered, type PureMachine } from '@shardwise/effects'
import { type ShardConsumerInput, type ShardConsumerSnapshot, type ShardEffect, type ShardEvent, shardConsumer } from '@shardwise/machine'
import { effectFailed, type ShardHandlers } from './memoryWorld.ts'

/** What outlives an invocation. `save` replaces the text in one write. */
export interface Cloud {
  load(): Promise<string | null>
  save(text: string): Promise<void>
  sendEvent(event: ShardEvent): Promise<void>
  sendEffect(effect: ShardEffect): Promise<void>
}

type Move<S> = readonly [snapshot: S, effects: readonly ShardEffect[]]
type Machine<S> = PureMachine<S, ShardEvent, ShardEffect> & { restore(snapshot: S): Move<S> }
type Stored<S> = { readonly snapshot: S; readonly unsent: readonly ShardEffect[] }

const load = async <S>(cloud: Cloud): Promise<Stored<S> | null> => JSON.parse((await cloud.load()) ?? 'null') as Stored<S> | null

/** Stores a snapshot together with its effects, and then sends them. Whoever finds effects with a snapshot knows that this crashed on its way. */
export async function leave<S>([snapshot, effects]: Move<S>, cloud: Cloud): Promise<void> {
  await cloud.save(JSON.stringify({ snapshot, unsent: effects }))
  for (const effect of effects) await cloud.sendEffect(effect)
  if (effects.length > 0) await cloud.save(JSON.stringify({ snapshot, unsent: [] }))
}

/** After a crash: sends the notices that may not have left, which no snapshot awaits, and what this one awaits. Some of it may be sent twice. */
async function recover<S>({ snapshot, unsent }: Stored<S>, machine: Machine<S>, cloud: Cloud): Promise<S> {
  const [restored, awaited] = machine.restore(snapshot)
  await leave([restored, [...unsent.filter(({ type }) => !isAnswered(type)), ...awaited]], cloud)
  return restored
}

/** Begins with a shard, or goes on with it when effects or answers may have been lost. */
export async function wake(input: ShardConsumerInput, cloud: Cloud): Promise<void> {
  const stored = await load<ShardConsumerSnapshot>(cloud)
  if (stored === null) await leave(shardConsumer.start(input), cloud)
  else await recover(stored, shardConsumer, cloud)
}

/** Takes one event: one step, from the stored snapshot to the next. When an event comes again, its answer is stale by then. */
export async function onEvent<S>(event: ShardEvent, machine: Machine<S>, cloud: Cloud): Promise<void> {
  const stored = await load<S>(cloud)
  if (stored === null) throw new Error('snapshot: expected a consumer that was woken, got none')
  await leave(machine.step(stored.unsent.length === 0 ? stored.snapshot : await recover(stored, machine, cloud), event), cloud)
}

/** Carries out one effect. What runs in another process cannot be aborted: its late answer is stale, and changes nothing. */
export async function onEffect(effect: ShardEffect, handlers: ShardHandlers, cloud: Pick<Cloud, 'sendEvent'>): Promise<void> {
  if (effect.type === 'cancel') return
  const handler = handlers[effect.type] as unknown as (effect: ShardEffect, context: object) => Promise<object>
  const context = { signal: new AbortController().signal, onAbort() {} }
  if (!('id' in effect) || !isAnswered(effect.type)) return void handler.call(handlers, effect, context)
  const called = async (): Promise<object> => handler.call(handlers, effect, context)
  const body = await called().catch(effectFailed)
  await cloud.sendEvent({ ...body, id: effect.id } as ShardEvent)
}
