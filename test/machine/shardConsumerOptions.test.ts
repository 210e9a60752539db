import { defaultShardConsumerOptions, parseShardConsumerOptions, shardConsumerOptionNames } from '@shardwise/machine'
import { describe, expect, it } from 'vitest'

const parse = (options: Readonly<Record<string, unknown>>) => parseShardConsumerOptions(options)

const bounds = (name: string, least: number, most = Number.MAX_SAFE_INTEGER) => [[name, least] as const, [name, most] as const]

describe('the options of a shard consumer', () => {
  it('are those of the KCL where nothing is said, but for the idle time', () => {
    expect(defaultShardConsumerOptions).toEqual({
      initialPosition: { type: 'TRIM_HORIZON' },
      parentShardPollIntervalMillis: 10_000,
      taskBackoffTimeMillis: 500,
      maxBackoffMillis: 30_000,
      idleTimeInMilliseconds: 1_000,
      shouldCallProcessRecordsEvenForEmptyRecordList: false,
      maxRecords: 10_000,
      prefetchMaxRecords: 30_000,
      prefetchMaxBytes: 8_388_608,
      maxCheckpointAttempts: 5,
      maxShutdownAttempts: 5,
      missedShardEndCheckpoint: 'retry',
      maxDeliveryAttempts: null,
      maxDeliveryAgeMillis: null,
      bisectBatchOnError: false,
      deadLetter: false,
      onDeliveryFailure: null,
    })
    expect(shardConsumerOptionNames).toEqual(Object.keys(defaultShardConsumerOptions))
  })

  it('are those given, and the defaults for the others, also for one that is given as undefined', () => {
    const options = parse({ maxRecords: 7, idleTimeInMilliseconds: undefined })

    expect(options).toEqual({ ...defaultShardConsumerOptions, maxRecords: 7 })
  })

  it('are one object for all shards of a worker that parsed them once, and nobody can change it', () => {
    const options = parse({ maxRecords: 7 })

    expect(parseShardConsumerOptions(options)).toBe(options)
    expect(Object.isFrozen(options)).toBe(true)
  })

  it.each<readonly [name: string, value: unknown]>([
    ...[
      'parentShardPollIntervalMillis',
      'taskBackoffTimeMillis',
      'maxBackoffMillis',
      'maxCheckpointAttempts',
      'maxShutdownAttempts',
      'maxDeliveryAttempts',
      'maxDeliveryAgeMillis',
    ].flatMap((name) => bounds(name, 1)),
    ...['idleTimeInMilliseconds', 'prefetchMaxRecords', 'prefetchMaxBytes'].flatMap((name) => bounds(name, 0)),
    ...bounds('maxRecords', 1, 10_000),
    ['shouldCallProcessRecordsEvenForEmptyRecordList', true],
    ['shouldCallProcessRecordsEvenForEmptyRecordList', false],
    ['missedShardEndCheckpoint', 'retry'],
    ['missedShardEndCheckpoint', 'replay'],
    ['maxDeliveryAttempts', null],
    ['maxDeliveryAgeMillis', null],
    ['bisectBatchOnError', false],
    ['deadLetter', false],
    ['onDeliveryFailure', null],
    ['initialPosition', { type: 'TRIM_HORIZON' }],
    ['initialPosition', { type: 'LATEST' }],
    ['initialPosition', { type: 'AT_TIMESTAMP', timestampMs: 0 }],
  ])('take %s: %j', (name, value) => {
    expect(parse({ [name]: value })).toMatchObject({ [name]: value })
  })

  const positions = 'a type of TRIM_HORIZON or LATEST, or AT_TIMESTAMP with timestampMs'

  it.each([
    ...[0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, Number.MAX_SAFE_INTEGER + 1, '5', null, true, 5n].map(
      (value) => ['maxBackoffMillis', value, 'a whole number from 1'] as const,
    ),
    ...[-1, 0.5, '0', null].map((value) => ['idleTimeInMilliseconds', value, 'a whole number from 0'] as const),
    ...[0, 10_001, 1.5].map((value) => ['maxRecords', value, 'a whole number from 1 to 10000'] as const),
    ...[0, 'true', null].map((value) => ['shouldCallProcessRecordsEvenForEmptyRecordList', value, 'true or false'] as const),
    ...['again', '', true, null].map((value) => ['missedShardEndCheckpoint', value, 'retry or replay'] as const),
    ...[0, 1.5, '3', true].map((value) => ['maxDeliveryAttempts', value, 'a whole number from 1, or null'] as const),
    ...['', 'retry', true].map((value) => ['onDeliveryFailure', value, 'stop, skip or fail, or null'] as const),
    ...[
      null,
      'LATEST',
      7,
      {},
      { type: '' },
      { type: 'AT_SEQUENCE_NUMBER', sequenceNumber: '1' },
      { type: 'AT_TIMESTAMP' },
      { type: 'AT_TIMESTAMP', timestampMs: 1.5 },
      { type: 'AT_TIMESTAMP', timestampMs: '1' },
      { type: 'LATER', timestampMs: 1 },
    ].map((value) => ['initialPosition', value, positions] as const),
  ])('refuse %s: %o', (name, value, expected) => {
    const got = typeof value === 'string' || typeof value === 'object' ? JSON.stringify(value) : String(value)

    expect(() => parse({ [name]: value })).toThrow(new Error(`${name}: expected ${expected}, got ${got}`))
  })

  it.each([
    ['bisectBatchOnError', true],
    ['deadLetter', true],
    ['onDeliveryFailure', 'stop'],
    ['onDeliveryFailure', 'skip'],
    ['onDeliveryFailure', 'fail'],
  ])('refuse %s: %j without a limit that leads to it, and take it with either', (name, value) => {
    expect(() => parse({ [name]: value })).toThrow(
      new Error(`${name}: expected with maxDeliveryAttempts or maxDeliveryAgeMillis, got neither`),
    )
    expect(parse({ [name]: value, maxDeliveryAttempts: 1 })).toMatchObject({ [name]: value })
    expect(parse({ [name]: value, maxDeliveryAgeMillis: 1 })).toMatchObject({ [name]: value })
  })

  it.each(['maxRecord', 'toString', ''])('refuse the unknown name %j, and say which names there are', (name) => {
    expect(() => parse({ [name]: 1 })).toThrow(`${name}: not an option; expected one of initialPosition, parentShardPollIntervalMillis, `)
  })
})
