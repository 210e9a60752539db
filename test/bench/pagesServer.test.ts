import { GetRecordsCommand, GetShardIteratorCommand, KinesisClient, ListShardsCommand } from '@aws-sdk/client-kinesis'
import { NodeHttp2Handler, NodeHttpHandler } from '@smithy/node-http-handler'
import { afterEach, describe, expect, it } from 'vitest'
import type { PagesOptions } from '../../servers/pages.ts'
import { startPagesServer } from '../../servers/pagesServer.ts'

const small: PagesOptions = { shards: 2, recordsPerShard: 25, recordsPerPage: 10, bytesPerRecord: 200, end: 'open' }
const stops: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop()
})

const credentials = { accessKeyId: 'a', secretAccessKey: 'b' }

async function start(options: Partial<PagesOptions> = {}) {
  const server = await startPagesServer({ ...small, ...options })
  const clientOf = (endpoint: string, requestHandler: NodeHttpHandler | NodeHttp2Handler) =>
    new KinesisClient({ endpoint, region: 'us-east-1', credentials, requestHandler })
  const ca = server.certificate
  const overHttp1 = clientOf(server.plain, new NodeHttpHandler())
  const overTls = clientOf(server.tls, new NodeHttpHandler({ httpsAgent: { ca } }))
  const overHttp2 = clientOf(server.tls, new NodeHttp2Handler({ nodeHttp2ConnectOptions: { ca } }))
  stops.push(
    server.stop,
    () => overHttp1.destroy(),
    () => overTls.destroy(),
    () => overHttp2.destroy(),
  )
  return { overHttp1, overTls, overHttp2 }
}

async function iteratorOf(client: KinesisClient, shardId: string, type: 'TRIM_HORIZON' | 'LATEST' | 'AFTER_SEQUENCE_NUMBER', at?: string) {
  const { ShardIterator } = await client.send(
    new GetShardIteratorCommand({ StreamName: 's', ShardId: shardId, ShardIteratorType: type, StartingSequenceNumber: at }),
  )
  return ShardIterator
}

const read = (client: KinesisClient, iterator: string | undefined) =>
  client.send(new GetRecordsCommand({ ShardIterator: iterator, Limit: 10 }))

/** The first pages of a shard. */
async function pagesOf(client: KinesisClient, shardId: string, count: number) {
  const pages = []
  let iterator = await iteratorOf(client, shardId, 'TRIM_HORIZON')
  while (pages.length < count) {
    const page = await read(client, iterator)
    pages.push(page)
    iterator = page.NextShardIterator
  }
  return pages
}

describe.each(['overHttp1', 'overTls', 'overHttp2'] as const)('the pages server, read %s by the SDK', (transport) => {
  it('hands out every record of a shard once, in order, and then nothing for ever', async () => {
    const { [transport]: client } = await start()
    const pages = await pagesOf(client, 'shardId-000000000001', 5)
    const numbers = pages.flatMap(({ Records = [] }) => Records.map(({ SequenceNumber = '' }) => BigInt(SequenceNumber)))

    expect(pages.map(({ Records = [] }) => Records.length)).toEqual([10, 10, 5, 0, 0])
    expect(new Set(numbers).size).toBe(25)
    expect(numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? number))).toBe(true)
  })

  it('is behind until the last page, and is caught up with it', async () => {
    const { [transport]: client } = await start()
    const pages = await pagesOf(client, 'shardId-000000000000', 4)

    expect(pages.map(({ MillisBehindLatest }) => MillisBehindLatest)).toEqual([15, 5, 0, 0])
  })

  it('holds payloads of the size asked for, and sequence numbers as long as those of Kinesis', async () => {
    const { [transport]: client } = await start({ bytesPerRecord: 321 })
    const [{ Records: [record] = [] } = {}] = await pagesOf(client, 'shardId-000000000000', 1)

    expect(record?.Data?.length).toBe(321)
    expect(record?.SequenceNumber).toMatch(/^\d{56}$/)
    expect(record?.ApproximateArrivalTimestamp?.getTime()).toBe(1_700_000_000_001)
  })
})

