import { aggregateContract } from '@shardwise/testing'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { startKinesalite } from '../../servers/kinesalite.ts'
import { sharedKinesisLocal } from '../sharedKinesisLocal.ts'
import { localKinesisClient } from './kinesisClient.ts'
import { streamsOf } from './kinesisStream.ts'
import { aggregate } from './kplAggregate.ts'

describe.each([
  { name: 'kinesalite', start: startKinesalite },
  { name: 'kinesis-local', start: sharedKinesisLocal },
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
