import type { ExtendedSequenceNumber } from '@shardwise/effects'
import { outstanding, type ShardConsumerSnapshot, type ShardEffect, type ShardEvent } from '@shardwise/machine'
import { answersTo } from '../answers.ts'
import { isCallback } from '../invariants/traceFacts.ts'
import type { TraceStep } from '../trace.ts'
import { indexOf, recordAt, type ShardWorld } from './shardWorld.ts'

/**
 * What happens next to a shard consumer, said without ids and sequence numbers: it is made concrete in the state that it meets, so lists of operations
 * shrink, and replay as JSON. What means nothing in that state does nothing.
 */
export type Operation =
  /** The task is answered as when all goes well; a read finds up to `count` Kinesis records. */
  | { readonly does: 'succeed'; readonly count: number }
  /** The task gets another of its answers, its handler's failure among them. */
  | { readonly does: 'fail'; readonly pick: number }
  /** The checkpoint write that is out is stored, or the timer before it fires. */
  | { readonly does: 'succeedWrite' }
  | { readonly does: 'failWrite'; readonly pick: number }
  /** An effect that is not awaited any more is answered. */
  | { readonly does: 'answerLate'; readonly pick: number }
  /** The last answer comes once more. */
  | { readonly does: 'answerTwice' }
  | { readonly does: 'fireTimer' }
  | { readonly does: 'requestShutdown' | 'endShard' | 'loseLease' }
  /** No batch is to be handed over, or one may be again. */
  | { readonly does: 'pause' | 'resume' }
  /** The processor asks for a checkpoint, by number: so many records beyond the last one that it got. */
  | { readonly does: 'checkpoint'; readonly at: number | 'everything' | 'LATEST' | 'SHARD_END' | 'nonsense' }
  /** The processor asks for the same checkpoint many times in a row, and awaits none. */
  | { readonly does: 'burst'; readonly at: number | 'everything'; readonly count: number }
  /**
   * A shutdown comes while a callback is out, which then gets another answer than its success. With `failWrite` it is a checkpoint of everything that is
   * throttled, and tried again when the callback has failed. With `pause` the shard is resumed once what is waited for after the failure has come.
   */
  | { readonly does: 'interrupt'; readonly by: 'requestShutdown' | 'endShard' | 'loseLease' | 'failWrite' | 'pause'; readonly pick: number }
  /** The processor fails on what it is given, so many times, and what is waited for in between comes: a record is at fault. */
  | { readonly does: 'poison'; readonly times: number }
  /** The process dies, and another takes up the snapshot that was stored as JSON. */
  | { readonly does: 'crash' }

/** What happens one event at a time. */
type SingleOperation = Exclude<Operation, { does: 'burst' | 'interrupt' | 'poison' }> | { readonly does: 'refuse' }

/** An operation as those of one event each: none where it means nothing. */
export function singlesOf(operation: Operation, { context }: ShardConsumerSnapshot): readonly SingleOperation[] {
  switch (operation.does) {
    case 'burst':
      return Array.from({ length: operation.count }, () => ({ does: 'checkpoint', at: operation.at }))
    case 'poison':
      return Array.from({ length: operation.times * 2 }, () => ({ does: 'refuse' }))
    case 'interrupt':
      return context.task !== null && isCallback(context.task) ? interruption(operation) : []
    default:
      return [operation]
  }
}

function interruption({ by, pick }: Extract<Operation, { does: 'interrupt' }>): readonly SingleOperation[] {
  const failure = { does: 'fail', pick } as const
  if (by === 'pause') return [{ does: by }, failure, { does: 'refuse' }, { does: 'resume' }]
  if (by !== 'failWrite') return [{ does: by }, failure]
  return [{ does: 'checkpoint', at: 'everything' }, { does: by, pick: 1 }, failure, { does: 'succeedWrite' }]
}

