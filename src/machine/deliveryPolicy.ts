/**
 * The error policy: what becomes of a batch on which the record processor failed.
 *
 * It is delivered again until its attempts or its age are exhausted. Then it is split, to find the record at fault: each part that fails is split again at
 * once, and a lone record gets all attempts anew. What cannot be split goes to the dead letter, where there is one, and what follows is said by
 * `onDeliveryFailure`. Nothing else passes a record over. Failures of the processor count; those of the adapter that calls it are tried again for ever.
 */
import type { ErrorFacts } from '@shardwise/effects'
import { batchIsCovered } from './batches.ts'
import type { Action } from './change.ts'
import { known, type ShardConsumerContext, type ShardEvent } from './shardConsumerContext.ts'
import type { DeliveryFailureAnswer } from './shardConsumerOptions.ts'

/** What an event means for the batch that the processor has, or failed on; null where it is delivered again, or nothing failed. */
export function verdictOn(context: ShardConsumerContext, event: ShardEvent): 'split' | 'deadLetter' | DeliveryFailureAnswer | null {
  const { bisectBatchOnError, deadLetter, onDeliveryFailure } = context.options
  if (event.type !== 'deadLetterDelivered') {
    if (!isExhausted(context, event) || batchIsCovered(context)) return null
    if (bisectBatchOnError && isMany(context)) return 'split'
    // A batch without records is delivered where that was asked for.
    if (deadLetter && known(context, 'batch').count !== 0) return 'deadLetter'
  }
  return onDeliveryFailure ?? (deadLetter ? 'skip' : 'stop')
}

function isExhausted(context: ShardConsumerContext, event: ShardEvent): boolean {
  const { maxDeliveryAttempts, maxDeliveryAgeMillis } = context.options
  if (event.type === 'recordsFailed') {
    if (context.whole !== null && isMany(context)) return true
    return maxDeliveryAttempts !== null && context.batchFailures + 1 >= maxDeliveryAttempts
  }
  return (
    event.type === 'timerFired' &&
    maxDeliveryAgeMillis !== null &&
    context.resume === 'processRecords' &&
    context.batchFailures > 0 &&
    event.nowMs - failingSinceMs(context, event.nowMs) >= maxDeliveryAgeMillis
  )
}

function isMany(context: ShardConsumerContext): boolean {
  return known(context, 'batch').count > 1
}

/** When the batch failed first, monotonic ms: the machine learns it when the first backoff ends. */
function failingSinceMs({ failingSinceMs, task }: ShardConsumerContext, nowMs: number): number {
  return failingSinceMs ?? nowMs - (task?.type === 'startTimer' ? task.delayMs : 0)
}

/** Notes when the batch failed first, once its backoff has ended, for as long as its age may count. */
export const noteFailing: Action = (context, event) =>
  event.type === 'timerFired' && context.options.maxDeliveryAgeMillis !== null && context.batchFailures > 0
    ? { context: { failingSinceMs: failingSinceMs(context, event.nowMs) } }
    : {}

/** Counts a failure of the processor, and keeps what it said. Its backoff counts no others: what failed before the batch came is over. */
export const countDeliveryFailure: Action = ({ batchFailures }, event) =>
  event.type === 'recordsFailed'
    ? { context: { attempt: batchFailures + 1, batchFailures: batchFailures + 1, lastError: cut(event.error) } }
    : {}

const longestName = 64
const longestMessage = 512

/** An error as it is kept: a snapshot stays small, whatever a processor throws. */
function cut({ name, message }: ErrorFacts): ErrorFacts {
  return { name: name.slice(0, longestName), message: message.slice(0, longestMessage) }
}
