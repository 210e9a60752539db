import { shown } from '@shardwise/effects'
import type { StreamConsumerAddress } from '@shardwise/kinesis'
import { parseProperties, splitCommand } from '@shardwise/multilang'
import type { WorkerOptions } from './workerOptions.ts'

/** What a properties file of the MultiLangDaemon says, in the words of this worker. */
export interface MultilangSettings {
  /** The program that processes the records of a shard, and its arguments. */
  readonly command: readonly string[]
  /** How long a child may take for each answer, ms; undefined for no limit. */
  readonly timeoutMs: number | undefined
  /** How long a stop in order may take, ms; undefined for no limit. */
  readonly shutdownGraceMs: number | undefined
  readonly options: Omit<WorkerOptions, 'processor'>
  /** Keys that change nothing here, and why; in the order of the file. */
  readonly warnings: readonly string[]
}

type Value = string | number | boolean | NonNullable<WorkerOptions['initialPosition']> | StreamConsumerAddress | readonly string[]

/** What becomes of a key. */
type Rule =
  /** `read` gives undefined for a value that stands for none. @throws Error saying what was expected. */
  | { readonly into: string; readonly read: (text: string) => Value | undefined }
  /** Nothing: `why` goes into a warning, unless the value is `fine`, since it asks for what is done here anyway. */
  | { readonly why: string; readonly fine: (text: string) => boolean }

const set = (into: string, read: (text: string) => Value | undefined): Rule => ({ into, read })
const unused = (why: string, fine: (text: string) => boolean = () => false): Rule => ({ why, fine })
const anything = unused('', () => true)

const noFanout = 'shards are read by polling, unless retrievalMode is FANOUT'
const noPolling = 'shards are read by enhanced fan-out, whose reads wait for records'
const noMetrics = 'no metrics are sent to CloudWatch; the observer of a Worker sees every step'
const noBalance = 'leases are shared by their number, not by the load of the workers'
const noMoreTables = 'the lease table is the only one here'
const ownRetries = 'failed calls are tried again with a backoff that grows, from taskBackoffTimeMillis on'
const tableDefaults = 'a lease table that is created has the defaults of DynamoDB, and is billed by request'
const noEffect = 'it does nothing in the KCL 3 either'

