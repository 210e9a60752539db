import { createBatchStore } from '@shardwise/effects'
import { createMemoryStream, memoryRecordSource } from '@shardwise/memory'
import { type MakeRecordSource, recordSourceContract, shardFilterContract } from '@shardwise/testing'
import { describe, test } from 'vitest'

const make: MakeRecordSource = async ({ shardCount = 1 } = {}) => {
  const stream = createMemoryStream({ shardCount })
  const batches = createBatchStore()
  return {
    source: memoryRecordSource({ stream, batches }),
    batches,
    stream: {
      put: async (record) => stream.put(record),
      split: async (shardId) => void stream.split(shardId),
      merge: async (shardId, adjacentShardId) => void stream.merge(shardId, adjacentShardId),
      shards: async () => stream.listShards(),
    },
    close: async () => {},
  }
}

describe('a record source in memory keeps the contract', () => {
  for (const { name, run } of recordSourceContract(make)) test(name, run)
})

describe('a record source in memory filters its listings as Kinesis does', () => {
  for (const { name, run } of shardFilterContract(make)) test(name, run)
})
