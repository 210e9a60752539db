import { describe, expect, it } from 'vitest'
import { type CommandLine, declareOptions, readOptions } from '../../src/worker/commandLineOptions.ts'
import { makeWorker } from '../../src/worker/consume.ts'

const required = ['--stream', 'orders', '--application', 'billing', '--processor', './processor.mjs']

function read(args: readonly string[]): CommandLine {
  const command = declareOptions()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
  return readOptions(command.parse(args, { from: 'user' }))
}

/** Reads the options and makes the worker, which checks what they may be. */
function check(args: readonly string[]): void {
  makeWorker({
    ...read(args).options,
    processor: () => {
      throw new Error('no shard is consumed here')
    },
  })
}

function refusalOf(args: readonly string[]): string | undefined {
  try {
    check(args)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

describe('the options of consume', () => {
  it('are the defaults of the worker unless they are given', () => {
    expect(read(required)).toEqual({
      processorFile: './processor.mjs',
      options: { streamName: 'orders', applicationName: 'billing' },
      logLevel: undefined,
      live: true,
    })
  })

  it.each<[readonly string[], object]>([
    [
      ['--stream', 'arn:aws:kinesis:eu-west-1:123456789012:stream/orders'],
      { streamName: undefined, streamArn: 'arn:aws:kinesis:eu-west-1:123456789012:stream/orders' },
    ],
    [['--endpoint', 'http://127.0.0.1:1'], { kinesisEndpoint: 'http://127.0.0.1:1', dynamodbEndpoint: 'http://127.0.0.1:1' }],
    [['--endpoint', 'http://a', '--dynamodb-endpoint', 'https://b'], { kinesisEndpoint: 'http://a', dynamodbEndpoint: 'https://b' }],
    [['--region', 'eu-west-1'], { region: 'eu-west-1' }],
    [['--table', 'leases', '--no-create-table'], { tableName: 'leases', createTable: false }],
    [['--worker-id', 'w1'], { workerId: 'w1' }],
    [['--fan-out'], { fanOut: true }],
    [['--fan-out', 'reader'], { fanOut: { consumerName: 'reader' } }],
    [
      ['--fan-out', 'arn:aws:kinesis:us-east-1:123456789012:stream/orders/consumer/reader:1'],
      { fanOut: { consumerArn: 'arn:aws:kinesis:us-east-1:123456789012:stream/orders/consumer/reader:1' } },
    ],
    [['--no-deaggregate'], { deaggregate: false }],
    [['--position', 'TRIM_HORIZON'], { initialPosition: { type: 'TRIM_HORIZON' } }],
    [['--position', 'LATEST'], { initialPosition: { type: 'LATEST' } }],
    [['--position', 'AT_TIMESTAMP=2026-01-31T12:00:00Z'], { initialPosition: { type: 'AT_TIMESTAMP', timestampMs: 1_769_860_800_000 } }],
    [
      ['--position', 'AT_TIMESTAMP=2026-01-31T12:00:00.250+02:00'],
      { initialPosition: { type: 'AT_TIMESTAMP', timestampMs: 1_769_853_600_250 } },
    ],
    [
      ['--max-records', '500', '--idle-ms', '0', '--call-for-empty'],
      { maxRecords: 500, idleTimeInMilliseconds: 0, shouldCallProcessRecordsEvenForEmptyRecordList: true },
    ],
    [['--prefetch-records', '0', '--prefetch-bytes', '1'], { prefetchMaxRecords: 0, prefetchMaxBytes: 1 }],
    [
      ['--failover-ms', '3000', '--scan-ms', '1000', '--max-leases', '2', '--max-steal', '3'],
      { failoverTimeMillis: 3_000, leaseScanIntervalMillis: 1_000, maxLeasesForWorker: 2, maxLeasesToStealAtOneTime: 3 },
    ],
    [['--no-handoff', '--handoff-ms', '5'], { isGracefulLeaseHandoffEnabled: false, gracefulLeaseHandoffTimeoutMillis: 5 }],
    [['--lease-mode', 'workerHeartbeat'], { leaseMode: 'workerHeartbeat' }],
    [['--audit-ms', '7'], { leasesRecoveryAuditorExecutionFrequencyMillis: 7 }],
    [['--audit-threshold', '7'], { leasesRecoveryAuditorInconsistencyConfidenceThreshold: 7 }],
    [['--garbage-ms', '7'], { garbageLeaseCleanupIntervalMillis: 7 }],
    [['--no-cleanup', '--cleanup-ms', '5'], { cleanupLeasesOfCompletedShards: false, completedLeaseCleanupIntervalMillis: 5 }],
    [
      ['--skip-shard-sync', '--ignore-unexpected-children'],
      { skipShardSyncAtWorkerInitializationIfLeasesExist: true, ignoreUnexpectedChildShards: true },
    ],
    [
      ['--parent-poll-ms', '1', '--backoff-ms', '2', '--max-backoff-ms', '3'],
      { parentShardPollIntervalMillis: 1, taskBackoffTimeMillis: 2, maxBackoffMillis: 3 },
    ],
    [
      ['--start-attempts', '1', '--checkpoint-attempts', '2', '--shutdown-attempts', '3'],
      { maxInitializationAttempts: 1, maxCheckpointAttempts: 2, maxShutdownAttempts: 3 },
    ],
    [['--missed-shard-end', 'replay'], { missedShardEndCheckpoint: 'replay' }],
  ])('%j have the names of the worker', (args, expected) => {
    expect(read([...required, ...args]).options).toEqual({ streamName: 'orders', applicationName: 'billing', ...expected })
    expect(refusalOf([...required, ...args])).toBeUndefined()
  })

  const invalid = (option: string, value: string, expected: string): [readonly string[], string] => [
    [option.split(' ')[0] ?? '', value],
    `error: option '${option}' argument '${value}' is invalid. ${expected}`,
  ]
  const times = 'Expected TRIM_HORIZON, LATEST or AT_TIMESTAMP=<time>, such as AT_TIMESTAMP=2026-01-31T12:00:00Z.'

  it.each<[readonly string[], string]>([
    [['--strem', 'x'], "error: unknown option '--strem'\n(Did you mean --stream?)"],
    [['extra'], 'error: too many arguments. Expected 0 arguments but got 1.'],
    [['--region'], "error: option '--region <region>' argument missing"],
    [
      ['--log-level', 'loud'],
      "error: option '--log-level <level>' argument 'loud' is invalid. Allowed choices are debug, info, warn, error, silent.",
    ],
    invalid('--stream <name>', '', 'Expected a text that is not empty.'),
    invalid('--endpoint <url>', 'localhost:4566', 'Expected an http or https URL.'),
    invalid('--kinesis-endpoint <url>', 'ftp://host', 'Expected an http or https URL.'),
    invalid('--idle-ms <ms>', '1s', 'Expected a whole number.'),
    invalid('--max-records <n>', '1e3', 'Expected a whole number.'),
    invalid('--position <position>', 'EARLIEST', times),
    invalid('--position <position>', 'AT_TIMESTAMP=2026-01-31T25:00:00Z', times),
    invalid('--position <position>', 'AT_TIMESTAMP=2026-01-31T12:00:00', times),
    [['--max-records', '10001'], '--max-records: expected a whole number from 1 to 10000, got 10001'],
    [['--failover-ms', '0'], '--failover-ms: expected a whole number from 1, got 0'],
    [['--fan-out', 'a b'], '--fan-out: consumerName: expected 1 to 128 letters, digits, "_", "." or "-", got "a b"'],
    [['--fan-out', ''], '--fan-out: consumerName: expected 1 to 128 letters, digits, "_", "." or "-", got ""'],
    [['--fan-out', '--idle-ms', '5'], '--idle-ms: expected 0 beside fanOut, whose reads wait for records, got 5'],
    [['--idle-ms', '-1'], '--idle-ms: expected a whole number from 0, got -1'],
    [['--max-leases', '99999999999999999999'], '--max-leases: expected a whole number from 1, got 100000000000000000000'],
    [['--missed-shard-end', 'ignore'], '--missed-shard-end: expected retry or replay, got "ignore"'],
  ])('%j are refused by name, with what was expected', (args, message) => {
    expect(refusalOf([...required, ...args])).toBe(message)
  })

  it.each([
    ['--stream <name>', required.slice(2)],
    ['--application <name>', required.toSpliced(2, 2)],
    ['--processor <file>', required.slice(0, 4)],
  ])('%s must be given', (option, args) => {
    expect(refusalOf(args)).toBe(`error: required option '${option}' not specified`)
  })
})
