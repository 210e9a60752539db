import { isAnswered } from '@shardwise/effects'
import type { ShardConsumerContext, ShardEffect, ShardEvent, TaskEffect } from './shardConsumerContext.ts'

/** What an action does: fields of the memory that change, and effects in the order in which they start. */
export interface Change {
  readonly context?: Partial<ShardConsumerContext>
  readonly effects?: readonly ShardEffect[]
}

/** A computation of the statechart: pure, of the memory and the event that is being handled. */
export type Action = (context: ShardConsumerContext, event: ShardEvent) => Change

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never

/** An effect before it gets its id. */
export type Ask<E> = WithoutId<E>

/** Starts the one task effect that the consumer awaits. */
export function startTask(context: ShardConsumerContext, ask: Ask<TaskEffect>): Change {
  const task = { ...ask, id: context.nextId } as TaskEffect
  return { context: { task, nextId: context.nextId + 1 }, effects: [task] }
}

/** Aborts the awaited task, unless the event is its answer, and awaits it no longer. */
export function abandonTask(context: ShardConsumerContext, event: ShardEvent): Change {
  const { task } = context
  if (task === null || answersTask(context, event) || !isAnswered(task.type)) return { context: { task: null } }
  return { context: { task: null }, effects: [{ type: 'cancel', id: task.id }] }
}

/** Whether the event is the answer to the awaited task. */
export function answersTask(context: ShardConsumerContext, event: ShardEvent): boolean {
  return context.task !== null && 'id' in event && event.id === context.task.id
}

/** Whether the event is the answer to the checkpoint write that is out, or the firing of its timer. */
export function answersWrite(context: ShardConsumerContext, event: ShardEvent): boolean {
  return context.write !== null && 'id' in event && event.id === context.write.effect.id
}

/** One change after another, each seeing what those before it changed. */
export function inOrder(...actions: readonly Action[]): Action {
  return (context, event) => {
    let changed: Partial<ShardConsumerContext> = {}
    const effects: ShardEffect[] = []
    for (const action of actions) {
      const change = action({ ...context, ...changed }, event)
      changed = { ...changed, ...change.context }
      effects.push(...(change.effects ?? []))
    }
    return { context: changed, effects }
  }
}
