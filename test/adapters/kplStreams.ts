import { type KinesisClient, ListStreamsCommand } from '@aws-sdk/client-kinesis'
import type { RecordSourceFixture } from '@shardwise/testing'
import { streamsOf } from './kinesisStream.ts'

/** A stream on a local server, with its name. */
export interface NamedStream extends Pick<RecordSourceFixture['stream'], 'shards' | 'split'> {
  readonly name: string
}

/** Makes streams of that many shards. */
export function namedStreamsOf(client: KinesisClient): (shardCount: number) => Promise<NamedStream> {
  const make = streamsOf(client)
  return async (shardCount) => {
    const before = await namesOf(client)
    const { stream } = await make({ shardCount })
    const name = (await namesOf(client)).find((listed) => !before.includes(listed))
    if (name === undefined) throw new Error('stream: expected a new one')
    return { name, shards: stream.shards, split: stream.split }
  }
}

async function namesOf(client: KinesisClient): Promise<readonly string[]> {
  const { StreamNames = [] } = await client.send(new ListStreamsCommand({}))
  return StreamNames
}
