import { type AnsweredEffectType, effectTable, isAnswered, type ShutdownReason } from '@shardwise/effects'
import type { ShardConsumerInput, ShardConsumerSnapshot, ShardEffect, ShardEvent } from '@shardwise/machine'
import type { Operation } from './operations.ts'
import type { WorldPlan } from './shardWorld.ts'

/** One step of a life: `event` and `before` are null at the start. */
export interface TraceStep {
  readonly does: Operation['does'] | 'start'
  readonly event: ShardEvent | null
  readonly before: ShardConsumerSnapshot | null
  readonly after: ShardConsumerSnapshot
  readonly effects: readonly ShardEffect[]
}

export interface Trace {
  readonly input: ShardConsumerInput
  readonly plan: WorldPlan
  readonly steps: readonly TraceStep[]
}

/** A step that an event led to. */
export type EventStep = TraceStep & { readonly event: ShardEvent; readonly before: ShardConsumerSnapshot }

/** An effect with an answer to come. */
export type AwaitedEffect = Extract<ShardEffect, { readonly type: AnsweredEffectType }>

export const eventSteps = ({ steps }: Trace): readonly EventStep[] =>
  steps.filter((step): step is EventStep => step.event !== null && step.before !== null)

/** The effects that a step asks for and whose answers are awaited. */
export const asked = ({ effects }: TraceStep): readonly AwaitedEffect[] =>
  effects.filter((effect): effect is AwaitedEffect => effect.type !== 'cancel' && isAnswered(effect.type))

/** The effects of one type that a step asks for. */
export const askedFor = <K extends ShardEffect['type']>(step: TraceStep, type: K): readonly Extract<ShardEffect, { readonly type: K }>[] =>
  step.effects.filter((effect): effect is Extract<ShardEffect, { readonly type: K }> => effect.type === type)

/** What a step's event answers, when it is the answer to what is awaited. */
export function answered({ event, before }: EventStep): AwaitedEffect | null {
  if (!('id' in event)) return null
  const { task, write } = before.context
  if (task?.id === event.id) return task
  return write?.effect.id === event.id ? write.effect : null
}

const callbackTypes = new Set<string>(['initialize', 'processRecords', 'notifyShutdownRequested', 'notifyShardEnded', 'notifyLeaseLost'])

/** Whether an effect calls the record processor. */
export const isCallback = ({ type }: ShardEffect): boolean => callbackTypes.has(type)

/** Every callback of a life in the order in which they started. */
export const callbacks = (trace: Trace): readonly { readonly step: TraceStep; readonly index: number; readonly effect: AwaitedEffect }[] =>
  trace.steps.flatMap((step, index) => asked(step).flatMap((effect) => (isCallback(effect) ? [{ step, index, effect }] : [])))

/** How each callback of a life ended, in order. */
export const callbackAnswers = (trace: Trace): readonly { readonly step: EventStep; readonly effect: AwaitedEffect }[] =>
  eventSteps(trace).flatMap((step) => {
    const effect = answered(step)
    return effect !== null && isCallback(effect) ? [{ step, effect }] : []
  })

/** Whether a consumer only waits for an effect, and a shutdown need not wait for it too. */
export const isOnlyWaitedFor = ({ type }: ShardEffect): boolean => ['read', 'timer'].includes(effectTable[type].lane)

const ranks: Readonly<Record<ShutdownReason, number>> = { REQUESTED: 1, SHARD_END: 2, LEASE_LOST: 3 }

/** The rank of a reason; 0 for none. */
export const rank = (reason: ShutdownReason | null): number => (reason === null ? 0 : ranks[reason])

export const lastOf = ({ steps }: Trace): ShardConsumerSnapshot => {
  const last = steps.at(-1)
  if (last === undefined) throw new Error('trace: it has no steps')
  return last.after
}
