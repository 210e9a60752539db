import { AT_TIMESTAMP, LATEST, positionOfCheckpoint, SHARD_END, TRIM_HORIZON } from '@shardwise/effects'
import { expect, it } from 'vitest'

const fromNoon = { type: 'AT_TIMESTAMP', timestampMs: 43_200_000 } as const

it('opens a shard at its checkpoint, not after it, so that the rest of an aggregate is read again', () => {
  expect(positionOfCheckpoint({ sequenceNumber: '42', subSequenceNumber: 3 }, { type: 'LATEST' })).toEqual({
    type: 'AT_SEQUENCE_NUMBER',
    sequenceNumber: '42',
  })
})

it('opens a shard where its sentinel says, whatever position is configured', () => {
  expect(positionOfCheckpoint(TRIM_HORIZON, { type: 'LATEST' })).toEqual({ type: 'TRIM_HORIZON' })
  expect(positionOfCheckpoint(LATEST, fromNoon)).toEqual({ type: 'LATEST' })
})

it('takes the time of AT_TIMESTAMP from the configured position, and skips nothing where none is configured any more', () => {
  expect(positionOfCheckpoint(AT_TIMESTAMP, fromNoon)).toEqual(fromNoon)
  expect(positionOfCheckpoint(AT_TIMESTAMP, { type: 'LATEST' })).toEqual({ type: 'TRIM_HORIZON' })
})

it('refuses to open a shard at its end', () => {
  expect(() => positionOfCheckpoint(SHARD_END, fromNoon)).toThrow('SHARD_END has no position')
})
