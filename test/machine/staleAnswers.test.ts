import { effectTable } from '@shardwise/effects'
import { type ShardEvent, step } from '@shardwise/machine'
import { describe, expect, it } from 'vitest'
import { play } from '../scenarios/play.ts'
import { aBatch, aShard, splitChildren } from '../scenarios/story.ts'
import { arrivals } from './arrivals.ts'

/** Every answer there is, with all that any answer carries, to an effect that is not awaited. */
const staleAnswers = [...new Set(Object.values(effectTable).flatMap(({ answers }) => Object.keys(answers))), 'effectFailed'].map(
  (type) =>
    ({
      type,
      id: 1_000,
      ...aBatch({ records: [1, 2], atShardEnd: true, childShards: splitChildren }),
      checkpoint: { sequenceNumber: 'SHARD_END', subSequenceNumber: 0 },
      pendingCheckpoint: null,
      childShards: splitChildren,
      openedAtMs: 1,
      nowMs: 1,
      pendingShardId: 'shardId-000000000009',
      error: { name: 'Error', message: 'stale' },
    }) as unknown as ShardEvent,
)

describe.each(arrivals)('a shard consumer $where', ({ moves, input }) => {
  const last = () => play({ input: { ...aShard, ...input }, moves }).at(-1)?.after

  it('is left as it was, to the very object, by any answer that it does not await', () => {
    const before = last()
    if (before === undefined) throw new Error('moves: expected some')

    for (const answer of staleAnswers) {
      const [after, effects] = step(before, answer)

      expect({ answer: answer.type, effects, changed: after !== before }).toEqual({ answer: answer.type, effects: [], changed: false })
    }
  })
})