/** The event that an operation means where it happens; null where it means none. */
export function eventOf(
  operation: SingleOperation,
  before: ShardConsumerSnapshot,
  steps: readonly TraceStep[],
  world: ShardWorld,
): ShardEvent | null {
  const { task, write } = before.context
  switch (operation.does) {
    case 'requestShutdown':
      return { type: 'shutdown', reason: 'REQUESTED' }
    case 'endShard':
      return { type: 'shutdown', reason: 'SHARD_END' }
    case 'loseLease':
      return { type: 'shutdown', reason: 'LEASE_LOST' }
    case 'pause':
    case 'resume':
      return { type: operation.does }
    case 'checkpoint':
      return { type: 'checkpointRequested', request: `r${steps.length}`, position: positionOf(operation.at, before) }
    case 'answerTwice':
      return steps.findLast(({ event }) => event !== null && 'id' in event)?.event ?? null
    case 'succeed':
      return task === null ? null : successOf(task, before, world, operation.count)
    case 'succeedWrite':
      if (write?.effect.type === 'writeCheckpoint') world.store(write.checkpoint)
      return write === null ? null : successOf(write.effect, before, world, 0)
    case 'fail':
      return task === null ? null : picked(othersTo(task, before), operation.pick)
    case 'refuse':
      if (task?.type === 'processRecords') return picked(othersTo(task, before), 0)
      return task === null || isCallback(task) ? null : successOf(task, before, world, 2)
    case 'failWrite':
      return write === null ? null : picked(othersTo(write.effect, before), operation.pick)
    case 'answerLate':
      return lateAnswer(before, steps, operation.pick)
    case 'fireTimer': {
      const timer = outstanding(before).find(({ type }) => type === 'startTimer')
      return timer === undefined ? null : successOf(timer, before, world, 0)
    }
    case 'crash':
      // The source of the new process has not opened the shard, and a read is not repeated: its answer may have been on its way.
      return task?.type === 'readRecords' ? { type: 'shardNotOpen', id: task.id } : null
  }
}

function lateAnswer(before: ShardConsumerSnapshot, steps: readonly TraceStep[], pick: number): ShardEvent | null {
  const awaited = new Set(outstanding(before).map((effect) => ('id' in effect ? effect.id : 0)))
  const gone = steps
    .flatMap(({ effects }) => effects)
    .filter((effect) => 'id' in effect && effect.type !== 'cancel' && !awaited.has(effect.id))
  const effect = gone[gone.length === 0 ? 0 : pick % gone.length]
  if (effect === undefined) return null
  const answers = answersTo(effect, before.context).map(({ event }) => event)
  return picked(answers, pick)
}

/** Answers that tell of another world are not given: what was read, stored or opened is the world's to say. */
const worldly: ReadonlySet<string> = new Set(['recordsRead', 'checkpointRead', 'shardOpened', 'childShardsListed', 'batchSplit'])

function othersTo(effect: ShardEffect, { context }: ShardConsumerSnapshot): readonly ShardEvent[] {
  return answersTo(effect, context)
    .slice(1)
    .flatMap(({ event }) => (worldly.has(event.type) ? [] : [event]))
}

function picked(events: readonly ShardEvent[], pick: number): ShardEvent | null {
  return events[events.length === 0 ? 0 : pick % events.length] ?? null
}

/** The answer that an effect gets when all goes well. */
function successOf(effect: ShardEffect, { context }: ShardConsumerSnapshot, world: ShardWorld, count: number): ShardEvent | null {
  if (!('id' in effect)) return null
  const { id } = effect
  switch (effect.type) {
    case 'readCheckpoint':
      return { type: 'checkpointRead', checkpoint: world.stored, pendingCheckpoint: world.pending, id }
    case 'openShard':
      return { ...world.open(effect.position), id }
    case 'readRecords':
      return { ...world.read(effect, count), id }
    case 'splitBatch':
      return { ...world.split(effect), id }
    case 'listChildShards':
      return { type: 'childShardsListed', childShards: world.childShards, id }
    default:
      return answersTo(effect, context)[0]?.event ?? null
  }
}

function positionOf(
  at: Extract<SingleOperation, { does: 'checkpoint' }>['at'],
  { context }: ShardConsumerSnapshot,
): ExtendedSequenceNumber | null {
  if (at === 'everything') return null
  if (typeof at === 'string') return { sequenceNumber: at, subSequenceNumber: 0 }
  const last = [context.batch?.last, context.completed, context.checkpoint].find(
    (place) => place !== null && place !== undefined && /^[0-9]+$/.test(place.sequenceNumber),
  )
  return recordAt(Math.max(0, (last === undefined || last === null ? 3 : indexOf(last)) + at))
}
