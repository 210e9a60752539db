import { GetRecordsCommand, GetShardIteratorCommand, KinesisClient, ListShardsCommand } from '@aws-sdk/client-kinesis'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { measure } from './measure.ts'

const streamName = 'bench'

await measure(({ endpoint, transport, recordsPerPage }) => {
  const client = new KinesisClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
    ...(transport === 'http1' ? { requestHandler: new NodeHttpHandler({ httpAgent: { keepAlive: true } }) } : {}),
  })

  const consumeShard = async (shardId: string | undefined): Promise<number> => {
    const { ShardIterator } = await client.send(
      new GetShardIteratorCommand({ StreamName: streamName, ShardId: shardId, ShardIteratorType: 'TRIM_HORIZON' }),
    )
    let iterator = ShardIterator
    let records = 0
    while (iterator !== undefined) {
      const page = await client.send(new GetRecordsCommand({ ShardIterator: iterator, Limit: recordsPerPage }))
      records += page.Records?.length ?? 0
      iterator = page.MillisBehindLatest === 0 ? undefined : page.NextShardIterator
    }
    return records
  }

  return async () => {
    const { Shards = [] } = await client.send(new ListShardsCommand({ StreamName: streamName }))
    const counts = await Promise.all(Shards.map(({ ShardId }) => consumeShard(ShardId)))
    client.destroy()
    return counts.reduce((sum, count) => sum + count, 0)
  }
})
