import { recordSourceContract } from '@shardwise/testing'
import { describe, test } from 'vitest'
import { fanOutStreams } from './fanOutStream.ts'

describe.each([1_000, 2])('the fan-out record source keeps the contract, %i records an event', (recordsPerEvent) => {
  for (const { name, run } of recordSourceContract(fanOutStreams(recordsPerEvent))) test(name, run)
})