describe('the pages server', () => {
  it('ends its shards on request: the last page names two children, which are open and empty', async () => {
    const { overHttp1 } = await start({ end: 'ended' })
    const last = (await pagesOf(overHttp1, 'shardId-000000000001', 3)).at(-1)
    const { Shards = [] } = await overHttp1.send(new ListShardsCommand({ StreamName: 's' }))
    const child = await read(overHttp1, await iteratorOf(overHttp1, 'shardId-000000000005', 'TRIM_HORIZON'))

    expect(last?.NextShardIterator).toBeUndefined()
    expect(last?.ChildShards?.map(({ ShardId, ParentShards }) => [ShardId, ParentShards])).toEqual([
      ['shardId-000000000004', ['shardId-000000000001']],
      ['shardId-000000000005', ['shardId-000000000001']],
    ])
    expect(
      Shards.map(({ ParentShardId, SequenceNumberRange }) => [
        ParentShardId?.slice(-1),
        SequenceNumberRange?.EndingSequenceNumber === undefined ? 'open' : 'ended',
      ]),
    ).toEqual([
      [undefined, 'ended'],
      [undefined, 'ended'],
      ['0', 'open'],
      ['0', 'open'],
      ['1', 'open'],
      ['1', 'open'],
    ])
    expect(child).toMatchObject({ Records: [], MillisBehindLatest: 0, NextShardIterator: 'shardId-000000000005/0' })
  })

  it('divides the hash keys among its shards without a gap', async () => {
    const { overHttp1 } = await start({ shards: 3 })
    const { Shards = [] } = await overHttp1.send(new ListShardsCommand({ StreamName: 's' }))
    const ranges = Shards.map(({ HashKeyRange }) => [BigInt(HashKeyRange?.StartingHashKey ?? 0), BigInt(HashKeyRange?.EndingHashKey ?? 0)])

    expect(ranges[0]?.[0]).toBe(0n)
    expect(ranges[1]?.[0]).toBe((ranges[0]?.[1] ?? 0n) + 1n)
    expect(ranges[2]?.[0]).toBe((ranges[1]?.[1] ?? 0n) + 1n)
    expect(ranges[2]?.[1]).toBe(2n ** 128n - 1n)
  })

  it('goes on after a sequence number where a page ends', async () => {
    const { overHttp1 } = await start()
    const [first, second] = await pagesOf(overHttp1, 'shardId-000000000000', 2)
    const after = await iteratorOf(overHttp1, 'shardId-000000000000', 'AFTER_SEQUENCE_NUMBER', first?.Records?.at(-1)?.SequenceNumber)

    expect((await read(overHttp1, after)).Records).toEqual(second?.Records)
  })

  it('refuses to start inside a page, to cut a page, and what it does not know', async () => {
    const { overHttp1 } = await start()
    const [page] = await pagesOf(overHttp1, 'shardId-000000000000', 1)
    const inside = iteratorOf(overHttp1, 'shardId-000000000000', 'AFTER_SEQUENCE_NUMBER', page?.Records?.at(3)?.SequenceNumber)

    await expect(inside).rejects.toMatchObject({ name: 'InvalidArgumentException' })
    await expect(overHttp1.send(new GetRecordsCommand({ ShardIterator: 'shardId-000000000000/0', Limit: 9 }))).rejects.toThrow(/Limit 9/)
    await expect(read(overHttp1, 'someone-elses')).rejects.toMatchObject({ name: 'InvalidArgumentException' })
    await expect(iteratorOf(overHttp1, 'shardId-000000000009', 'LATEST')).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })

  it.each([
    [{ shards: 0 }, 'shards: expected a whole number from 1 to 100, got 0'],
    [{ recordsPerPage: 10_001 }, 'recordsPerPage: expected a whole number from 1 to 10000, got 10001'],
    [{ recordsPerShard: 1.5 }, 'recordsPerShard: expected a whole number from 1 to 1000000, got 1.5'],
    [{ end: 'never' as 'open' }, "end: expected 'open' or 'ended', got never"],
    [{ pageSize: 10 }, 'pageSize: no such option; expected one of shards, recordsPerShard, recordsPerPage, bytesPerRecord, end'],
  ])('refuses the options %j', async (options, message) => {
    await expect(startPagesServer({ ...small, ...options })).rejects.toThrow(message)
  })
})
