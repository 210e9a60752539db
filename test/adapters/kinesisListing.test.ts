import type { ChildShard, Shard } from '@shardwise/effects'
import { afterEach, describe, expect, test } from 'vitest'
import type { WireShard, WireShardList } from '../../servers/wireShards.ts'
import { wireFixture } from './kinesisWire.ts'

let fixture: Awaited<ReturnType<typeof wireFixture>> | undefined
const start = async (shards: WireShardList = { shards: family }, options: Parameters<typeof wireFixture>[0] = {}) => {
  fixture = await wireFixture({ shards, ...options })
  return fixture
}
afterEach(async () => {
  await fixture?.stop()
  fixture = undefined
})

/** 0 and 1 merge into 2 at 200; 2 splits into 3 and 4 at 300; 5 stays open beside them. */
const family: readonly WireShard[] = [
  { shardId: 's0', openedAtMs: 100, closedAtMs: 199 },
  { shardId: 's1', openedAtMs: 100, closedAtMs: 199 },
  { shardId: 's2', parents: ['s0', 's1'], openedAtMs: 200, closedAtMs: 299 },
  { shardId: 's3', parents: ['s2'], openedAtMs: 300 },
  { shardId: 's4', parents: ['s2'], openedAtMs: 300 },
  { shardId: 's5', openedAtMs: 100 },
]

const at = (timestampMs: number) => ({ type: 'AT_TIMESTAMP', timestampMs }) as const
const idsOf = (answer: { readonly type: string; readonly shards?: readonly Shard[] }): unknown =>
  answer.shards?.map(({ shardId }) => shardId) ?? answer

