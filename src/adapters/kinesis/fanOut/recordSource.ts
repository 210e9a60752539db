import { SubscribeToShardCommand, type SubscribeToShardCommandOutput } from '@aws-sdk/client-kinesis'
import type { HandlerContext, Position, RecordSource, ShardId, StreamDirectory } from '@shardwise/effects'
import { answerOf, startCall } from '../call.ts'
import { failureOf } from '../failure.ts'
import { invalidAnswer, namedError } from '../invalidAnswer.ts'
import { Deaggregation } from '../kpl/deaggregation.ts'
import { ShardHashKeys } from '../kpl/shardHashKeys.ts'
import { kinesisRecordSource } from '../recordSource.ts'
import { startingPoint } from '../shardIterator.ts'
import { listEveryShard } from '../shardListing.ts'
import { streamOfRequest } from '../streamAddress.ts'
import { Attempt } from './attempt.ts'
import { checkFanOutOptions, type FanOutRecordSourceOptions } from './options.ts'
import { consumerNotActive, StreamConsumer } from './streamConsumer.ts'
import { SubscribedShard } from './subscribedShard.ts'
import { Subscription } from './subscription.ts'

/**
 * Reads the shards of one stream by enhanced fan-out, as a registered consumer with a throughput of its own, and lists them. `openShard` subscribes once, and finds or registers the consumer
 * before where only its name is known; `readRecords` hands over one event, or a part of it, and waits for it.
 *
 * - `iteratorExpired`: the subscription has come to the end of its five minutes. The next `openShard` goes on after its last continuation sequence number.
 * - `throttled`: Kinesis says so, the consumer is not active yet, or another subscription took this one's place or still holds it.
 * - Rejections carry the name of Kinesis' error, or `SubscriptionBroken` (it ended before its time), `TimeoutError` (no event for `callTimeoutMs`), `AbortError` or `InvalidAnswer`. A subscription that
 *   failed is over: the next read answers `shardNotOpen`.
 * - `shardNotFound` only where a listing does not show the shard either. Where it does, it is the consumer that is gone, and Kinesis' error rejects.
 *
 * Reads wait for records, so let the consumer idle for 0 ms between them.
 * @throws Error that names the option which is unknown or cannot be used.
 */
