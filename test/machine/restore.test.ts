import { replay, restore, type ShardEvent, step } from '@shardwise/machine'
import { describe, expect, it } from 'vitest'

const place = (sequenceNumber: string) => ({ sequenceNumber, subSequenceNumber: 0 })
const batch = {
  batchId: 'b1',
  count: 2,
  first: place('10'),
  last: place('11'),
  bytes: 20,
  millisBehindLatest: 5_000,
  atShardEnd: false,
  childShards: [],
}
const toReading: readonly ShardEvent[] = [
  { type: 'parentShardsCompleted', id: 1 },
  { type: 'checkpointRead', id: 2, checkpoint: place('TRIM_HORIZON'), pendingCheckpoint: null },
  { type: 'shardOpened', id: 3, openedAtMs: 0 },
  { type: 'initialized', id: 4 },
  { type: 'recordsRead', id: 5, batch },
]

function restoredAfter(...events: readonly ShardEvent[]) {
  const last = replay({ shardId: 'shardId-000000000000', token: 1 }, [...toReading, ...events]).at(-1)
  if (last === undefined) throw new Error('replay: no step')
  const json = JSON.parse(JSON.stringify(last[0])) as (typeof last)[0]
  return { json, restored: restore(json) }
}

describe('a consumer whose process died', () => {
  it('starts the awaited callback again', () => {
    const { json, restored } = restoredAfter()
    expect(restored).toEqual([json, [json.context.task]])
    expect(json.context.task).toMatchObject({ type: 'processRecords', id: 6 })
  })

  it('starts a checkpoint write again beside it', () => {
    const { restored } = restoredAfter({ type: 'checkpointRequested', request: 'r1', position: null })
    expect(restored[1].map(({ type }) => type)).toEqual(['processRecords', 'writeCheckpoint'])
  })

  it('opens the shard after the last completed batch rather than to repeat a read that its source may have answered', () => {
    const { restored } = restoredAfter({ type: 'recordsProcessed', id: 6 })
    const [snapshot, effects] = restored
    expect(snapshot.value).toEqual({ PROCESSING: 'reopening' })
    expect(effects).toEqual([
      expect.objectContaining({ type: 'openShard', position: { type: 'AT_SEQUENCE_NUMBER', sequenceNumber: '11' } }),
    ])
  })

  it('keeps a checkpoint write when it opens the shard again', () => {
    const { restored } = restoredAfter({ type: 'checkpointRequested', request: 'r1', position: null }, { type: 'recordsProcessed', id: 6 })
    expect(restored[1].map(({ type }) => type)).toEqual(['writeCheckpoint', 'openShard'])
  })

  it('ignores the answer of the lost read when it comes late after all', () => {
    const { restored } = restoredAfter({ type: 'recordsProcessed', id: 6 })
    expect(step(restored[0], { type: 'recordsRead', id: 7, batch })).toEqual([restored[0], []])
  })
})
