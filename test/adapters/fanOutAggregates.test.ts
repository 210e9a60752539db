import { aggregateContract } from '@shardwise/testing'
import { describe, expect, test } from 'vitest'
import { fanOutStreams } from './fanOutStream.ts'
import { event, fanOutFixture, numbersOf } from './fanOutWire.ts'
import { aggregate } from './kplAggregate.ts'

describe.each([1_000, 2])('the fan-out record source takes aggregates apart, %i records an event', (recordsPerEvent) => {
  for (const { name, run } of aggregateContract(fanOutStreams(recordsPerEvent), aggregate)) test(name, run)
})

test('an event with an aggregate waits for the hash keys of its shard, through a listing that is throttled and one that fails', async () => {
  const { server, open, read, batches, stop } = await fanOutFixture()
  try {
    await open()
    const subscription = await server.subscription(1)
    const user = (byte: number) => ({ partitionKey: `key ${byte}`, data: Uint8Array.of(byte) })
    const Data = Buffer.from(aggregate([user(1), user(2)]).data).toString('base64')
    await subscription.send(event([], 7, { Records: [{ SequenceNumber: '7', PartitionKey: 'k', Data }] }))
    server.script('ListShards', { error: 'LimitExceededException' }, { error: 'InternalFailureException' })
    expect(await read()).toEqual({ type: 'throttled' })
    await expect(read()).rejects.toMatchObject({ name: 'InternalFailureException' })
    expect(batches.size).toBe(0)
    expect(numbersOf(await read(), batches)).toEqual([7, 7])
    expect(subscription.isOver).toBe(false)
  } finally {
    await stop()
  }
})
