import { aggregateContract } from '@shardwise/testing'
import { describe, test } from 'vitest'
import { fanOutStreams } from './fanOutStream.ts'
import { aggregate } from './kplAggregate.ts'

describe.each([1_000, 2])('the fan-out record source takes aggregates apart, %i records an event', (recordsPerEvent) => {
  for (const { name, run } of aggregateContract(fanOutStreams(recordsPerEvent), aggregate)) test(name, run)
})
