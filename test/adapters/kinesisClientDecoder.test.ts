import { GetRecordsCommand, GetShardIteratorCommand, type KinesisClient } from '@aws-sdk/client-kinesis'
import { createKinesisClient } from '@shardwise/kinesis'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RawAnswer, type RawAnswers, startRawAnswers } from '../../servers/rawAnswers.ts'
import { createGetRecordsDecoder, decoderKnowsSchemas } from '../../src/adapters/kinesis/getRecordsDecoder.ts'
import { randomRuns } from '../randomRuns.ts'
import { localKinesisClient } from './kinesisClient.ts'

let server: RawAnswers
let ours: KinesisClient
let stock: KinesisClient
beforeAll(async () => {
  server = await startRawAnswers()
  ours = createKinesisClient({
    endpoint: server.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })
  stock = localKinesisClient(server.endpoint)
})
afterAll(async () => {
  ours.destroy()
  stock.destroy()
  await server.stop()
})

const getRecords = (client: KinesisClient) => client.send(new GetRecordsCommand({ ShardIterator: 'i' }))

/** Everything that a caller can see of an error, but for the stack and the socket. */
function factsOf(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { $response, ...own } = error as Error & { $response?: { statusCode: number; headers: object; body: unknown } }
  const body: unknown = $response?.body
  return {
    class: error.constructor.name,
    name: error.name,
    message: error.message,
    own,
    keys: Object.getOwnPropertyNames(error).toSorted(),
    response: $response && { ...$response, body: typeof body === 'string' ? body : body?.constructor.name },
  }
}

/** A value with the order of its fields, and with bytes as one text. */
function viewOf(value: unknown): unknown {
  if (value instanceof Uint8Array) return `${value.constructor.name} ${Buffer.from(value).toString('hex')}`
  if (Array.isArray(value)) return value.map(viewOf)
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  return { fields: Object.entries(value).map(([name, field]) => [name, viewOf(field)]) }
}

async function outcomeOf(result: Promise<object>): Promise<unknown> {
  try {
    return viewOf(await result)
  } catch (error) {
    return { error: factsOf(error) }
  }
}

async function expectSameOutcome(answer: RawAnswer): Promise<void> {
  server.answer = { ...answer, headers: { 'x-amzn-RequestId': 'request 1', 'x-amz-id-2': 'extended 1', ...answer.headers } }
  const expected = await outcomeOf(getRecords(stock))
  expect(await outcomeOf(getRecords(ours))).toStrictEqual(expected)
}

const json = (value: unknown): string => JSON.stringify(value)
const record = { SequenceNumber: '1', Data: 'aGVsbG8=', ApproximateArrivalTimestamp: 1_700_000_000.123, PartitionKey: 'k' }
const page = (...Records: readonly unknown[]) => ({ Records, NextShardIterator: 'next', MillisBehindLatest: 5_000 })

/** Answers that Kinesis gives, and the decoder takes. */
const usual: Readonly<Record<string, unknown>> = {
  'records in the order of the API': page(record, { ...record, SequenceNumber: '2' }),
  'no records': page(),
  'a record of no bytes': page({ ...record, Data: '' }),
  'a record of every byte': page({ ...record, Data: Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString('base64') }),
  'a record larger than a block of the decoder': page({ ...record, Data: Buffer.alloc(200_001, 'x').toString('base64') }, record),
  'an encrypted record': page({ ...record, EncryptionType: 'KMS' }),
  'an encryption type of null': page({ ...record, EncryptionType: null }),
  'keys in unicode': page({ ...record, PartitionKey: 'schlüssel 鍵 🔑 \u0000 " \\ \u2028' }),
  'fields that nobody knows': { ...page({ ...record, Colour: 'red' }), Weather: { wind: 3 } },
  'the end of a shard, without its iterator': { Records: [record], MillisBehindLatest: 0 },
  'the end of a shard, with an iterator of null': { Records: [record], NextShardIterator: null, MillisBehindLatest: 0 },
  'no lag': { Records: [record], NextShardIterator: 'next' },
  'a lag and child shards of null': { Records: [record], NextShardIterator: 'next', MillisBehindLatest: null, ChildShards: null },
  'times to the millisecond': page(...[0, 0.001, 1.0005, 1.4999, -1.5, 1_700_000_000.9999].map((seconds) => timed(seconds))),
  'whole seconds': page(timed(1_700_000_000)),
}

