import { Agent as HttpsAgent } from 'node:https'
import { GetRecordsCommand, type KinesisClient } from '@aws-sdk/client-kinesis'
import { createKinesisClient, type KinesisClientOptions } from '@shardwise/kinesis'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startPagesServer } from '../../servers/pagesServer.ts'
import { type RawAnswers, startRawAnswers } from '../../servers/rawAnswers.ts'

let server: RawAnswers
let client: KinesisClient
beforeEach(async () => {
  server = await startRawAnswers()
})
afterEach(async () => {
  client.destroy()
  await server.stop()
})

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
const page = { body: JSON.stringify({ Records: [], NextShardIterator: 'next', MillisBehindLatest: 0 }) }

function start(options: KinesisClientOptions = {}): KinesisClient {
  client = createKinesisClient({ endpoint: server.endpoint, region: 'us-east-1', credentials, ...options })
  return client
}

const getRecords = (abortSignal?: AbortSignal) => client.send(new GetRecordsCommand({ ShardIterator: 'i' }), abortSignal && { abortSignal })

describe('a call of the client', () => {
  it('goes out on the connection of the call before it', async () => {
    start()
    server.answer = page
    for (let call = 0; call < 5; call += 1) await getRecords()

    expect(server.requests).toHaveLength(5)
    expect(server.connections).toBe(1)
  })

  it('waits for a connection when as many as allowed are busy', async () => {
    start({ maxSockets: 2 })
    server.answer = page
    await Promise.all(Array.from({ length: 6 }, async () => getRecords()))

    expect(server.requests).toHaveLength(6)
    expect(server.connections).toBe(2)
  })

  it.each(['ProvisionedThroughputExceededException', 'InternalFailureException'])(
    'is made once, even when %s asks for another',
    async (__type) => {
      start()
      server.answer = { status: __type === 'InternalFailureException' ? 500 : 400, body: JSON.stringify({ __type }) }

      await expect(getRecords()).rejects.toMatchObject({ name: __type, $metadata: { attempts: 1 } })
      expect(server.requests).toHaveLength(1)
    },
  )

  it('rejects with TimeoutError when no answer begins in time', async () => {
    start({ requestTimeoutMs: 50 })
    server.answer = { ...page, manner: 'silent' }

    await expect(getRecords()).rejects.toMatchObject({ name: 'TimeoutError', code: 'ETIMEDOUT' })
  })

  it('rejects with TimeoutError when an answer stops half-way', async () => {
    start({ requestTimeoutMs: 50 })
    server.answer = { ...page, manner: 'stalled' }

    await expect(getRecords()).rejects.toMatchObject({ name: 'TimeoutError' })
  })

  it('rejects when the connection ends half-way, and the next one succeeds', async () => {
    start()
    server.answer = { ...page, manner: 'cut' }
    await expect(getRecords()).rejects.toMatchObject({ code: 'ECONNRESET' })
    server.answer = page

    await expect(getRecords()).resolves.toMatchObject({ NextShardIterator: 'next' })
  })

  it('can be aborted', async () => {
    start()
    server.answer = { ...page, manner: 'stalled' }
    const controller = new AbortController()
    const call = getRecords(controller.signal)
    controller.abort()

    await expect(call).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('is signed and named as one of the SDK', async () => {
    start()
    server.answer = page
    await getRecords()

    expect(server.requests[0]).toMatchObject({
      'x-amz-target': 'Kinesis_20131202.GetRecords',
      'content-type': 'application/x-amz-json-1.1',
      authorization: expect.stringMatching(/^AWS4-HMAC-SHA256 Credential=test\//),
      'user-agent': expect.stringContaining('aws-sdk-js/'),
    })
  })
})

describe('the middleware of the client', () => {
  it('is that of the SDK without its logger', () => {
    expect(start().middlewareStack.identify().join()).not.toContain('loggerMiddleware')
  })
})

describe('a client with an agent of the user', () => {
  it('reads over TLS with what the agent trusts, and not without', async () => {
    const pages = await startPagesServer({ shards: 1, recordsPerShard: 1, recordsPerPage: 1, bytesPerRecord: 1, end: 'open' })
    const getFirst = () => client.send(new GetRecordsCommand({ ShardIterator: 'shardId-000000000000/0' }))
    try {
      start({ endpoint: pages.tls })
      await expect(getFirst()).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
      client.destroy()
      start({ endpoint: pages.tls, httpsAgent: new HttpsAgent({ keepAlive: true, ca: pages.certificate }) })

      expect((await getFirst()).Records).toHaveLength(1)
    } finally {
      await pages.stop()
    }
  })
})
