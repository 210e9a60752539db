import { afterEach, describe, expect, test } from 'vitest'
import { fanOutFixture, shardId } from './fanOutWire.ts'

let fixture: Awaited<ReturnType<typeof fanOutFixture>> | undefined
/** With a consumer that is known by its name. */
const named = async (options: Parameters<typeof fanOutFixture>[0] = {}) => {
  fixture = await fanOutFixture({ consumerName: 'reader', ...options })
  return fixture
}
afterEach(async () => {
  await fixture?.stop()
  fixture = undefined
})

const other = 'shardId-000000000001'
const missing = 'shardId-000000000099'
const start = { type: 'TRIM_HORIZON' } as const

describe('a consumer that is known by its ARN', () => {
  test('is used as it is, without a question', async () => {
    fixture = await fanOutFixture()
    const { server, open } = fixture
    expect(await open()).toMatchObject({ type: 'shardOpened' })
    expect(server.calls()).toEqual(['SubscribeToShard'])
  })

  test('rejects where it is gone and the shard is not, and never ends the shard', async () => {
    fixture = await fanOutFixture()
    const { server, open } = fixture
    server.deregister('reader')
    await expect(open()).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
    server.register('reader')
    await expect(open()).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  })
})

describe('a consumer that is known by its name', () => {
  test('is looked for once, however many shards are opened at once or later', async () => {
    const { server, open } = await named()
    const answers = await Promise.all([open(), open(start, undefined, other)])
    expect(answers.map(({ type }) => type)).toEqual(['shardOpened', 'shardOpened'])
    server.pass(5_000)
    await open()
    expect(server.calls()).toEqual(['DescribeStreamSummary', 'DescribeStreamConsumer', ...Array(3).fill('SubscribeToShard')])
    expect(server.requests('DescribeStreamConsumer')).toEqual([{ StreamARN: server.streamArn, ConsumerName: 'reader' }])
  })

  test('is looked for in the stream of the ARN that was given', async () => {
    const { server, open } = await named({ stream: { arn: 'arn:aws:kinesis:us-east-1:123456789012:stream/orders' } })
    expect(await open()).toMatchObject({ type: 'shardOpened' })
    expect(server.calls()).toEqual(['DescribeStreamConsumer', 'SubscribeToShard'])
  })

  test('is registered where it is missing, and throttles until it is active', async () => {
    const heard: unknown[] = []
    const { server, open, read } = await named({ registered: false, onThrottle: (throttle) => heard.push(throttle) })
    expect(await open()).toEqual({ type: 'throttled' })
    expect(server.requests('RegisterStreamConsumer')).toEqual([{ StreamARN: server.streamArn, ConsumerName: 'reader' }])
    expect(await open()).toEqual({ type: 'throttled' })
    expect(await read()).toEqual({ type: 'shardNotOpen' })
    server.activate('reader')
    expect(await open()).toMatchObject({ type: 'shardOpened' })
    expect(server.calls()).toEqual([
      'DescribeStreamSummary',
      'DescribeStreamConsumer',
      'RegisterStreamConsumer',
      'DescribeStreamConsumer',
      'DescribeStreamConsumer',
      'SubscribeToShard',
    ])
    expect(heard).toEqual([
      { shardId, consecutive: 1, errorName: 'ConsumerNotActive' },
      { shardId, consecutive: 2, errorName: 'ConsumerNotActive' },
    ])
  })

  test('throttles while an older one of its name is deleted', async () => {
    const { server, open } = await named({ registered: false })
    server.register('reader', 'DELETING')
    expect(await open()).toEqual({ type: 'throttled' })
    server.deregister('reader')
    expect(await open()).toEqual({ type: 'throttled' })
    expect(server.requests('RegisterStreamConsumer')).toHaveLength(1)
  })

  test.each([
    ['another worker registers it at the same time', 'RegisterStreamConsumer', 'ResourceInUseException'],
    ['five are being registered already', 'RegisterStreamConsumer', 'LimitExceededException'],
    ['consumers are asked about too often', 'DescribeStreamConsumer', 'LimitExceededException'],
    ['streams are asked about too often', 'DescribeStreamSummary', 'LimitExceededException'],
  ])('throttles when %s, and asks again at the next opening', async (_, operation, error) => {
    const { server, open } = await named({ registered: false })
    server.script(operation, { error })
    expect(await open()).toEqual({ type: 'throttled' })
    const before = server.calls().length
    server.register('reader')
    expect(await open()).toMatchObject({ type: 'shardOpened' })
    expect(server.calls().slice(before)).toEqual([
      ...(operation === 'DescribeStreamSummary' ? ['DescribeStreamSummary'] : []),
      'DescribeStreamConsumer',
      'SubscribeToShard',
    ])
  })

  test.each([
    ['DescribeStreamSummary', { error: 'AccessDeniedException' }, { name: 'AccessDeniedException' }],
    ['DescribeStreamSummary', { json: {} }, { name: 'InvalidAnswer' }],
    ['DescribeStreamConsumer', { error: 'AccessDeniedException' }, { name: 'AccessDeniedException' }],
    ['DescribeStreamConsumer', { json: {} }, { name: 'InvalidAnswer' }],
    ['DescribeStreamConsumer', { json: { ConsumerDescription: { ConsumerStatus: 'ACTIVE' } } }, { name: 'InvalidAnswer' }],
    ['RegisterStreamConsumer', { error: 'AccessDeniedException' }, { name: 'AccessDeniedException' }],
    ['RegisterStreamConsumer', { json: {} }, { name: 'InvalidAnswer' }],
  ] as const)('rejects what %s answers with %j', async (operation, answer, error) => {
    const { server, open } = await named({ registered: operation !== 'RegisterStreamConsumer' })
    server.script(operation, answer)
    await expect(open()).rejects.toMatchObject(error)
    expect(server.requests('SubscribeToShard')).toEqual([])
  })

  test('is looked for anew, and registered again, after it was deregistered', async () => {
    const { server, open, subscriptionArns } = await named()
    await open()
    server.deregister('reader')
    server.pass(5_000)
    await expect(open()).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
    expect(await open()).toEqual({ type: 'throttled' })
    server.activate('reader')
    expect(await open()).toMatchObject({ type: 'shardOpened' })
    const [first, , last] = subscriptionArns()
    expect(last).not.toBe(first)
  })

  test('is looked for anew after it was deregistered under a subscription, which does not end the shard', async () => {
    const { server, open, read } = await named()
    await open()
    const subscription = await server.subscription(1)
    server.deregister('reader')
    subscription.fail('ResourceNotFoundException')
    await expect(read()).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
    expect(await read()).toEqual({ type: 'shardNotOpen' })
    expect(await open()).toEqual({ type: 'throttled' })
  })

  test('goes on being looked for when one of two openings that wait for it is cancelled', async () => {
    const { server, open } = await named()
    server.script('DescribeStreamConsumer', 'hang')
    const controller = new AbortController()
    const first = open(start, controller.signal)
    const second = open(start, undefined, other)
    const { gone } = await server.arrival('DescribeStreamConsumer', 1)
    controller.abort()
    await expect(first).rejects.toMatchObject({ name: 'AbortError' })
    await fixture?.list()
    let over = false
    void gone.then(() => (over = true))
    expect(over).toBe(false)
    const rejected = expect(second).rejects.toMatchObject({ name: 'AbortError' })
    await fixture?.close(other)
    await rejected
    await gone
    expect(await open()).toMatchObject({ type: 'shardOpened' })
  })

  test('gives up a call that is never answered', async () => {
    const { server, open } = await named({ callTimeoutMs: 500 })
    server.script('DescribeStreamConsumer', 'hang')
    await expect(open()).rejects.toMatchObject({ name: 'TimeoutError', message: 'DescribeStreamConsumer: no answer within 500 ms' })
    await (await server.arrival('DescribeStreamConsumer', 1)).gone
  })
})

