import {
  type AnswerBody,
  type AnsweredEffectType,
  type BatchHandle,
  type ChildShard,
  type ExtendedSequenceNumber,
  SHARD_END,
  TRIM_HORIZON,
} from '@shardwise/effects'
import type { ShardConsumerContext, ShardEffect, ShardEvent } from '@shardwise/machine'

/** An event with a name that is the same wherever the same thing happens. */
export interface NamedEvent {
  readonly name: string
  readonly event: ShardEvent
}

type AwaitedEffect = Extract<ShardEffect, { readonly type: AnsweredEffectType }>
type Bodies = { readonly [K in AwaitedEffect['type']]: (context: ShardConsumerContext) => Readonly<Record<string, AnswerBody<K>>> }

const wholeRange = { startingHashKey: '0', endingHashKey: '340282366920938463463374607431768211455' }

/** A child of the shard that is consumed. */
const aChild: ChildShard = { shardId: 'shardId-000000000001', parentShardIds: ['shardId-000000000000'], hashKeyRange: wholeRange }

const failure = { error: { name: 'Error', message: 'the other side said so' } }

/** The place that lies `distance` sequence numbers after the last one that was delivered or checkpointed. */
export function placeAfter({ checkpoint, completed }: ShardConsumerContext, distance: number): ExtendedSequenceNumber {
  const known = [checkpoint, completed].flatMap((place) =>
    place !== null && /^[0-9]+$/.test(place.sequenceNumber) ? [BigInt(place.sequenceNumber)] : [],
  )
  const last = known.reduce((a, b) => (a > b ? a : b), 1_000n)
  return { sequenceNumber: String(last + BigInt(distance)), subSequenceNumber: 0 }
}

function aBatchAfter(
  context: ShardConsumerContext,
  count: number,
  facts: Partial<BatchHandle>,
): { type: 'recordsRead'; batch: BatchHandle } {
  const first = count === 0 ? null : placeAfter(context, 1)
  const last = count === 0 ? null : placeAfter(context, count)
  const batch = {
    batchId: `b${context.nextId}`,
    count,
    first,
    last,
    bytes: count,
    millisBehindLatest: 0,
    atShardEnd: false,
    childShards: [],
  }
  return { type: 'recordsRead', batch: { ...batch, ...facts } }
}

/** As many records of the batch that is being split as were asked for, and are left. */
function aPartOf(context: ShardConsumerContext): { type: 'batchSplit'; batch: BatchHandle } {
  const { task, whole } = context
  const asked = task?.type === 'splitBatch' ? task.count : 1
  const left = BigInt(whole?.last?.sequenceNumber ?? 0) - BigInt(placeAfter(context, 0).sequenceNumber)
  return { type: 'batchSplit', batch: aBatchAfter(context, Math.max(0, Math.min(asked, Number(left))), {}).batch }
}

const ended = { atShardEnd: true, childShards: [aChild] }

