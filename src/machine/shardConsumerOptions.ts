import { type InitialPosition, shown } from '@shardwise/effects'

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
  /** How often a batch on which the processor fails is delivered before the error policy goes on; null for ever. */
  readonly maxDeliveryAttempts: number | null
  /** How long after its first failure a batch is delivered again; null for ever. */
  readonly maxDeliveryAgeMillis: number | null
  /** Whether a batch whose deliveries are exhausted is split, until the records at fault are alone. */
  readonly bisectBatchOnError: boolean
  /** Whether the records of a batch whose deliveries are exhausted go to the dead letter, which must take them before anything follows. */
  readonly deadLetter: boolean
  /** What follows then: the shard is stopped on this worker, the batch is skipped, or the worker fails. null is `skip` after a dead letter, and else `stop`. */
  readonly onDeliveryFailure: DeliveryFailureAnswer | null
}

/** What follows a batch whose deliveries are exhausted. */
export type DeliveryFailureAnswer = 'stop' | 'skip' | 'fail'

const wholeFrom = (least: number, most = Number.MAX_SAFE_INTEGER): Rule => ({
  expected: most === Number.MAX_SAFE_INTEGER ? `a whole number from ${least}` : `a whole number from ${least} to ${most}`,
  holds: (value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most,
})

interface Rule {
  readonly expected: string
  readonly holds: (value: unknown) => boolean
}

const position: Rule = {
  expected: '{ type: TRIM_HORIZON }, { type: LATEST } or { type: AT_TIMESTAMP, timestampMs }',
  holds: isInitialPosition,
}
const oneOf = (...values: readonly unknown[]): Rule => ({
  expected: values.join(' or ').replace(/ or (?=.* or )/g, ', '),
  holds: (value) => values.includes(value),
})
const flag = oneOf(true, false)
const orNull = ({ expected, holds }: Rule): Rule => ({ expected: `${expected}, or null`, holds: (value) => value === null || holds(value) })

/** What holds where nothing is said, and what may be said: the KCL's defaults where it has them, but for the idle time, which the KCL 2 sets to 1,500 ms. */
const settings: { readonly [Name in keyof ShardConsumerOptions]: readonly [usual: ShardConsumerOptions[Name], rule: Rule] } = {
  initialPosition: [{ type: 'TRIM_HORIZON' }, position],
  parentShardPollIntervalMillis: [10_000, wholeFrom(1)],
  taskBackoffTimeMillis: [500, wholeFrom(1)],
  maxBackoffMillis: [30_000, wholeFrom(1)],
  idleTimeInMilliseconds: [1_000, wholeFrom(0)],
  shouldCallProcessRecordsEvenForEmptyRecordList: [false, flag],
  maxRecords: [10_000, wholeFrom(1, 10_000)],
  prefetchMaxRecords: [30_000, wholeFrom(0)],
  prefetchMaxBytes: [8 * 1024 * 1024, wholeFrom(0)],
  maxCheckpointAttempts: [5, wholeFrom(1)],
  maxShutdownAttempts: [5, wholeFrom(1)],
  missedShardEndCheckpoint: ['retry', oneOf('retry', 'replay')],
  maxDeliveryAttempts: [null, orNull(wholeFrom(1))],
  maxDeliveryAgeMillis: [null, orNull(wholeFrom(1))],
  bisectBatchOnError: [false, flag],
  deadLetter: [false, flag],
  onDeliveryFailure: [null, orNull(oneOf('stop', 'skip', 'fail'))],
}

/** The names of all options. */
export const shardConsumerOptionNames = Object.keys(settings) as readonly (keyof ShardConsumerOptions)[]

/** An error that names a field, what was expected of it, and its value. */
export function unexpected(field: string, expected: string, got: unknown): Error {
  return new Error(`${field}: expected ${expected}, got ${shown(got)}`)
}

/** Options that were checked here, so that a worker's ten thousand shards share one object. */
const checked = new WeakSet<Partial<ShardConsumerOptions>>()

/** Fills in the defaults. @throws Error naming an option that is unknown or whose value does not fit, and what was expected. */
export function parseShardConsumerOptions(given: Partial<ShardConsumerOptions>): ShardConsumerOptions {
  if (checked.has(given)) return given as ShardConsumerOptions
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(settings, name)) throw new Error(`${name}: not an option; expected one of ${shardConsumerOptionNames.join(', ')}`)
    const [, rule] = settings[name as keyof ShardConsumerOptions]
    if (value !== undefined && !rule.holds(value)) throw unexpected(name, rule.expected, value)
  }
  const options = Object.freeze(
    Object.fromEntries(Object.entries(settings).map(([name, [usual]]) => [name, given[name as keyof ShardConsumerOptions] ?? usual])),
  ) as unknown as ShardConsumerOptions
  refuseUnreachable(options)
  checked.add(options)
  return options
}

/** @throws Error naming an option that nothing leads to: without a limit, a batch is delivered for ever. */
function refuseUnreachable({ maxDeliveryAttempts, maxDeliveryAgeMillis, ...policy }: ShardConsumerOptions): void {
  if (maxDeliveryAttempts !== null || maxDeliveryAgeMillis !== null) return
  for (const name of ['bisectBatchOnError', 'deadLetter', 'onDeliveryFailure'] as const) {
    if (policy[name]) throw new Error(`${name}: expected with maxDeliveryAttempts or maxDeliveryAgeMillis, got neither`)
  }
}

/** What holds where nothing is said. */
export const defaultShardConsumerOptions: ShardConsumerOptions = /* @__PURE__ */ parseShardConsumerOptions({})

function isInitialPosition(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    'type' in value &&
    (value.type === 'TRIM_HORIZON' ||
      value.type === 'LATEST' ||
      (value.type === 'AT_TIMESTAMP' && 'timestampMs' in value && Number.isSafeInteger(value.timestampMs)))
  )
}
