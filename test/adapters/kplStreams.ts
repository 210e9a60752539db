import type { KinesisClient } from '@aws-sdk/client-kinesis'
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
    const { name, stream } = await make({ shardCount })
    return { name, shards: stream.shards, split: stream.split }
  }
}
