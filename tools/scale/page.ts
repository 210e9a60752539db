import type { LeaseMode } from '@shardwise/machine'
import { dollarsPerMonth, type Fleet, kcl2Load, kcl3Load, type Load, loadOf, type Prices, scanUnits } from './costs.ts'
import type { Measured } from './measuredRates.ts'

/** What the page is written from. */
export interface PageInput {
  readonly measured: Readonly<Record<LeaseMode, Measured>>
  readonly prices: Prices
  /** The bytes of the table of so many leases that so many workers hold. */
  readonly tableBytes: (shards: number, workers: number, leaseMode: LeaseMode) => number
}

/** The fleets of the tables. */
export const fleets: readonly (readonly [shards: number, workers: number])[] = [10, 1_000, 10_000].flatMap((shards) =>
  [1, 10, 100].map((workers) => [shards, workers] as const),
)

/** How many times fewer writes a worker with so many leases makes at rest by heartbeats. */
export const timesFewerWrites = ({ kcl, workerHeartbeat }: PageInput['measured'], leases: number): number =>
  writesOf(kcl, leases) / writesOf(workerHeartbeat, leases)

const writesOf = ({ atRest }: Measured, leases: number): number => leases * atRest.writesPerLease + atRest.writesPerWorker

/** Writes `docs/scale.md`. */
export function pageOf(input: PageInput): string {
  const { measured, prices } = input
  const { kcl, workerHeartbeat } = measured
  const rows = fleets.map(([some, by]) => ({ some, by, loads: loadsOf(input, some, by) }))
  const [leases, workers] = [1_000, 10]
  const middle = fleetOf(input, 'kcl', leases, workers)
  const byMode = (figureOf: (load: Load, leases: number) => number): string =>
    table(
      ['leases', 'workers', ...modes],
      rows.map(({ some, by, loads }) => [count(some), count(by), ...loads.map((load) => figure(figureOf(load, some)))]),
    )
  return `# What a fleet costs

<!-- Written by \`npm run scale\`; test/docs/scalePage.test.ts counts again and compares. -->

What workers ask of the lease table and of the stream while no lease changes hands, and what that comes to. The calls of Shardwise are counted: coordinators,
lease keepers and shard consumers run under [virtual time](../src/testing/fleet/virtualTime.ts) with the default options, one worker of each
fleet for a minute, where those of the others move, too; [a test](../test/docs/scalePage.test.ts) shows on a small fleet that the whole asks for as many times more.
Those of the KCL are computed from the timers of its releases 2 and 3 at its default options; none was run for this page. Nothing here was verified against AWS.

* By heartbeats: with [\`leaseMode: 'workerHeartbeat'\`](operating.md#lease-modes) a worker writes one row of its own in the place of each of its leases. It is for fleets that share no table with the KCL. A
  worker with 100 leases writes ${figure(timesFewerWrites(measured, 100))} times less at rest.
* A row has about ${Math.round(middle.tableBytes / leases)} bytes, as DynamoDB counts them. A write of it is one write unit; so is one whose condition fails. A scan reads all rows, eventually consistent: half
  a read unit for each 4 kB, ${figure(scanUnits(middle.tableBytes))} units for ${count(leases)} rows. The same rows are taken for the KCL.
* Dollars are for 30 days on demand at $${prices.write} for a million write units and $${prices.read} for a million read units. That is an assumption, not a quotation: \`--write-price\` and
  \`--read-price\` of \`npm run scale\` set your own.
* Records, and what is called when leases change hands, come on top: [Capacity](operating.md#capacity) has each call.

## A lease and a minute at rest

Write units for each lease in a minute; nothing is checkpointed.

${byMode((load, some) => load.writesPerMinute / some)}

Read units for each lease in a minute. Every worker scans the whole table, so they grow with the workers, here and in the KCL 2.

${byMode((load, some) => load.readsPerMinute / some)}

## A fleet at rest

Write units a second:

${byMode((load) => load.writesPerMinute / 60)}

Read units a second:

${byMode((load) => load.readsPerMinute / 60)}

Dollars a month:

${byMode((load) => dollarsPerMonth(load, prices))}

The defaults scan every 10 s, the KCL 2 every 20 s: a shorter gap when a worker stops or dies is bought with reads. On a long table with many workers,
\`leaseScanIntervalMillis\` is what to raise first. For ${count(leases)} leases and ${count(workers)} workers:

${table(
  [
    '`leaseScanIntervalMillis`',
    'scans of a worker a minute',
    'read units a second',
    'dollars a month for them',
    'a lease that was given up waits',
  ],
  kcl.withScans.map(({ everySeconds, rates }) => {
    const { readsPerMinute } = loadOf(middle, rates)
    return [
      count(everySeconds * 1_000),
      figure(rates.scansPerWorker),
      figure(readsPerMinute / 60),
      figure(dollarsPerMonth({ writesPerMinute: 0, readsPerMinute }, prices)),
      `up to ${everySeconds} s`,
    ]
  }),
)}

And \`failoverTimeMillis\` sets the renewals or heartbeats, and how long the leases of a worker that died stand still:

${table(
  ['`failoverTimeMillis`', ...['renewals', 'heartbeats'].flatMap((what) => [`${what}: writes a second`, 'dollars a month for them'])],
  kcl.withFailover.map(({ seconds, rates }, n) => [
    count(seconds * 1_000),
    ...[rates, workerHeartbeat.withFailover[n]?.rates ?? rates].flatMap((some) => {
      const { writesPerMinute } = loadOf(middle, some)
      return [figure(writesPerMinute / 60), figure(dollarsPerMonth({ writesPerMinute, readsPerMinute: 0 }, prices))]
    }),
  ]),
)}

## With checkpoints

Writes of one lease in a minute, renewals and checkpoints together. A checkpoint puts the next renewal off; in the KCL each is a write of
its own.

${table(
  ['a checkpoint every', 'Shardwise', 'by heartbeats', 'KCL 2 and 3'],
  kcl.withCheckpoints.map(({ everySeconds, writesPerLease }, n) => [
    `${everySeconds} s`,
    figure(writesPerLease),
    figure(workerHeartbeat.withCheckpoints[n]?.writesPerLease ?? Number.NaN),
    figure(kcl2Load({ leases: 1, workers: 1, tableBytes: 0 }).writesPerMinute + 60 / everySeconds),
  ]),
)}

## One worker, and the limits

Calls a second of one worker at rest, by the leases it holds.

${table(
  ['leases of the worker', 'UpdateItem', 'by heartbeats', 'Scan', 'GetRecords', 'ListShards'],
  [10, 100, 1_000, 10_000].map((held) => [
    count(held),
    figure(writesOf(kcl, held) / 60),
    figure(writesOf(workerHeartbeat, held) / 60),
    figure(kcl.atRest.scansPerWorker / 60),
    figure((held * kcl.getRecordsPerShard) / 60),
    String(kcl.listShards),
  ]),
)}

* GetRecords: ${figure(kcl.getRecordsPerShard / 60)} a second on each shard at the tip. Kinesis allows 5 on a shard, by all its consumers together; behind the tip a worker makes at most 5 where reads come back empty.
* ListShards: ${kcl.listShardsAtStart === 1 ? 'once' : `${kcl.listShardsAtStart} times`} at the start, and again when a lease was lost, when three audits in a row found a hole, and when finished leases may be garbage; none at rest. Its limit is for the
  stream, so that a hundred workers that start at once make a hundred calls.
* UpdateItem: each row is its own partition key, so no key is hot. A new table on demand takes about 4,000 write units a second before it has grown: ${count(Math.floor((4_000 * 60) / kcl.atRest.writesPerLease))} leases at the
  defaults. Of a table with provisioned capacity, the write units of the tables above are the least, and one scan is read in a burst.
* The start: at most 20 calls about single leases are out at once, so a worker that is alone takes 1,000 leases in 50 round trips.
`
}

const modes = ['Shardwise', 'by heartbeats', 'KCL 2', 'KCL 3']

/** The loads of a fleet, in the order of the modes. */
function loadsOf(input: PageInput, leases: number, workers: number): readonly Load[] {
  const { kcl, workerHeartbeat } = input.measured
  const renewing = fleetOf(input, 'kcl', leases, workers)
  const beating = fleetOf(input, 'workerHeartbeat', leases, workers)
  return [loadOf(renewing, kcl.atRest), loadOf(beating, workerHeartbeat.atRest), kcl2Load(renewing), kcl3Load(renewing)]
}

const fleetOf = ({ tableBytes }: PageInput, leaseMode: LeaseMode, leases: number, workers: number): Fleet => ({
  leases,
  workers,
  tableBytes: tableBytes(leases, workers, leaseMode),
})

const count = (value: number): string => value.toLocaleString('en-US')

/** Three digits, or all before the point. */
function figure(value: number): string {
  if (value === 0) return '0'
  const digits = Math.max(0, 2 - Math.floor(Math.log10(value)))
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.min(digits, 4) })
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
