import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { KinesisClient } from '@aws-sdk/client-kinesis'
import type { DroppedRecordsOfShard, StreamConsumerAddress, Throttle } from '@shardwise/kinesis'
import {
  type CoordinatorOptions,
  defaultShardConsumerOptions,
  parseShardConsumerOptions,
  type ShardConsumerEngine,
  type ShardConsumerOptions,
  shardConsumerOptionNames,
} from '@shardwise/machine'
import { shardConsumer as compiled } from '@shardwise/machine/compiled'
import type { Observer } from '@shardwise/machine/host'
import type { AnyRecordProcessor, DeadLetter } from '@shardwise/processor'
import { type AwsClientOptions } from './awsClients.ts'
import { consumerOf } from './fanOut.ts'
import type { ShardHealth } from './health.ts'
import type { Logger } from './logger.ts'
import { type Adapters, noHostedDeadLetter, type SelfHostedProcessor } from './processors.ts'

/** The options of the coordinator that users set. */
type LeaseOptions = Omit<CoordinatorOptions, 'workerId' | 'initialPosition' | 'seed'>

/** What a worker is made of. Times are milliseconds; names are the KCL's where it has them; unknown options are errors. */
export interface WorkerOptions extends Partial<Omit<ShardConsumerOptions, 'deadLetter'>>, Partial<LeaseOptions>, AwsClientOptions {
  /** Makes the record processor of a shard: one for each time that this worker consumes it; or, such as for child processes, what hosts it. */
  readonly processor: ((shardId: string) => AnyRecordProcessor | SelfHostedProcessor) & { readonly version?: 'hosted' }
  /** The application: workers of the same name share a lease table, and so a stream. */
  readonly applicationName: string
  /** The stream, by name or by ARN; neither with `adapters`. */
  readonly streamName?: string | undefined
  readonly streamArn?: string | undefined
  /** The lease table; named like the application unless said otherwise. */
  readonly tableName?: string | undefined
  /** Whether a missing lease table is created. */
  readonly createTable?: boolean | undefined
  /** Tells this worker from others of the application; made anew for every worker unless given. */
  readonly workerId?: string | undefined
  /**
   * Reads by enhanced fan-out, as this registered consumer of the stream; with `true` as one named like the application. One known by its name is registered where it
   * is missing, and never deregistered. Reads then wait for records, so `idleTimeInMilliseconds` is 0.
   */
  readonly fanOut?: boolean | StreamConsumerAddress | undefined
  /** Whether aggregates of the Kinesis Producer Library are taken apart; true unless said otherwise, as in the KCL. */
  readonly deaggregate?: boolean | undefined
  /** Hears of every aggregate of which not all records are delivered; beside the logger. */
  readonly onDroppedRecords?: ((dropped: DroppedRecordsOfShard) => void) | undefined
  /** Clients of your own, which the worker does not destroy. Give the one for Kinesis `maxAttempts: 1` and a `NodeHttpHandler`; with `fanOut`, HTTP/2. */
  readonly kinesis?: KinesisClient | undefined
  readonly dynamodb?: DynamoDBClient | undefined
  /** Something other than Kinesis and DynamoDB, such as the memory package. */
  readonly adapters?: Adapters | undefined
  /** What runs the shard consumers: the compiled statechart unless given. `shardConsumer` of `@shardwise/machine` is XState itself. */
  readonly engine?: ShardConsumerEngine | undefined
  /** Takes the records that the error policy would pass over or give up, of every processor that has no `deadLetter` of its own. */
  readonly deadLetter?: DeadLetter | undefined
  readonly logger?: Logger | undefined
  readonly observe?: Observer | undefined
  /** A shard that makes no progress for longer is stuck: 300,000, or three times the longest wait at the tip or for parents, unless given. */
  readonly stuckAfterMillis?: number | undefined
  /** Hears of a shard that is stuck, once until it makes progress again; so does `logger`. It must not throw: that ends the worker. */
  readonly onStuck?: ((shard: ShardHealth) => void) | undefined
  /** Hears every throttled read. */
  readonly onThrottle?: ((throttle: Throttle) => void) | undefined
}

