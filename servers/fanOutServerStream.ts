import type { Position, Shard } from '@shardwise/effects'
import type { MemoryStream } from '@shardwise/memory'
import type { ServedSubscription } from './fanOutServer.ts'

/** A stream in memory in the words of ListShards. */
export function listingOf(stream: MemoryStream): object {
  return { Shards: stream.listShards().map(describe) }
}

/**
 * Feeds a subscription from a stream in memory: what is there at once, what is put later soon, an event without records every `heartbeatMs` where Kinesis takes some seconds, and the end of
 * the shard with its children. It waits for a client that does not take its events.
 */
export async function feed(
  subscription: ServedSubscription,
  stream: MemoryStream,
  { recordsPerEvent, heartbeatMs }: { readonly recordsPerEvent: number; readonly heartbeatMs: number },
): Promise<void> {
  const { service } = stream
  const opened = service.getShardIterator(subscription.shardId, positionOf(subscription.startingPosition))
  if (opened.type !== 'iteratorGot') return subscription.fail('ResourceNotFoundException')
  for (let { iterator } = opened; !subscription.isOver; ) {
    const read = service.getRecords(iterator, recordsPerEvent)
    if (read.type !== 'recordsGot') return subscription.fail('InternalFailureException')
    iterator = read.next
    await subscription.send({
      Records: read.records.map((record) => ({
        SequenceNumber: record.sequenceNumber,
        PartitionKey: record.partitionKey,
        Data: Buffer.from(record.data).toString('base64'),
        ApproximateArrivalTimestamp: (record.approximateArrivalTimestamp?.getTime() ?? 0) / 1_000,
      })),
      MillisBehindLatest: read.millisBehindLatest,
      ...(read.atShardEnd
        ? {
            ChildShards: read.childShards.map(({ shardId, parentShardIds, hashKeyRange }) => ({
              ShardId: shardId,
              ParentShards: parentShardIds,
              HashKeyRange: keysOf(hashKeyRange),
            })),
          }
        : { ContinuationSequenceNumber: String(iterator.from - 1n) }),
    })
    if (read.atShardEnd) return subscription.end()
    if (read.records.length < recordsPerEvent) await new Promise((resolve) => setTimeout(resolve, heartbeatMs))
  }
}

function positionOf(start: Readonly<Record<string, unknown>>): Position {
  const type = start['Type'] as Position['type']
  if (type === 'AT_TIMESTAMP') return { type, timestampMs: Math.round(Number(start['Timestamp']) * 1_000) }
  if (type === 'TRIM_HORIZON' || type === 'LATEST') return { type }
  return { type, sequenceNumber: String(start['SequenceNumber']) }
}

function describe({ shardId, parentShardIds: [parent, adjacent], hashKeyRange, startingSequenceNumber, closed }: Shard): object {
  return {
    ShardId: shardId,
    ParentShardId: parent,
    AdjacentParentShardId: adjacent,
    HashKeyRange: keysOf(hashKeyRange),
    SequenceNumberRange: {
      StartingSequenceNumber: startingSequenceNumber,
      EndingSequenceNumber: closed ? startingSequenceNumber : undefined,
    },
  }
}

function keysOf({ startingHashKey, endingHashKey }: Shard['hashKeyRange']): object {
  return { StartingHashKey: startingHashKey, EndingHashKey: endingHashKey }
}
