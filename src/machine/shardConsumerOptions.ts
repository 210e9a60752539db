import { type InitialPosition, unexpected } from '@shardwise/effects'

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

/** What is expected of a value, where it does not fit. */
type Rule = (value: unknown) => string | null

const wholeFrom =
  (least: number, most = Infinity): Rule =>
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most
      ? null
      : `a whole number from ${least}${most === Infinity ? '' : ` to ${most}`}`

const oneOf =
  (...values: readonly unknown[]): Rule =>
  (value) =>
    values.includes(value) ? null : values.join(' or ').replace(/ or (?=.* or )/g, ', ')

const flag = oneOf(true, false)

const orNull =
  (rule: Rule): Rule =>
  (value) => {
    const expected = value === null ? null : rule(value)
    return expected === null ? null : `${expected}, or null`
  }

/** What holds where nothing is said, and what may be said: the KCL's defaults where it has them, but for the idle time, which the KCL 2 sets to 1,500 ms. */
const settings: { readonly [Name in keyof ShardConsumerOptions]: readonly [usual: ShardConsumerOptions[Name], rule: Rule] } = {
  initialPosition: [{ type: 'TRIM_HORIZON' }, initialPosition],
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

/** Options that were checked here, so that a worker's ten thousand shards share one object. */
const checked = new WeakSet<Partial<ShardConsumerOptions>>()

/** Fills in the defaults. @throws Error naming an option that is unknown or whose value does not fit, and what was expected. */
export function parseShardConsumerOptions(given: Partial<ShardConsumerOptions>): ShardConsumerOptions {
  if (checked.has(given)) return given as ShardConsumerOptions
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(settings, name)) throw new Error(`${name}: not an option; expected one of ${shardConsumerOptionNames.join(', ')}`)
    const expected = value === undefined ? null : settings[name as keyof ShardConsumerOptions][1](value)
    if (expected !== null) throw unexpected(name, expected, value)
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

function initialPosition(value: unknown): string | null {
  const { type, timestampMs } = Object(value) as { readonly type?: unknown; readonly timestampMs?: unknown }
  const fits = type === 'TRIM_HORIZON' || type === 'LATEST' || (type === 'AT_TIMESTAMP' && Number.isSafeInteger(timestampMs))
  return fits ? null : 'a type of TRIM_HORIZON or LATEST, or AT_TIMESTAMP with timestampMs'
}
