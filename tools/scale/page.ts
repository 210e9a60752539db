import { dollarsPerMonth, type Fleet, kcl2Load, kcl3Load, type Load, loadOf, type Prices, type Rates, scanUnits } from './costs.ts'
import type { Measured } from './measuredRates.ts'

/** What the page is written from. */
export interface PageInput {
  readonly measured: Measured
  readonly prices: Prices
  /** The bytes of the table of so many leases that so many workers hold. */
  readonly tableBytes: (shards: number, workers: number) => number
}

/** The fleets of the tables. */
export const fleets: readonly (readonly [shards: number, workers: number])[] = [10, 1_000, 10_000].flatMap((shards) =>
  [1, 10, 100].filter((workers) => workers <= shards).map((workers) => [shards, workers] as const),
)

/** Writes `docs/scale.md`. */
export function pageOf({ measured, prices, tableBytes }: PageInput): string {
  const { atRest, withCheckpoints, withScans, withFailover, getRecordsPerShard } = measured
  const all = fleets.map(([leases, workers]): Fleet => ({ leases, workers, tableBytes: tableBytes(leases, workers) }))
  const middle = all.find(({ leases, workers }) => leases === 1_000 && workers === 10) ?? raise('expected a fleet of 10 workers')
  const byMode = (figureOf: (load: Load, fleet: Fleet) => number): string =>
    table(
      ['leases', 'workers', ...modesOf(atRest).map(({ name }) => name)],
      all.map((fleet) => [
        count(fleet.leases),
        count(fleet.workers),
        ...modesOf(atRest).map(({ load }) => figure(figureOf(load(fleet), fleet))),
      ]),
    )
  return `# What a fleet costs

<!-- Written by \`npm run scale\`; test/docs/scalePage.test.ts counts again and compares. -->

What workers ask of the lease table and of the stream while no lease changes hands, and what that comes to. The calls of Shardwise are counted: coordinators,
lease keepers and shard consumers run under [virtual time](../src/testing/fleet/virtualTime.ts) with the default options, ${sentenceOfCount}
Those of the KCL are computed from the timers of its releases 2 and 3 at its default options; none was run for this page. Nothing here was verified against AWS.

* A row has about ${Math.round(middle.tableBytes / middle.leases)} bytes, as DynamoDB counts them. A write of it is one write unit; so is one whose condition fails. A scan reads all rows, eventually consistent: half
  a read unit for each 4 kB, ${figure(scanUnits(middle.tableBytes))} units for ${count(middle.leases)} rows. The same rows are taken for the KCL.
* Dollars are for 30 days on demand at $${prices.write} for a million write units and $${prices.read} for a million read units. That is an assumption, not a quotation: \`--write-price\` and
  \`--read-price\` of \`npm run scale\` set your own.
* Records, and what is called when leases change hands, come on top: [Capacity](operating.md#capacity) has each call.

## A lease and a minute at rest

Write units for each lease in a minute; nothing is checkpointed.

${byMode((load, { leases }) => load.writesPerMinute / leases)}

Read units for each lease in a minute. Every worker scans the whole table, so they grow with the workers, here and in the KCL 2.

${byMode((load, { leases }) => load.readsPerMinute / leases)}

## A fleet at rest

Write units a second:

${byMode((load) => load.writesPerMinute / 60)}

Read units a second:

${byMode((load) => load.readsPerMinute / 60)}

Dollars a month:

${byMode((load) => dollarsPerMonth(load, prices))}

The defaults scan every 10 s, the KCL 2 every 20 s: a shorter gap when a worker stops or dies is bought with reads. On a long table with many workers,
\`leaseScanIntervalMillis\` is what to raise first. For ${count(middle.leases)} leases and ${count(middle.workers)} workers:

${table(
  [
    '`leaseScanIntervalMillis`',
    'scans of a worker a minute',
    'reads a second',
    'dollars a month for them',
    'a lease that was given up waits',
  ],
  withScans.map(({ everySeconds, scansPerWorker }) => {
    const { readsPerMinute } = loadOf(middle, { ...atRest, scansPerWorker })
    return [
      count(everySeconds * 1_000),
      figure(scansPerWorker),
      figure(readsPerMinute / 60),
      figure(dollarsPerMonth({ writesPerMinute: 0, readsPerMinute }, prices)),
      `up to ${everySeconds} s`,
    ]
  }),
)}

And \`failoverTimeMillis\` sets the renewals, and how long the leases of a worker that died stand still:

${table(
  ['`failoverTimeMillis`', 'renewals of a lease a minute', 'writes a second', 'dollars a month for them'],
  withFailover.map(({ seconds, writesPerLease }) => {
    const { writesPerMinute } = loadOf(middle, { ...atRest, writesPerLease })
    return [
      count(seconds * 1_000),
      figure(writesPerLease),
      figure(writesPerMinute / 60),
      figure(dollarsPerMonth({ writesPerMinute, readsPerMinute: 0 }, prices)),
    ]
  }),
)}

## With checkpoints

Writes of one lease in a minute, renewals and checkpoints together. A checkpoint in the second half of a renewal's interval is the renewal; in the KCL each is a write of
its own.

${table(
  ['a checkpoint every', 'Shardwise', 'KCL 2 and 3'],
  withCheckpoints.map(({ everySeconds, writesPerLease }) => [
    `${everySeconds} s`,
    figure(writesPerLease),
    figure(kcl2Load({ leases: 1, workers: 1, tableBytes: 0 }).writesPerMinute + 60 / everySeconds),
  ]),
)}

## One worker, and the limits

Calls a second of one worker at rest, by the leases it holds.

${table(
  ['leases of the worker', 'UpdateItem', 'Scan', 'GetRecords', 'ListShards'],
  [10, 100, 1_000, 10_000].map((leases) => [
    count(leases),
    figure((leases * atRest.writesPerLease) / 60),
    figure(atRest.scansPerWorker / 60),
    figure((leases * getRecordsPerShard) / 60),
    String(measured.listShards),
  ]),
)}

* GetRecords: ${figure(getRecordsPerShard / 60)} a second on each shard at the tip. Kinesis allows 5 on a shard, by all its consumers together; behind the tip a worker makes at most 5 where reads come back empty.
* ListShards: ${measured.listShardsAtStart === 1 ? 'once' : `${measured.listShardsAtStart} times`} at the start, and again when a lease was lost, when three audits in a row found a hole, and when finished leases may be garbage; none at rest. Its limit is for the
  stream, so that a hundred workers that start at once make a hundred calls.
* UpdateItem: each row is its own partition key, so no key is hot. A new table on demand takes about 4,000 write units a second before it has grown: ${count(Math.ceil((4_000 * 60) / atRest.writesPerLease))} leases at the
  defaults. Of a table with provisioned capacity, the write units of the tables above are the least, and one scan is read in a burst.
* The start: at most 20 calls about single leases are out at once, so a worker that is alone takes 1,000 leases in 50 round trips.
`
}

const sentenceOfCount = `one worker of each
fleet for a minute, where the leases of the others move, too; [a test](../test/docs/scalePage.test.ts) shows on a small fleet that the whole asks for as many times more.`

interface Mode {
  readonly name: string
  readonly load: (fleet: Fleet) => Load
}

/** Who shares the leases, and how. */
function modesOf(atRest: Rates): readonly Mode[] {
  return [
    { name: 'Shardwise', load: (fleet) => loadOf(fleet, atRest) },
    { name: 'KCL 2', load: kcl2Load },
    { name: 'KCL 3', load: kcl3Load },
  ]
}

const count = (value: number): string => value.toLocaleString('en-US')

/** Three digits, or all before the point. */
function figure(value: number): string {
  if (value === 0) return '0'
  const digits = Math.max(0, 2 - Math.floor(Math.log10(value)))
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.min(digits, 4) })
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

function raise(message: string): never {
  throw new Error(message)
}
