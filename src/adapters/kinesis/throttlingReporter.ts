import type { ShardId } from '@shardwise/effects'

/** A throttled answer. `consecutive` counts from 1 since the last successful read of the shard; `errorName` is the one Kinesis gave. */
export interface Throttle {
  readonly shardId: ShardId
  readonly consecutive: number
  readonly errorName: string
}

const warnings = 5

/**
 * Makes log lines of throttles: a warning for the first five in a row on a shard, an error for each one after them, until a read succeeds.
 * Source: KCL `ThrottlingReporter`.
 */
export function createThrottlingReporter(log: {
  readonly warn: (message: string) => void
  readonly error: (message: string) => void
}): (throttle: Throttle) => void {
  return ({ shardId, consecutive, errorName }) => {
    const message = `Shard ${shardId} was throttled ${consecutive} time(s) in a row (${errorName})`
    if (consecutive <= warnings) log.warn(message)
    else log.error(message)
  }
}
