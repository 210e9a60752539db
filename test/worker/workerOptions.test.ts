import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { KinesisClient } from '@aws-sdk/client-kinesis'
import { Worker, type WorkerOptions } from 'shardwise'
import { afterAll, describe, expect, it } from 'vitest'
import { aDiary, aLogger, aWorld } from './workerSetting.ts'

const processor = aDiary().processor
const least = { applicationName: 'orders', streamName: 'orders', processor }
const inMemory = { applicationName: 'orders', adapters: aWorld().adapters(), processor }
const region = { region: 'us-east-1' }
const kinesis = new KinesisClient(region)
const dynamodb = new DynamoDBClient(region)
afterAll(() => {
  kinesis.destroy()
  dynamodb.destroy()
})

const make = (options: unknown): Worker => new Worker(options as WorkerOptions)

const circular: { self?: unknown } = {}
circular.self = circular

/** Values that no option of the kind takes, and what the message says is expected. */
const aText = { expected: 'a text that is not empty', wrong: ['', 7, null, {}] }
const aFlag = { expected: 'true or false', wrong: ['true', 1, null] }
const aFunction = { expected: 'a function', wrong: ['f', {}, null] }
const aUrl = { expected: 'an http or https URL', wrong: ['localhost:4568', 'ftp://localhost', '', 7, null] }
const wholeFrom = (n: number) => ({ expected: `a whole number from ${n}`, wrong: [n - 1, 1.5, NaN, Infinity, '10', null, 2 ** 53] })

const table: Readonly<Record<keyof WorkerOptions, { readonly expected: string; readonly wrong: readonly unknown[] }>> = {
  processor: aFunction,
  applicationName: aText,
  streamName: aText,
  streamArn: aText,
  tableName: aText,
  createTable: aFlag,
  workerId: aText,
  region: aText,
  kinesisEndpoint: aUrl,
  dynamodbEndpoint: aUrl,
  kinesis: { expected: 'a KinesisClient', wrong: [{}, 'client', null, circular] },
  dynamodb: { expected: 'a DynamoDBClient', wrong: [{}, 'client', null, circular] },
  fanOut: {
    expected: 'expected ',
    wrong: [
      'reader',
      7,
      null,
      {},
      { consumer: 'reader' },
      { consumerName: 'a b' },
      { consumerName: '' },
      { consumerArn: 'arn' },
      { consumerName: 'reader', consumerArn: 'arn:aws:kinesis:us-east-1:123456789012:stream/orders/consumer/reader:1' },
      { consumerArn: 'arn:aws:kinesis:us-east-1:123456789012:stream/others/consumer/reader:1' },
    ],
  },
  deaggregate: aFlag,
  onDroppedRecords: aFunction,
  adapters: { expected: '{ leases, source, batches }', wrong: [{}, { leases: {}, source: {} }, null, circular] },
  engine: { expected: 'shardConsumer of @shardwise/machine', wrong: [{}, 'xstate', null, circular] },
  logger: {
    expected: 'debug, info, warn and error',
    wrong: [{}, { ...aLogger(), error: undefined }, { ...aLogger(), warn: 'warn' }, null, circular],
  },
  observe: aFunction,
  onStuck: aFunction,
  stuckAfterMillis: wholeFrom(1),
  onThrottle: aFunction,
  leaseMode: { expected: '"kcl" or "workerHeartbeat"', wrong: ['kcl2', '', true, null] },
  failoverTimeMillis: { ...wholeFrom(1), wrong: [...wholeFrom(1).wrong, 10n, circular, () => 10] },
  leaseScanIntervalMillis: wholeFrom(1),
  maxLeasesForWorker: wholeFrom(1),
  maxLeasesToStealAtOneTime: wholeFrom(0),
  isGracefulLeaseHandoffEnabled: aFlag,
  gracefulLeaseHandoffTimeoutMillis: wholeFrom(1),
  cleanupLeasesOfCompletedShards: aFlag,
  completedLeaseCleanupIntervalMillis: wholeFrom(0),
  leasesRecoveryAuditorExecutionFrequencyMillis: wholeFrom(1),
  leasesRecoveryAuditorInconsistencyConfidenceThreshold: wholeFrom(1),
  garbageLeaseCleanupIntervalMillis: wholeFrom(1),
  skipShardSyncAtWorkerInitializationIfLeasesExist: aFlag,
  ignoreUnexpectedChildShards: aFlag,
  maxInitializationAttempts: wholeFrom(1),
  initialPosition: {
    expected: 'a type of TRIM_HORIZON',
    wrong: ['LATEST', { type: 'EARLIEST' }, { type: 'AT_TIMESTAMP' }, { type: 'AT_TIMESTAMP', timestampMs: '2024-01-01' }, null],
  },
  parentShardPollIntervalMillis: wholeFrom(1),
  taskBackoffTimeMillis: wholeFrom(1),
  maxBackoffMillis: wholeFrom(1),
  idleTimeInMilliseconds: wholeFrom(0),
  shouldCallProcessRecordsEvenForEmptyRecordList: aFlag,
  maxRecords: { expected: 'a whole number from 1 to 10000', wrong: [0, 10_001, '10', null] },
  prefetchMaxRecords: wholeFrom(0),
  prefetchMaxBytes: wholeFrom(0),
  maxCheckpointAttempts: wholeFrom(1),
  maxShutdownAttempts: wholeFrom(1),
  missedShardEndCheckpoint: { expected: 'retry or replay', wrong: ['never', null] },
  maxDeliveryAttempts: { expected: 'a whole number from 1, or null', wrong: [0, 1.5, '3'] },
  maxDeliveryAgeMillis: { expected: 'a whole number from 1, or null', wrong: [0, 1.5, '3'] },
  bisectBatchOnError: aFlag,
  deadLetter: { expected: 'a function that takes dead letters', wrong: [true, {}, null] },
  onDeliveryFailure: { expected: 'stop, skip or fail, or null', wrong: ['retry', true] },
}

