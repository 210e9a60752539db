import { type BatchStore, createBatchStore, type RecordSource, type StreamDirectory } from '@shardwise/effects'
import { createMemoryStream, type MemoryStream, memoryRecordSource } from '@shardwise/memory'
import type { MakeRecordSource } from '@shardwise/testing'
import { neverAborted } from '../adapters/handlerContext.ts'

type Source = RecordSource & StreamDirectory
type Break = (whole: Source, stream: MemoryStream, batches: BatchStore) => Partial<Source>
const context = neverAborted

/** A source in memory with some handlers replaced. */
export function brokenSource(breakIt: Break): MakeRecordSource {
  return async ({ shardCount = 1 } = {}) => {
    const stream = createMemoryStream({ shardCount })
    const batches = createBatchStore()
    const whole = memoryRecordSource({ stream, batches })
    return {
      source: { ...whole, ...breakIt(whole, stream, batches) },
      batches,
      stream: {
        put: async (record) => stream.put(record),
        split: async (shardId) => void stream.split(shardId),
        merge: async (shardId, adjacentShardId) => void stream.merge(shardId, adjacentShardId),
        shards: async () => stream.listShards(),
      },
      close: async () => {},
    }
  }
}

/** Sources that break one promise each, and a case that must notice. */
export const brokenSources: readonly { readonly fault: string; readonly noticedBy: string; readonly breakIt: Break }[] = [
  {
    fault: 'opens AFTER a sequence number when asked for AT',
    noticedBy: 'reads AT_SEQUENCE_NUMBER from that record on',
    breakIt: (whole) => ({
      openShard: ({ position, ...effect }, within) =>
        whole.openShard(
          { ...effect, position: position.type === 'AT_SEQUENCE_NUMBER' ? { ...position, type: 'AFTER_SEQUENCE_NUMBER' } : position },
          within,
        ),
    }),
  },
  {
    fault: 'opens AT a sequence number when asked for AFTER',
    noticedBy: 'reads AFTER_SEQUENCE_NUMBER from the record after that one on',
    breakIt: (whole) => ({
      openShard: ({ position, ...effect }, within) =>
        whole.openShard(
          { ...effect, position: position.type === 'AFTER_SEQUENCE_NUMBER' ? { ...position, type: 'AT_SEQUENCE_NUMBER' } : position },
          within,
        ),
    }),
  },
  {
    fault: 'opens at TRIM_HORIZON when asked for LATEST',
    noticedBy: 'reads from LATEST only what is put later',
    breakIt: (whole) => ({
      openShard: ({ position, ...effect }, within) =>
        whole.openShard({ ...effect, position: position.type === 'LATEST' ? { type: 'TRIM_HORIZON' } : position }, within),
    }),
  },
  {
    fault: 'takes AT_TIMESTAMP for LATEST',
    noticedBy: 'reads AT_TIMESTAMP of the first record everything',
    breakIt: (whole) => ({
      openShard: ({ position, ...effect }, within) =>
        whole.openShard({ ...effect, position: position.type === 'AT_TIMESTAMP' ? { type: 'LATEST' } : position }, within),
    }),
  },
  {
    fault: 'says that it opened the shard later than it did',
    noticedBy: 'says when it opened the shard, for LATEST to be found again',
    breakIt: (whole) => ({
      async openShard(effect, within) {
        const answer = await whole.openShard(effect, within)
        return answer.type === 'shardOpened' ? { ...answer, openedAtMs: answer.openedAtMs + 60_000 } : answer
      },
    }),
  },
  {
    fault: 'leaves nothing out',
    noticedBy: 'leaves out what is at or below the checkpoint, and nothing above it',
    breakIt: (whole) => ({ readRecords: (effect, within) => whole.readRecords({ ...effect, after: null }, within) }),
  },
  {
    fault: 'keeps the record of the checkpoint itself',
    noticedBy: 'leaves out what is at or below the checkpoint, and nothing above it',
    breakIt: (whole) => ({
      readRecords(effect, within) {
        const { after } = effect
        const below = after === null ? null : { ...after, sequenceNumber: String(BigInt(after.sequenceNumber) - 1n) }
        return whole.readRecords({ ...effect, after: below }, within)
      },
    }),
  },
  {
    fault: 'reads as many records as there are',
    noticedBy: 'reads at most as many records as it was asked for, and goes on where it stopped',
    breakIt: (whole) => ({ readRecords: (effect, within) => whole.readRecords({ ...effect, maxRecords: 10_000 }, within) }),
  },
  {
    fault: 'drops a batch on every second read',
    noticedBy: 'delivers every record of a shard that was split, and then its end',
    breakIt: (whole) => {
      let reads = 0
      return {
        async readRecords(effect, within) {
          reads += 1
          if (reads % 2 === 0) await whole.readRecords(effect, within)
          return whole.readRecords(effect, within)
        },
      }
    },
  },
  {
    fault: 'goes on with a read that was aborted',
    noticedBy: 'rejects a read that is aborted while it is out, keeps nothing, and skips nothing',
    breakIt: (whole) => ({ readRecords: (effect) => whole.readRecords(effect, context) }),
  },
  {
    fault: 'moves on although the read was aborted',
    noticedBy: 'rejects a read that is aborted while it is out, keeps nothing, and skips nothing',
    breakIt: (whole) => ({
      async readRecords(effect, within) {
        try {
          return await whole.readRecords(effect, within)
        } catch (error) {
          const skipped = await whole.readRecords({ ...effect, maxRecords: 1 }, context)
          if (skipped.type === 'recordsRead')
            whole.dropBatch({ type: 'dropBatch', shardId: effect.shardId, batchId: skipped.batch.batchId })
          throw error
        }
      },
    }),
  },
  {
    fault: 'never drops a batch',
    noticedBy: 'keeps a batch until it is dropped, and drops no other',
    breakIt: () => ({ dropBatch: () => {} }),
  },
  {
    fault: 'keeps the batches of a closed shard',
    noticedBy: 'frees every batch of a shard when it is closed, and is then not open',
    breakIt: () => ({ closeShard: () => ({ type: 'shardClosed' }) }),
  },
  {
    fault: 'splits off what was delivered before',
    noticedBy: 'splits the next records above a position off a batch, and describes them as a batch of their own',
    breakIt: (whole) => ({ splitBatch: (effect, within) => whole.splitBatch({ ...effect, after: null }, within) }),
  },
  {
    fault: 'splits off one record too many',
    noticedBy: 'splits the next records above a position off a batch, and describes them as a batch of their own',
    breakIt: (whole) => ({ splitBatch: (effect, within) => whole.splitBatch({ ...effect, count: effect.count + 1 }, within) }),
  },
  {
    fault: 'takes a batch of which nothing is left for one that is gone',
    noticedBy: 'splits off what there is where fewer are left, and a part without records where none is',
    breakIt: (whole) => ({
      async splitBatch(effect, within) {
        const answer = await whole.splitBatch(effect, within)
        return answer.type === 'batchSplit' && answer.batch.count === 0 ? { type: 'batchGone' } : answer
      },
    }),
  },
  {
    fault: 'frees a batch with its part',
    noticedBy: 'keeps a batch of which a part was split off, also when the part is dropped',
    breakIt: (whole) => {
      const wholes = new Map<string, string>()
      return {
        async splitBatch(effect, within) {
          const answer = await whole.splitBatch(effect, within)
          if (answer.type === 'batchSplit') wholes.set(answer.batch.batchId, effect.batchId)
          return answer
        },
        dropBatch({ batchId, ...effect }) {
          whole.dropBatch({ ...effect, batchId })
          whole.dropBatch({ ...effect, batchId: wholes.get(batchId) ?? batchId })
        },
      }
    },
  },
  {
    fault: 'ends a shard with a part of its last batch',
    noticedBy: 'does not end a shard with a part of its last batch',
    breakIt: (whole, _, batches) => ({
      async splitBatch(effect, within) {
        const answer = await whole.splitBatch(effect, within)
        const atShardEnd = batches.take(effect.batchId)?.handle.atShardEnd === true
        return answer.type === 'batchSplit' ? { ...answer, batch: { ...answer.batch, atShardEnd } } : answer
      },
    }),
  },
  {
    fault: 'splits the batch of whatever shard',
    noticedBy: 'says so when the batch to split was dropped, was never there, or is of another shard',
    breakIt: (whole, _, batches) => ({
      splitBatch: (effect, within) =>
        whole.splitBatch({ ...effect, shardId: batches.take(effect.batchId)?.shardId ?? effect.shardId }, within),
    }),
  },
  {
    fault: 'keeps the parts of a closed shard',
    noticedBy: 'frees the parts of a shard when it is closed',
    breakIt: (_, __, batches) => ({
      splitBatch({ batchId, count }) {
        const batch = batches.take(batchId)
        if (batch === undefined) return { type: 'batchGone' }
        const records = batch.records.slice(0, count)
        return { type: 'batchSplit', batch: batches.put({ shardId: 'shardId-000000000099', records, handle: batch.handle }) }
      },
    }),
  },
  {
    fault: 'never ends a shard',
    noticedBy: 'ends a shard that was split without ever holding a record',
    breakIt: (whole) => ({
      async readRecords(effect, within) {
        const answer = await whole.readRecords(effect, within)
        return answer.type === 'recordsRead' ? { ...answer, batch: { ...answer.batch, atShardEnd: false } } : answer
      },
    }),
  },
  {
    fault: 'ends every shard whose records it has read',
    noticedBy: 'does not call an open shard ended, however often it is read',
    breakIt: (whole) => ({
      async readRecords(effect, within) {
        const answer = await whole.readRecords(effect, within)
        return answer.type === 'recordsRead' ? { ...answer, batch: { ...answer.batch, atShardEnd: answer.batch.count === 0 } } : answer
      },
    }),
  },
  {
    fault: 'lists children of a shard that is open',
    noticedBy: 'says that a shard is still open when its children are asked for',
    breakIt: () => ({ listChildShards: () => ({ type: 'childShardsListed', childShards: [] }) }),
  },
  {
    fault: 'names one parent of a merged shard',
    noticedBy: 'ends both parents of a merge, and names their one child with both of them',
    breakIt: (whole) => ({
      async listChildShards(effect) {
        const answer = await whole.listChildShards(effect, context)
        if (answer.type !== 'childShardsListed') return answer
        return {
          ...answer,
          childShards: answer.childShards.map((child) => ({ ...child, parentShardIds: child.parentShardIds.slice(0, 1) })),
        }
      },
    }),
  },
  {
    fault: 'lists open shards only',
    noticedBy: 'lists a split shard as closed, with its children in its place',
    breakIt: (whole) => ({ listShards: (effect) => whole.listShards({ ...effect, from: { type: 'LATEST' } }, context) }),
  },
  {
    fault: 'reads every shard through one iterator',
    noticedBy: 'reads two shards side by side, each on its own',
    breakIt: (whole) => {
      let last = ''
      return {
        openShard(effect, within) {
          last = effect.shardId
          return whole.openShard(effect, within)
        },
        readRecords: (effect, within) => whole.readRecords({ ...effect, shardId: last }, within),
      }
    },
  },
]