/** The keys of the MultiLangDaemon 3.5 and of the error policy, but for those that `familyOf` knows by their beginning. */
const rules: Readonly<Record<string, Rule>> = {
  executableName: set('command', splitCommand),
  applicationName: set('applicationName', text),
  streamName: set('streamName', text),
  streamArn: set('streamArn', text),
  tableName: set('tableName', text),
  workerId: set('workerId', text),
  workerIdentifier: set('workerId', text),
  regionName: set('region', text),
  kinesisEndpoint: set('kinesisEndpoint', url),
  dynamoDBEndpoint: set('dynamodbEndpoint', url),
  'kinesisClient.endpointOverride': set('kinesisEndpoint', url),
  'dynamoDbClient.endpointOverride': set('dynamodbEndpoint', url),
  'kinesisClient.region': set('region', text),
  initialPositionInStream: set('initialPosition', position),
  initialPositionInStreamExtended: set('positionInTime', time),
  timeoutInSeconds: set('timeoutMs', seconds),
  shutdownGraceMillis: set('shutdownGraceMs', number),
  maxRecords: set('maxRecords', number),
  idleTimeBetweenReadsInMillis: set('idleTimeInMilliseconds', number),
  failoverTimeMillis: set('failoverTimeMillis', number),
  leaseAssignmentIntervalMillis: set('leaseScanIntervalMillis', number),
  shardSyncIntervalMillis: set('mostBetweenScansMs', number),
  parentShardPollIntervalMillis: set('parentShardPollIntervalMillis', number),
  taskBackoffTimeMillis: set('taskBackoffTimeMillis', number),
  maxLeasesForWorker: set('maxLeasesForWorker', number),
  maxLeasesToStealAtOneTime: set('maxLeasesToStealAtOneTime', number),
  gracefulLeaseHandoffTimeoutMillis: set('gracefulLeaseHandoffTimeoutMillis', number),
  leaseMode: set('leaseMode', text),
  isGracefulLeaseHandoffEnabled: set('isGracefulLeaseHandoffEnabled', flag),
  callProcessRecordsEvenForEmptyRecordList: set('shouldCallProcessRecordsEvenForEmptyRecordList', flag),
  cleanupLeasesUponShardCompletion: set('cleanupLeasesOfCompletedShards', flag),
  ignoreUnexpectedChildShards: set('ignoreUnexpectedChildShards', flag),
  skipShardSyncAtWorkerInitializationIfLeasesExist: set('skipShardSyncAtWorkerInitializationIfLeasesExist', flag),
  // Of this worker, not of the daemon: what becomes of a batch on which a child fails.
  maxDeliveryAttempts: set('maxDeliveryAttempts', number),
  maxDeliveryAgeMillis: set('maxDeliveryAgeMillis', number),
  bisectBatchOnError: set('bisectBatchOnError', flag),
  onDeliveryFailure: set('onDeliveryFailure', text),
  deadLetter: set('deadLetter', noDeadLetter),
  // A label, and a check that is always made.
  processingLanguage: anything,
  validateSequenceNumberBeforeCheckpointing: anything,
  maxActiveThreads: unused('no threads are needed here', (given) => !(Number(given) > 0)),
  retrievalMode: set('fanOut', retrievalMode),
  'fanoutConfig.consumerName': set('consumerName', text),
  'fanoutConfig.consumerArn': set('consumerArn', text),
  millisBehindLatestThresholdForReducedTps: unused('behind the tip the next read is made at once, and at the tip after the idle time'),
  retryGetRecordsInSeconds: unused(noEffect),
  maxGetRecordsThreadPool: unused(noEffect),
  enablePriorityLeaseAssignment: unused(noEffect),
  maxLeaseRenewalThreads: unused('no threads are needed here'),
  leaseTableDeletionProtectionEnabled: unused(tableDefaults, isNo),
  leaseTablePitrEnabled: unused(tableDefaults, isNo),
  initialLeaseTableReadCapacity: unused(tableDefaults),
  initialLeaseTableWriteCapacity: unused(tableDefaults),
  leaseTableScanTotalSegments: unused('the lease table is scanned in one segment', (given) => given === '1'),
  listShardsBackoffTimeInMillis: unused(ownRetries),
  maxListShardsRetryAttempts: unused(ownRetries),
  schedulerInitializationBackoffTimeMillis: unused(ownRetries),
  shardPrioritization: unused('shards have no priorities'),
  clientVersionConfig: unused('rows are written as the KCL 2 and 3 read them, without a migration', clientVersion),
  migrateAllEntitiesToLeaseTable: unused(noMoreTables),
  tableMigrationCompleteBakeTimeSeconds: unused(noMoreTables),
  inMemoryWorkerMetricsCaptureFrequencyMillis: unused(noBalance),
  noOfPersistedMetricsPerWorkerMetrics: unused(noBalance),
  disableWorkerMetrics: unused(noBalance, (given) => !isNo(given)),
  maxThroughputPerHostKBps: unused(noBalance),
  dampeningPercentage: unused(noBalance),
  reBalanceThresholdPercentage: unused(noBalance),
  allowThroughputOvershoot: unused(noBalance),
  varianceBalancingFrequency: unused(noBalance),
  staleWorkerMetricsEntryCleanupDuration: unused(noBalance),
  logWarningForTaskAfterMillis: unused('the log tells of failures and changes of state, not of how long they take'),
  metricsBufferTimeMillis: unused(noMetrics),
  metricsMaxQueueSize: unused(noMetrics),
  metricsEnabledDimensions: unused(noMetrics),
  metricsLevel: unused(noMetrics, metricsLevel),
}

/** Keys that are told by how they begin. */
const families: readonly (readonly [beginning: RegExp, rule: Rule])[] = [
  [/^awscredentialsprovider(dynamodb)?$/i, unused('credentials come from the AWS default chain', credentials)],
  [/^awscredentialsprovidercloudwatch$/i, unused(noMetrics, credentials)],
  [/^fanoutConfig\./, unused(ownRetries)],
  [/^cloudWatchClient\./, unused(noMetrics)],
  [/^(kinesisClient|dynamoDbClient)\./, unused('of the clients, only region and endpoint can be set')],
  [/^coordinatorState/, unused(noMoreTables)],
  [/^workerMetrics/, unused(noBalance)],
]

