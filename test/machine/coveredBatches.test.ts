import type { ShardConsumerInput } from '@shardwise/machine'
import { describe, expect, it } from 'vitest'
import { play } from '../scenarios/play.ts'
import {
  aBatch,
  answer,
  aShard,
  checkpoint,
  error,
  type Move,
  pause,
  record,
  resume,
  splitChildren,
  untilReading,
} from '../scenarios/story.ts'

const read = (first: number, last: number, facts: Parameters<typeof aBatch>[0] = {}): Move =>
  answer('readRecords', 'recordsRead', aBatch({ batchId: `b${first}`, records: [first, last], ...facts }))
const part = (first: number, last: number): Move =>
  answer('splitBatch', 'batchSplit', aBatch({ batchId: `part${first}`, records: [first, last] }))
const processed = answer('processRecords', 'recordsProcessed')
const failed = answer('processRecords', 'recordsFailed', error('TypeError'))
const fires = answer('startTimer', 'timerFired', { nowMs: 500 })
const stored = answer('writeCheckpoint', 'checkpointWritten')
const reopened = [answer('processRecords', 'batchGone'), answer('openShard', 'shardOpened', { openedAtMs: 2_000 })]
const bisects = { maxDeliveryAttempts: 1, bisectBatchOnError: true, onDeliveryFailure: 'skip' } as const

function after(moves: readonly Move[], options: ShardConsumerInput['options'] = {}): readonly [unknown, readonly string[]] {
  const last = play({ input: { ...aShard, options }, moves: [...untilReading(), ...moves] }).at(-1)
  if (last === undefined) throw new Error('moves: none was played')
  return [
    last.after.value,
    last.effects.map((effect) => {
      if (effect.type === 'processRecords')
        return `processRecords ${effect.batch.batchId} after ${effect.after?.sequenceNumber ?? 'nothing'}`
      return effect.type === 'dropBatch' ? `dropBatch ${effect.batchId}` : effect.type
    }),
  ]
}
const place = (n: number): string => record(n).sequenceNumber
const reading = { PROCESSING: 'reading' }

describe('a batch of which nothing is left', () => {
  /** All of the batch is checkpointed, its processing is lost, and what comes after the opening is less than what was there before. */
  const storedWhileRead = [read(1, 4), checkpoint('r1'), ...reopened, stored]

  it('is not delivered when a read brings it', () => {
    expect(after([...storedWhileRead, read(1, 2)])).toEqual([reading, ['dropBatch b1', 'readRecords']])
    expect(after([...storedWhileRead, read(1, 4)])).toEqual([reading, ['dropBatch b1', 'readRecords']])
    expect(after([...storedWhileRead, read(1, 5)])).toEqual([{ PROCESSING: 'processing' }, [`processRecords b1 after ${place(4)}`]])
  })

  it('is no empty batch: it is not delivered where empty ones are', () => {
    const delivered = { shouldCallProcessRecordsEvenForEmptyRecordList: true }

    expect(after([...storedWhileRead, read(1, 2)], delivered)).toEqual([reading, ['dropBatch b1', 'readRecords']])
  })

  it('is passed over while it is held, as soon as the checkpoint is stored', () => {
    const held = [read(1, 4), checkpoint('r1'), ...reopened, pause, read(1, 2)]

    expect(after(held)).toEqual([{ PROCESSING: 'holding' }, []])
    expect(after([...held, stored])).toEqual([reading, ['settleCheckpoint', 'dropBatch b1', 'readRecords']])
  })

  it('is passed over while it is held after a failure', () => {
    const held = [read(1, 4), checkpoint('r1'), pause, failed, fires]

    expect(after(held)).toEqual([{ PROCESSING: 'holding' }, []])
    expect(after([...held, stored])).toEqual([reading, ['settleCheckpoint', 'dropBatch b1', 'readRecords']])
  })

  it('is passed over while its backoff lasts, paused or not', () => {
    const backingOff = [read(1, 4), checkpoint('r1'), failed, stored]

    expect(after([...backingOff, fires])).toEqual([reading, ['dropBatch b1', 'readRecords']])
    expect(after([...backingOff, pause, fires])).toEqual([reading, ['dropBatch b1', 'readRecords']])
  })

  it('goes on with the whole where it is a part', () => {
    const split = [read(1, 4), checkpoint('r1', record(2)), pause, failed, part(1, 2)]

    expect(after(split, bisects)).toEqual([{ PROCESSING: 'holding' }, []])
    expect(after([...split, stored], bisects)).toEqual([{ PROCESSING: 'holding' }, ['settleCheckpoint', 'dropBatch part1']])
    expect(after([...split, stored, resume], bisects)).toEqual([{ PROCESSING: 'processing' }, [`processRecords b1 after ${place(2)}`]])
  })

  it('is passed over with the whole where that is stored too', () => {
    const split = [read(1, 4), checkpoint('r1'), pause, failed, part(1, 2), stored]

    expect(after(split, bisects)).toEqual([reading, ['settleCheckpoint', 'dropBatch part1', 'dropBatch b1', 'readRecords']])
  })

  it('is not delivered as a whole when all its parts were processed', () => {
    const parts = [read(1, 4), failed, part(1, 2), processed, part(3, 3), processed, part(4, 4), processed]

    expect(after(parts, bisects)).toEqual([reading, ['dropBatch part4', 'dropBatch b1', 'readRecords']])
    expect(after([...parts.slice(0, -1), pause, processed], bisects)).toEqual([reading, ['dropBatch part4', 'dropBatch b1', 'readRecords']])
  })

  it('is delivered, with nothing left in it, where it is the last of its shard: its end is reported when that call returns', () => {
    const last = { atShardEnd: true, childShards: splitChildren }
    const held = [read(1, 4, last), checkpoint('r1'), pause, answer('processRecords', 'effectFailed', error('Error')), fires, stored]

    expect(after(held)).toEqual([{ PROCESSING: 'holding' }, ['settleCheckpoint']])
    expect(after([...held, resume])).toEqual([{ PROCESSING: 'processing' }, [`processRecords b1 after ${place(4)}`]])
    expect(after([...held, resume, processed])).toEqual([{ SHUTTING_DOWN: 'creatingChildLeases' }, ['dropBatch b1', 'createChildLeases']])
  })
})
