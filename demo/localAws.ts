import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { CreateStreamCommand, KinesisClient } from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { startDynalite } from '../servers/dynalite.ts'
import { startKinesisLocal } from '../servers/kinesisLocal.ts'
import { untilActive } from './resharding.ts'

/** Kinesis and DynamoDB on this machine, with clients for them. */
export interface LocalAws {
  readonly kinesis: KinesisClient
  readonly dynamodb: DynamoDBClient
  readonly kinesisEndpoint: string
  readonly dynamodbEndpoint: string
  stop(): Promise<void>
}

/** Starts both on free ports of the loopback interface. */
export async function startLocalAws(): Promise<LocalAws> {
  const servers = await Promise.allSettled([startKinesisLocal(), startDynalite()])
  const stopServers = async (): Promise<void> => {
    await Promise.all(servers.flatMap((server) => (server.status === 'fulfilled' ? [server.value.stop()] : [])))
  }
  const [kinesisLocal, dynalite] = servers
  if (kinesisLocal.status === 'rejected' || dynalite.status === 'rejected') {
    await stopServers()
    throw servers.flatMap((server): unknown[] => (server.status === 'rejected' ? [server.reason] : []))[0]
  }
  const config = (endpoint: string) => ({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({ requestTimeout: 10_000, throwOnRequestTimeout: true }),
  })
  const kinesis = new KinesisClient(config(kinesisLocal.value.endpoint))
  const dynamodb = new DynamoDBClient(config(dynalite.value.endpoint))
  return {
    kinesis,
    dynamodb,
    kinesisEndpoint: kinesisLocal.value.endpoint,
    dynamodbEndpoint: dynalite.value.endpoint,
    async stop() {
      kinesis.destroy()
      dynamodb.destroy()
      await stopServers()
    },
  }
}

/** Creates a stream, and waits until it can be used. */
export async function createStream(kinesis: KinesisClient, streamName: string, shards: number): Promise<void> {
  await kinesis.send(new CreateStreamCommand({ StreamName: streamName, ShardCount: shards }))
  await untilActive(kinesis, streamName)
}
