import { shown } from '@shardwise/effects'
import { refuseUnknownOptions } from '../options.ts'
import type { DeadLetter } from '../recordProcessor.ts'

/**
 * When a checkpoint is stored: after each batch; once so many records were handled, or so many milliseconds have passed, since the last one; or when the
 * handler asks. None but `manual` also stores what was handled when a batch fails and when the worker stops.
 */
export type CheckpointPolicy = 'afterBatch' | 'manual' | { readonly everyRecords?: number; readonly everyMs?: number }

/** What all handlers may be given. */
export interface HandlerOptions {
  /** `afterBatch` unless given. */
  readonly checkpoint?: CheckpointPolicy | undefined
  /** Takes the records that the error policy would pass over or give up; for a worker, that of the worker where none is given. */
  readonly deadLetter?: DeadLetter | undefined
  /** The clock of `everyMs`: monotonic milliseconds, `performance.now` unless given. */
  readonly nowMs?: (() => number) | undefined
}

/** A policy that was checked. What is not asked for is Infinity. */
export interface ParsedPolicy {
  /** Whether anything is checkpointed without being asked for, beside the end of the shard. */
  readonly automatic: boolean
  readonly afterBatch: boolean
  readonly everyRecords: number
  readonly everyMs: number
  readonly nowMs: () => number
  readonly deadLetter: DeadLetter | undefined
}

/** @throws Error that names the option which is unknown or wrong, the value, and what was expected. */
export function parseHandlerOptions(maker: string, options: HandlerOptions, further: readonly string[] = []): ParsedPolicy {
  refuseUnknownOptions(maker, options, ['checkpoint', 'deadLetter', 'nowMs', ...further])
  const { checkpoint = 'afterBatch', deadLetter, nowMs } = options
  if (deadLetter !== undefined && typeof deadLetter !== 'function')
    throw new Error(`deadLetter: expected a function that takes dead letters, got ${shown(deadLetter)}`)
  if (nowMs !== undefined && typeof nowMs !== 'function') throw new Error(`nowMs: expected a function, got ${shown(nowMs)}`)
  const never = { afterBatch: false, everyRecords: Infinity, everyMs: Infinity, nowMs: () => 0, deadLetter }
  if (checkpoint === 'afterBatch') return { ...never, automatic: true, afterBatch: true }
  if (checkpoint === 'manual') return { ...never, automatic: false }
  if (typeof checkpoint !== 'object' || checkpoint === null) {
    throw new Error(`checkpoint: expected afterBatch, manual or { everyRecords, everyMs }, got ${shown(checkpoint)}`)
  }
  refuseUnknownOptions('checkpoint', checkpoint, ['everyRecords', 'everyMs'])
  const { everyRecords, everyMs } = checkpoint
  if (everyRecords === undefined && everyMs === undefined) {
    throw new Error('checkpoint: expected everyRecords, everyMs or both, got neither')
  }
  return {
    ...never,
    automatic: true,
    everyRecords: everyRecords === undefined ? Infinity : wholeFrom1('checkpoint.everyRecords', everyRecords),
    everyMs: everyMs === undefined ? Infinity : wholeFrom1('checkpoint.everyMs', everyMs),
    nowMs: everyMs === undefined ? never.nowMs : (nowMs ?? monotonicClock()),
  }
}

/** @throws Error that names the option when it is not a whole number from 1, up to `most`. */
export function wholeFrom1(name: string, value: unknown, most = Number.MAX_SAFE_INTEGER): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1 && value <= most) return value
  throw new Error(`${name}: expected a whole number from 1${most === Number.MAX_SAFE_INTEGER ? '' : ` to ${most}`}, got ${shown(value)}`)
}

/** @throws Error when the handler is no function. */
export function requireHandler(maker: string, handler: unknown): void {
  if (typeof handler !== 'function') throw new Error(`${maker}: expected a function that handles records, got ${shown(handler)}`)
}

function monotonicClock(): () => number {
  const { performance } = globalThis as unknown as { performance?: { now(): number } }
  if (performance === undefined) throw new Error('nowMs: this runtime has no performance.now, so a function was expected, got undefined')
  return () => performance.now()
}
