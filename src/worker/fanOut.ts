import { checkStreamConsumer, type StreamConsumerAddress } from '@shardwise/kinesis'
import type { WorkerOptions } from './workerOptions.ts'

type Options = Pick<WorkerOptions, 'fanOut' | 'applicationName' | 'streamName' | 'streamArn'>

/** The registered consumer that the options name, or null when shards are polled. @throws Error naming `fanOut`, when it cannot be one of the stream. */
export function consumerOf({ fanOut = false, applicationName, streamName, streamArn }: Options): StreamConsumerAddress | null {
  if (fanOut === false) return null
  const consumer = fanOut === true ? { consumerName: applicationName } : fanOut
  try {
    checkStreamConsumer(streamName === undefined ? { arn: streamArn ?? '' } : { name: streamName }, consumer)
  } catch (cause) {
    throw new Error(`fanOut: ${(cause as Error).message}`, { cause })
  }
  return consumer
}