describe('listing the shards of a stream', () => {
  test.each([
    ['ALL', undefined],
    [{ type: 'LATEST' }, { Type: 'AT_LATEST' }],
    [{ type: 'TRIM_HORIZON' }, { Type: 'AT_TRIM_HORIZON' }],
    [at(250), { Type: 'AT_TIMESTAMP', Timestamp: 0.25 }],
  ] as const)('asks for %j with the filter %j', async (from, filter) => {
    const { wire, list } = await start()
    await list(from)
    expect(wire.requests('ListShards').map(({ input }) => input)).toEqual([
      { StreamName: 'orders', ...(filter === undefined ? {} : { ShardFilter: filter }) },
    ])
  })

  test.each([
    ['ALL', 0, ['s0', 's1', 's2', 's3', 's4', 's5']],
    [{ type: 'LATEST' }, 0, ['s3', 's4', 's5']],
    [{ type: 'TRIM_HORIZON' }, 100, ['s0', 's1', 's5']],
    [{ type: 'TRIM_HORIZON' }, 250, ['s2', 's5']],
    [{ type: 'TRIM_HORIZON' }, 350, ['s3', 's4', 's5']],
    [at(150), 0, ['s0', 's1', 's5']],
    [at(250), 0, ['s2', 's5']],
    [at(300), 0, ['s3', 's4', 's5']],
  ] as const)('starts from %j, trimmed at %i, with the shards that the service names', async (from, trimHorizonMs, expected) => {
    const { list } = await start({ shards: family, trimHorizonMs })
    expect(idsOf(await list(from))).toEqual(expected)
  })

  test.each([
    ['ALL', 0, ['s0', 's1', 's2', 's3', 's4', 's5']],
    [{ type: 'LATEST' }, 0, ['s3', 's4', 's5']],
    [{ type: 'TRIM_HORIZON' }, 0, ['s0', 's1', 's5']],
    [{ type: 'TRIM_HORIZON' }, 250, ['s2', 's5']],
    [{ type: 'TRIM_HORIZON' }, 350, ['s3', 's4', 's5']],
    [at(250), 0, ['s0', 's1', 's5']],
  ] as const)('starts from %j, trimmed at %i, by lineage when the server ignores the filter', async (from, trimHorizonMs, expected) => {
    const { list } = await start({ shards: family, trimHorizonMs, ignoresFilters: true })
    expect(idsOf(await list(from))).toEqual(expected)
  })

  test('leaves a child to the end of its parent when both were open at the timestamp', async () => {
    const shards = [
      { shardId: 's0', openedAtMs: 100, closedAtMs: 200 },
      { shardId: 's1', parents: ['s0'], openedAtMs: 200 },
    ]
    const { list } = await start({ shards })
    expect(idsOf(await list(at(200)))).toEqual(['s0'])
  })

  test('does not drop a child whose parents were trimmed', async () => {
    const { list } = await start({ shards: [{ shardId: 's9', parents: ['s7', 's8'], openedAtMs: 5 }], ignoresFilters: true })
    expect(idsOf(await list({ type: 'TRIM_HORIZON' }))).toEqual(['s9'])
  })

  test('describes each shard', async () => {
    const { list } = await start({
      shards: [{ shardId: 's2', parents: ['s0', 's1'], openedAtMs: 7, closedAtMs: 8, hashKeys: ['10', '20'] }],
    })
    expect(await list('ALL')).toEqual({
      type: 'shardsListed',
      shards: [
        {
          shardId: 's2',
          parentShardIds: ['s0', 's1'],
          hashKeyRange: { startingHashKey: '10', endingHashKey: '20' },
          startingSequenceNumber: '7',
          closed: true,
        },
      ],
    })
  })

  test('reads every page, with the name and the filter on the first one only', async () => {
    const { wire, list } = await start({ shards: family, pageSize: 2 })
    expect(idsOf(await list({ type: 'LATEST' }))).toEqual(['s3', 's4', 's5'])
    expect(wire.requests('ListShards').map(({ input }) => Object.keys(input).sort())).toEqual([
      ['ShardFilter', 'StreamName'],
      ['NextToken'],
    ])
  })

  test('compares lineage across pages', async () => {
    const { list } = await start({ shards: family, pageSize: 1, ignoresFilters: true })
    expect(idsOf(await list({ type: 'TRIM_HORIZON' }))).toEqual(['s0', 's1', 's5'])
  })

  test('names the ARN on the first page only', async () => {
    const arn = 'arn:aws-cn:kinesis:cn-north-1:123456789012:stream/orders'
    const { wire, list } = await start({ shards: family, pageSize: 3 }, { stream: { arn } })
    await list('ALL')
    expect(wire.requests('ListShards').map(({ input }) => Object.keys(input))).toEqual([['StreamARN'], ['NextToken']])
  })

  test('rejects pages that lead in a circle', async () => {
    const { wire, list } = await start()
    wire.script('ListShards', { json: { Shards: [], NextToken: 't' } }, { json: { Shards: [], NextToken: 't' } })
    await expect(list('ALL')).rejects.toMatchObject({ name: 'InvalidAnswer' })
  })

  test.each([
    ['ResourceNotFoundException', 'streamNotFound'],
    ['ResourceInUseException', 'streamNotActive'],
    ['LimitExceededException', 'throttled'],
  ])('answers %s, on whichever page, with %s', async (error, type) => {
    const { wire, list } = await start()
    wire.script('ListShards', { error }, { json: { Shards: [], NextToken: 't' } }, { error })
    expect(await list('ALL')).toEqual({ type })
    expect(await list('ALL')).toEqual({ type })
    expect(wire.requests('ListShards')).toHaveLength(3)
  })

  test.each([
    ['an error it does not expect', { error: 'AccessDeniedException' }, { name: 'AccessDeniedException' }],
    ['an expired token', { error: 'ExpiredNextTokenException' }, { name: 'ExpiredNextTokenException' }],
    ['invalid JSON', { text: '<' }, { name: 'InvalidAnswer', message: expect.stringContaining('ListShards of orders') }],
    ['an empty body', { text: '' }, { name: 'InvalidAnswer' }],
    ['a shard without an id', { json: { Shards: [{}] } }, { name: 'InvalidAnswer' }],
    [
      'a shard without hash keys',
      { json: { Shards: [{ ShardId: 's', SequenceNumberRange: { StartingSequenceNumber: '1' } }] } },
      { name: 'InvalidAnswer' },
    ],
  ] as const)('rejects %s', async (_, answer, error) => {
    const { wire, list } = await start()
    wire.script('ListShards', answer)
    await expect(list('ALL')).rejects.toMatchObject(error)
  })

  test('stops in the middle of the pages when it is cancelled', async () => {
    const { wire, list } = await start()
    wire.script('ListShards', { json: { Shards: [], NextToken: 't' } }, 'hang')
    const controller = new AbortController()
    const listing = list('ALL', controller.signal)
    const second = await wire.arrival('ListShards', 2)
    controller.abort()
    await expect(listing).rejects.toMatchObject({ name: 'AbortError' })
    await second.gone
  })
})

