import type { InitialPosition } from '@shardwise/effects'

/** How a shard consumer behaves: plain JSON, times in milliseconds. Names are the KCL's where it has them. */
export interface ShardConsumerOptions {
  /** Where a shard without a checkpoint is read from. */
  readonly initialPosition: InitialPosition
  /** The wait between two looks at parents that are not done. */
  readonly parentShardPollIntervalMillis: number
  /** The backoff after a first failure; it doubles with every further one. */
  readonly taskBackoffTimeMillis: number
  /** The longest backoff. */
  readonly maxBackoffMillis: number
  /** The wait before the next read of a shard whose tip has been reached. */
  readonly idleTimeInMilliseconds: number
  /** Whether the processor is called for reads that found nothing. */
  readonly shouldCallProcessRecordsEvenForEmptyRecordList: boolean
  /** The most records of one read: 1 to 10,000, the limit of GetRecords. */
  readonly maxRecords: number
  /** What may be read ahead while a batch is processed; 0 records for nothing. */
  readonly prefetchMaxRecords: number
  readonly prefetchMaxBytes: number
  /** How often a throttled checkpoint write is tried before the request fails with ThrottlingException. */
  readonly maxCheckpointAttempts: number
  /** How often leaseLost and the closing of a shard are tried before the consumer completes without their success. */
  readonly maxShutdownAttempts: number
  /** What follows a shardEnded that did not checkpoint: the callback again, or a fresh processor from the last checkpoint. */
  readonly missedShardEndCheckpoint: 'retry' | 'replay'
}

/** What holds where nothing is said: the KCL's defaults where it has them, but for the idle time, which the KCL 2 sets to 1,500 ms. */
export const defaultShardConsumerOptions: ShardConsumerOptions = {
  initialPosition: { type: 'TRIM_HORIZON' },
  parentShardPollIntervalMillis: 10_000,
  taskBackoffTimeMillis: 500,
  maxBackoffMillis: 30_000,
  idleTimeInMilliseconds: 1_000,
  shouldCallProcessRecordsEvenForEmptyRecordList: false,
  maxRecords: 10_000,
  prefetchMaxRecords: 30_000,
  prefetchMaxBytes: 8 * 1024 * 1024,
  maxCheckpointAttempts: 5,
  maxShutdownAttempts: 5,
  missedShardEndCheckpoint: 'retry',
}

const wholeFrom = (least: number, most = Number.MAX_SAFE_INTEGER): Rule => ({
  expected: most === Number.MAX_SAFE_INTEGER ? `a whole number from ${least}` : `a whole number from ${least} to ${most}`,
  holds: (value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most,
})

interface Rule {
  readonly expected: string
  readonly holds: (value: unknown) => boolean
}

const rules: Readonly<Record<keyof ShardConsumerOptions, Rule>> = {
  initialPosition: {
    expected: '{ type: TRIM_HORIZON }, { type: LATEST } or { type: AT_TIMESTAMP, timestampMs }',
    holds: isInitialPosition,
  },
  parentShardPollIntervalMillis: wholeFrom(1),
  taskBackoffTimeMillis: wholeFrom(1),
  maxBackoffMillis: wholeFrom(1),
  idleTimeInMilliseconds: wholeFrom(0),
  shouldCallProcessRecordsEvenForEmptyRecordList: { expected: 'true or false', holds: (value) => typeof value === 'boolean' },
  maxRecords: wholeFrom(1, 10_000),
  prefetchMaxRecords: wholeFrom(0),
  prefetchMaxBytes: wholeFrom(0),
  maxCheckpointAttempts: wholeFrom(1),
  maxShutdownAttempts: wholeFrom(1),
  missedShardEndCheckpoint: { expected: 'retry or replay', holds: (value) => value === 'retry' || value === 'replay' },
}

/** The names of all options. */
export const shardConsumerOptionNames = Object.keys(rules) as readonly (keyof ShardConsumerOptions)[]

/** Options that were checked here, so that a worker's ten thousand shards share one object. */
const checked = new WeakSet<Partial<ShardConsumerOptions>>()

/** Fills in the defaults. @throws Error naming an option that is unknown or whose value does not fit, and what was expected. */
export function parseShardConsumerOptions(given: Partial<ShardConsumerOptions>): ShardConsumerOptions {
  if (checked.has(given)) return given as ShardConsumerOptions
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(rules, name)) throw new Error(`${name}: not an option; expected one of ${shardConsumerOptionNames.join(', ')}`)
    const rule = rules[name as keyof ShardConsumerOptions]
    if (value !== undefined && !rule.holds(value)) throw new Error(`${name}: expected ${rule.expected}, got ${describe(value)}`)
  }
  const chosen = Object.entries(given).filter(([, value]) => value !== undefined)
  const options = Object.freeze({ ...defaultShardConsumerOptions, ...Object.fromEntries(chosen) })
  checked.add(options)
  return options
}

function describe(value: unknown): string {
  return typeof value === 'object' || typeof value === 'string' ? JSON.stringify(value) : String(value)
}

function isInitialPosition(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('type' in value)) return false
  if (value.type === 'TRIM_HORIZON' || value.type === 'LATEST') return true
  return value.type === 'AT_TIMESTAMP' && 'timestampMs' in value && Number.isSafeInteger(value.timestampMs)
}
