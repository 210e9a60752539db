import type { AnswerBody, AnsweredEffectType, BatchHandle, ExtendedSequenceNumber, ShutdownReason } from '@shardwise/effects'
import type { ShardConsumerInput } from '@shardwise/machine'

/** The answer to the outstanding effect of a type; `play` gives it the effect's id. */
interface AnswerMove {
  readonly move: 'answer'
  readonly effect: AnsweredEffectType
  readonly answer: { readonly type: string }
}

/** The last answer that was given to an effect of a type, once more. */
interface RepeatMove {
  readonly move: 'repeat'
  readonly effect: AnsweredEffectType
}

/** An answer to an effect that is not awaited any more. */
interface LateMove extends Omit<AnswerMove, 'move'> {
  readonly move: 'late'
}

/** The timer before the next attempt of a checkpoint write fires. */
interface WriteTimerMove {
  readonly move: 'writeTimer'
}

interface ShutdownMove {
  readonly move: 'shutdown'
  readonly reason: ShutdownReason
}

interface PauseMove {
  readonly move: 'pause' | 'resume'
}

interface CheckpointMove {
  readonly move: 'checkpoint'
  readonly request: string
  readonly position: ExtendedSequenceNumber | null
}

/** One event of a story. */
export type Move = AnswerMove | RepeatMove | LateMove | WriteTimerMove | ShutdownMove | PauseMove | CheckpointMove

/** What happens to one shard consumer, told as a list of events. */
export interface Story {
  /** The name of its transcript. */
  readonly name: string
  readonly input: ShardConsumerInput
  readonly moves: readonly Move[]
}

type TypeOf<K extends AnsweredEffectType> = AnswerBody<K>['type'] | 'effectFailed'
type BodyOf<K extends AnsweredEffectType, A> = A extends 'effectFailed'
  ? { readonly error: { readonly name: string; readonly message: string } }
  : Omit<Extract<AnswerBody<K>, { readonly type: A }>, 'type'>
type Facts<B> = keyof B extends never ? [] : [facts: B]

/** Answers the outstanding effect of this type; the story fails when there is none. */
export const answer = <K extends AnsweredEffectType, A extends TypeOf<K>>(effect: K, type: A, ...facts: Facts<BodyOf<K, A>>): Move => ({
  move: 'answer',
  effect,
  answer: { type, ...facts[0] },
})

/** Answers the last effect of this type that is not awaited any more. */
export const answerLate = <K extends AnsweredEffectType, A extends TypeOf<K>>(effect: K, type: A, ...facts: Facts<BodyOf<K, A>>): Move => ({
  move: 'late',
  effect,
  answer: { type, ...facts[0] },
})

/** Gives the last answer to an effect of this type a second time. */
export const repeatAnswer = (effect: AnsweredEffectType): Move => ({ move: 'repeat', effect })

/** Fires the timer before the next attempt of a checkpoint write. */
export const fireWriteTimer: Move = { move: 'writeTimer' }

export const shutdown = (reason: ShutdownReason): Move => ({ move: 'shutdown', reason })

export const pause: Move = { move: 'pause' }
export const resume: Move = { move: 'resume' }

/** The record processor checkpoints: at a record, or without a position at everything it was given. */
export const checkpoint = (request: string, position: ExtendedSequenceNumber | null = null): Move => ({
  move: 'checkpoint',
  request,
  position,
})

/** The sequence number of the n-th record of the shard; n has up to three digits. */
export const record = (n: number, subSequenceNumber = 0): ExtendedSequenceNumber => ({
  sequenceNumber: `49590338271490256608559692538361571095921575989136${String(588_000 + n)}`,
  subSequenceNumber,
})

/** A batch of the records from one number to another; empty without numbers. */
export const aBatch = (
  facts: { readonly records?: readonly [first: number, last: number] } & Partial<BatchHandle>,
): { batch: BatchHandle } => {
  const { records, ...handle } = facts
  const [first, last] = records ?? [0, -1]
  return {
    batch: {
      batchId: 'b1',
      count: last - first + 1,
      first: records === undefined ? null : record(first),
      last: records === undefined ? null : record(last),
      bytes: 100 * (last - first + 1),
      millisBehindLatest: 0,
      atShardEnd: false,
      childShards: [],
      ...handle,
    },
  }
}

const lowerHalf = { startingHashKey: '0', endingHashKey: '170141183460469231731687303715884105727' }
const upperHalf = {
  startingHashKey: '170141183460469231731687303715884105728',
  endingHashKey: '340282366920938463463374607431768211455',
}

/** The two children of a split of shardId-000000000000. */
export const splitChildren = [
  { shardId: 'shardId-000000000001', parentShardIds: ['shardId-000000000000'], hashKeyRange: lowerHalf },
  { shardId: 'shardId-000000000002', parentShardIds: ['shardId-000000000000'], hashKeyRange: upperHalf },
] as const

/** The child of a merge of shardId-000000000000 and shardId-000000000001. */
export const mergedChild = [
  {
    shardId: 'shardId-000000000002',
    parentShardIds: ['shardId-000000000000', 'shardId-000000000001'],
    hashKeyRange: { startingHashKey: lowerHalf.startingHashKey, endingHashKey: upperHalf.endingHashKey },
  },
] as const

export const aShard: ShardConsumerInput = { shardId: 'shardId-000000000000', token: 7 }

/** An error as data. */
export const error = (name: string, message = 'said the other side'): { error: { name: string; message: string } } => ({
  error: { name, message },
})

/** The answers that take a new consumer to its first read. */
export const untilReading = (
  stored: ExtendedSequenceNumber = { sequenceNumber: 'TRIM_HORIZON', subSequenceNumber: 0 },
): readonly Move[] => [
  answer('checkParentShards', 'parentShardsCompleted'),
  answer('readCheckpoint', 'checkpointRead', { checkpoint: stored, pendingCheckpoint: null }),
  answer('openShard', 'shardOpened', { openedAtMs: 1_700_000_000_000 }),
  answer('initialize', 'initialized'),
]

/** The answers from the first read to the end of a shard that named its children. */
export const untilShardEnded: readonly Move[] = [
  ...untilReading(),
  answer('readRecords', 'recordsRead', aBatch({ records: [1, 3], atShardEnd: true, childShards: splitChildren })),
  answer('processRecords', 'recordsProcessed'),
  answer('createChildLeases', 'childLeasesCreated'),
]

/** The answer that ends a consumer which closes its shard. */
export const closed: Move = answer('closeShard', 'shardClosed')
