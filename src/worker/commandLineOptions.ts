import { Command, InvalidArgumentError, Option } from 'commander'
import type { WorkerOptions } from './workerOptions.ts'

/** Options that cannot be said in a text; a program that needs them makes a Worker itself. */
type CodeOnly =
  | 'kinesis'
  | 'dynamodb'
  | 'adapters'
  | 'engine'
  | 'logger'
  | 'deadLetter'
  | 'observe'
  | 'onStuck'
  | 'onThrottle'
  | 'onDroppedRecords'

/** The options of a worker that flags set, beside the processor. */
type FlagName = Exclude<keyof WorkerOptions, CodeOnly | 'processor'>

/** One flag names either form of a stream; one more flag sets both endpoints. */
type SpokenOtherwise = 'streamName' | 'streamArn' | 'kinesisEndpoint' | 'dynamodbEndpoint'

/** How one option of the worker is said on the command line. */
interface Flag {
  readonly flag: string
  readonly says: string
  readonly read?: (text: string) => unknown
}

const ms = (flag: string, says: string): Flag => ({ flag: `${flag} <ms>`, says, read: wholeNumber })
const count = (flag: string, says: string): Flag => ({ flag: `${flag} <n>`, says, read: wholeNumber })
const text = (flag: string, says: string): Flag => ({ flag, says, read: someText })
const flag = (name: string, says: string): Flag => ({ flag: name, says })

/** Every option of the worker has its flag here; a new one without is a compile error. */
const flags: Readonly<Record<Exclude<FlagName, SpokenOtherwise>, Flag>> = {
  applicationName: text('--application <name>', 'the application: its workers share one lease table'),
  tableName: text('--table <name>', 'the lease table (default: named like the application)'),
  createTable: flag('--no-create-table', 'fail when the lease table is missing'),
  workerId: text('--worker-id <id>', 'tells this worker from others (default: host, process and a random part)'),
  region: text('--region <region>', 'the AWS region (default: AWS_REGION, or the AWS config file)'),
  fanOut: {
    flag: '--fan-out [consumer]',
    says: 'read by enhanced fan-out, as the registered consumer of this name or ARN (default: named like the application)',
    read: consumer,
  },
  deaggregate: flag('--no-deaggregate', 'deliver aggregates of the KPL as they are stored'),
  initialPosition: { flag: '--position <position>', says: 'where shards without a checkpoint start', read: position },
  maxRecords: count('--max-records', 'the most records of one read, 1 to 10000'),
  idleTimeInMilliseconds: ms('--idle-ms', 'the wait before the next read at the tip'),
  shouldCallProcessRecordsEvenForEmptyRecordList: flag('--call-for-empty', 'call processRecords for empty reads too'),
  prefetchMaxRecords: count('--prefetch-records', 'what may be read ahead of a shard; 0 for nothing'),
  prefetchMaxBytes: count('--prefetch-bytes', 'the same in bytes'),
  leaseMode: {
    flag: '--lease-mode <mode>',
    says: 'kcl: renew each lease; workerHeartbeat: one heartbeat for all, in a fleet that shares no table with the KCL',
    read: someText,
  },
  failoverTimeMillis: ms('--failover-ms', 'a lease that is not renewed for longer is free for others'),
  leaseScanIntervalMillis: ms('--scan-ms', 'the wait between two looks at the leases'),
  maxLeasesForWorker: count('--max-leases', 'the most shards that this worker consumes'),
  maxLeasesToStealAtOneTime: count('--max-steal', 'the most leases taken at once from a worker with more than its share'),
  isGracefulLeaseHandoffEnabled: flag(
    '--no-handoff',
    'take leases from workers with more than their share without asking: for workers of the KCL 2',
  ),
  gracefulLeaseHandoffTimeoutMillis: ms('--handoff-ms', 'how long a lease that is given up waits for its processor'),
  parentShardPollIntervalMillis: ms('--parent-poll-ms', 'the wait between two looks at unfinished parents'),
  cleanupLeasesOfCompletedShards: flag('--no-cleanup', 'keep the leases of finished shards'),
  completedLeaseCleanupIntervalMillis: ms('--cleanup-ms', 'how long a finished lease stands'),
  leasesRecoveryAuditorExecutionFrequencyMillis: ms('--audit-ms', 'the wait between two looks for holes among the leases'),
  leasesRecoveryAuditorInconsistencyConfidenceThreshold: count(
    '--audit-threshold',
    'how often in a row a hole is found before it is filled',
  ),
  garbageLeaseCleanupIntervalMillis: ms('--garbage-ms', 'how long a finished lease stands before its shard is looked for'),
  skipShardSyncAtWorkerInitializationIfLeasesExist: flag('--skip-shard-sync', 'trust a table that has leases'),
  ignoreUnexpectedChildShards: flag('--ignore-unexpected-children', 'leave out children of shards that are still open'),
  taskBackoffTimeMillis: ms('--backoff-ms', 'the backoff after a first failure'),
  maxBackoffMillis: ms('--max-backoff-ms', 'the longest backoff'),
  maxInitializationAttempts: count('--start-attempts', 'how often the start is tried'),
  maxCheckpointAttempts: count('--checkpoint-attempts', 'how often a throttled checkpoint is tried'),
  maxShutdownAttempts: count('--shutdown-attempts', 'how often leaseLost and the closing of a shard are tried'),
  stuckAfterMillis: ms('--stuck-ms', 'a shard that makes no progress for longer is told in the log'),
  maxDeliveryAttempts: count('--delivery-attempts', 'how often a failing batch is delivered (default: for ever)'),
  maxDeliveryAgeMillis: ms('--delivery-age-ms', 'how long after its first failure it is delivered (default: for ever)'),
  bisectBatchOnError: flag('--bisect', 'then split it, to find the records at fault'),
  onDeliveryFailure: {
    flag: '--on-delivery-failure <what>',
    says: 'then stop the shard (the default), skip the records, or fail the worker',
    read: someText,
  },
  missedShardEndCheckpoint: {
    flag: '--missed-shard-end <what>',
    says: 'after a shardEnded without checkpoint: retry the call, or replay with a fresh processor',
    read: someText,
  },
}

