/**
 * Which checkpoints are allowed, and how one after another is written.
 *
 * With L the stored checkpoint, H the last completed record and M the last record of the batch being processed, a request is good for a value from L to
 * max(L, H), and to M while its batch is being processed. Without a position it stands for the greatest of these. Once shardEnded was started, that
 * greatest value and its last number stand for SHARD_END. Equal to L, nothing is written.
 */
import {
  compareSequenceNumbers,
  type EffectOf,
  type ErrorFacts,
  type ExtendedSequenceNumber,
  isSentinel,
  isShardEnd,
  parseExtendedSequenceNumber,
  SHARD_END,
} from '@shardwise/effects'
import { taskBackoffMs } from './backoff.ts'
import { laterOf } from './batches.ts'
import { type Action, answersWrite, type Change } from './change.ts'
import type { CheckpointRequest, CheckpointWrite, ShardConsumerContext, ShardEffect } from './shardConsumerContext.ts'

/** More requests than these are refused while one is being written. */
const maxWaitingCheckpoints = 16

const errors = {
  leaseLost: { name: 'ShutdownException', message: 'the lease of this shard is not held any more, or its consumer has ended' },
  notInitialized: {
    name: 'InvalidStateException',
    message: 'the record processor is not initialised, so nothing can be checkpointed',
  },
  throttled: { name: 'ThrottlingException', message: 'the lease table throttled the checkpoint; checkpoint less often' },
  tooMany: {
    name: 'ThrottlingException',
    message: `${maxWaitingCheckpoints} checkpoints of this shard wait already; await one before asking for the next`,
  },
} as const satisfies Record<string, ErrorFacts>

function settle({ shardId }: ShardConsumerContext, request: string, error: ErrorFacts | null): EffectOf<'settleCheckpoint'> {
  return { type: 'settleCheckpoint', shardId, request, error }
}

function lastDelivered(context: ShardConsumerContext): ExtendedSequenceNumber | null {
  const inProcess = context.task?.type === 'processRecords' ? (context.batch?.last ?? null) : null
  return laterOf(inProcess, laterOf(context.completed, context.checkpoint))
}

/** Why a value may not be stored now; null when it may. */
function outOfRange(context: ShardConsumerContext, value: ExtendedSequenceNumber): ErrorFacts | null {
  const least = context.checkpoint
  const most = context.shardEndedStarted && isShardEnd(value) ? SHARD_END : lastDelivered(context)
  const sentinel = isSentinel(value.sequenceNumber) && !isShardEnd(value) && least?.sequenceNumber !== value.sequenceNumber
  if (
    !sentinel &&
    least !== null &&
    most !== null &&
    compareSequenceNumbers(value, least) >= 0 &&
    compareSequenceNumbers(value, most) <= 0
  ) {
    return null
  }
  return {
    name: 'IllegalArgumentException',
    message: `sequenceNumber: expected a record from ${text(least)} to ${text(most)}, got ${text(value)}`,
  }
}

/** The value that a request stands for. */
function valueOf(context: ShardConsumerContext, position: ExtendedSequenceNumber | null): ExtendedSequenceNumber | null {
  const last = lastDelivered(context)
  if (!context.shardEndedStarted) return position ?? last
  return position === null || (last !== null && compareSequenceNumbers(position, last) === 0) ? SHARD_END : position
}

/** Settles a request at once, writes its checkpoint, or lets it wait for the write that is out. */
export const requestCheckpoint: Action = (context, event) => {
  if (event.type !== 'checkpointRequested') return {}
  const { request, position } = event
  const refuse = (error: ErrorFacts): Change => ({ effects: [settle(context, request, error)] })
  if (context.reason === 'LEASE_LOST' || context.processorDone) return refuse(errors.leaseLost)
  if (!context.initialized) return refuse(errors.notInitialized)
  let given: ExtendedSequenceNumber | null
  try {
    given = position === null ? null : parseExtendedSequenceNumber(position.sequenceNumber, position.subSequenceNumber)
  } catch (error) {
    return refuse({ name: 'IllegalArgumentException', message: (error as Error).message })
  }
  const checkpoint = valueOf(context, given)
  if (checkpoint === null) return refuse(errors.notInitialized)
  const error = outOfRange(context, checkpoint)
  if (error !== null) return refuse(error)
  if (context.write === null) return serve(context, [{ request, checkpoint }])
  if (context.waiting.length >= maxWaitingCheckpoints) return refuse(errors.tooMany)
  return { context: { waiting: [...context.waiting, { request, checkpoint }] } }
}

