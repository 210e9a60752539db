import { LATEST, SHARD_END, TRIM_HORIZON } from '@shardwise/effects'
import type { ShardEffect } from '@shardwise/machine'
import { describe, expect, it } from 'vitest'
import { play } from '../scenarios/play.ts'
import { aBatch, answer, aShard, checkpoint, type Move, record, shutdown, untilReading, untilShardEnded } from '../scenarios/story.ts'

const effectsOf = (moves: readonly Move[]): readonly ShardEffect[] => play({ input: aShard, moves }).at(-1)?.effects ?? []
const refusal = (name: string, message?: string) => [
  { type: 'settleCheckpoint', error: message === undefined ? { name } : { name, message } },
]

const batch = answer('readRecords', 'recordsRead', aBatch({ records: [1, 10] }))
const processing = [...untilReading(), batch]
const digits = (n: number) => record(n).sequenceNumber

describe('a checkpoint request', () => {
  it.each([
    ['is initialised', untilReading().slice(0, 3)],
    ['knows its checkpoint', untilReading().slice(0, 1)],
  ])('is refused before its processor %s', (_, moves) => {
    expect(effectsOf([...moves, checkpoint('r1')])).toMatchObject(refusal('InvalidStateException'))
  })

  it('is settled without a write where it asks for what is stored', () => {
    const settled = [{ type: 'settleCheckpoint', shardId: aShard.shardId, request: 'r1', error: null }]

    expect(effectsOf([...untilReading(), checkpoint('r1')])).toEqual(settled)
    expect(effectsOf([...untilReading(), checkpoint('r1', TRIM_HORIZON)])).toEqual(settled)
    expect(effectsOf([...untilReading(record(4)), checkpoint('r1', record(4))])).toEqual(settled)
  })

  it.each([
    ['a sentinel that is not stored', [...processing, checkpoint('r1', LATEST)], `from TRIM_HORIZON to ${digits(10)}, got LATEST`],
    [
      'the end of a shard that has not ended',
      [...processing, checkpoint('r1', SHARD_END)],
      `from TRIM_HORIZON to ${digits(10)}, got SHARD_END`,
    ],
    ['a record that was not read', [...processing, checkpoint('r1', record(11))], `from TRIM_HORIZON to ${digits(10)}, got ${digits(11)}`],
    [
      'a record before the checkpoint',
      [...untilReading(record(4, 2)), checkpoint('r1', record(4, 1))],
      `from ${digits(4)}/2 to ${digits(4)}/2, got ${digits(4)}/1`,
    ],
    [
      'a record of a batch that is not being processed',
      [...untilReading(record(4)), checkpoint('r1', record(5))],
      `from ${digits(4)} to ${digits(4)}, got ${digits(5)}`,
    ],
  ])('is refused for %s, with the range that is good', (_, moves, range) => {
    expect(effectsOf(moves)).toMatchObject(refusal('IllegalArgumentException', `sequenceNumber: expected a record ${range}`))
  })

  it('is refused at once, not in its turn, while another is being written', () => {
    const writing = [...processing, checkpoint('r1', record(4))]

    expect(effectsOf([...writing, checkpoint('r2', record(11))])).toMatchObject(refusal('IllegalArgumentException'))
    expect(effectsOf([...writing, checkpoint('r2', record(9))])).toEqual([])
  })

  it.each([
    [{ sequenceNumber: '12a', subSequenceNumber: 0 }],
    [{ sequenceNumber: 'a12', subSequenceNumber: 0 }],
    [{ sequenceNumber: '', subSequenceNumber: 0 }],
    [{ sequenceNumber: 7, subSequenceNumber: 0 }],
    [{ sequenceNumber: digits(4), subSequenceNumber: -1 }],
    [{ sequenceNumber: digits(4), subSequenceNumber: 0.5 }],
  ])('is refused for %o, which is no place in a shard', (position) => {
    expect(effectsOf([...processing, checkpoint('r1', position as never)])).toMatchObject(refusal('IllegalArgumentException'))
  })

  it('still waits its turn while the checkpoint of shardEnded is awaited', () => {
    const awaiting = [...untilShardEnded, checkpoint('r1', record(2)), answer('notifyShardEnded', 'shardEndedNotified')]

    expect(effectsOf([...awaiting, checkpoint('r2', record(3))])).toEqual([])
    expect(effectsOf([...awaiting, checkpoint('r2', record(3)), answer('writeCheckpoint', 'checkpointWritten')])).toMatchObject([
      { type: 'settleCheckpoint', request: 'r1', error: null },
      { type: 'writeCheckpoint', checkpoint: SHARD_END },
    ])
  })

  it('is told what the lease table said when it could not be stored', () => {
    const failed = answer('writeCheckpoint', 'effectFailed', { error: { name: 'TimeoutError', message: 'no answer for 10 s' } })

    expect(effectsOf([...processing, checkpoint('r1'), failed])).toMatchObject(
      refusal('KinesisClientLibDependencyException', 'the checkpoint could not be stored: TimeoutError: no answer for 10 s'),
    )
  })

  it('of a processor that was told of the end of its lease is refused as such', () => {
    expect(effectsOf([...untilReading(), shutdown('LEASE_LOST'), checkpoint('r1')])).toMatchObject(refusal('ShutdownException'))
  })
})