const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const

/** Where the log begins. */
export type LogLevel = (typeof logLevels)[number]

/** What was said on the command line. */
export interface CommandLine {
  readonly processorFile: string
  readonly options: Omit<WorkerOptions, 'processor'>
  readonly logLevel: LogLevel | undefined
  readonly live: boolean
}

/** What was said on the command line beside the properties file. */
export interface MultilangCommandLine {
  readonly propertiesFile: string
  readonly logConfiguration: string | undefined
  readonly logLevel: LogLevel | undefined
  readonly live: boolean
}

/** Declares the options of `consume`. */
export function declareOptions(command = new Command('consume')): Command {
  command
    .addOption(new Option('--stream <name>', 'the stream, by name or ARN').argParser(someText).makeOptionMandatory())
    .addOption(new Option('--processor <file>', 'the module that makes record processors').argParser(someText).makeOptionMandatory())
    .addOption(new Option('--endpoint <url>', 'the endpoint of both services, for local servers').argParser(url))
    .addOption(new Option('--kinesis-endpoint <url>', 'the endpoint of Kinesis').argParser(url))
    .addOption(new Option('--dynamodb-endpoint <url>', 'the endpoint of DynamoDB').argParser(url))
  for (const [name, { flag: said, says, read }] of Object.entries(flags)) {
    const option = new Option(said, says)
    if (read !== undefined) option.argParser(read)
    command.addOption(name === 'applicationName' ? option.makeOptionMandatory() : option)
  }
  return declareLog(command)
}

/** Declares the options of `multilang`, which are those of the MultiLangDaemon, and what is said of the log. */
export function declareMultilangOptions(command = new Command('multilang')): Command {
  return declareLog(
    command
      .argument('[file]', 'the properties file, as the MultiLangDaemon reads it')
      .addOption(new Option('-p, --properties-file <file>', 'the same').argParser(someText))
      .addOption(new Option('-l, --log-configuration <file>', 'a logback configuration; it is not read')),
  )
}

