import { KinesisClient } from '@aws-sdk/client-kinesis'

/** A client of a local server with the SDK's own handler, which speaks HTTP/2. The test destroys it. */
export function http2Client(endpoint: string): KinesisClient {
  return new KinesisClient({
    endpoint,
    region: 'us-east-1',
    maxAttempts: 1,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })
}
