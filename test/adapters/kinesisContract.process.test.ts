import { recordSourceContract, shardFilterContract } from '@shardwise/testing'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { startKinesalite } from '../../servers/kinesalite.ts'
import { sharedKinesisLocal } from '../sharedKinesisLocal.ts'
import { localKinesisClient } from './kinesisClient.ts'
import { streamsOf } from './kinesisStream.ts'

describe.each([
  { name: 'kinesalite', start: startKinesalite },
  { name: 'kinesis-local', start: sharedKinesisLocal },
])('the Kinesis record source against $name', ({ start }) => {
  let server: Awaited<ReturnType<typeof start>>
  let client: ReturnType<typeof localKinesisClient>
  let make: ReturnType<typeof streamsOf>

  beforeAll(async () => {
    server = await start()
    client = localKinesisClient(server.endpoint)
    make = streamsOf(client)
  })
  afterAll(async () => {
    client.destroy()
    await server.stop()
  })

  for (const { name, run } of recordSourceContract((options) => make(options))) test(name, run)
  // Both servers get some filter wrong: what is left of the listing is decided by lineage.
  for (const { name, run } of shardFilterContract((options) => make(options))) test(name, run)
})
