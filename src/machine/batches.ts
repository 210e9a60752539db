import {
  type BatchHandle,
  compareSequenceNumbers,
  type ExtendedSequenceNumber,
  isSentinel,
  type Position,
  positionOfCheckpoint,
} from '@shardwise/effects'
import type { Action } from './change.ts'
import { known, type ShardConsumerContext, type ShardEffect } from './shardConsumerContext.ts'

/** GetRecords may be called five times a second per shard. */
const leastReadIntervalMs = 200

/** The later of two places; null is before all. */
export function laterOf<T extends ExtendedSequenceNumber | null>(a: ExtendedSequenceNumber | null, b: T): ExtendedSequenceNumber | T {
  return a === null || (b !== null && compareSequenceNumbers(a, b) < 0) ? b : a
}

/** The last record that need not be delivered again: checkpointed, or in a completed batch. null before there is one. */
export function deliveredThrough(context: ShardConsumerContext): ExtendedSequenceNumber | null {
  const { checkpoint, completed } = context
  return laterOf(checkpoint !== null && !isSentinel(checkpoint.sequenceNumber) ? checkpoint : null, completed)
}

/** Whether a place is the end of the batch, or beyond. */
function passes(place: ExtendedSequenceNumber | null, last: ExtendedSequenceNumber | null = null): boolean {
  return place !== null && last !== null && compareSequenceNumbers(place, last) >= 0
}

/** Whether a failed batch was checkpointed to its end while it was processed. */
export function batchIsCovered({ batch, checkpoint }: ShardConsumerContext): boolean {
  return passes(checkpoint, batch?.last)
}

/** Whether nothing of the batch is left to deliver: it was checkpointed to its end, or done part by part. */
export function nothingIsLeft(context: ShardConsumerContext): boolean {
  return passes(deliveredThrough(context), known(context, 'batch').last)
}

/** Whether the batch is the last of its shard. */
export function isLastBatch(context: ShardConsumerContext): boolean {
  return known(context, 'batch').atShardEnd
}

/**
 * Where reading starts: at the last completed record, else at the checkpoint. Not after it: others of its aggregate may be left, and reads leave out what
 * was delivered. LATEST is where it was when the shard was first opened.
 */
export function openingPosition(context: ShardConsumerContext): Position {
  const { completed, openedAtMs, options } = context
  const position = positionOfCheckpoint(completed ?? known(context, 'checkpoint'), options.initialPosition)
  return position.type === 'LATEST' && openedAtMs !== null ? { type: 'AT_TIMESTAMP', timestampMs: openedAtMs } : position
}

/** How long to wait before the next read, in ms: not at all while there is more to read, and at the tip as long as the options say. */
function idleAfter(context: ShardConsumerContext, batch: BatchHandle): number {
  const { idleTimeInMilliseconds, maxRecords } = context.options
  const tipReached = (batch.millisBehindLatest ?? 0) === 0 && batch.count < maxRecords
  if (tipReached) return idleTimeInMilliseconds
  return batch.count > 0 ? 0 : Math.min(leastReadIntervalMs, idleTimeInMilliseconds)
}

/** What a batch begins with: no failures. */
const unfailed = { batchFailures: 0, failingSinceMs: null, lastError: null }

/** Takes over the batch that was read, and the children that it names: a later answer may not name them again. */
export const takeBatch: Action = (context, event) => {
  if (event.type !== 'recordsRead') return {}
  const { batch } = event
  const childShards = batch.atShardEnd && batch.childShards.length > 0 ? batch.childShards : context.childShards
  // Field by field: a spread here slows every step down.
  return { context: { batch, batchFailures: 0, failingSinceMs: null, lastError: null, idleMs: idleAfter(context, batch), childShards } }
}

/** The present batch needs no more processing: its records are freed, and what it says of the end of the shard is noted. */
export const completeBatch: Action = (context) => {
  const batch = known(context, 'batch')
  return {
    context: {
      batch: null,
      attempt: 0,
      resume: null,
      completed: laterOf(context.completed, batch.last),
      suspects: Math.max(0, context.suspects - batch.count),
      atShardEnd: batch.atShardEnd,
    },
    effects: freeBatch(context),
  }
}

/** What was read is given up without having been processed: the present batch, and the one that it is a part of. */
export const dropBatch = ((context) => ({
  context: { batch: null, whole: null, suspects: 0 },
  effects: [...freeBatch(context), ...freeBatch({ ...context, batch: context.whole })],
})) satisfies Action

/** The record at fault is looked for in the present batch: in a part of it at a time, of which the first is to be split off. */
export const beginSplit: Action = (context) => {
  const { whole } = context
  const batch = known(context, 'batch')
  return {
    context: { batch: null, whole: whole ?? batch, suspects: batch.count },
    effects: whole === null ? [] : freeBatch(context),
  }
}

/** Takes over the part that was split off. */
export const takePart: Action = (_, event) => (event.type === 'batchSplit' ? { context: { batch: event.batch, ...unfailed } } : {})

/** No part of the batch is suspected any more: what is left of the whole is to be delivered. */
export const takeWhole: Action = ({ whole }) => ({ context: { batch: whole, whole: null, suspects: 0, ...unfailed } })

/** Frees the records of the present batch, if there is one. */
function freeBatch({ batch, shardId }: Pick<ShardConsumerContext, 'batch' | 'shardId'>): readonly ShardEffect[] {
  return batch === null ? [] : [{ type: 'dropBatch', shardId, batchId: batch.batchId }]
}
