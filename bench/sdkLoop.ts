import { GetRecordsCommand, GetShardIteratorCommand, ListShardsCommand } from '@aws-sdk/client-kinesis'
import { clientOf } from './clientOf.ts'
import { measure } from './measure.ts'

const streamName = 'bench'

await measure((course) => {
  const client = clientOf(course)

  const consumeShard = async (shardId: string | undefined): Promise<number> => {
    const { ShardIterator } = await client.send(
      new GetShardIteratorCommand({ StreamName: streamName, ShardId: shardId, ShardIteratorType: 'TRIM_HORIZON' }),
    )
    let iterator = ShardIterator
    let records = 0
    while (iterator !== undefined) {
      const page = await client.send(new GetRecordsCommand({ ShardIterator: iterator, Limit: course.recordsPerPage }))
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
