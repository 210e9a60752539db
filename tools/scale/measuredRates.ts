import type { Rates } from './costs.ts'
import { countCalls } from './countedFleet.ts'

/** What was counted of a small fleet: it is the same for each lease and each worker of a large one. */
export interface Measured {
  readonly atRest: Rates
  readonly getRecordsPerShard: number
  readonly listShards: number
  /** Of one worker. */
  readonly listShardsAtStart: number
  /** Writes of a lease in a minute, renewals and checkpoints together, by the seconds between two checkpoints. */
  readonly withCheckpoints: readonly { readonly everySeconds: number; readonly writesPerLease: number }[]
  /** Scans of a worker in a minute, by the seconds of `leaseScanIntervalMillis`. */
  readonly withScans: readonly { readonly everySeconds: number; readonly scansPerWorker: number }[]
  /** Renewals of a lease in a minute, by the seconds of `failoverTimeMillis`. */
  readonly withFailover: readonly { readonly seconds: number; readonly writesPerLease: number }[]
}

const small = { shards: 4, workers: 2, running: 2, minutes: 10, checkpointEveryMs: null }

/** Counts a small fleet for ten virtual minutes, at rest and otherwise. */
export async function measureRates(): Promise<Measured> {
  const { shards, workers, minutes } = small
  const rest = await countCalls(small)
  const withCheckpoints = []
  for (const everySeconds of [300, 60, 10, 5, 1]) {
    const { renewalsAndCheckpoints } = await countCalls({ ...small, checkpointEveryMs: everySeconds * 1_000 })
    withCheckpoints.push({ everySeconds, writesPerLease: renewalsAndCheckpoints / shards / minutes })
  }
  const withScans = []
  for (const everySeconds of [1, 5, 10, 20, 60]) {
    const { scans } = await countCalls({ ...small, options: { leaseScanIntervalMillis: everySeconds * 1_000 } })
    withScans.push({ everySeconds, scansPerWorker: scans / workers / minutes })
  }
  const withFailover = []
  for (const seconds of [10, 20, 30, 60]) {
    const { renewalsAndCheckpoints } = await countCalls({ ...small, options: { failoverTimeMillis: seconds * 1_000 } })
    withFailover.push({ seconds, writesPerLease: renewalsAndCheckpoints / shards / minutes })
  }
  return {
    atRest: {
      writesPerLease: rest.renewalsAndCheckpoints / shards / minutes,
      writesPerWorker: rest.otherCalls / workers / minutes,
      scansPerWorker: rest.scans / workers / minutes,
    },
    getRecordsPerShard: rest.getRecords / shards / minutes,
    listShards: rest.listShards,
    listShardsAtStart: rest.listShardsAtStart / workers,
    withCheckpoints,
    withScans,
    withFailover,
  }
}
