import type { LeaseMode } from '@shardwise/machine'
import type { Rates } from './costs.ts'
import { countCalls, type FleetOptions } from './countedFleet.ts'

/** What was counted of a small fleet in one lease mode: it is the same for each lease and each worker of a large one. */
export interface Measured {
  readonly atRest: Rates
  readonly getRecordsPerShard: number
  readonly listShards: number
  /** Of one worker. */
  readonly listShardsAtStart: number
  /** Writes of a lease in a minute, renewals and checkpoints together, by the seconds between two checkpoints. */
  readonly withCheckpoints: readonly { readonly everySeconds: number; readonly writesPerLease: number }[]
  /** By the seconds of `leaseScanIntervalMillis`. */
  readonly withScans: readonly { readonly everySeconds: number; readonly rates: Rates }[]
  /** By the seconds of `failoverTimeMillis`. */
  readonly withFailover: readonly { readonly seconds: number; readonly rates: Rates }[]
}

const small = { shards: 2, workers: 2, running: 2, minutes: 10 }
// Where the reads are not what is counted.
const seldomReading = { idleTimeInMilliseconds: 60_000 }

/** Counts a small fleet for ten virtual minutes, at rest and otherwise. */
export async function measureRates(leaseMode: LeaseMode): Promise<Measured> {
  const { shards, workers, minutes } = small
  const counted = (options: FleetOptions = {}, checkpointEveryMs: number | null = null) =>
    countCalls({ ...small, checkpointEveryMs, options: { ...options, leaseMode } })
  const ratesOf = ({ renewalsAndCheckpoints, otherWrites, scans }: Awaited<ReturnType<typeof countCalls>>): Rates => ({
    writesPerLease: renewalsAndCheckpoints / shards / minutes,
    writesPerWorker: otherWrites / workers / minutes,
    scansPerWorker: scans / workers / minutes,
  })
  const rest = await counted()
  const withCheckpoints = []
  for (const everySeconds of [300, 60, 10, 4, 1]) {
    withCheckpoints.push({ everySeconds, writesPerLease: ratesOf(await counted({}, everySeconds * 1_000)).writesPerLease })
  }
  const withScans = []
  for (const everySeconds of [1, 5, 10, 20, 60]) {
    withScans.push({ everySeconds, rates: ratesOf(await counted({ ...seldomReading, leaseScanIntervalMillis: everySeconds * 1_000 })) })
  }
  const withFailover = []
  for (const seconds of [10, 20, 30, 60]) {
    withFailover.push({ seconds, rates: ratesOf(await counted({ ...seldomReading, failoverTimeMillis: seconds * 1_000 })) })
  }
  return {
    atRest: ratesOf(rest),
    getRecordsPerShard: rest.getRecords / shards / minutes,
    listShards: rest.listShards,
    listShardsAtStart: rest.listShardsAtStart / workers,
    withCheckpoints,
    withScans,
    withFailover,
  }
}