describe('a shard that is not there', () => {
  test('is not found', async () => {
    const { open } = await named()
    expect(await open(start, undefined, missing)).toEqual({ type: 'shardNotFound' })
  })

  test('is not found any more when its subscription says so', async () => {
    const { server, open, read } = await named()
    await open()
    const subscription = await server.subscription(1)
    subscription.fail('ResourceNotFoundException')
    server.script('ListShards', { json: { Shards: [] } })
    expect(await read()).toEqual({ type: 'shardNotFound' })
    await subscription.gone
  })

  test('is not found when its stream is gone', async () => {
    const { server, open } = await named()
    server.script('DescribeStreamSummary', { error: 'ResourceNotFoundException' })
    server.script('ListShards', { error: 'ResourceNotFoundException' })
    expect(await open()).toEqual({ type: 'shardNotFound' })
  })

  test.each([
    ['is throttled', { error: 'LimitExceededException' }, { type: 'throttled' }],
    ['fails', { error: 'InternalFailureException' }, 'InternalFailureException'],
  ] as const)('is not taken for gone when the listing %s', async (_, answer, expected) => {
    const { server, open } = await named()
    server.script('ListShards', answer)
    const opened = await open(start, undefined, missing).catch((error: unknown) => (error as Error).name)
    expect(opened).toEqual(expected)
  })
})
