import type { EffectOf } from '@shardwise/effects'
import type { ShardConsumerContext, ShardEffect, ShardEvent, TaskEffect, TaskEffectType } from './shardConsumerContext.ts'

/** What an action does: fields of the memory that change, and effects in the order in which they start. */
export interface Change {
  readonly context?: Partial<ShardConsumerContext>
  readonly effects?: readonly ShardEffect[]
}

/** A computation of the statechart: pure, of the memory and the event that is being handled. */
export type Action = (context: ShardConsumerContext, event: ShardEvent) => Change

/** What an effect of the type says beside its id and its shard. */
type FieldsOf<T extends TaskEffectType> = Omit<EffectOf<T>, 'type' | 'id' | 'shardId'>

/** Starts the one task effect that the consumer awaits. */
export function startTask<T extends TaskEffectType>(
  { nextId: id, shardId }: ShardConsumerContext,
  type: T,
  fields: FieldsOf<T>,
): Required<Change> {
  return awaitTask({ type, id, shardId, ...fields } as unknown as TaskEffect)
}

/** Starts the timer that the consumer waits for, in ms. */
export function startTimer({ nextId: id }: ShardConsumerContext, delayMs: number): Required<Change> {
  return awaitTask({ type: 'startTimer', id, delayMs })
}

function awaitTask(task: TaskEffect): Required<Change> {
  return { context: { task, nextId: task.id + 1 }, effects: [task] }
}

/** The lease of the shard, as effects name it. */
export function leaseOf({ leaseKey, token }: ShardConsumerContext): { readonly leaseKey: string; readonly token: number } {
  return { leaseKey, token }
}

/** Aborts the awaited task, unless the event is its answer. */
export function abortTask(context: ShardConsumerContext, event: ShardEvent): readonly ShardEffect[] {
  return context.task === null || answersTask(context, event) ? [] : [{ type: 'cancel', id: context.task.id }]
}

/** Whether the event is the answer to the awaited task. */
export function answersTask(context: ShardConsumerContext, event: ShardEvent): boolean {
  return context.task !== null && 'id' in event && event.id === context.task.id
}

/** Whether the event is the answer to the checkpoint write that is out, or the firing of its timer. */
export function answersWrite(context: ShardConsumerContext, event: ShardEvent): boolean {
  return context.write !== null && 'id' in event && event.id === context.write.effect.id
}
