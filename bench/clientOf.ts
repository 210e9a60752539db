import { KinesisClient } from '@aws-sdk/client-kinesis'
import { createKinesisClient } from '@shardwise/kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import type { Course } from './measure.ts'

/** The client that a course is to be consumed with. */
export function clientOf({ endpoint, client }: Course): KinesisClient {
  const config = { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' } }
  if (client === 'createKinesisClient') return createKinesisClient(config)
  if (client === 'defaults') return new KinesisClient(config)
  return new KinesisClient({ ...config, requestHandler: new NodeHttpHandler({ httpAgent: { keepAlive: true } }) })
}
