import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { KinesisClient } from '@aws-sdk/client-kinesis'
import { createKinesisClient } from '@shardwise/kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { namedConnectionFailure } from './connectionFailure.ts'

/** How the worker's own clients reach AWS; what is left out comes from the SDK's default chain. */
export interface AwsClientOptions {
  readonly region?: string | undefined
  /** The endpoint of both services, or of each. */
  readonly kinesisEndpoint?: string | undefined
  readonly dynamodbEndpoint?: string | undefined
  /** Anything but false: the client for Kinesis speaks HTTP/2, which a subscription to a shard asks for. */
  readonly fanOut?: boolean | object | undefined
}

/** The longest call, in ms, after which it fails and the machine decides. */
const requestTimeoutMs = 30_000
const connectionTimeoutMs = 5_000

/** The two clients as a worker wants them: connections that are kept; one attempt a call, since the machine backs off; calls that end. */
export function createAwsClients(options: AwsClientOptions): { kinesis: KinesisClient; dynamodb: DynamoDBClient } {
  const { region, kinesisEndpoint, dynamodbEndpoint, fanOut = false } = options
  const kinesis =
    fanOut === false
      ? createKinesisClient({ region, endpoint: kinesisEndpoint, requestTimeoutMs, connectionTimeoutMs })
      : // The SDK's own handler for Kinesis: HTTP/2, a session for each call. The record source bounds what a call may take.
        new KinesisClient({
          ...(region === undefined ? {} : { region }),
          ...(kinesisEndpoint === undefined ? {} : { endpoint: kinesisEndpoint }),
          maxAttempts: 1,
        })
  const dynamodb = new DynamoDBClient({
    ...(region === undefined ? {} : { region }),
    ...(dynamodbEndpoint === undefined ? {} : { endpoint: dynamodbEndpoint }),
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: connectionTimeoutMs,
      requestTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
      httpAgent: new HttpAgent({ keepAlive: true, maxSockets: 256 }),
      httpsAgent: new HttpsAgent({ keepAlive: true, maxSockets: 256 }),
    }),
  })
  kinesis.middlewareStack.add(nameEndpoints, { step: 'finalizeRequest', priority: 'low', name: 'nameEndpoints' })
  dynamodb.middlewareStack.add(nameEndpoints, { step: 'finalizeRequest', priority: 'low', name: 'nameEndpoints' })
  return { kinesis, dynamodb }
}

/** Errors of connections name the endpoint. */
function nameEndpoints<Args extends { request: unknown }, Output>(next: (args: Args) => Promise<Output>): (args: Args) => Promise<Output> {
  return async (args) => {
    try {
      return await next(args)
    } catch (error) {
      const { protocol, hostname, port } = args.request as { protocol: string; hostname: string; port?: number }
      throw namedConnectionFailure(error, `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`)
    }
  }
}

/** Resolves region and credentials, so that their absence is one clear error before anything starts. */
export async function checkAwsClients(clients: readonly (KinesisClient | DynamoDBClient)[]): Promise<void> {
  for (const { config } of clients) {
    try {
      await config.region()
    } catch (cause) {
      throw new Error('region: expected one in the options, in AWS_REGION or in the AWS config file, found none', { cause })
    }
    try {
      await config.credentials()
    } catch (cause) {
      throw new Error(
        `credentials: expected some of the AWS default chain, found none: ${cause instanceof Error ? cause.message : String(cause)}`,
        {
          cause,
        },
      )
    }
  }
}