const inWords = (value: unknown): string => {
  if (value === circular) return 'a circular object'
  if (typeof value === 'bigint') return `${value}n`
  return typeof value === 'object' || typeof value === 'string' ? JSON.stringify(value) : String(value)
}
const wrongValues = Object.entries(table).flatMap(([name, { expected, wrong }]) =>
  wrong.map((value) => [name, inWords(value), expected, value] as const),
)

describe('an option of a worker', () => {
  it.each(wrongValues)('%s is refused as %s, and the message says what was expected', (name, _inWords, expected, value) => {
    const stream = name === 'streamArn' ? { streamName: undefined } : {}
    let message = 'nothing was thrown'
    try {
      make({ ...least, ...stream, [name]: value })
    } catch (error) {
      message = error instanceof Error ? error.message : String(error)
    }

    expect(message.startsWith(`${name}: `)).toBe(true)
    expect(message).toContain(expected)
    expect(message).toContain(', got ')
  })

  it.each(['failoverTimeMilis', 'toString', '__proto__x', 'streamname'])(
    'that is unknown, as %s is, is refused by name, with the known ones',
    (name) => {
      expect(() => make({ ...least, [name]: 1 })).toThrow(
        new RegExp(`^${name}: not an option of Worker; expected one of .*failoverTimeMillis`),
      )
    },
  )

  it.each(['processor', 'applicationName'])('%s is required', (name) => {
    expect(() => make({ ...least, [name]: undefined })).toThrow(new RegExp(`^${name}: expected .*, got nothing`))
  })

  it('undefined is as good as none', () => {
    expect(() => make({ ...least, ...Object.fromEntries(Object.keys(table).map((name) => [name, undefined])), ...least })).not.toThrow()
  })

  it.each([undefined, null, 'orders', 7])('is not looked for in %s: an object is expected', (options) => {
    expect(() => make(options)).toThrow(/^Worker: expected an object of options, got /)
  })
})

describe('a worker', () => {
  it.each([
    ['by neither name nor ARN', { streamName: undefined }, 'streamName: expected a stream by streamName or by streamArn, got neither'],
    [
      'by both',
      { streamArn: 'arn:aws:kinesis:us-east-1:1:stream/orders' },
      'streamName: expected a stream by streamName or by streamArn, got both',
    ],
  ])('is not told its stream %s', (_how, options, message) => {
    expect(() => make({ ...least, ...options })).toThrow(message)
  })

  it.each([
    ['streamName', 'orders'],
    ['streamArn', 'arn'],
    ['kinesis', kinesis],
    ['dynamodb', dynamodb],
    ['fanOut', true],
    ['deaggregate', false],
    ['onDroppedRecords', () => undefined],
  ])('takes no %s beside adapters, which replace it', (name, value) => {
    expect(() => make({ ...inMemory, [name]: value })).toThrow(/^adapters: expected without streamName/)
  })

  it('takes clients of the user and adapters of its own', () => {
    expect(() => make({ ...least, kinesis, dynamodb })).not.toThrow()
    expect(() => make(inMemory)).not.toThrow()
  })

  it.each([true, { consumerName: 'reader' }, { consumerArn: 'arn:aws:kinesis:us-east-1:123456789012:stream/orders/consumer/reader:1' }])(
    'reads by enhanced fan-out as told by %j',
    (fanOut) => {
      expect(() => make({ ...least, fanOut })).not.toThrow()
    },
  )

  it('that reads by enhanced fan-out does not idle between reads', () => {
    const message = 'idleTimeInMilliseconds: expected 0 beside fanOut, whose reads wait for records, got 1000'

    expect(() => make({ ...least, fanOut: true, idleTimeInMilliseconds: 1_000 })).toThrow(message)
    expect(() => make({ ...least, fanOut: true, idleTimeInMilliseconds: 0 })).not.toThrow()
    expect(() => make({ ...least, fanOut: false, idleTimeInMilliseconds: 1_000 })).not.toThrow()
  })

  it('names no consumer after an application that no consumer can be named like', () => {
    expect(() => make({ ...least, applicationName: 'my app', fanOut: true })).toThrow(
      'fanOut: consumerName: expected 1 to 128 letters, digits, "_", "." or "-", got "my app"',
    )
  })

  it('has a name of its own unless it is given one', () => {
    expect(make({ ...least, workerId: 'me' }).workerId).toBe('me')
    expect(make(least).workerId).not.toBe(make(least).workerId)
  })
})