/**
 * Reads the text of a MultiLangDaemon's properties file. Empty values, and numbers that are 0, stand for none, as there.
 * @throws Error naming the key that is missing or whose value does not fit, and what was expected.
 */
export function readMultilangProperties(fileText: string): MultilangSettings {
  const values: Record<string, Value> = {}
  const warnings: string[] = []
  for (const [key, value] of parseProperties(fileText)) {
    const given = value.trim()
    if (given === '') continue
    const rule = ruleOf(key)
    if (rule === undefined) warnings.push(`${key}: not a key of the MultiLangDaemon; it changes nothing, as there`)
    else if ('why' in rule) {
      if (!named(key, given, rule.fine)) warnings.push(`${key}: it changes nothing: ${rule.why}`)
    } else {
      const read = named(key, given, rule.read)
      if (read !== undefined) values[rule.into] = read
    }
  }
  return settingsOf(values, warnings)
}

function settingsOf(values: Readonly<Record<string, Value>>, warnings: readonly string[]): MultilangSettings {
  const { command, timeoutMs, shutdownGraceMs, positionInTime, mostBetweenScansMs, streamName, streamArn, ...others } = values
  const { options, unused } = readingOf(others)
  if (command === undefined) throw new Error('executableName: expected a program and its arguments, found nothing')
  if (options['applicationName'] === undefined) throw new Error('applicationName: expected a name, found nothing')
  if (streamName === undefined && streamArn === undefined) throw new Error('streamName: expected streamName or streamArn, found neither')
  return {
    command: command as readonly string[],
    timeoutMs: timeoutMs as number | undefined,
    shutdownGraceMs: shutdownGraceMs as number | undefined,
    options: {
      // The daemon begins at the tip where nothing is said.
      initialPosition: positionInTime ?? { type: 'LATEST' },
      // Children are ended after the end of their shard.
      missedShardEndCheckpoint: 'replay',
      ...(mostBetweenScansMs === undefined ? {} : { leaseScanIntervalMillis: Math.min(Number(mostBetweenScansMs), usualScanMs) }),
      ...options,
      ...(positionInTime === undefined ? {} : { initialPosition: positionInTime }),
      ...(streamArn === undefined ? { streamName } : { streamArn }),
    } as MultilangSettings['options'],
    warnings: [...warnings, ...unused],
  }
}

/** How shards are read: what is said of the other way changes nothing. An ARN is preferred to a name, as there. */
function readingOf({ fanOut, consumerName, consumerArn, ...options }: Readonly<Record<string, Value>>): {
  readonly options: Readonly<Record<string, Value>>
  readonly unused: readonly string[]
} {
  const warn = (keys: readonly (string | false)[], why: string): readonly string[] =>
    keys.flatMap((key) => (key === false ? [] : [`${key}: it changes nothing: ${why}`]))
  if (fanOut === undefined) {
    const given = [consumerName !== undefined && 'fanoutConfig.consumerName', consumerArn !== undefined && 'fanoutConfig.consumerArn']
    return { options, unused: warn(given, noFanout) }
  }
  const named = consumerName === undefined ? true : ({ consumerName } as StreamConsumerAddress)
  const consumer = consumerArn === undefined ? named : ({ consumerArn } as StreamConsumerAddress)
  const { idleTimeInMilliseconds, ...rest } = options
  const unused = warn([idleTimeInMilliseconds !== undefined && 'idleTimeBetweenReadsInMillis'], noPolling)
  return { options: { ...rest, fanOut: consumer }, unused }
}

/** The property that sets an option of the worker, for errors that name the option. */
export function propertyOf(option: string): string | undefined {
  return Object.entries(rules).find(([, rule]) => 'into' in rule && rule.into === option)?.[0]
}

/** How often leases are looked at where nothing is said, ms. */
const usualScanMs = 10_000

