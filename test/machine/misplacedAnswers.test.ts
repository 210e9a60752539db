import { type AnswerType, type ChildShard, effectTable } from '@shardwise/effects'
import type { ShardConsumerOptions, ShardConsumerSnapshot, ShardEvent } from '@shardwise/machine'
import { step } from '@shardwise/machine/compiled'
import { describe, expect, it } from 'vitest'
import { play } from '../scenarios/play.ts'
import { aBatch, aShard, error, record } from '../scenarios/story.ts'
import { arrivals } from './arrivals.ts'

const answerTypes = new Set([...Object.values(effectTable).flatMap(({ answers }) => Object.keys(answers)), 'effectFailed'])
const policies: readonly Partial<ShardConsumerOptions>[] = [
  {},
  { maxDeliveryAttempts: 2, deadLetter: true, bisectBatchOnError: true },
  { maxDeliveryAgeMillis: 1, onDeliveryFailure: 'skip' },
]

/** Everything that an answer of any type says. */
const facts = {
  ...aBatch({ records: [1, 3], atShardEnd: true }),
  ...error('TypeError'),
  nowMs: 0,
  openedAtMs: 0,
  checkpoint: record(1),
  pendingCheckpoint: null,
  pendingShardId: 'shardId-000000000009',
  childShards: [] as readonly ChildShard[],
}

/** Gives every answer of the table to what is awaited. */
function giveEvery(snapshot: ShardConsumerSnapshot): void {
  const { task, write } = snapshot.context
  for (const id of [task?.id, write?.effect.id])
    if (id !== undefined) for (const type of answerTypes) step(snapshot, { type: type as AnswerType, id, ...facts } as ShardEvent)
}

describe('a shard consumer', () => {
  it.each(arrivals)('$where throws for no answer under an id that it awaits, not even for that of another effect', ({ moves, input }) => {
    for (const options of policies) {
      const { after } = play({ input: { ...aShard, ...input, options }, moves }).at(-1) ?? {}
      if (after === undefined) throw new Error('moves: nothing was played')
      expect(() => giveEvery(after)).not.toThrow()
    }
  })
})