export function fanOutRecordSource(options: FanOutRecordSourceOptions): RecordSource & StreamDirectory {
  checkFanOutOptions(options)
  const { consumerArn, consumerName, ...reading } = options
  const { client, batches, onThrottle, now = Date.now, callTimeoutMs = 30_000, deaggregate = true } = reading
  const stream = streamOfRequest(options.stream)
  // What has nothing to do with reading is the same as for polling.
  const polling = kinesisRecordSource(reading)
  const consumer = new StreamConsumer(client, stream, { consumerArn, consumerName }, callTimeoutMs)
  const hashKeys = new ShardHashKeys((context) => listEveryShard(client, stream, 'ALL', callTimeoutMs, context))
  const deaggregation = deaggregate ? new Deaggregation({ ...reading, hashKeys }) : null
  /** A shard whose subscription is over stays, for its continuation sequence number. */
  const shards = new Map<ShardId, SubscribedShard>()
  const opening = new Map<ShardId, Attempt>()
  const throttles = new Map<ShardId, number>()

  const subscribe = async (shardId: ShardId, position: Position, attempt: Attempt): Promise<Subscription> => {
    const { ShardIteratorType: Type, StartingSequenceNumber: SequenceNumber, Timestamp } = startingPoint(position)
    const input = { ConsumerARN: await consumer.arn(attempt), ShardId: shardId, StartingPosition: { Type, SequenceNumber, Timestamp } }
    const name = `SubscribeToShard of shard ${shardId}`
    // It outlives the call: an abort is the only thing that closes the connection.
    const connection = new AbortController()
    const call = startCall<SubscribeToShardCommandOutput>(name, callTimeoutMs, (signal) => {
      signal.onabort = () => connection.abort()
      return client.send(new SubscribeToShardCommand(input), { abortSignal: connection.signal })
    })
    const { EventStream: events } = await answerOf(call, attempt)
    if (events === undefined) throw invalidAnswer(name, 'the answer has no events')
    return new Subscription(name, events, () => connection.abort(), callTimeoutMs)
  }
  const endOpening = (shardId: ShardId): void => {
    opening.get(shardId)?.abort()
    opening.delete(shardId)
    shards.get(shardId)?.close()
  }
  const throttled = (shardId: ShardId, error: unknown): { readonly type: 'throttled' } => {
    const consecutive = (throttles.get(shardId) ?? 0) + 1
    throttles.set(shardId, consecutive)
    onThrottle?.({ shardId, consecutive, errorName: (error as Error).name })
    return { type: 'throttled' }
  }
  /** Kinesis says the same of a shard, a stream and a consumer that is not there, but only the first two end the shard. */
  const notFound = async (shardId: ShardId, error: unknown, context: HandlerContext) => {
    const answer = await polling.listShards({ type: 'listShards', id: 0, from: 'ALL' }, context)
    if (answer.type === 'throttled') return throttled(shardId, error)
    if (answer.type === 'streamNotFound') return { type: 'shardNotFound' } as const
    if (answer.type === 'shardsListed' && !answer.shards.some((shard) => shard.shardId === shardId))
      return { type: 'shardNotFound' } as const
    consumer.forget()
    throw error
  }
  /** The answer that an error stands for. Rejects with it when there is none. */
  const outcomeOf = (shardId: ShardId, error: unknown, context: HandlerContext) => {
    const failure = failureOf(error)
    if (failure === 'throttled' || failure === 'inUse' || (error as Error).name === consumerNotActive) return throttled(shardId, error)
    if (failure === 'notFound') return notFound(shardId, error, context)
    throw error
  }

  return {
    ...polling,

    async openShard({ shardId, position }, context) {
      endOpening(shardId)
      const openedAtMs = now()
      const attempt = new Attempt()
      opening.set(shardId, attempt)
      context.onAbort(() => attempt.abort())
      const before = shards.get(shardId)
      const continuation = before?.continuationOf(position) ?? null
      try {
        const from: Position = continuation === null ? position : { type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber: continuation }
        const subscription = await subscribe(shardId, from, attempt)
        if (attempt.aborted) throw namedError('AbortError', `openShard: shard ${shardId} was closed, or the effect was cancelled`)
        // Whoever opens at LATEST again means this moment.
        const asked: Position = position.type === 'LATEST' ? { type: 'AT_TIMESTAMP', timestampMs: openedAtMs } : position
        const bookmark = { position: asked, continuation, isPlain: false }
        shards.set(
          shardId,
          new SubscribedShard(shardId, subscription, { batches, deaggregation, bookmark, ageMs: () => now() - openedAtMs }),
        )
        return { type: 'shardOpened', openedAtMs }
      } catch (error) {
        if (failureOf(error) === 'invalidArgument') before?.forgetContinuation()
        return await outcomeOf(shardId, error, attempt)
      } finally {
        attempt.settle()
        if (opening.get(shardId) === attempt) opening.delete(shardId)
      }
    },

    async readRecords(effect, context) {
      const { shardId } = effect
      const shard = shards.get(shardId)
      if (shard === undefined) return { type: 'shardNotOpen' }
      try {
        const answer = await shard.read(effect, context)
        if (answer.type === 'recordsRead') throttles.delete(shardId)
        return answer
      } catch (error) {
        return outcomeOf(shardId, error, context)
      }
    },

    async listShards(effect, context) {
      const answer = await polling.listShards(effect, context)
      if (answer.type === 'shardsListed') hashKeys.remember(answer.shards)
      return answer
    },

    closeShard(effect, context) {
      const { shardId } = effect
      endOpening(shardId)
      shards.delete(shardId)
      throttles.delete(shardId)
      hashKeys.forget(shardId)
      return polling.closeShard(effect, context)
    },
  }
}