function ruleOf(key: string): Rule | undefined {
  return Object.hasOwn(rules, key) ? rules[key] : families.find(([beginning]) => beginning.test(key))?.[1]
}

function named<T>(key: string, given: string, read: (text: string) => T): T {
  try {
    return read(given)
  } catch (error) {
    throw new Error(`${key}: ${(error as Error).message.replace(/^executableName: /, '')}`, { cause: error })
  }
}

function expected(what: string, given: string): Error {
  return new Error(`expected ${what}, got ${shown(given)}`)
}

function text(given: string): string {
  return given
}

function number(given: string): number | undefined {
  if (!/^[+-]?\d+$/.test(given) || !Number.isSafeInteger(Number(given))) throw expected('a whole number', given)
  if (Number(given) < 0) throw expected('a whole number from 0', given)
  return Number(given) === 0 ? undefined : Number(given)
}

function seconds(given: string): number | undefined {
  const value = number(given)
  return value === undefined ? undefined : value * 1_000
}

const yes = ['true', 'yes', 'y', 'on', '1']
const no = ['false', 'no', 'n', 'off', '0']

function flag(given: string): boolean {
  const word = given.toLowerCase()
  if (!yes.includes(word) && !no.includes(word)) throw expected('true or false', given)
  return yes.includes(word)
}

function isNo(given: string): boolean {
  return !flag(given)
}

function noDeadLetter(given: string): never {
  throw expected('nothing, since a child takes no dead letter', given)
}

function url(given: string): string {
  if (!URL.canParse(given) || !/^https?:$/.test(new URL(given).protocol)) throw expected('an http or https URL', given)
  return given
}

function position(given: string): Value {
  const type = given.toUpperCase()
  if (type !== 'TRIM_HORIZON' && type !== 'LATEST') throw expected('TRIM_HORIZON or LATEST', given)
  return { type }
}

function time(given: string): Value | undefined {
  const timestampMs = seconds(given)
  return timestampMs === undefined ? undefined : { type: 'AT_TIMESTAMP', timestampMs }
}

/** One of the words; whether it asks for what is done here anyway. */
const oneOf =
  (words: readonly string[], fine: readonly string[]) =>
  (given: string): boolean => {
    const word = given.toUpperCase()
    if (!words.includes(word)) throw expected(words.join(', '), given)
    return fine.includes(word)
  }

function retrievalMode(given: string): true | undefined {
  return oneOf(['POLLING', 'FANOUT', 'DEFAULT'], ['FANOUT'])(given) || undefined
}

function metricsLevel(given: string): boolean {
  return oneOf(['NONE', 'SUMMARY', 'DETAILED'], ['NONE'])(given)
}

function clientVersion(given: string): boolean {
  const prefix = 'CLIENT_VERSION_CONFIG_'
  return oneOf([`${prefix}3X`, `${prefix}COMPATIBLE_WITH_2X`, `${prefix}2X_PHASE1`], [`${prefix}3X`])(given)
}

/** Providers that look where the default chain looks, among others. */
const withinDefaultChain = [
  'EnvironmentVariableCredentialsProvider',
  'ProfileCredentialsProvider',
  'InstanceProfileCredentialsProvider',
  'ContainerCredentialsProvider',
  'EC2ContainerCredentialsProviderWrapper',
  'WebIdentityTokenFileCredentialsProvider',
  'WebIdentityTokenCredentialsProvider',
]
const defaultChains = ['DefaultCredentialsProvider', 'DefaultAWSCredentialsProviderChain']

/** Whether the default chain is asked for. With other credentials than those that were meant, nothing is started. */
function credentials(given: string): boolean {
  const names = given.split(',').map((provider) => provider.trim().replace(/^.*\./, ''))
  const unknown = names.filter((name) => !defaultChains.includes(name) && !withinDefaultChain.includes(name))
  // Behind the name there may be a secret.
  if (unknown.length > 0)
    throw expected('DefaultCredentialsProvider, for credentials of the AWS default chain', String(unknown[0]?.split('|')[0]))
  return names.every((name) => defaultChains.includes(name))
}
