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
import { type Action, answersWrite, type Change, leaseOf } from './change.ts'
import { type CheckpointRequest, type CheckpointWrite, known, type ShardConsumerContext } from './shardConsumerContext.ts'

/** More requests than these are refused while one is being written. */
const maxWaitingCheckpoints = 16

const errors = {
  leaseLost: { name: 'ShutdownException', message: 'the lease is lost, or the consumer has ended' },
  notInitialized: { name: 'InvalidStateException', message: 'the record processor is not initialised' },
  throttled: { name: 'ThrottlingException', message: 'the lease table throttled the checkpoint' },
  tooMany: { name: 'ThrottlingException', message: `${maxWaitingCheckpoints} checkpoints wait already` },
} as const satisfies Record<string, ErrorFacts>

function settle({ shardId }: ShardConsumerContext, request: string, error: ErrorFacts | null): EffectOf<'settleCheckpoint'> {
  return { type: 'settleCheckpoint', shardId, request, error }
}

function lastDelivered(context: ShardConsumerContext): ExtendedSequenceNumber {
  const inProcess = context.task?.type === 'processRecords' ? (context.batch?.last ?? null) : null
  return laterOf(inProcess, laterOf(context.completed, known(context, 'checkpoint')))
}

/** Why a value may not be stored now; null when it may. */
function outOfRange(context: ShardConsumerContext, value: ExtendedSequenceNumber): ErrorFacts | null {
  const least = known(context, 'checkpoint')
  const most = context.shardEndedStarted && isShardEnd(value) ? SHARD_END : lastDelivered(context)
  const sentinel = isSentinel(value.sequenceNumber) && !isShardEnd(value) && least.sequenceNumber !== value.sequenceNumber
  if (!sentinel && compareSequenceNumbers(value, least) >= 0 && compareSequenceNumbers(value, most) <= 0) return null
  return {
    name: 'IllegalArgumentException',
    message: `sequenceNumber: expected a record from ${text(least)} to ${text(most)}, got ${text(value)}`,
  }
}

/** The value that a request stands for. */
function valueOf(context: ShardConsumerContext, position: ExtendedSequenceNumber | null): ExtendedSequenceNumber {
  const last = lastDelivered(context)
  if (!context.shardEndedStarted) return position ?? last
  return position === null || compareSequenceNumbers(position, last) === 0 ? SHARD_END : position
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
  if (error === null && compareSequenceNumbers(first.checkpoint, known(context, 'checkpoint')) > 0) {
    const started = startWrite(context, first, 0)
    return { context: { ...started.context, waiting }, effects: started.effects }
  }
  const next = serve(context, waiting)
  return { context: next.context, effects: [settle(context, first.request, error), ...next.effects] }
}

function startWrite(context: ShardConsumerContext, { request, checkpoint }: CheckpointRequest, attempt: number): Required<Change> {
  const { shardId, nextId: id } = context
  return awaitWrite({ request, checkpoint, attempt, effect: { type: 'writeCheckpoint', id, shardId, ...leaseOf(context), checkpoint } })
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
      return error === null ? startWrite(context, write, write.attempt) : settleWrite(context, write, error)
    }
    case 'checkpointWritten':
      return settleWrite(context, write, null, write.checkpoint)
    case 'throttled': {
      if (context.reason === 'LEASE_LOST') return settleWrite(context, write, errors.leaseLost)
      const attempt = write.attempt + 1
      if (attempt >= context.options.maxCheckpointAttempts) return settleWrite(context, write, errors.throttled)
      return awaitWrite({ ...write, attempt, effect: { type: 'startTimer', id: context.nextId, delayMs: taskBackoffMs(context, attempt) } })
    }
    case 'checkpointRefused':
      return settleWrite(context, write, errors.leaseLost)
    case 'effectFailed':
      return settleWrite(context, write, {
        name: 'KinesisClientLibDependencyException',
        message: `the checkpoint could not be stored: ${event.error.name}: ${event.error.message}`,
      })
    default:
      return {}
  }
}

/** Settles the request whose write has ended, and serves what waits. */
function settleWrite(
  context: ShardConsumerContext,
  { request }: CheckpointWrite,
  error: ErrorFacts | null,
  checkpoint: ExtendedSequenceNumber | null = context.checkpoint,
): Change {
  // With the lease gone, what waits is refused when the reason is recorded.
  const next = error === errors.leaseLost ? { context: { write: null }, effects: [] } : serve({ ...context, checkpoint }, context.waiting)
  return { context: { checkpoint, ...next.context }, effects: [settle(context, request, error), ...next.effects] }
}

/** The lease is gone: nothing more is written. Requests that wait are refused; a write that is out is still awaited. */
export function refuseWaiting(context: ShardConsumerContext): Required<Change> {
  const { write, waiting } = context
  const isBackingOff = write?.effect.type === 'startTimer'
  const refused = isBackingOff ? [write, ...waiting] : waiting
  return {
    context: { write: isBackingOff ? null : write, waiting: [] },
    effects: [
      ...(isBackingOff ? [{ type: 'cancel' as const, id: write.effect.id }] : []),
      ...refused.map(({ request }) => settle(context, request, errors.leaseLost)),
    ],
  }
}

function text(place: ExtendedSequenceNumber): string {
  return place.subSequenceNumber === 0 ? place.sequenceNumber : `${place.sequenceNumber}/${place.subSequenceNumber}`
}