/** Gives what was said for `multilang`. @throws Error unless exactly one properties file was named. */
export function readMultilangOptions(command: Command): MultilangCommandLine {
  const { propertiesFile, logConfiguration, logLevel, live } = command.opts<{
    propertiesFile?: string
    logConfiguration?: string
    logLevel?: LogLevel
    live: boolean
  }>()
  const files = [...command.args, ...(propertiesFile === undefined ? [] : [propertiesFile])]
  const [file] = files
  if (file === undefined || files.length > 1) {
    throw new Error(`--properties-file: expected one properties file, got ${files.length === 0 ? 'none' : files.join(' and ')}`)
  }
  return { propertiesFile: file, logConfiguration, logLevel, live }
}

function declareLog(command: Command): Command {
  return command
    .addOption(new Option('--log-level <level>', 'where the log begins (default: info, and warn under a live view)').choices(logLevels))
    .addOption(new Option('--no-live', 'write log lines to a terminal too, not a live view'))
}

/** Gives the declared options the names of the worker's. */
export function readOptions(command: Command): CommandLine {
  const given = command.opts<Readonly<Record<string, unknown>>>()
  const set = (attribute: string): boolean => command.getOptionValueSource(attribute) === 'cli'
  const own = Object.entries(flags).flatMap(([name, { flag: said }]) => {
    const attribute = new Option(said).attributeName()
    return set(attribute) ? [[name, given[attribute]]] : []
  })
  const stream = given['stream'] as string
  const kinesisEndpoint = given['kinesisEndpoint'] ?? given['endpoint']
  const dynamodbEndpoint = given['dynamodbEndpoint'] ?? given['endpoint']
  return {
    processorFile: given['processor'] as string,
    options: {
      ...Object.fromEntries(own),
      ...(stream.startsWith('arn:') ? { streamArn: stream } : { streamName: stream }),
      ...(kinesisEndpoint === undefined ? {} : { kinesisEndpoint }),
      ...(dynamodbEndpoint === undefined ? {} : { dynamodbEndpoint }),
    } as CommandLine['options'],
    logLevel: given['logLevel'] as LogLevel | undefined,
    live: given['live'] as boolean,
  }
}

/** An error of the worker in the words of the command line: the option it begins with is named by its flag. */
export function inFlags(message: string): string {
  const name = /^(\w+): /.exec(message)?.[1] ?? ''
  const said = flagOf(name)
  return said === undefined ? message : `${said}${message.slice(name.length)}`
}

function flagOf(name: string): string | undefined {
  if (name === 'streamName' || name === 'streamArn') return '--stream'
  return Object.hasOwn(flags, name) ? flags[name as keyof typeof flags].flag.split(' ')[0] : undefined
}

function wholeNumber(given: string): number {
  if (!/^-?\d+$/.test(given)) throw new InvalidArgumentError(`Expected a whole number.`)
  return Number(given)
}

function someText(given: string): string {
  if (given === '') throw new InvalidArgumentError('Expected a text that is not empty.')
  return given
}

function url(given: string): string {
  if (!URL.canParse(given) || !/^https?:$/.test(new URL(given).protocol)) throw new InvalidArgumentError('Expected an http or https URL.')
  return given
}

function consumer(given: string): WorkerOptions['fanOut'] {
  return given.startsWith('arn:') ? { consumerArn: given } : { consumerName: given }
}

function position(given: string): WorkerOptions['initialPosition'] {
  if (given === 'TRIM_HORIZON' || given === 'LATEST') return { type: given }
  const [, time] = /^AT_TIMESTAMP=(\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d))?)$/.exec(given) ?? []
  const timestampMs = Date.parse(time ?? '')
  if (Number.isNaN(timestampMs)) {
    throw new InvalidArgumentError('Expected TRIM_HORIZON, LATEST or AT_TIMESTAMP=<time>, such as AT_TIMESTAMP=2026-01-31T12:00:00Z.')
  }
  return { type: 'AT_TIMESTAMP', timestampMs }
}
