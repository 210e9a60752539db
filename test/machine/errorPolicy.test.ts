import type { ShardConsumerInput } from '@shardwise/machine'
import { describe, expect, it } from 'vitest'
import { type PlayedStep, play } from '../scenarios/play.ts'
import { aBatch, answer, aShard, error, type Move, record, shutdown, splitChildren, untilReading } from '../scenarios/story.ts'

type Options = ShardConsumerInput['options']

const skips = { maxDeliveryAttempts: 1, onDeliveryFailure: 'skip' } as const
const failed = answer('processRecords', 'recordsFailed', error('TypeError'))
const lastBatch = (batch: Parameters<typeof aBatch>[0] = {}): Move =>
  answer('readRecords', 'recordsRead', aBatch({ records: [1, 3], atShardEnd: true, ...batch }))

function lastOf(moves: readonly Move[], options: Options = {}): PlayedStep {
  const last = play({ input: { ...aShard, options }, moves: [...untilReading(), ...moves] }).at(-1)
  if (last === undefined) throw new Error('moves: none was played')
  return last
}

describe('the last batch of a shard that fails', () => {
  it.each([
    ['its children are not known', {}, 'listChildShards'],
    ['its children are known', { childShards: splitChildren }, 'createChildLeases'],
  ])('counts as processed where it is skipped and %s', (_, batch, next) => {
    const { effects, after } = lastOf([lastBatch(batch), failed], skips)

    expect(effects.at(-1)).toMatchObject({ type: next })
    expect(after.context).toMatchObject({ reason: 'SHARD_END', completed: record(3) })
  })

  it.each([{}, { childShards: splitChildren }])('does not count as processed where a shutdown was to come first', (batch) => {
    const { after } = lastOf([lastBatch(batch), shutdown('SHARD_END'), failed], skips)

    expect(after.context).toMatchObject({ reason: 'SHARD_END', completed: null })
  })
})
