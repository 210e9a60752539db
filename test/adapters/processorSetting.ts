import {
  type AbortSignalLike,
  type BatchHandle,
  createBatchStore,
  type EffectOf,
  type HandlerContext,
  type KinesisRecord,
} from '@shardwise/effects'
import {
  type CheckpointRequested,
  hostRecordProcessor,
  type PauseRequested,
  type ProcessRecordsInput,
  type RecordProcessor,
} from '@shardwise/processor'

export const shardId = 'shardId-000000000000'
export const at = (sequenceNumber: string, subSequenceNumber = 0) => ({ sequenceNumber, subSequenceNumber })

export function aRecord(sequenceNumber: string, subSequenceNumber = 0): KinesisRecord {
  return { sequenceNumber, subSequenceNumber, partitionKey: 'key', data: new Uint8Array([7]), approximateArrivalTimestamp: undefined }
}

export function aProcessor(methods: Partial<RecordProcessor> = {}): RecordProcessor {
  return {
    initialize: () => undefined,
    processRecords: () => undefined,
    leaseLost: () => undefined,
    shardEnded: () => undefined,
    ...methods,
  }
}

/** A context whose signal is never asked for. */
export const noSignal: HandlerContext = {
  get signal(): AbortSignalLike {
    throw new Error('signal: asked for')
  },
  onAbort: () => undefined,
}

export const initialize: EffectOf<'initialize'> = {
  type: 'initialize',
  id: 1,
  shardId,
  leaseKey: shardId,
  token: 3,
  checkpoint: at('TRIM_HORIZON'),
  pendingCheckpoint: null,
}
export const settleCheckpoint = (request: string, error: EffectOf<'settleCheckpoint'>['error'] = null): EffectOf<'settleCheckpoint'> => ({
  type: 'settleCheckpoint',
  shardId,
  request,
  error,
})
export const notifyShutdownRequested: EffectOf<'notifyShutdownRequested'> = { type: 'notifyShutdownRequested', id: 2, shardId }
export const notifyLeaseLost: EffectOf<'notifyLeaseLost'> = { type: 'notifyLeaseLost', id: 2, shardId, attempt: 0 }
export const notifyShardEnded: EffectOf<'notifyShardEnded'> = { type: 'notifyShardEnded', id: 2, shardId, attempt: 0 }

/** A hosted processor with its batch store and the events it sent. */
export function host(processor: RecordProcessor) {
  const batches = createBatchStore()
  const sent: CheckpointRequested[] = []
  const pauses: PauseRequested['type'][] = []
  const hosted = hostRecordProcessor({
    processor,
    shardId,
    batches,
    send: (event) => void (event.type === 'checkpointRequested' ? sent.push(event) : pauses.push(event.type)),
  })

  /** The effect that hands a new batch of these records over. */
  const processRecords = (
    records: readonly KinesisRecord[],
    about: Partial<BatchHandle> & Partial<Pick<EffectOf<'processRecords'>, 'after' | 'attempt'>> & { readonly ofShard?: string } = {},
  ): EffectOf<'processRecords'> => {
    const { after = null, attempt = 0, ofShard = shardId, ...facts } = about
    const handle = {
      count: records.length,
      first: null,
      last: null,
      bytes: 0,
      millisBehindLatest: 0,
      atShardEnd: false,
      childShards: [],
      ...facts,
    }
    return { type: 'processRecords', id: 2, shardId, batch: batches.put({ shardId: ofShard, records, handle }), after, attempt }
  }
  return { ...hosted, batches, sent, pauses, processRecords }
}

/** A hosted processor that is initialised, with the input of its first batch. */
export async function hostInitialized(methods: Partial<RecordProcessor> = {}) {
  const inputs: ProcessRecordsInput[] = []
  const hosted = host(aProcessor({ processRecords: (input) => void inputs.push(input), ...methods }))
  await hosted.handlers.initialize(initialize, noSignal)
  return { ...hosted, inputs }
}

/** A hosted processor that is initialised, with the checkpointer that it was given. */
export async function withCheckpointer() {
  const hosted = await hostInitialized()
  await hosted.handlers.processRecords(hosted.processRecords([aRecord('1')]), noSignal)
  const checkpointer = hosted.inputs[0]?.checkpointer
  if (checkpointer === undefined) throw new Error('processRecords was not called')
  return { ...hosted, checkpointer }
}
