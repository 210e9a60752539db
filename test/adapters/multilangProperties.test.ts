import { readFileSync } from 'node:fs'
import { parseProperties, splitCommand } from '@shardwise/multilang'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { propertyOf, readMultilangProperties } from '../../src/worker/multilangProperties.ts'

const entries = (text: string): readonly (readonly [string, string])[] => [...parseProperties(text)]

describe('the text of a properties file', () => {
  it.each([
    ['a=b', [['a', 'b']]],
    ['a = b', [['a', 'b']]],
    ['a: b', [['a', 'b']]],
    ['a b', [['a', 'b']]],
    ['  a\t:\f b c ', [['a', 'b c ']]],
    ['a==b', [['a', '=b']]],
    ['a = : b', [['a', ': b']]],
    ['a', [['a', '']]],
    ['=b', [['', 'b']]],
    ['# a = b\n  ! c = d\n\n \t\n', []],
    ['a = b # no comment', [['a', 'b # no comment']]],
    [
      'a = 1\nb = 2\r\nc = 3\rd = 4',
      [
        ['a', '1'],
        ['b', '2'],
        ['c', '3'],
        ['d', '4'],
      ],
    ],
    ['a = 1\na = 2', [['a', '2']]],
    ['a = one, \\\n    two, \\\r\n\tthree', [['a', 'one, two, three']]],
    [
      'a = even \\\\\nb = next',
      [
        ['a', 'even \\'],
        ['b', 'next'],
      ],
    ],
    ['a = odd \\\\\\\n  joined', [['a', 'odd \\joined']]],
    ['a = b \\\n# no comment', [['a', 'b # no comment']]],
    [
      'a = b \\\n\nc = d',
      [
        ['a', 'b '],
        ['c', 'd'],
      ],
    ],
    ['a = end \\', [['a', 'end ']]],
    ['# comment \\\na = b', [['a', 'b']]],
    ['\\\n# comment\n\\\n\\\na = b', [['a', 'b']]],
    ['a\\ b\\:c\\=d = e', [['a b:c=d', 'e']]],
    ['a = \\t\\n\\r\\f\\\\\\q\\:', [['a', '\t\n\r\f\\q:']]],
    ['k\\u00e9y = \\u2713\\uD83D\\uDE00', [['kéy', '✓😀']]],
    ['a = \\ leading', [['a', ' leading']]],
    ['__proto__ = x', [['__proto__', 'x']]],
  ])('%j is read as java.util.Properties reads it', (text, expected) => {
    expect(entries(text)).toEqual(expected)
  })

  it.each(['a = \\u12', 'a = \\uxyz1', 'ok = 1\na = \\u'])('%j is refused, with its line', (text) => {
    expect(() => parseProperties(text)).toThrow(`properties: line ${text.split('\n').length}: expected four hexadecimal digits after \\u`)
  })

  it('gives back whatever java.util.Properties would write', () => {
    const written = (value: string, isKey: boolean): string =>
      value.replaceAll(/[^]/g, (unit, at: number) => {
        const named = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\f': '\\f', '\\': '\\\\' }[unit]
        if (named !== undefined) return named
        if (unit === ' ') return isKey || at === 0 ? '\\ ' : ' '
        if ('=:#!'.includes(unit)) return `\\${unit}`
        return unit >= ' ' && unit <= '~' ? unit : `\\u${unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`
      })
    const anything = fc.string({
      unit: fc.oneof(fc.constantFrom(...'\\\n\r\t\f =:#!u0a'.split('')), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })),
    })
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(anything, anything), { selector: ([key]) => key }), (pairs) => {
        const text = pairs.map(([key, value]) => `${written(key, true)}=${written(value, false)}\n`).join('')

        expect(entries(text)).toEqual(pairs)
      }),
    )
  })

  it('is read whatever it is, or refused by its line', () => {
    const anything = fc.string({ unit: fc.constantFrom(...'\\\n\r\t\f =:#!u0aé'.split('')) })
    fc.assert(
      fc.property(anything, (text) => {
        try {
          parseProperties(text)
        } catch (error) {
          expect((error as Error).message).toMatch(/^properties: line \d+: /)
        }
      }),
    )
  })

  it('is read in the time of its length', () => {
    const long = 200_000
    expect(parseProperties(`a${'\\:'.repeat(long)}`).size).toBe(1)
    expect(parseProperties(`${' '.repeat(long)}a${' '.repeat(long)}=${' '.repeat(long)}`).size).toBe(1)
    expect(parseProperties('a\\\n'.repeat(long)).size).toBe(1)
    expect(parseProperties(`a=${'\\'.repeat(2 * long)}`).get('a')).toHaveLength(long)
  })
})