/** Answers that the decoder leaves to the SDK. */
const unusual: Readonly<Record<string, unknown>> = {
  'child shards': {
    Records: [record],
    MillisBehindLatest: 0,
    ChildShards: [{ ShardId: 's2', ParentShards: ['s1'], HashKeyRange: { StartingHashKey: '0', EndingHashKey: '9' }, Moon: 1 }],
  },
  'no child shards': { ...page(record), ChildShards: [] },
  'a record without data': page({ ...record, Data: undefined }),
  'a record without sequence number': page({ ...record, SequenceNumber: undefined }),
  'a record without time': page({ ...record, ApproximateArrivalTimestamp: undefined }),
  'a record without partition key': page({ ...record, PartitionKey: null }),
  'a time as a text': page(timed('1700000000.5')),
  'a time that is no number': page(timed('soon')),
  'a record of null': page(record, null),
  'a record that is a text': page('x'),
  'a record that is a list': page([]),
  'data that is a number': page({ ...record, Data: 5 }),
  'a type within a record': page({ ...record, __type: 'com.amazonaws.kinesis#Record', Colour: 'red' }),
  'a type within the answer': { ...page(record), __type: 'x', Weather: 1 },
  'records that are an object': { ...page(), Records: { a: 1 } },
  'records of null': { ...page(), Records: null },
  'no records field': {},
  'an iterator that is a number': { ...page(record), NextShardIterator: 5 },
  'a lag as a text': { ...page(record), MillisBehindLatest: 'NaN' },
  null: null,
  'a list': [record],
  'a number': 5,
  'a text': 'text',
}

function timed(ApproximateArrivalTimestamp: unknown) {
  return { ...record, ApproximateArrivalTimestamp }
}

// biome-ignore format: a list of short texts
const badBase64 = [
  'a', 'ab', 'abc', 'abcde', '=', '==', '====', 'a===', 'ab=c', 'abc=abcd', 'a=b=', '=abc', 'ab==ab==', 'ab-_', 'abc-', '_abc', 'ab c', 'ab\nc', ' abc', 'ab.c',
  'ab\u0000c', 'abc\u0141', '\u0141\u0142\u0143\u0144', 'abc\u00e4', 'ab\ud83d\udd11',
]

describe('a GetRecords answer of the client', () => {
  it.each(Object.entries(usual))('is what the SDK makes of it: %s', async (_, body) => {
    await expectSameOutcome({ body: json(body) })
  })

  it.each(Object.entries(unusual))('is what the SDK makes of it, as unusual as it is: %s', async (_, body) => {
    await expectSameOutcome({ body: json(body) })
  })

  it.each(badBase64)('fails as that of the SDK over data that is not base64: %j', async (Data) => {
    await expectSameOutcome({ body: json(page(record, { ...record, Data })) })
  })

  it.each(['', ' ', '{', '{"Records":[', '[]]', 'nonsense', '{"Records":[]}x', '\uFEFF{"Records":[]}'])(
    'fails as that of the SDK over the body %j',
    async (body) => {
      await expectSameOutcome({ body })
    },
  )

  it.each(['abc\\u0141', 'ab\\u0063d', 'ab\\/d', 'abc\\n'])(
    'is what the SDK makes of it, or fails alike, over the escaped data %s',
    async (escaped) => {
      await expectSameOutcome({ body: json(page({ ...record, Data: '?' })).replace('?', () => escaped) })
    },
  )

  it.each(['1e999', '-1e999', '1e300', '1.7e9', '17e8', '0.1234567890123456789', '-0'])(
    'has the time of the SDK for %s',
    async (seconds) => {
      const body = `{"Records":[{"SequenceNumber":"1","Data":"","PartitionKey":"k","ApproximateArrivalTimestamp":${seconds}}],"MillisBehindLatest":${seconds}}`
      await expectSameOutcome({ body })
    },
  )

  it.each<[string, RawAnswer]>([
    ['its type in the body', { status: 400, body: json({ __type: 'ExpiredIteratorException', message: 'too old' }) }],
    [
      'its type with a namespace',
      { status: 400, body: json({ __type: 'com.amazonaws.kinesis#ResourceNotFoundException', Message: 'gone' }) },
    ],
    [
      'its type in a header',
      { status: 400, headers: { 'x-amzn-errortype': 'ProvisionedThroughputExceededException:http://x' }, body: '{}' },
    ],
    ['a type nobody knows', { status: 400, body: json({ __type: 'SurpriseException', message: 'boo', extra: 1 }) }],
    ['no type', { status: 500, body: '{}' }],
    ['no body', { status: 503, body: '' }],
    ['a page of a proxy', { status: 502, body: '<html>Bad gateway</html>' }],
    ['a redirect', { status: 307, headers: { location: 'http://127.0.0.1:1' }, body: json(page(record)) }],
    ['a status of success that is not 200', { status: 202, body: json(page(record)) }],
  ])('is the error of the SDK: %s', async (_, answer) => {
    await expectSameOutcome(answer)
  })

  it('carries the metadata of the SDK, from headers in any case', async () => {
    await expectSameOutcome({ headers: { 'X-AMZN-REQUESTID': 'request 2', 'X-Amz-Cf-Id': 'cf 1' }, body: json(page(record)) })
    server.answer = { ...server.answer, headers: { 'X-AMZN-REQUESTID': 'request 2' } }

    expect((await getRecords(ours)).$metadata).toMatchObject({ httpStatusCode: 200, requestId: 'request 2', attempts: 1 })
  })

  it('has data of its own: writing to one record changes no other', async () => {
    server.answer = {
      body: json(
        page(...Array.from({ length: 1_000 }, (_, index) => ({ ...record, Data: Buffer.from(`data ${index}`).toString('base64') }))),
      ),
    }
    const first = (await getRecords(ours)).Records ?? []
    const second = (await getRecords(ours)).Records ?? []
    for (const { Data } of first) Data?.fill(0)

    expect(second.map(({ Data = [] }) => Buffer.from(Data).toString())).toEqual(
      Array.from({ length: 1_000 }, (_, index) => `data ${index}`),
    )
  })

  it('is what the SDK makes of it, whatever its fields hold', async () => {
    await fc.assert(
      fc.asyncProperty(anyBody, (body) => expectSameOutcome({ body })),
      { numRuns: randomRuns(200) },
    )
  })

  it('is what the SDK makes of it, wherever its bytes are broken', async () => {
    const broken = fc.tuple(anyBody, fc.nat(), fc.nat(255), fc.boolean()).map(([text, at, byte, cutThere]) => {
      const bytes = Buffer.from(text)
      const place = at % Math.max(1, bytes.length)
      if (cutThere) return bytes.subarray(0, place)
      if (bytes.length > 0) bytes[place] = byte
      return bytes
    })
    await fc.assert(
      fc.asyncProperty(broken, (body) => expectSameOutcome({ body })),
      { numRuns: randomRuns(200) },
    )
  })
})

