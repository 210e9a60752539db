import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { type GetRecordsCommandOutput, KinesisClient, type KinesisClientConfig } from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { checkClientOptions, type KinesisClientOptions } from './clientOptions.ts'
import { createGetRecordsDecoder, decoderKnowsSchemas } from './getRecordsDecoder.ts'

/**
 * A stock `KinesisClient`, set up for reading: HTTP/1.1 connections that are kept, one attempt a call, calls that end with `TimeoutError`, nothing logged,
 * and GetRecords answers decoded faster, to what the SDK makes of them. Whoever makes it destroys it.
 * @throws Error that names the first option that is unknown or cannot be used.
 */
export function createKinesisClient(options: KinesisClientOptions = {}): KinesisClient {
  checkClientOptions(options)
  const { requestTimeoutMs = 30_000, connectionTimeoutMs = 5_000, maxSockets = 256, httpsAgent, ...config } = options
  const client = new KinesisClient({
    // To the SDK, undefined is left out, though its types do not say so.
    ...(config as KinesisClientConfig),
    maxAttempts: 1,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: connectionTimeoutMs,
      requestTimeout: requestTimeoutMs,
      throwOnRequestTimeout: true,
      // The request timeout ends with the headers; a body that stops half-way is cut by this one.
      socketTimeout: requestTimeoutMs,
      httpAgent: new HttpAgent({ keepAlive: true, maxSockets }),
      httpsAgent: httpsAgent ?? new HttpsAgent({ keepAlive: true, maxSockets }),
    }),
  })
  // It walks every record of every answer for a logger that writes nothing.
  client.middlewareStack.remove('loggerMiddleware')
  if (decoderKnowsSchemas()) decodeGetRecords(client.config.protocol)
  return client
}

interface HttpAnswer {
  readonly statusCode: number
  /** A stream, as it comes from the connection. */
  readonly body?: unknown
}

/** As much of the SDK's `ClientProtocol` as is needed here. */
interface Protocol {
  deserializeResponse(
    operation: { readonly name: string },
    context: { streamCollector(stream: unknown): Promise<Uint8Array> },
    answer: HttpAnswer,
  ): Promise<MetadataBearer>
}

type MetadataBearer = Pick<GetRecordsCommandOutput, '$metadata'>

/** Puts the decoder before the client's own, which goes on to decode everything but the body of an answer to GetRecords. */
function decodeGetRecords(protocol: Protocol): void {
  const decode = createGetRecordsDecoder()
  const deserialize = protocol.deserializeResponse.bind(protocol)
  protocol.deserializeResponse = async (operation, context, answer) => {
    if (operation.name !== 'GetRecords' || answer.statusCode !== 200 || !answer.body) return deserialize(operation, context, answer)
    const body = answer.body instanceof Uint8Array ? answer.body : await context.streamCollector(answer.body)
    const output = decode(body)
    if (output === undefined) return deserialize(operation, context, { ...answer, body })
    // Without a body, the client's own decoder says the metadata alone.
    const { $metadata } = await deserialize(operation, context, { ...answer, body: new Uint8Array() })
    return Object.assign(output, { $metadata })
  }
}