describe('an executableName', () => {
  it('is cut at blanks, without quoting', () => {
    expect(splitCommand('node sample_kcl_app.js')).toEqual(['node', 'sample_kcl_app.js'])
    expect(splitCommand('  python3   -u "my app.py" ')).toEqual(['python3', '-u', '"my', 'app.py"'])
    expect(splitCommand('a\tb')).toEqual(['a\tb'])
    expect(() => splitCommand('   ')).toThrow('executableName: expected a program and its arguments, got "   "')
    expect(() => splitCommand('a\0b')).toThrow('executableName: expected a program and its arguments')
  })
})

const required = 'executableName = node app.js\napplicationName = app\nstreamName = orders\n'
const read = (more: string) => readMultilangProperties(`${required}${more}\n`)
/** What was read beyond the required keys. */
const optionsOf = (more: string) => {
  const { applicationName, streamName, initialPosition, missedShardEndCheckpoint, ...options } = read(more).options
  expect({ applicationName, streamName, missedShardEndCheckpoint }).toEqual({
    applicationName: 'app',
    streamName: 'orders',
    missedShardEndCheckpoint: 'replay',
  })
  return { initialPosition, ...options }
}
const latest = { initialPosition: { type: 'LATEST' } }

describe('the properties of the MultiLangDaemon', () => {
  it('need a program, an application and a stream, and start at the tip where nothing else is said', () => {
    expect(read('')).toEqual({
      command: ['node', 'app.js'],
      timeoutMs: undefined,
      shutdownGraceMs: undefined,
      options: { applicationName: 'app', streamName: 'orders', initialPosition: { type: 'LATEST' }, missedShardEndCheckpoint: 'replay' },
      warnings: [],
    })
  })

  it.each([
    ['executableName', 'executableName: expected a program and its arguments, found nothing'],
    ['applicationName', 'applicationName: expected a name, found nothing'],
    ['streamName', 'streamName: expected streamName or streamArn, found neither'],
  ])('without %s are refused', (key, message) => {
    const without = required.replace(new RegExp(`^${key} .*$`, 'm'), `${key} =`)

    expect(() => readMultilangProperties(without)).toThrow(message)
  })

  it('name a stream by its ARN rather than by its name', () => {
    const { options } = read('streamArn = arn:aws:kinesis:us-east-1:000000000000:stream/orders')

    expect(options).toMatchObject({ streamArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/orders' })
    expect(options).not.toHaveProperty('streamName')
  })

  it.each([
    ['initialPositionInStream = trim_horizon', { initialPosition: { type: 'TRIM_HORIZON' } }],
    ['initialPositionInStreamExtended = 1636609142', { initialPosition: { type: 'AT_TIMESTAMP', timestampMs: 1_636_609_142_000 } }],
    [
      'initialPositionInStreamExtended = 1636609142\ninitialPositionInStream = TRIM_HORIZON',
      { initialPosition: { type: 'AT_TIMESTAMP', timestampMs: 1_636_609_142_000 } },
    ],
    ['retrievalMode = fanout', { ...latest, fanOut: true }],
    ['retrievalMode = FANOUT\nfanoutConfig.consumerName = me', { ...latest, fanOut: { consumerName: 'me' } }],
    [
      'retrievalMode = FANOUT\nfanoutConfig.consumerName = me\nfanoutConfig.consumerArn = arn:aws:kinesis',
      { ...latest, fanOut: { consumerArn: 'arn:aws:kinesis' } },
    ],
    ['retrievalMode = DEFAULT', latest],
    ['regionName = eu-west-1', { ...latest, region: 'eu-west-1' }],
    ['workerId = one', { ...latest, workerId: 'one' }],
    ['workerIdentifier = one', { ...latest, workerId: 'one' }],
    ['tableName = leases', { ...latest, tableName: 'leases' }],
    ['failoverTimeMillis = 20000', { ...latest, failoverTimeMillis: 20_000 }],
    ['maxRecords = 500', { ...latest, maxRecords: 500 }],
    ['maxRecords = 0', latest],
    ['maxRecords =', latest],
    ['idleTimeBetweenReadsInMillis = 250', { ...latest, idleTimeInMilliseconds: 250 }],
    ['callProcessRecordsEvenForEmptyRecordList = true', { ...latest, shouldCallProcessRecordsEvenForEmptyRecordList: true }],
    ['parentShardPollIntervalMillis = 3000', { ...latest, parentShardPollIntervalMillis: 3_000 }],
    ['cleanupLeasesUponShardCompletion = No', { ...latest, cleanupLeasesOfCompletedShards: false }],
    ['taskBackoffTimeMillis = 100', { ...latest, taskBackoffTimeMillis: 100 }],
    ['maxLeasesForWorker = 7', { ...latest, maxLeasesForWorker: 7 }],
    ['maxLeasesToStealAtOneTime = 3', { ...latest, maxLeasesToStealAtOneTime: 3 }],
    ['maxDeliveryAttempts = 4', { ...latest, maxDeliveryAttempts: 4 }],
    ['maxDeliveryAgeMillis = 60000', { ...latest, maxDeliveryAgeMillis: 60_000 }],
    ['bisectBatchOnError = true', { ...latest, bisectBatchOnError: true }],
    ['onDeliveryFailure = fail', { ...latest, onDeliveryFailure: 'fail' }],
    ['gracefulLeaseHandoffTimeoutMillis = 5', { ...latest, gracefulLeaseHandoffTimeoutMillis: 5 }],
    ['leaseMode = workerHeartbeat', { ...latest, leaseMode: 'workerHeartbeat' }],
    ['isGracefulLeaseHandoffEnabled = false', { ...latest, isGracefulLeaseHandoffEnabled: false }],
    ['ignoreUnexpectedChildShards = on', { ...latest, ignoreUnexpectedChildShards: true }],
    ['skipShardSyncAtWorkerInitializationIfLeasesExist = 1', { ...latest, skipShardSyncAtWorkerInitializationIfLeasesExist: true }],
    ['shardSyncIntervalMillis = 60000', { ...latest, leaseScanIntervalMillis: 10_000 }],
    ['shardSyncIntervalMillis = 4000', { ...latest, leaseScanIntervalMillis: 4_000 }],
    ['leaseAssignmentIntervalMillis = 20000\nshardSyncIntervalMillis = 4000', { ...latest, leaseScanIntervalMillis: 20_000 }],
    ['kinesisEndpoint = http\\://127.0.0.1\\:4567', { ...latest, kinesisEndpoint: 'http://127.0.0.1:4567' }],
    ['dynamoDBEndpoint = http://127.0.0.1:8000', { ...latest, dynamodbEndpoint: 'http://127.0.0.1:8000' }],
    ['kinesisClient.endpointOverride = http://127.0.0.1:4567', { ...latest, kinesisEndpoint: 'http://127.0.0.1:4567' }],
  ])('%j set options of the worker, without a warning', (line, options) => {
    expect(optionsOf(line)).toEqual(options)
    expect(read(line).warnings).toEqual([])
  })

  it('bound the answers of a child and the time of a stop', () => {
    expect(read('timeoutInSeconds = 90')).toMatchObject({ timeoutMs: 90_000 })
    expect(read('timeoutInSeconds = 0')).toMatchObject({ timeoutMs: undefined })
    expect(read('shutdownGraceMillis = 5000')).toMatchObject({ shutdownGraceMs: 5_000 })
  })

  it('of the samples of aws-kcl and amazon_kclpy are all taken, and those that would change nothing here are named, with the reason', () => {
    const sample = [
      'AWSCredentialsProvider = DefaultAWSCredentialsProviderChain',
      'AwsCredentialsProviderDynamoDB = DefaultCredentialsProvider',
      'processingLanguage = nodejs/0.10',
      'initialPositionInStream = TRIM_HORIZON',
      'regionName = us-east-1',
      'failoverTimeMillis = 10000',
      'workerId =',
      'shardSyncIntervalMillis = 60000',
      'maxRecords = 10000',
      'idleTimeBetweenReadsInMillis = 1000',
      'callProcessRecordsEvenForEmptyRecordList = false',
      'parentShardPollIntervalMillis = 10000',
      'cleanupLeasesUponShardCompletion = true',
      'taskBackoffTimeMillis = 500',
      'validateSequenceNumberBeforeCheckpointing = true',
      'maxActiveThreads = 0',
      'retrievalMode = POLLING',
      'clientVersionConfig = CLIENT_VERSION_CONFIG_3X',
      'coordinatorStateTableName =',
      'leaseAssignmentIntervalMillis = 20000',
    ]
    expect(read(sample.join('\n')).warnings).toEqual([])
    expect(
      read('metricsBufferTimeMillis = 10000\nmetricsMaxQueueSize = 10000\nmetricsEnabledDimensions = Operation,ShardId').warnings,
    ).toEqual(
      ['metricsBufferTimeMillis', 'metricsMaxQueueSize', 'metricsEnabledDimensions'].map(
        (key) => `${key}: it changes nothing: no metrics are sent to CloudWatch; the observer of a Worker sees every step`,
      ),
    )
    for (const key of [
      'coordinatorStateTableName',
      'coordinatorStateBillingMode',
      'coordinatorStateReadCapacity',
      'coordinatorStateWriteCapacity',
      'coordinatorStatePointInTimeRecoveryEnabled',
      'coordinatorStateDeletionProtectionEnabled',
      'coordinatorStateTags',
      'workerMetricsTableName',
      'workerMetricsBillingMode',
      'workerMetricsReadCapacity',
      'workerMetricsWriteCapacity',
      'workerMetricsPointInTimeRecoveryEnabled',
      'workerMetricsDeletionProtectionEnabled',
      'workerMetricsTags',
      'inMemoryWorkerMetricsCaptureFrequencyMillis',
      'workerMetricsReporterFreqInMillis',
      'noOfPersistedMetricsPerWorkerMetrics',
      'maxThroughputPerHostKBps',
      'dampeningPercentage',
      'reBalanceThresholdPercentage',
      'allowThroughputOvershoot',
      'varianceBalancingFrequency',
      'workerMetricsEMAAlpha',
      'staleWorkerMetricsEntryCleanupDuration',
    ]) {
      expect(read(`${key} = 5`).warnings).toEqual([expect.stringMatching(new RegExp(`^${key}: it changes nothing: .`))])
    }
  })

  it.each([
    [
      'fanoutConfig.consumerName = me',
      'fanoutConfig.consumerName: it changes nothing: shards are read by polling, unless retrievalMode is FANOUT',
    ],
    [
      'retrievalMode = POLLING\nfanoutConfig.consumerArn = arn',
      'fanoutConfig.consumerArn: it changes nothing: shards are read by polling, unless retrievalMode is FANOUT',
    ],
    [
      'retrievalMode = FANOUT\nidleTimeBetweenReadsInMillis = 250',
      'idleTimeBetweenReadsInMillis: it changes nothing: shards are read by enhanced fan-out, whose reads wait for records',
    ],
    [
      'retrievalMode = FANOUT\nfanoutConfig.retryBackoffMillis = 5',
      'fanoutConfig.retryBackoffMillis: it changes nothing: failed calls are tried again with a backoff that grows, from taskBackoffTimeMillis on',
    ],
    ['maxActiveThreads = 4', 'maxActiveThreads: it changes nothing: no threads are needed here'],
    ['kinesisClient.httpClient = x', 'kinesisClient.httpClient: it changes nothing: of the clients, only region and endpoint can be set'],
    [
      'AwsCredentialsProvider = ProfileCredentialsProvider',
      'AwsCredentialsProvider: it changes nothing: credentials come from the AWS default chain',
    ],
    ['applicationname = x', 'applicationname: not a key of the MultiLangDaemon; it changes nothing, as there'],
    ['constructor = x', 'constructor: not a key of the MultiLangDaemon; it changes nothing, as there'],
  ])('%j is named in a warning', (line, warning) => {
    expect(read(line).warnings).toEqual([warning])
  })

  it.each([
    ['maxRecords = 100nf', 'maxRecords: expected a whole number, got "100nf"'],
    ['maxRecords = -1', 'maxRecords: expected a whole number from 0, got "-1"'],
    ['timeoutInSeconds = 1.5', 'timeoutInSeconds: expected a whole number, got "1.5"'],
    ['cleanupLeasesUponShardCompletion = maybe', 'cleanupLeasesUponShardCompletion: expected true or false, got "maybe"'],
    ['initialPositionInStream = AT_TIMESTAMP', 'initialPositionInStream: expected TRIM_HORIZON or LATEST, got "AT_TIMESTAMP"'],
    ['kinesisEndpoint = localhost', 'kinesisEndpoint: expected an http or https URL, got "localhost"'],
    ['retrievalMode = PUSH', 'retrievalMode: expected POLLING, FANOUT, DEFAULT, got "PUSH"'],
    ['maxDeliveryAttempts = some', 'maxDeliveryAttempts: expected a whole number, got "some"'],
    ['deadLetter = queue', 'deadLetter: expected nothing, since a child takes no dead letter, got "queue"'],
    ['metricsLevel = loud', 'metricsLevel: expected NONE, SUMMARY, DETAILED, got "loud"'],
    [
      'AwsCredentialsProvider = StsAssumeRoleCredentialsProvider|arn:aws:iam::1:role/r|session',
      'AwsCredentialsProvider: expected DefaultCredentialsProvider, for credentials of the AWS default chain, got "StsAssumeRoleCredentialsProvider"',
    ],
    [
      'AwsCredentialsProviderDynamoDB = com.example.Mine|key|secret',
      'AwsCredentialsProviderDynamoDB: expected DefaultCredentialsProvider, for credentials of the AWS default chain, got "Mine"',
    ],
  ])('%j is refused by its key, and without what follows the name of a provider', (line, message) => {
    expect(() => read(line)).toThrow(new Error(message))
  })

  it('are what the page on the MultiLangDaemon says: it names no key that is not known, and every one that sets something', () => {
    const page = readFileSync(new URL('../../docs/coming-from-the-multilang-daemon.md', import.meta.url), 'utf8')
    const rows = page.slice(page.indexOf('| key | here |')).split('\n')
    const named = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, key = '']) => key))
    const isUnknown = (key: string): boolean => {
      try {
        return read(`${key.replace('*', 'X')} = 1`).warnings.some((warning) => warning.includes('not a key'))
      } catch {
        return false
      }
    }
    const setting = [
      'command',
      'applicationName',
      'streamName',
      'streamArn',
      'tableName',
      'region',
      'workerId',
      'timeoutMs',
      'shutdownGraceMs',
    ]
    const shardOptions = [
      'maxDeliveryAttempts',
      'maxDeliveryAgeMillis',
      'bisectBatchOnError',
      'onDeliveryFailure',
      'maxRecords',
      'failoverTimeMillis',
      'leaseScanIntervalMillis',
      'cleanupLeasesOfCompletedShards',
      'idleTimeInMilliseconds',
    ]

    expect(named.length).toBeGreaterThan(30)
    expect(named.filter((key) => key !== 'metrics*' && isUnknown(key))).toEqual([])
    expect(named).toEqual(expect.arrayContaining([...setting, ...shardOptions].map(propertyOf)))
  })

  it('have names for the options that they set', () => {
    expect(propertyOf('idleTimeInMilliseconds')).toBe('idleTimeBetweenReadsInMillis')
    expect(propertyOf('timeoutMs')).toBe('timeoutInSeconds')
    expect(propertyOf('engine')).toBeUndefined()
  })
})