describe('listing the children of a shard', () => {
  const childrenOf = (answer: { readonly type: string; readonly childShards?: readonly ChildShard[] }): unknown =>
    answer.childShards?.map(({ shardId, parentShardIds }) => ({ shardId, parentShardIds })) ?? answer

  test('names both children of a split', async () => {
    const { listChildren } = await start({ shards: family, pageSize: 1 })
    expect(childrenOf(await listChildren('s2'))).toEqual([
      { shardId: 's3', parentShardIds: ['s2'] },
      { shardId: 's4', parentShardIds: ['s2'] },
    ])
  })

  test.each(['s0', 's1'])('names the child of a merge to its parent %s', async (parent) => {
    const { listChildren } = await start()
    expect(childrenOf(await listChildren(parent))).toEqual([{ shardId: 's2', parentShardIds: ['s0', 's1'] }])
  })

  test('says that an open shard is still open', async () => {
    const { listChildren } = await start()
    expect(await listChildren('s3')).toEqual({ type: 'shardStillOpen' })
  })

  test('takes a shard for closed when it has an ending sequence number, whatever that is', async () => {
    const { wire, listChildren } = await start()
    const shard = (ShardId: string, more: object) => ({
      ShardId,
      HashKeyRange: { StartingHashKey: '0', EndingHashKey: '9' },
      SequenceNumberRange: { StartingSequenceNumber: '49590338271490256608559692538361571095921575989136588898', ...more },
    })
    const Shards = [shard('a', { EndingSequenceNumber: '9223372036854775807' }), { ...shard('b', {}), ParentShardId: 'a' }]
    wire.script('ListShards', { json: { Shards } })
    expect(childrenOf(await listChildren('a'))).toEqual([{ shardId: 'b', parentShardIds: ['a'] }])
  })

  test('names none for a shard that is not listed any more, and says when the stream itself is gone', async () => {
    const { wire, listChildren } = await start()
    expect(await listChildren('s99')).toEqual({ type: 'childShardsListed', childShards: [] })
    wire.script('ListShards', { error: 'ResourceNotFoundException' })
    expect(await listChildren('s0')).toEqual({ type: 'streamNotFound' })
  })

  test('names the children that outlived a shard which is listed no more', async () => {
    const { listChildren } = await start({ shards: [{ shardId: 's1', parents: ['s0'], openedAtMs: 2 }] })
    expect(childrenOf(await listChildren('s0'))).toMatchObject([{ shardId: 's1', parentShardIds: ['s0'] }])
  })

  test('rejects a listing that shows a closed shard without any child', async () => {
    const { listChildren } = await start({ shards: [{ shardId: 's0', openedAtMs: 1, closedAtMs: 2 }] })
    await expect(listChildren('s0')).rejects.toMatchObject({ name: 'InvalidAnswer', message: expect.stringContaining('s0') })
  })

  test('answers a throttle, and rejects what it does not expect', async () => {
    const { wire, listChildren } = await start()
    wire.script('ListShards', { error: 'LimitExceededException' }, { error: 'ResourceInUseException' }, 'reset')
    expect(await listChildren('s0')).toEqual({ type: 'throttled' })
    await expect(listChildren('s0')).rejects.toMatchObject({ name: 'ResourceInUseException' })
    await expect(listChildren('s0')).rejects.toMatchObject({ code: 'ECONNRESET' })
  })
})
