/** What a million request units cost, in dollars, where a table is paid for on demand. */
export interface Prices {
  readonly write: number
  readonly read: number
}

/** Assumed: those of us-east-1 as they were known when this was written. */
export const defaultPrices: Prices = { write: 0.625, read: 0.125 }

/** What a fleet asks of its lease table while no lease changes hands. Units are those that DynamoDB charges for. */
export interface Load {
  readonly writesPerMinute: number
  readonly readsPerMinute: number
}

/** A fleet: its leases, its workers, and the bytes of its lease table. */
export interface Fleet {
  readonly leases: number
  readonly workers: number
  readonly tableBytes: number
}

/** What a worker asks for, as it was counted. */
export interface Rates {
  /** For each lease. */
  readonly writesPerLease: number
  /** For each worker, beside the writes of its leases. */
  readonly writesPerWorker: number
  readonly scansPerWorker: number
}

const pageBytes = 1024 * 1024
const unitBytes = 4096
const minutesPerMonth = 30 * 24 * 60

/** The read units of one scan that reads eventually consistently: half a unit for each 4 kB of a page, of which each has up to 1 MB. */
export function scanUnits(bytes: number): number {
  const whole = Math.floor(bytes / pageBytes)
  return whole * (pageBytes / unitBytes / 2) + Math.ceil((bytes % pageBytes) / unitBytes) / 2
}

/** The load of a fleet whose workers ask for what was counted. */
export function loadOf({ leases, workers, tableBytes }: Fleet, { writesPerLease, writesPerWorker, scansPerWorker }: Rates): Load {
  return {
    writesPerMinute: leases * writesPerLease + workers * writesPerWorker,
    readsPerMinute: workers * scansPerWorker * scanUnits(tableBytes),
  }
}

/** A renewal every (failover time / 3 - 25 ms), with the failover time of 10 s. */
const kclRenewals = 60_000 / 3_308

/** The load of the KCL 2 by its timers: each worker scans to take leases every 20 s, and to elect a leader every 5 minutes. */
export const kcl2Load = ({ leases, workers, tableBytes }: Fleet): Load => ({
  writesPerMinute: leases * kclRenewals,
  readsPerMinute: workers * 3.2 * scanUnits(tableBytes),
})

// An entry of the index by owner has both keys.
const indexEntryBytes = 100

/**
 * The load of the KCL 3 by its timers: each worker queries the index of its leases every 10 s, reads the leader's lock twice a minute at 2 units, and reports
 * every 30 s; the leader scans every 20 s, audits every 2 minutes, and renews its lock every 30 s.
 */
export const kcl3Load = ({ leases, workers, tableBytes }: Fleet): Load => ({
  writesPerMinute: leases * kclRenewals + workers * 2 + 2,
  readsPerMinute: workers * (6 * Math.max(0.5, scanUnits((leases / workers) * indexEntryBytes)) + 4) + 3.5 * scanUnits(tableBytes),
})

/** Dollars for 30 days. */
export const dollarsPerMonth = ({ writesPerMinute, readsPerMinute }: Load, { write, read }: Prices): number =>
  ((writesPerMinute * write + readsPerMinute * read) * minutesPerMonth) / 1_000_000
