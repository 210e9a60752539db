import type { ShardEffect } from '@shardwise/machine'
import type { TraceStep } from '../trace.ts'

/** A step with the effect that its event answers. */
interface AnsweredStep extends TraceStep {
  readonly answered: ShardEffect | null
}

type Asked<K extends ShardEffect['type']> = Extract<ShardEffect, { readonly type: K }>
const asked = <K extends ShardEffect['type']>({ effects }: TraceStep, type: K): readonly Asked<K>[] =>
  effects.filter((effect): effect is Asked<K> => effect.type === type)

/** What is known of the records that the processor has had last, by what was asked and answered alone. */
export class Deliveries {
  /** How often the processor failed on the present batch since it was taken up. */
  failures = 0
  /** Whether the present batch is a part of one that was split. */
  inParts = false
  /** When the backoff of the first failure ended, less that backoff. */
  #sinceMs: number | null = null
  #batchId: string | null = null
  /** The part that was split off last: it may be held before it is handed over. */
  #partId: string | null = null

  /** Hears a step. Returns whether the deliveries of the batch are exhausted by it. */
  hear(step: AnsweredStep): boolean {
    const { event, before, answered } = step
    const options = before?.context.options
    let exhausted = false
    if (answered?.type === 'splitBatch' && event?.type === 'batchSplit') this.#partId = event.batch.batchId
    if (options !== undefined && answered?.type === 'processRecords' && event?.type === 'recordsFailed') {
      this.failures += 1
      exhausted = (this.inParts && answered.batch.count > 1) || this.failures >= (options.maxDeliveryAttempts ?? Number.POSITIVE_INFINITY)
    }
    if (
      options !== undefined &&
      answered?.type === 'startTimer' &&
      answered.id === before?.context.task?.id &&
      event?.type === 'timerFired' &&
      this.failures > 0
    ) {
      this.#sinceMs ??= event.nowMs - answered.delayMs
      exhausted = event.nowMs - this.#sinceMs >= (options.maxDeliveryAgeMillis ?? Number.POSITIVE_INFINITY)
    }
    return exhausted
  }

  /** Sees what the step asks for. */
  ask(step: TraceStep): void {
    if (asked(step, 'splitBatch').length > 0) {
      this.inParts = true
      this.failures = 0
      this.#batchId = null
    }
    for (const { batch } of asked(step, 'processRecords')) {
      if (batch.batchId === this.#batchId) continue
      // What is left of a batch that was split is delivered as a whole again: under the id that it was read with.
      if (batch.batchId !== this.#partId) this.inParts = false
      this.#sinceMs = null
      this.#batchId = batch.batchId
      this.failures = 0
    }
  }
}
