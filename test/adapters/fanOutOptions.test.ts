import { createBatchStore } from '@shardwise/effects'
import { type FanOutRecordSourceOptions, fanOutRecordSource } from '@shardwise/kinesis'
import { afterAll, expect, test } from 'vitest'
import { http2Client } from './fanOutClient.ts'

const client = http2Client('http://127.0.0.1:1')
afterAll(() => client.destroy())

const streamArn = 'arn:aws:kinesis:eu-west-1:123456789012:stream/orders'
const consumerArn = `${streamArn}/consumer/reader:1700000000`
const good = { client, stream: { name: 'orders' }, consumerName: 'reader', batches: createBatchStore() }
const make = (options: object) => () => fanOutRecordSource(options as FanOutRecordSourceOptions)

test.each([
  [{ consumerName: undefined }, 'consumerArn: expected either it or consumerName, got neither'],
  [{ consumerArn }, 'consumerArn: expected either it or consumerName, got both'],
  [{ consumerName: '' }, 'consumerName: expected 1 to 128 letters, digits, "_", "." or "-", got ""'],
  [{ consumerName: 'a b' }, 'got "a b"'],
  [{ consumerName: 7 }, 'got 7'],
  [{ consumerName: null }, 'got null'],
  [
    { consumerName: undefined, consumerArn: streamArn },
    `consumerArn: expected the ARN of a consumer of a Kinesis stream, got "${streamArn}"`,
  ],
  [{ consumerName: undefined, consumerArn: 5 }, 'consumerArn: expected the ARN of a consumer of a Kinesis stream, got 5'],
  [{ consumerName: undefined, consumerArn, stream: { name: 'order' } }, `consumerArn: expected a consumer of order, got "${consumerArn}"`],
  [
    { consumerName: undefined, consumerArn, stream: { arn: streamArn.replace('eu-west-1', 'eu-west-2') } },
    'consumerArn: expected a consumer of arn:aws:kinesis:eu-west-2:123456789012:stream/orders',
  ],
  [{ stream: { name: 'a b' } }, 'stream.name: expected'],
  [{ client: {} }, 'client: expected a KinesisClient, got another object'],
  [{ batches: null }, 'batches: expected a batch store, got null'],
  [{ callTimeoutMs: 0 }, 'callTimeoutMs: expected a whole number of milliseconds'],
  [
    { maxRecords: 5 },
    'maxRecords: unknown option; expected one of client, stream, consumerArn, consumerName, batches, onThrottle, now, callTimeoutMs, deaggregate, hashKeyRangeOf, onDroppedRecords',
  ],
])('refuses %j when it is made', (bad, message) => {
  expect(make({ ...good, ...bad })).toThrow(message)
})

test('refuses options that are no object', () => {
  expect(() => fanOutRecordSource(null as never)).toThrow('options: expected an object, got null')
})

test('takes a consumer by its name or by its ARN, and undefined for what may be left out', () => {
  expect(make(good)).not.toThrow()
  expect(make({ ...good, consumerArn: undefined, onThrottle: undefined, callTimeoutMs: undefined })).not.toThrow()
  expect(make({ ...good, consumerName: undefined, consumerArn })).not.toThrow()
  expect(make({ ...good, consumerName: undefined, consumerArn, stream: { arn: streamArn } })).not.toThrow()
})