describe('the other operations of the client', () => {
  it('are decoded by the SDK', async () => {
    server.answer = { body: json({ ShardIterator: 'i', Records: [record] }) }
    const { $metadata: _, ...answer } = await ours.send(new GetShardIteratorCommand({ ShardId: 's', ShardIteratorType: 'LATEST' }))

    expect(answer).toStrictEqual({ ShardIterator: 'i' })
  })
})

describe('the decoder', () => {
  const decode = createGetRecordsDecoder()

  it('knows the fields of the SDK in use', () => {
    expect(decoderKnowsSchemas()).toBe(true)
  })

  it.each(Object.entries(usual))('takes %s', (_, body) => {
    expect(decode(Buffer.from(json(body)))).toBeDefined()
  })

  it.each(Object.entries(unusual))('leaves to the SDK %s', (_, body) => {
    expect(decode(Buffer.from(json(body)))).toBeUndefined()
  })

  it.each(badBase64)('leaves to the SDK what is not base64: %j', (Data) => {
    expect(decode(Buffer.from(json(page({ ...record, Data }))))).toBeUndefined()
  })
})

const oddValue = fc.oneof(
  fc.constantFrom<unknown>(null, '', '-', 'abc', 'ab==', 'a_b-', true, 0, -1.5, {}, [], 'com.amazonaws.kinesis#X'),
  fc.jsonValue({ maxDepth: 1 }),
)
const base64 = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('base64'))
const nearlyBase64 = fc.string({ unit: fc.constantFrom('A', 'b', '0', '+', '/', '=', '-', '_', ' ', '\n', 'é', '鍵'), maxLength: 12 })
const mostly = (common: fc.Arbitrary<unknown>, rare: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 30, arbitrary: common }, { weight: 1, arbitrary: rare })
const sometimes = (value: fc.Arbitrary<unknown>) => fc.oneof(fc.constant(undefined), value)
const rarely = (value: fc.Arbitrary<unknown>) => mostly(fc.constant(undefined), value)
const anyRecord = mostly(
  fc.record({
    ApproximateArrivalTimestamp: mostly(fc.double({ noNaN: true, min: -1e10, max: 1e11 }), oddValue),
    Data: mostly(base64, fc.oneof(nearlyBase64, oddValue)),
    PartitionKey: mostly(fc.oneof(fc.string(), fc.string({ unit: 'binary' })), oddValue),
    SequenceNumber: mostly(fc.bigInt({ min: 0n, max: 10n ** 56n }).map(String), oddValue),
    EncryptionType: sometimes(fc.constantFrom('KMS', 'NONE', null)),
    __type: rarely(oddValue),
    Colour: sometimes(oddValue),
  }),
  oddValue,
)
const anyBody = fc
  .record({
    ChildShards: rarely(
      fc.array(fc.record({ ShardId: fc.string(), ParentShards: fc.array(fc.string()), HashKeyRange: oddValue }), { maxLength: 2 }),
    ),
    MillisBehindLatest: mostly(fc.nat(), oddValue),
    NextShardIterator: mostly(fc.oneof(fc.string(), fc.constant(null), fc.constant(undefined)), oddValue),
    Records: mostly(fc.array(anyRecord, { maxLength: 5 }), oddValue),
    __type: rarely(oddValue),
    Weather: sometimes(oddValue),
  })
  .map((body) => JSON.stringify(body))
