import {
  type BatchStore,
  compareSequenceNumbers,
  type HandlerContext,
  type KinesisRecord,
  type RecordSource,
  type ShardId,
  type StreamDirectory,
} from '@shardwise/effects'
import { expectKnownOptions, expectPart } from './options.ts'
import type { MemoryStream } from './stream.ts'
import type { MemoryIterator } from './streamService.ts'

/**
 * Reads a stream in memory: one call of its service per effect. It reads nothing ahead, and keeps its batches in `batches`.
 * An effect that is aborted before its answer rejects with an AbortError and leaves everything as it was.
 * @throws Error for an unknown or a missing option.
 */
export function memoryRecordSource(options: {
  readonly stream: MemoryStream
  readonly batches: BatchStore
}): RecordSource & StreamDirectory {
  expectKnownOptions('memoryRecordSource', options, ['stream', 'batches'])
  expectPart('stream', options.stream, 'service', 'a stream of createMemoryStream')
  expectPart('batches', options.batches, 'put', 'a batch store')
  const { batches } = options
  const { service } = options.stream
  const iterators = new Map<ShardId, MemoryIterator>()

  return {
    async openShard({ shardId, position }, context) {
      await cancellation(context)
      const answer = service.getShardIterator(shardId, position)
      if (answer.type !== 'iteratorGot') return answer
      iterators.set(shardId, answer.iterator)
      return { type: 'shardOpened', openedAtMs: answer.iterator.madeAtMs }
    },

    async readRecords({ shardId, after, maxRecords }, context) {
      await cancellation(context)
      const iterator = iterators.get(shardId)
      if (iterator === undefined) return { type: 'shardNotOpen' }
      const answer = service.getRecords(iterator, maxRecords)
      if (answer.type !== 'recordsGot') return answer
      const records = after === null ? answer.records : answer.records.filter((record) => compareSequenceNumbers(record, after) > 0)
      const { millisBehindLatest, atShardEnd, childShards } = answer
      const batch = batches.put({
        shardId,
        records,
        handle: {
          count: records.length,
          first: placeOf(records[0]),
          last: placeOf(records.at(-1)),
          bytes: records.reduce((sum, { data }) => sum + data.length, 0),
          millisBehindLatest,
          atShardEnd,
          childShards,
        },
      })
      // Only now: when the store is full, the next read must give the same records.
      iterators.set(shardId, answer.next)
      return { type: 'recordsRead', batch }
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
      iterators.delete(shardId)
      batches.dropShard(shardId)
      return { type: 'shardClosed' }
    },

    listShards: ({ from }) => service.listShards(from),

    listChildShards: ({ shardId }) => service.listChildShards(shardId),
  }
}

/** Lets a cancellation come first. A runtime without AbortController cancels nothing, and asking for the signal would throw there. */
async function cancellation(context: HandlerContext): Promise<void> {
  await Promise.resolve()
  if (!('AbortController' in globalThis) || !context.signal.aborted) return
  const error = new Error('the effect was cancelled')
  error.name = 'AbortError'
  throw error
}

function placeOf(record: KinesisRecord | undefined) {
  return record === undefined ? null : { sequenceNumber: record.sequenceNumber, subSequenceNumber: record.subSequenceNumber }
}
