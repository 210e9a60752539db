import { compareSequenceNumbers, type ExtendedSequenceNumber, isSentinel } from '@shardwise/effects'
import type { ShardConsumerContext, ShardConsumerSnapshot, ShardEffect, ShardEvent } from '@shardwise/machine'

type Task = NonNullable<ShardConsumerContext['task']>
type Step = readonly [ShardConsumerSnapshot, readonly ShardEffect[]]

const reading = { PROCESSING: 'reading' }
const processing = { PROCESSING: 'processing' }

/** Copies the memory of a consumer. */
type Copy = (context: ShardConsumerContext) => Writable<ShardConsumerContext>

/**
 * What the machine does while batches are read and processed, written as one would without a machine: for the bench alone, which takes the very steps that
 * `test/bench/handWrittenSwitch.test.ts` holds to it. @throws Error for everything else.
 */
export function handWrittenStep({ value, context }: ShardConsumerSnapshot, event: ShardEvent, copyOf: Copy = spread): Step {
  const { task, shardId, options, nextId } = context
  if (task === null || !('id' in event) || event.id !== task.id) throw new Error('event: expected the answer to what is awaited')
  switch (typeof value === 'string' ? value : value['PROCESSING']) {
    case 'reading':
      switch (event.type) {
        case 'recordsRead': {
          const { batch } = event
          if (batch.count === 0 || batch.atShardEnd) break
          const next = copyOf(context)
          const after = deliveredThrough(context)
          next.batch = batch
          next.batchFailures = 0
          next.failingSinceMs = null
          next.lastError = null
          next.idleMs = (batch.millisBehindLatest ?? 0) === 0 && batch.count < options.maxRecords ? options.idleTimeInMilliseconds : 0
          return start(processing, next, { type: 'processRecords', id: nextId, shardId, batch, after, attempt: 0 })
        }
        default:
          break
      }
      break
    case 'processing':
      switch (event.type) {
        case 'recordsProcessed': {
          const { batch, reason } = context
          if (batch === null || batch.atShardEnd || reason !== null || context.idleMs > 0) break
          const next = copyOf(context)
          next.batch = null
          next.attempt = 0
          next.resume = null
          next.completed = laterOf(context.completed, batch.last)
          next.atShardEnd = false
          const [snapshot, effects] = start(reading, next, {
            type: 'readRecords',
            id: nextId,
            shardId,
            after: deliveredThrough(next),
            maxRecords: options.maxRecords,
            prefetch: { maxRecords: options.prefetchMaxRecords, maxBytes: options.prefetchMaxBytes },
          })
          return [snapshot, [{ type: 'dropBatch', shardId, batchId: batch.batchId }, ...effects]]
        }
        default:
          break
      }
      break
    default:
      break
  }
  throw new Error(`step: not written by hand for ${event.type} in ${JSON.stringify(value)}`)
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

function start(value: ShardConsumerSnapshot['value'], context: Writable<ShardConsumerContext>, task: Task): Step {
  context.task = task
  context.nextId = task.id + 1
  return [{ value, context, status: 'active' }, [task]]
}

function laterOf(a: ExtendedSequenceNumber | null, b: ExtendedSequenceNumber | null): ExtendedSequenceNumber | null {
  if (a === null || b === null) return a ?? b
  return compareSequenceNumbers(a, b) >= 0 ? a : b
}

function deliveredThrough({ checkpoint, completed }: ShardConsumerContext): ExtendedSequenceNumber | null {
  return laterOf(checkpoint !== null && !isSentinel(checkpoint.sequenceNumber) ? checkpoint : null, completed)
}

/** As one would write it. */
function spread(context: ShardConsumerContext): Writable<ShardConsumerContext> {
  return { ...context }
}

/** As one would write it after a look at a profile. */
export function fieldByField(context: ShardConsumerContext): Writable<ShardConsumerContext> {
  return {
    shardId: context.shardId,
    leaseKey: context.leaseKey,
    token: context.token,
    parentShardIds: context.parentShardIds,
    seed: context.seed,
    options: context.options,
    nextId: context.nextId,
    reason: context.reason,
    shutdownAsked: context.shutdownAsked,
    stopRequested: context.stopRequested,
    paused: context.paused,
    task: context.task,
    attempt: context.attempt,
    resume: context.resume,
    initialized: context.initialized,
    checkpoint: context.checkpoint,
    pendingCheckpoint: context.pendingCheckpoint,
    completed: context.completed,
    openedAtMs: context.openedAtMs,
    batch: context.batch,
    whole: context.whole,
    suspects: context.suspects,
    batchFailures: context.batchFailures,
    failingSinceMs: context.failingSinceMs,
    lastError: context.lastError,
    gaveUp: context.gaveUp,
    idleMs: context.idleMs,
    atShardEnd: context.atShardEnd,
    childShards: context.childShards,
    shardEndedStarted: context.shardEndedStarted,
    processorDone: context.processorDone,
    notificationSignalled: context.notificationSignalled,
    replay: context.replay,
    write: context.write,
    waiting: context.waiting,
    outcome: context.outcome,
  }
}
