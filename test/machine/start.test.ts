import { type ShardConsumerInput, shardConsumer } from '@shardwise/machine'
import { shardConsumer as compiled } from '@shardwise/machine/compiled'
import { describe, expect, it } from 'vitest'

describe.each([
  ['XState', shardConsumer],
  ['the compiled machine', compiled],
])('a shard consumer of %s', (_, { start, step, replay }) => {
  it.each([
    [undefined, 'shardId: expected 1 to 128 letters, digits, "_", "." or "-", got undefined'],
    [null, 'shardId: expected 1 to 128 letters, digits, "_", "." or "-", got undefined'],
    [{ shardId: 'shardId-000000000000', token: -1 }, 'token: expected a whole number from 0, got -1'],
    [{ shardId: 'shardId-000000000000', token: 0.5 }, 'token: expected a whole number from 0, got 0.5'],
    [{ shardId: 'a', token: 1, seed: Number.NaN }, 'seed: expected a whole number, got NaN'],
    [{ shardId: 'a', token: 1, seed: 0.5 }, 'seed: expected a whole number, got 0.5'],
    [{ shardId: 'a', token: 1, leaseKey: '' }, 'leaseKey: expected a text, got ""'],
    [{ shardId: '', token: 1 }, 'shardId: expected 1 to 128 letters, digits, "_", "." or "-", got ""'],
    [{ shardId: 'a', token: 1, parentShardIds: ['b', 'c d'] }, 'shardId: expected 1 to 128 letters, digits, "_", "." or "-", got "c d"'],
    [{ shardId: 'a', token: 1, options: { maxRecords: 10_001 } }, 'maxRecords: expected a whole number from 1 to 10000, got 10001'],
    [{ shardId: 'a', token: 1, options: { maxRecord: 5 } }, 'maxRecord: not an option'],
  ])('is not started with %j', (input, says) => {
    expect(() => start(input as ShardConsumerInput)).toThrow(says)
    expect(() => replay(input as ShardConsumerInput, [])).toThrow(says)
  })

  it.each([['PROCESSING'], [{ PROCESSING: 'dreaming' }], [{}]])('takes no snapshot whose value is %j', (value) => {
    const [started] = start({ shardId: 'a', token: 1 })

    expect(() => step({ ...started, value }, { type: 'parentShardsCompleted', id: 1 })).toThrow()
  })

  it('is started again after one that was refused', () => {
    expect(() => start({ shardId: 'a', token: -1 })).toThrow('token')
    expect(start({ shardId: 'a', token: 1 })[1]).toEqual([{ type: 'checkParentShards', id: 1, shardId: 'a', parentShardIds: [] }])
  })
})
