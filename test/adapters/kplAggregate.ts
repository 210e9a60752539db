import { createAggregator } from '@shardwise/kinesis'
import type { Aggregate } from '@shardwise/testing'

/** One aggregate of them all, whatever their hash keys: without `hashKeyRanges` a producer takes the stream for one of a single shard. */
export const aggregate: Aggregate = (records) => {
  const aggregator = createAggregator()
  for (const record of records) aggregator.add(record)
  const [made] = aggregator.flush()
  if (made === undefined) throw new Error('aggregate: expected one, got none')
  return made
}
