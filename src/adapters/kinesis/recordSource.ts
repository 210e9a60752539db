import { GetRecordsCommand, GetShardIteratorCommand } from '@aws-sdk/client-kinesis'
import type { HandlerContext, InitialPosition, RecordSource, Shard, ShardId, StreamDirectory } from '@shardwise/effects'
import { answerOf, type Call, startCall } from './call.ts'
import { failureOf } from './failure.ts'
import { invalidAnswer, namedError } from './invalidAnswer.ts'
import { Deaggregation } from './kpl/deaggregation.ts'
import { ShardHashKeys } from './kpl/shardHashKeys.ts'
import { childrenOf, startingShards } from './lineage.ts'
import { OpenShard, type StartGetRecords } from './openShard.ts'
import { checkOptions, type KinesisRecordSourceOptions } from './options.ts'
import { startingPoint } from './shardIterator.ts'
import { listEveryShard } from './shardListing.ts'
import { streamOfRequest } from './streamAddress.ts'

/**
 * Reads the shards of one stream by polling, one call per effect, and lists them. Rejections carry the name of Kinesis' error, or `TimeoutError`, `AbortError`
 * (the effect was cancelled) or `InvalidAnswer`; whichever it is, the same read starts again from the same place.
 * After the end of a shard was handed over the shard is not open any more.
 * Aggregates of the Kinesis Producer Library are taken apart. A read that meets one lists the shards when the hash keys of its shard are not known.
 * @throws Error that names the option which is unknown or cannot be used.
 */
export function kinesisRecordSource(options: KinesisRecordSourceOptions): RecordSource & StreamDirectory {
  checkOptions(options)
  const { client, batches, onThrottle, now = Date.now, callTimeoutMs = 30_000, deaggregate = true } = options
  const stream = streamOfRequest(options.stream)
  const address = 'StreamARN' in stream ? stream : {}
  const open = new Map<ShardId, OpenShard>()
  const opening = new Map<ShardId, Call<unknown>>()
  const throttles = new Map<ShardId, number>()
  const list = (from: InitialPosition | 'ALL', context: HandlerContext): Promise<readonly Shard[]> =>
    listEveryShard(client, stream, from, callTimeoutMs, context)
  const hashKeys = new ShardHashKeys((context) => list('ALL', context))
  const deaggregation = deaggregate ? new Deaggregation({ ...options, hashKeys }) : null

  const startGetRecords: StartGetRecords = (shardId, iterator, limit) =>
    startCall(`GetRecords of shard ${shardId}`, callTimeoutMs, (abortSignal) =>
      client.send(new GetRecordsCommand({ ...address, ShardIterator: iterator, Limit: limit }), { abortSignal }),
    )
  const forget = (shardId: ShardId): void => {
    opening.get(shardId)?.abort()
    opening.delete(shardId)
    open.get(shardId)?.close()
    open.delete(shardId)
  }
  const throttled = (shardId: ShardId, error: unknown): { readonly type: 'throttled' } => {
    const consecutive = (throttles.get(shardId) ?? 0) + 1
    throttles.set(shardId, consecutive)
    onThrottle?.({ shardId, consecutive, errorName: (error as Error).name })
    return { type: 'throttled' }
  }

  return {
    async openShard({ shardId, position }, context) {
      forget(shardId)
      const openedAtMs = now()
      const name = `GetShardIterator of shard ${shardId}`
      const call = startCall(name, callTimeoutMs, (abortSignal) =>
        client.send(new GetShardIteratorCommand({ ...stream, ShardId: shardId, ...startingPoint(position) }), { abortSignal }),
      )
      opening.set(shardId, call)
      try {
        const { ShardIterator: iterator } = await answerOf(call, context)
        if (opening.get(shardId) !== call) throw namedError('AbortError', `${name}: the shard was closed`)
        if (typeof iterator !== 'string') throw invalidAnswer(name, 'the answer has no iterator')
        open.set(shardId, new OpenShard(shardId, iterator, batches, startGetRecords, deaggregation))
        return { type: 'shardOpened', openedAtMs }
      } catch (error) {
        const failure = failureOf(error)
        if (failure === 'throttled') return throttled(shardId, error)
        if (failure === 'notFound') return { type: 'shardNotFound' }
        throw error
      } finally {
        if (opening.get(shardId) === call) opening.delete(shardId)
      }
    },

    async readRecords(effect, context) {
      const { shardId } = effect
      const shard = open.get(shardId)
      if (shard === undefined) return { type: 'shardNotOpen' }
      try {
        const answer = await shard.read(effect, context)
        if (answer.type === 'recordsRead') throttles.delete(shardId)
        return answer
      } catch (error) {
        const failure = failureOf(error)
        if (failure === 'throttled') return throttled(shardId, error)
        if (failure === 'notFound') return { type: 'shardNotFound' }
        // An iterator that Kinesis does not take any more, for whatever reason, is never taken again: the KCL too gets a new one.
        if (failure !== 'expiredIterator' && failure !== 'invalidArgument') throw error
        shard.close()
        return { type: 'iteratorExpired' }
      }
    },

    splitBatch(part) {
      const batch = batches.split(part)
      return batch === undefined ? { type: 'batchGone' } : { type: 'batchSplit', batch }
    },

    dropBatch({ shardId, batchId }) {
      // Ids count from 1 in every process: a restored consumer may name a batch of another shard.
      if (batches.take(batchId)?.shardId === shardId) batches.drop(batchId)
    },

    closeShard({ shardId }) {
      forget(shardId)
      throttles.delete(shardId)
      hashKeys.forget(shardId)
      batches.dropShard(shardId)
      return { type: 'shardClosed' }
    },

    async listShards({ from }, context) {
      try {
        const shards = await list(from, context)
        hashKeys.remember(shards)
        return { type: 'shardsListed', shards: startingShards(shards, from) }
      } catch (error) {
        const failure = failureOf(error)
        if (failure === 'throttled') return { type: 'throttled' }
        if (failure === 'notFound') return { type: 'streamNotFound' }
        if (failure === 'inUse') return { type: 'streamNotActive' }
        throw error
      }
    },

    async listChildShards({ shardId }, context) {
      try {
        const shards = await list('ALL', context)
        hashKeys.remember(shards)
        const shard = shards.find((listed) => listed.shardId === shardId)
        // Its own time is over, but its children may be listed still, and need their leases.
        if (shard === undefined) return { type: 'childShardsListed', childShards: childrenOf(shardId, shards) }
        if (!shard.closed) return { type: 'shardStillOpen' }
        const childShards = childrenOf(shardId, shards)
        // A closed shard has children; a listing that does not show them yet must not let the shard end without them.
        if (childShards.length === 0) throw invalidAnswer('ListShards', `shard ${shardId} is closed, and no child of it is listed`)
        return { type: 'childShardsListed', childShards }
      } catch (error) {
        const failure = failureOf(error)
        if (failure === 'throttled') return { type: 'throttled' }
        if (failure === 'notFound') return { type: 'streamNotFound' }
        throw error
      }
    },
  }
}