/** Serves requests in their order until one needs a write; those behind it wait. */
function serve(context: ShardConsumerContext, [first, ...waiting]: readonly CheckpointRequest[]): Required<Change> {
  if (first === undefined) return { context: { write: null, waiting }, effects: [] }
  // It was in range when it was asked for; by now, a higher one may have been stored, or its batch may have failed.
  const error = outOfRange(context, first.checkpoint)
  if (error === null && context.checkpoint !== null && compareSequenceNumbers(first.checkpoint, context.checkpoint) > 0) {
    const started = startWrite(context, first, 0)
    return { context: { ...started.context, waiting }, effects: started.effects }
  }
  const next = serve(context, waiting)
  return { context: next.context, effects: [settle(context, first.request, error), ...next.effects] }
}

function startWrite(context: ShardConsumerContext, { request, checkpoint }: CheckpointRequest, attempt: number): Required<Change> {
  const { shardId, leaseKey, token, nextId } = context
  return awaitWrite({ request, checkpoint, attempt, effect: { type: 'writeCheckpoint', id: nextId, shardId, leaseKey, token, checkpoint } })
}

function awaitWrite(write: CheckpointWrite): Required<Change> {
  return { context: { write, nextId: write.effect.id + 1 }, effects: [write.effect] }
}

/** Takes the answer to the checkpoint write that is out: settles its request, or waits and writes again; then serves what waits. */
export const takeWriteAnswer: Action = (context, event) => {
  const { write } = context
  if (write === null || !answersWrite(context, event)) return {}
  switch (event.type) {
    case 'timerFired': {
      const error = outOfRange(context, write.checkpoint)
      return error === null ? startWrite(context, write, write.attempt) : giveUpWrite(context, write, error)
    }
    case 'checkpointWritten': {
      const written = { ...context, checkpoint: write.checkpoint }
      const next = serve(written, context.waiting)
      return {
        context: { checkpoint: write.checkpoint, ...next.context },
        effects: [settle(context, write.request, null), ...next.effects],
      }
    }
    case 'throttled': {
      if (context.reason === 'LEASE_LOST') return giveUpWrite(context, write, errors.leaseLost)
      const attempt = write.attempt + 1
      if (attempt >= context.options.maxCheckpointAttempts) return giveUpWrite(context, write, errors.throttled)
      return awaitWrite({ ...write, attempt, effect: { type: 'startTimer', id: context.nextId, delayMs: taskBackoffMs(context, attempt) } })
    }
    case 'checkpointRefused':
      return giveUpWrite(context, write, errors.leaseLost)
    case 'effectFailed':
      return giveUpWrite(context, write, {
        name: 'KinesisClientLibDependencyException',
        message: `the checkpoint could not be stored: ${event.error.name}: ${event.error.message}`,
      })
    default:
      return {}
  }
}

function giveUpWrite(context: ShardConsumerContext, { request }: CheckpointWrite, error: ErrorFacts): Change {
  // With the lease gone, what waits is refused when the reason is recorded.
  const next = error === errors.leaseLost ? { context: { write: null }, effects: [] } : serve(context, context.waiting)
  return { context: next.context, effects: [settle(context, request, error), ...next.effects] }
}

/** The lease is gone: nothing more is written. Requests that wait are refused; a write that is out is still awaited. */
export function refuseWaiting(context: ShardConsumerContext): Required<Change> {
  const effects: ShardEffect[] = []
  let { write } = context
  if (write?.effect.type === 'startTimer') {
    effects.push({ type: 'cancel', id: write.effect.id }, settle(context, write.request, errors.leaseLost))
    write = null
  }
  effects.push(...context.waiting.map(({ request }) => settle(context, request, errors.leaseLost)))
  return { context: { write, waiting: [] }, effects }
}

function text(place: ExtendedSequenceNumber | null): string {
  if (place === null) return 'nothing'
  return place.subSequenceNumber === 0 ? place.sequenceNumber : `${place.sequenceNumber}/${place.subSequenceNumber}`
}
