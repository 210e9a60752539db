import type { ShardConsumerContext, ShardEffect, ShardEvent, TaskEffect } from './shardConsumerContext.ts'

/** What an action does: fields of the memory that change, and effects in the order in which they start. */
export interface Change {
  readonly context?: Partial<ShardConsumerContext>
  readonly effects?: readonly ShardEffect[]
}

/** A computation of the statechart: pure, of the memory and the event that is being handled. */
export type Action = (context: ShardConsumerContext, event: ShardEvent) => Change

/** Starts the one task effect that the consumer awaits. */
export function startTask(task: TaskEffect): Required<Change> {
  return { context: { task, nextId: task.id + 1 }, effects: [task] }
}

/** Starts the timer that the consumer waits for, in ms. */
export function startTimer({ nextId: id }: ShardConsumerContext, delayMs: number): Required<Change> {
  return startTask({ type: 'startTimer', id, delayMs })
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
