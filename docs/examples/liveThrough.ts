/** A record processor in the life of a shard consumer: what the consumer asks of the processor is done, and nothing else. */
import { type BatchHandle, createBatchStore, type KinesisRecord } from '@shardwise/effects'
import { type ShardEffect, start, step } from '@shardwise/machine'
import { hostRecordProcessor, type RecordProcessor } from '@shardwise/processor'
import { type Life, live } from '@shardwise/testing'

/** Hands a processor what its shard consumer hands to it in that life. Resolves with the places of the records, as often as they were handed over. */
export async function liveThrough(life: Life, processor: RecordProcessor): Promise<readonly string[]> {
  const batches = createBatchStore()
  const shardId = 'shardId-000000000000'
  const { handlers } = hostRecordProcessor({
    processor,
    shardId,
    batches,
    send: ({ request }) => queueMicrotask(() => handlers.settleCheckpoint({ type: 'settleCheckpoint', shardId, request, error: null })),
  })
  const context = { signal: new AbortController().signal, onAbort() {} }
  const delivered: string[] = []
  const carryOut = async (effect: ShardEffect): Promise<void> => {
    if (effect.type === 'initialize') await handlers.initialize(effect, context)
    if (effect.type !== 'processRecords') return
    const records = recordsOf(effect.batch)
    delivered.push(...records.map(({ sequenceNumber, subSequenceNumber }) => `${sequenceNumber}/${subSequenceNumber}`))
    const batch = batches.put({ shardId, records, handle: effect.batch })
    const { type } = await handlers.processRecords({ ...effect, batch }, context)
    if (type !== 'recordsProcessed') throw new Error(`processRecords: expected recordsProcessed, got ${type}`)
  }
  for (const { effects } of live(life, { start, step }).steps) for (const effect of effects) await carryOut(effect)
  return delivered
}

/** The records of a batch: in these lives, every aggregate holds two. */
function recordsOf({ first, count }: BatchHandle): readonly KinesisRecord[] {
  const { sequenceNumber, subSequenceNumber } = first ?? { sequenceNumber: '0', subSequenceNumber: 0 }
  const data = new TextEncoder().encode('order')
  return Array.from({ length: count }, (_, index) => ({
    sequenceNumber: String(Number(sequenceNumber) + Math.floor((subSequenceNumber + index) / 2)),
    subSequenceNumber: (subSequenceNumber + index) % 2,
    partitionKey: 'orders',
    data,
    approximateArrivalTimestamp: undefined,
  }))
}
