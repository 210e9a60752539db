import { createBatchStore } from '@shardwise/effects'
import { type KinesisRecordSourceOptions, kinesisRecordSource } from '@shardwise/kinesis'
import { afterAll, expect, test } from 'vitest'
import { localKinesisClient } from './kinesisClient.ts'

const client = localKinesisClient('http://127.0.0.1:1')
afterAll(() => client.destroy())

const good = { client, stream: { name: 'orders' }, batches: createBatchStore() }
const make = (options: object) => () => kinesisRecordSource(options as KinesisRecordSourceOptions)

test.each([
  [{ client: undefined }, 'client: expected a KinesisClient, got undefined'],
  [{ client: {} }, 'client: expected a KinesisClient, got another object'],
  [{ batches: new Map() }, 'batches: expected a batch store, got another object'],
  [{ batches: null }, 'batches: expected a batch store, got null'],
  [{ stream: undefined }, 'stream: expected { name } or { arn }, got undefined'],
  [{ stream: 'orders' }, 'stream: expected { name } or { arn }, got "orders"'],
  [{ stream: {} }, 'stream: expected { name } or { arn }, got {}'],
  [{ stream: { name: 'a', arn: 'b' } }, 'stream: expected { name } or { arn }, got {"name":"a","arn":"b"}'],
  [{ stream: { nam: 'a' } }, 'stream: expected { name } or { arn }, got {"nam":"a"}'],
  [{ stream: { name: 'a b' } }, 'stream.name: expected 1 to 128 letters, digits, "_", "." or "-", got "a b"'],
  [{ stream: { name: 7 } }, 'stream.name: expected 1 to 128 letters, digits, "_", "." or "-", got 7'],
  [{ stream: { arn: 'arn:aws:sqs:eu-west-1:123456789012:orders' } }, 'stream.arn: expected the ARN of a Kinesis stream'],
  [{ onThrottle: 'loud' }, 'onThrottle: expected a function, got "loud"'],
  [{ now: 5 }, 'now: expected a function, got 5'],
  [{ callTimeoutMs: 0 }, 'callTimeoutMs: expected a whole number of milliseconds from 1 to 2147483647, got 0'],
  [{ callTimeoutMs: 1.5 }, 'got 1.5'],
  [{ callTimeoutMs: Number.POSITIVE_INFINITY }, 'got Infinity'],
  [{ callTimeoutMs: '100' }, 'got "100"'],
  [{ deaggregate: 'yes' }, 'deaggregate: expected true or false, got "yes"'],
  [{ hashKeyRangeOf: { startingHashKey: '0' } }, 'hashKeyRangeOf: expected a function, got another object'],
  [{ onDroppedRecords: 1 }, 'onDroppedRecords: expected a function, got 1'],
  [
    { maxRecords: 5 },
    'maxRecords: unknown option; expected one of client, stream, batches, onThrottle, now, callTimeoutMs, deaggregate, hashKeyRangeOf, onDroppedRecords',
  ],
])('refuses %j when it is made', (bad, message) => {
  expect(make({ ...good, ...bad })).toThrow(message)
})

test('takes a stream by name or by ARN, and undefined for what may be left out', () => {
  expect(make(good)).not.toThrow()
  expect(make({ ...good, stream: { arn: 'arn:aws-us-gov:kinesis:us-gov-west-1:123456789012:stream/my.stream-1_' } })).not.toThrow()
  expect(make({ ...good, onThrottle: undefined, now: undefined, callTimeoutMs: undefined })).not.toThrow()
})
