import type { KinesisClient } from '@aws-sdk/client-kinesis'
import type { BatchStore, HashKeyRange, ShardId } from '@shardwise/effects'
import type { DroppedRecordsOfShard } from './kpl/dropReporter.ts'
import type { StreamAddress } from './streamAddress.ts'
import type { Throttle } from './throttlingReporter.ts'

/** What a Kinesis record source is made of. */
export interface KinesisRecordSourceOptions {
  /** Stays yours: the source never makes, changes or destroys a client. Give it `maxAttempts: 1`, since retrying is decided elsewhere. */
  readonly client: Pick<KinesisClient, 'send'>
  readonly stream: StreamAddress
  /** Where the records of a batch wait to be processed; the processor takes them from the same store. */
  readonly batches: BatchStore
  /** Hears every throttled answer of a shard. `createThrottlingReporter` makes log lines of them. */
  readonly onThrottle?: ((throttle: Throttle) => void) | undefined
  /** Epoch milliseconds; `Date.now` when left out. */
  readonly now?: (() => number) | undefined
  /** How long one call may take before it rejects with `TimeoutError`; 30,000 when left out, as in the KCL. */
  readonly callTimeoutMs?: number | undefined
  /** Whether aggregates of the Kinesis Producer Library are taken apart; true when left out, as in the KCL. */
  readonly deaggregate?: boolean | undefined
  /**
   * The hash keys of a shard. An aggregate with a record outside them is left out whole, since the KPL sends its records again; null delivers every record. When left
   * out, the shards are listed as soon as an aggregate comes from one that is not known yet; one that is not listed is taken to hold every hash key.
   */
  readonly hashKeyRangeOf?: ((shardId: ShardId) => HashKeyRange | null) | undefined
  /**
   * Hears of every aggregate of which not all records are delivered; again when its read is repeated. `createDropReporter` makes log lines of them. When left out, the
   * first one is a warning of the process.
   */
  readonly onDroppedRecords?: ((dropped: DroppedRecordsOfShard) => void) | undefined
}

const known: ReadonlySet<string> = new Set([
  'client',
  'stream',
  'batches',
  'onThrottle',
  'now',
  'callTimeoutMs',
  'deaggregate',
  'hashKeyRangeOf',
  'onDroppedRecords',
])
const longestTimeoutMs = 2 ** 31 - 1

/** @throws Error that names the first option that is unknown or cannot be used; `stream` is checked where it is read. */
export function checkOptions(options: KinesisRecordSourceOptions): void {
  if (typeof options !== 'object' || options === null) throw new Error(`options: expected an object, got ${String(options)}`)
  for (const name of Object.keys(options)) {
    if (!known.has(name)) throw new Error(`${name}: unknown option; expected one of ${[...known].join(', ')}`)
  }
  const { client, batches, onThrottle, now, callTimeoutMs, deaggregate, hashKeyRangeOf, onDroppedRecords } = options
  expect('client', 'a KinesisClient', client, typeof client?.send === 'function')
  expect('batches', 'a batch store', batches, typeof batches?.put === 'function' && typeof batches.dropShard === 'function')
  expect('onThrottle', 'a function', onThrottle, onThrottle === undefined || typeof onThrottle === 'function')
  expect('now', 'a function', now, now === undefined || typeof now === 'function')
  expect('deaggregate', 'true or false', deaggregate, deaggregate === undefined || typeof deaggregate === 'boolean')
  expect('hashKeyRangeOf', 'a function', hashKeyRangeOf, hashKeyRangeOf === undefined || typeof hashKeyRangeOf === 'function')
  expect('onDroppedRecords', 'a function', onDroppedRecords, onDroppedRecords === undefined || typeof onDroppedRecords === 'function')
  expect(
    'callTimeoutMs',
    `a whole number of milliseconds from 1 to ${longestTimeoutMs}`,
    callTimeoutMs,
    callTimeoutMs === undefined || (Number.isInteger(callTimeoutMs) && callTimeoutMs >= 1 && callTimeoutMs <= longestTimeoutMs),
  )
}

function expect(option: string, expected: string, value: unknown, holds: boolean): void {
  if (!holds) throw new Error(`${option}: expected ${expected}, got ${shown(value)}`)
}

function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null) return 'another object'
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}
