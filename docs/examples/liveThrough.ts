/** A record processor in the life of a shard consumer: what the consumer asks of the processor is done, and nothing else. */
import { type BatchHandle, createBatchStore, type ErrorFacts, effectTable, type KinesisRecord } from '@shardwise/effects'
import { type ShardEffect, start, step } from '@shardwise/machine'
import { hostRecordProcessor, type RecordProcessor } from '@shardwise/processor'
import { type Life, live } from '@shardwise/testing'

/**
 * Calls a processor as its shard consumer does in that life, which is settled beforehand: a callback that fails there may do as it likes, and its checkpoints
 * fail; another must not throw, and its checkpoints are stored. Where a life loses its processor, the same one is initialized again. Resolves with the places
 * of the records, as often as they were handed over.
 */
export async function liveThrough(life: Life, processor: RecordProcessor): Promise<readonly string[]> {
  const batches = createBatchStore()
  const shardId = 'shardId-000000000000'
  let failure: ErrorFacts | null = null
  const { handlers } = hostRecordProcessor({
    processor,
    shardId,
    batches,
    deadLetter() {},
    send(event) {
      if (event.type !== 'checkpointRequested') return
      const settled = { type: 'settleCheckpoint', shardId, request: event.request, error: failure } as const
      queueMicrotask(() => handlers.settleCheckpoint(settled))
    },
  })
  const { steps } = live(life, { start, step })
  const context = { signal: new AbortController().signal, onAbort() {} }
  const delivered: string[] = []
  const carryOut = async (effect: ShardEffect): Promise<void> => {
    if (effectTable[effect.type].port !== 'processor' || !('id' in effect)) return
    const answer = steps.map(({ event }) => event).find((event) => event !== null && 'id' in event && event.id === effect.id)
    if (answer?.type === 'processorGone' || answer?.type === 'batchGone') return
    failure = answer && 'error' in answer ? answer.error : null
    const call = handlers[effect.type as 'initialize'] as (effect: object, within: typeof context) => Promise<{ readonly type: string }>
    const { type } = await call(effect.type === 'processRecords' ? { ...effect, batch: stored(effect.batch) } : effect, context)
    if (type.endsWith('Failed') && failure === null) throw new Error(`${effect.type}: expected no error, got ${type}`)
  }
  const stored = (handle: BatchHandle): BatchHandle => {
    const records = recordsOf(handle)
    delivered.push(...records.map(({ sequenceNumber, subSequenceNumber }) => `${sequenceNumber}/${subSequenceNumber}`))
    return batches.put({ shardId, records, handle })
  }
  for (const { effects } of steps) for (const effect of effects) await carryOut(effect)
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
