import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { CreateStreamCommand, DescribeStreamSummaryCommand, KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis'
import { dynamoDbLeaseTable } from '@shardwise/dynamodb'
import type { Lease } from '@shardwise/effects'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { startDynalite } from '../../servers/dynalite.ts'
import { startKinesalite } from '../../servers/kinesalite.ts'

/** Kinesis and DynamoDB for the command line. */
export interface CliServers {
  /** The options that lead there. */
  readonly endpoints: readonly string[]
  readonly dynamodb: DynamoDBClient
  /** Creates a stream and puts orders into it; answers their texts. */
  fillStream(streamName: string, shards: number, orders: number): Promise<readonly string[]>
  leases(tableName: string): Promise<readonly Lease[]>
  stop(): Promise<void>
}

const neverAborted = { signal: new AbortController().signal, onAbort: () => undefined }

/** Starts kinesalite and dynalite. */
export async function startServers(): Promise<CliServers> {
  const [kinesalite, dynalite] = await Promise.all([startKinesalite(), startDynalite()])
  const config = (endpoint: string) => ({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    requestHandler: new NodeHttpHandler(),
  })
  const kinesis = new KinesisClient(config(kinesalite.endpoint))
  const dynamodb = new DynamoDBClient(config(dynalite.endpoint))
  return {
    endpoints: ['--kinesis-endpoint', kinesalite.endpoint, '--dynamodb-endpoint', dynalite.endpoint],
    dynamodb,
    async fillStream(streamName, shards, orders) {
      await kinesis.send(new CreateStreamCommand({ StreamName: streamName, ShardCount: shards }))
      const isActive = async () =>
        (await kinesis.send(new DescribeStreamSummaryCommand({ StreamName: streamName }))).StreamDescriptionSummary?.StreamStatus ===
        'ACTIVE'
      while (!(await isActive()));
      const texts = Array.from({ length: orders }, (_, index) => `order-${index}`)
      if (orders > 0) {
        const records = texts.map((text) => ({ PartitionKey: text, Data: Buffer.from(text) }))
        const { FailedRecordCount: failed } = await kinesis.send(new PutRecordsCommand({ StreamName: streamName, Records: records }))
        if (failed !== 0) throw new Error(`put: ${failed} records failed`)
      }
      return texts
    },
    async leases(tableName) {
      const table = dynamoDbLeaseTable({ client: dynamodb, tableName })
      const answer = await table.listLeases({ type: 'listLeases', id: 1 }, neverAborted)
      if (answer.type !== 'leasesListed') throw new Error(`leases: ${answer.type}`)
      return answer.leases
    },
    async stop() {
      kinesis.destroy()
      dynamodb.destroy()
      await Promise.all([kinesalite.stop(), dynalite.stop()])
    },
  }
}
