import { createAggregator } from '@shardwise/kinesis'
import { type Aggregate, aggregateContract } from '@shardwise/testing'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { startKinesalite } from '../../servers/kinesalite.ts'
import { startKinesisLocal } from '../../servers/kinesisLocal.ts'
import { localKinesisClient } from './kinesisClient.ts'
import { streamsOf } from './kinesisStream.ts'

/** Whatever their hash keys: a producer without `hashKeyRanges` takes the stream for one of a single shard. */
const aggregate: Aggregate = (records) => {
  const aggregator = createAggregator()
  for (const record of records) aggregator.add(record)
  const [made] = aggregator.flush()
  if (made === undefined) throw new Error('aggregate: expected one, got none')
  return made
}

describe.each([
  { name: 'kinesalite', start: startKinesalite },
  { name: 'kinesis-local', start: startKinesisLocal },
])('the Kinesis record source takes aggregates apart against $name', ({ start }) => {
  let server: Awaited<ReturnType<typeof start>>
  let client: ReturnType<typeof localKinesisClient>

  beforeAll(async () => {
    server = await start()
    client = localKinesisClient(server.endpoint)
  })
  afterAll(async () => {
    client.destroy()
    await server.stop()
  })

  for (const { name, run } of aggregateContract((options) => streamsOf(client)(options), aggregate)) test(name, run)
})
