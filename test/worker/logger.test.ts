import type { ShardEvent } from '@shardwise/machine'
import { replay } from '@shardwise/machine'
import { describe, expect, it } from 'vitest'
import { logObservations } from '../../src/worker/logger.ts'

const shardId = 'shardId-000000000000'
const place = (sequenceNumber: string) => ({ sequenceNumber, subSequenceNumber: 0 })
const untilReading: readonly ShardEvent[] = [
  { type: 'parentShardsCompleted', id: 1 },
  { type: 'checkpointRead', id: 2, checkpoint: place('TRIM_HORIZON'), pendingCheckpoint: null },
  { type: 'shardOpened', id: 3, openedAtMs: 0 },
  { type: 'initialized', id: 4 },
]

/** What a worker warns of in the life of one shard, or calls an error. */
function warningsOf(events: readonly ShardEvent[], level: 'warn' | 'error' = 'warn'): readonly string[] {
  const warnings: string[] = []
  const ignore = (): void => undefined
  const observe = logObservations({
    debug: ignore,
    info: ignore,
    warn: ignore,
    error: ignore,
    [level]: (message: string) => warnings.push(message),
  })
  const steps = replay({ shardId, token: 1 }, events)
  for (const [index, [after, effects]] of steps.entries()) {
    const before = steps[index - 1]?.[0] ?? null
    observe({ machine: 'shardConsumer', shardId, step: { event: events[index - 1] ?? null, before, after, effects } })
  }
  return warnings
}

describe('the log of a shard', () => {
  it('warns when the shard, and then its stream, is not there', () => {
    const warnings = warningsOf([...untilReading, { type: 'shardNotFound', id: 5 }, { type: 'streamNotFound', id: 6 }])

    expect(warnings).toEqual([
      `${shardId}: Kinesis does not know this shard`,
      `${shardId}: Kinesis does not know the stream: the end of the shard is not stored`,
    ])
  })

  it('warns when a checkpoint finds the lease gone', () => {
    const batch = { batchId: 'b1', count: 1, first: place('1'), last: place('1'), bytes: 1, millisBehindLatest: 0, atShardEnd: false }
    const warnings = warningsOf([
      ...untilReading,
      { type: 'recordsRead', id: 5, batch: { ...batch, childShards: [] } },
      { type: 'checkpointRequested', request: 'r1', position: null },
      { type: 'checkpointRefused', id: 7 },
    ])

    expect(warnings).toEqual([`${shardId}: the checkpoint was refused: the lease is lost`])
  })

  const ended = { count: 0, first: null, last: null, bytes: 0, millisBehindLatest: 0, atShardEnd: true }
  const child = { shardId: 'shardId-000000000001', parentShardIds: [shardId], hashKeyRange: { startingHashKey: '0', endingHashKey: '9' } }
  const untilShardEnded: readonly ShardEvent[] = [
    ...untilReading,
    { type: 'recordsRead', id: 5, batch: { ...ended, batchId: 'b1', childShards: [child] } },
    { type: 'childLeasesCreated', id: 6 },
  ]
  const gone: ShardEvent = { type: 'processorGone', id: 7 }

  it('says that a record processor which is gone is made anew', () => {
    expect(warningsOf([...untilShardEnded, gone], 'error')).toEqual([`${shardId}: the record processor is gone: it is made anew`])
  })

  it.each<[string, readonly ShardEvent[]]>([
    [
      'after it has stored the end of the shard',
      [...untilShardEnded, { type: 'checkpointRequested', request: 'r1', position: null }, { type: 'checkpointWritten', id: 8 }, gone],
    ],
    ['when its lease is lost', [...untilShardEnded, { type: 'shutdown', reason: 'LEASE_LOST' }, gone]],
  ])('does not say so of one that goes %s, for none follows it', (_, events) => {
    expect(warningsOf(events, 'error')).toEqual([])
  })

  it('says nothing of an answer that came too late', () => {
    expect(warningsOf([...untilReading, { type: 'streamNotFound', id: 99 }])).toEqual([])
  })
})