const defaultLeaseOptions: LeaseOptions = {
  leaseMode: 'kcl',
  failoverTimeMillis: 10_000,
  leaseScanIntervalMillis: 10_000,
  maxLeasesForWorker: Number.MAX_SAFE_INTEGER,
  maxLeasesToStealAtOneTime: 1,
  isGracefulLeaseHandoffEnabled: true,
  gracefulLeaseHandoffTimeoutMillis: 30_000,
  cleanupLeasesOfCompletedShards: true,
  completedLeaseCleanupIntervalMillis: 300_000,
  leasesRecoveryAuditorExecutionFrequencyMillis: 120_000,
  leasesRecoveryAuditorInconsistencyConfidenceThreshold: 3,
  garbageLeaseCleanupIntervalMillis: 1_800_000,
  skipShardSyncAtWorkerInitializationIfLeasesExist: false,
  ignoreUnexpectedChildShards: false,
  maxInitializationAttempts: 5,
}

const text: Rule = ['a text that is not empty', (value) => typeof value === 'string' && value.length > 0]
const flag: Rule = ['true or false', (value) => typeof value === 'boolean']
const whole = (least: number): Rule => [
  `a whole number from ${least}`,
  (value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= least,
]
const fieldOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined
const has = (names: readonly string[], type: 'function' | 'object'): Rule[1] => {
  return (value) => names.every((name) => typeof fieldOf(value, name) === type && fieldOf(value, name) !== null)
}
const callable: Rule = ['a function', (value) => typeof value === 'function']

type Rule = readonly [expected: string, holds: (value: unknown) => boolean]

const rules: Readonly<Record<Exclude<keyof WorkerOptions, Exclude<keyof ShardConsumerOptions, 'deadLetter'>>, Rule>> = {
  processor: ['a function that makes a record processor', (value) => typeof value === 'function'],
  applicationName: text,
  streamName: text,
  streamArn: text,
  tableName: text,
  createTable: flag,
  workerId: text,
  region: text,
  kinesisEndpoint: ['an http or https URL', isUrl],
  dynamodbEndpoint: ['an http or https URL', isUrl],
  kinesis: ['a KinesisClient', has(['send'], 'function')],
  dynamodb: ['a DynamoDBClient', has(['send'], 'function')],
  fanOut: ['true, { consumerName } or { consumerArn }', isFanOut],
  deaggregate: flag,
  onDroppedRecords: callable,
  adapters: ['{ leases, source, batches }', has(['leases', 'source', 'batches'], 'object')],
  engine: ['shardConsumer of @shardwise/machine or @shardwise/machine/compiled', has(['start', 'step', 'isDone'], 'function')],
  logger: ['an object with the functions debug, info, warn and error', has(['debug', 'info', 'warn', 'error'], 'function')],
  deadLetter: ['a function that takes dead letters', (value) => typeof value === 'function'],
  observe: callable,
  stuckAfterMillis: whole(1),
  onStuck: callable,
  onThrottle: callable,
  leaseMode: ['"kcl" or "workerHeartbeat"', (value) => value === 'kcl' || value === 'workerHeartbeat'],
  failoverTimeMillis: whole(1),
  leaseScanIntervalMillis: whole(1),
  maxLeasesForWorker: whole(1),
  maxLeasesToStealAtOneTime: whole(0),
  isGracefulLeaseHandoffEnabled: flag,
  gracefulLeaseHandoffTimeoutMillis: whole(1),
  cleanupLeasesOfCompletedShards: flag,
  completedLeaseCleanupIntervalMillis: whole(0),
  leasesRecoveryAuditorExecutionFrequencyMillis: whole(1),
  leasesRecoveryAuditorInconsistencyConfidenceThreshold: whole(1),
  garbageLeaseCleanupIntervalMillis: whole(1),
  skipShardSyncAtWorkerInitializationIfLeasesExist: flag,
  ignoreUnexpectedChildShards: flag,
  maxInitializationAttempts: whole(1),
}

const replacedByAdapters = ['streamName', 'streamArn', 'kinesis', 'dynamodb', 'fanOut', 'deaggregate', 'onDroppedRecords'] as const

const shardNames: ReadonlySet<string> = new Set(shardConsumerOptionNames.filter((name) => name !== 'deadLetter'))

/** Options that were checked, with their defaults. */
export interface ParsedWorkerOptions {
  readonly given: WorkerOptions
  readonly workerId: string
  readonly lease: LeaseOptions
  readonly shard: ShardConsumerOptions
  readonly engine: ShardConsumerEngine
  readonly stuckAfterMillis: number
  /** Who subscribes to the shards; null when they are polled. */
  readonly consumer: StreamConsumerAddress | null
}

/** @throws Error naming the option that is unknown, missing or wrong, and what was expected. */
export function parseWorkerOptions(given: WorkerOptions): ParsedWorkerOptions {
  if (typeof given !== 'object' || given === null) throw new Error(`Worker: expected an object of options, got ${describe(given)}`)
  for (const [name, value] of Object.entries(given)) {
    if (shardNames.has(name)) continue
    if (!Object.hasOwn(rules, name)) {
      throw new Error(`${name}: not an option of Worker; expected one of ${[...Object.keys(rules), ...shardNames].sort().join(', ')}`)
    }
    const [expected, holds] = rules[name as keyof typeof rules]
    if (value !== undefined && !holds(value)) throw new Error(`${name}: expected ${expected}, got ${describe(value)}`)
  }
  for (const name of ['processor', 'applicationName'] as const) {
    if (given[name] === undefined) throw new Error(`${name}: expected ${rules[name][0]}, got nothing`)
  }
  if (given.deadLetter !== undefined && given.processor.version === 'hosted') throw new Error(noHostedDeadLetter)
  const streams = [given.streamName, given.streamArn].filter((stream) => stream !== undefined)
  if (given.adapters === undefined && streams.length !== 1) {
    throw new Error(`streamName: expected a stream by streamName or by streamArn, got ${streams.length === 0 ? 'neither' : 'both'}`)
  }
  if (given.adapters !== undefined && replacedByAdapters.some((name) => given[name] !== undefined)) {
    throw new Error(`adapters: expected without ${replacedByAdapters.join(', ')}, which they replace`)
  }
  const consumer = consumerOf(given)
  if (consumer !== null && (given.idleTimeInMilliseconds ?? 0) !== 0) {
    throw new Error(`idleTimeInMilliseconds: expected 0 beside fanOut, whose reads wait for records, got ${given.idleTimeInMilliseconds}`)
  }
  const values: Readonly<Record<string, unknown>> = { ...given }
  const chosen = <T extends object>(defaults: T): T =>
    Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, values[name] === undefined ? value : values[name]])) as T
  const usual = consumer === null ? defaultShardConsumerOptions : { ...defaultShardConsumerOptions, idleTimeInMilliseconds: 0 }
  const shard = parseShardConsumerOptions({ ...chosen(usual), deadLetter: given.deadLetter !== undefined })
  const longestWaitMs = Math.max(shard.idleTimeInMilliseconds, shard.parentShardPollIntervalMillis)
  const stuckAfterMillis = given.stuckAfterMillis ?? Math.max(300_000, 3 * longestWaitMs)
  if (stuckAfterMillis <= longestWaitMs) {
    throw new Error(`stuckAfterMillis: expected more than the longest wait of a shard, ${longestWaitMs}, got ${stuckAfterMillis}`)
  }
  return {
    given,
    workerId: given.workerId ?? `${hostname()}:${process.pid}:${randomUUID()}`,
    lease: chosen(defaultLeaseOptions),
    shard,
    consumer,
    engine: given.engine ?? compiled,
    stuckAfterMillis,
  }
}

/** The value, so far as it helps: clients and the like hold themselves, and cannot be written down. */
function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value === 'function') return 'a function'
  if (typeof value !== 'object' || value === null) return String(value)
  return `an object of ${Object.keys(value).join(', ') || 'nothing'}`
}

function isFanOut(value: unknown): boolean {
  if (typeof value === 'boolean') return true
  return (
    typeof value === 'object' && value !== null && Object.keys(value).every((name) => name === 'consumerName' || name === 'consumerArn')
  )
}

function isUrl(value: unknown): boolean {
  return typeof value === 'string' && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)
}