/** The answers of each effect, made for the context in which it is answered. */
const bodies: Bodies = {
  checkParentShards: () => ({
    completed: { type: 'parentShardsCompleted' },
    pending: { type: 'parentShardsPending', pendingShardId: 'shardId-000000000009' },
  }),
  readCheckpoint: (context) => ({
    'at a place': { type: 'checkpointRead', checkpoint: context.checkpoint ?? TRIM_HORIZON, pendingCheckpoint: null },
    'at SHARD_END': { type: 'checkpointRead', checkpoint: SHARD_END, pendingCheckpoint: null },
    'no row': { type: 'leaseNotFound' },
    throttled: { type: 'throttled' },
  }),
  writeCheckpoint: () => ({
    written: { type: 'checkpointWritten' },
    refused: { type: 'checkpointRefused' },
    throttled: { type: 'throttled' },
  }),
  createChildLeases: () => ({
    created: { type: 'childLeasesCreated' },
    'sibling missing': { type: 'siblingLeaseMissing' },
    'no row': { type: 'leaseNotFound' },
    throttled: { type: 'throttled' },
  }),
  openShard: (context) => ({
    opened: { type: 'shardOpened', openedAtMs: 1_000 * context.nextId },
    'not found': { type: 'shardNotFound' },
    throttled: { type: 'throttled' },
  }),
  readRecords: (context) => ({
    'some records': aBatchAfter(context, 2, { millisBehindLatest: 5_000 }),
    'the newest records': aBatchAfter(context, 2, {}),
    nothing: aBatchAfter(context, 0, {}),
    'the last records and children': aBatchAfter(context, 2, ended),
    'the last records': aBatchAfter(context, 2, { atShardEnd: true }),
    'the end and children': aBatchAfter(context, 0, ended),
    'the end': aBatchAfter(context, 0, { atShardEnd: true }),
    expired: { type: 'iteratorExpired' },
    'not open': { type: 'shardNotOpen' },
    'not found': { type: 'shardNotFound' },
    throttled: { type: 'throttled' },
  }),
  splitBatch: (context) => ({
    'a part': aPartOf(context),
    'nothing left': { type: 'batchSplit', batch: aBatchAfter(context, 0, {}).batch },
    'batch gone': { type: 'batchGone' },
  }),
  closeShard: () => ({ closed: { type: 'shardClosed' } }),
  listChildShards: () => ({
    children: { type: 'childShardsListed', childShards: [aChild] },
    none: { type: 'childShardsListed', childShards: [] },
    'still open': { type: 'shardStillOpen' },
    'no stream': { type: 'streamNotFound' },
    throttled: { type: 'throttled' },
  }),
  initialize: () => ({ done: { type: 'initialized' }, failed: { type: 'initializeFailed', ...failure } }),
  processRecords: () => ({
    done: { type: 'recordsProcessed' },
    failed: { type: 'recordsFailed', ...failure },
    'batch gone': { type: 'batchGone' },
    'processor gone': { type: 'processorGone' },
  }),
  deliverDeadLetter: () => ({
    delivered: { type: 'deadLetterDelivered' },
    failed: { type: 'deadLetterFailed', ...failure },
    'batch gone': { type: 'batchGone' },
    'processor gone': { type: 'processorGone' },
  }),
  notifyShutdownRequested: () => ({
    done: { type: 'shutdownRequestedNotified' },
    failed: { type: 'shutdownRequestedFailed', ...failure },
    'processor gone': { type: 'processorGone' },
  }),
  notifyLeaseLost: () => ({
    done: { type: 'leaseLostNotified' },
    failed: { type: 'leaseLostFailed', ...failure },
    'processor gone': { type: 'processorGone' },
  }),
  notifyShardEnded: () => ({
    done: { type: 'shardEndedNotified' },
    failed: { type: 'shardEndedFailed', ...failure },
    'processor gone': { type: 'processorGone' },
  }),
  startTimer: ({ failingSinceMs, reason, resume, options: { maxDeliveryAgeMillis } }) => ({
    fired: { type: 'timerFired', nowMs: failingSinceMs ?? 1_000_000 },
    ...(failingSinceMs === null || maxDeliveryAgeMillis === null || reason !== null || resume !== 'processRecords'
      ? {}
      : { 'fired late': { type: 'timerFired', nowMs: failingSinceMs + maxDeliveryAgeMillis } }),
  }),
}

/** Every answer that an outstanding effect may get, the first being its success, and the failure of its handler. */
export function answersTo(effect: ShardEffect, context: ShardConsumerContext): readonly NamedEvent[] {
  if (!('id' in effect) || effect.type === 'cancel') return []
  const isWriteTimer = effect.type === 'startTimer' && context.write?.effect.id === effect.id
  const what = isWriteTimer ? 'the timer of the write' : effect.type
  return Object.entries({ ...bodies[effect.type](context), failed_: { type: 'effectFailed' as const, ...failure } }).map(
    ([name, body]) => ({
      name: `${what}: ${body.type === 'effectFailed' ? 'effectFailed' : name}`,
      event: { ...body, id: effect.id } as ShardEvent,
    }),
  )
}
