import { createRequire } from 'node:module'
import { parseArgs } from 'node:util'
import type { KinesisRecord } from '@shardwise/effects'
import { createAggregator, deaggregate, type UserRecord } from '@shardwise/kinesis'
import { alignColumns, median } from './results.ts'

/** What aggregates of the Kinesis Producer Library cost, beside `aws-kinesis-agg`: the same user records out of it, digests verified by both. */
const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false }, rounds: { type: 'string', default: '7' } } })
const rounds = values.quick ? 3 : Number(values.rounds)
const userRecords = values.quick ? 20_000 : 200_000

interface Aggregated {
  readonly partitionKey: string
  readonly data: Buffer
}
interface AwsKinesisAgg {
  deaggregateSync(
    record: { readonly partitionKey: string; readonly sequenceNumber: string; readonly data: string },
    verify: boolean,
    after: (error: Error | undefined, records?: readonly { readonly data: string }[]) => void,
  ): void
  readonly RecordAggregator: new () => { addUserRecord(record: UserRecord): void; build(): Aggregated }
}
// Its types import packages that it does not install.
const theirs = createRequire(import.meta.url)('aws-kinesis-agg') as AwsKinesisAgg

const ourAggregator = createAggregator({ maxBytes: 1_048_576 })
const theirAggregator = new theirs.RecordAggregator()

/** Consumes or makes aggregates; returns how many user records it saw. */
type Run = () => number

interface Race {
  readonly name: string
  readonly theirs: Run
  readonly ours: Run
}

const races = [10, 100].flatMap((size): readonly Race[] => {
  const records = Array.from({ length: size }, (_, index) => ({ partitionKey: `customer-${index % 7}`, data: Buffer.alloc(200, index) }))
  const [made] = ours(records)
  if (made === undefined) throw new Error('aggregate: expected one, got none')
  // What each takes: this package the bytes that the AWS SDK has decoded, the other one the base64 that an event of Lambda carries.
  const base64 = Buffer.from(made.data).toString('base64')
  const repeat = Math.ceil(userRecords / size)
  const seen: KinesisRecord = {
    sequenceNumber: '49590338271490256608559692538361571095921575989136588898',
    subSequenceNumber: 0,
    partitionKey: made.partitionKey,
    data: made.data,
    approximateArrivalTimestamp: new Date(0),
  }
  const theyTakeApart = times(repeat, () => {
    let count = 0
    theirs.deaggregateSync({ partitionKey: seen.partitionKey, sequenceNumber: seen.sequenceNumber, data: base64 }, true, (error, all) => {
      if (error) throw error
      count = all?.length ?? 0
    })
    return count
  })
  return [
    { name: `take apart, ${size} records each`, theirs: theyTakeApart, ours: times(repeat, () => deaggregate([seen]).length) },
    {
      name: `take apart, ${size} records each, from base64`,
      theirs: theyTakeApart,
      ours: times(repeat, () => deaggregate([{ ...seen, data: Buffer.from(base64, 'base64') }]).length),
    },
    {
      name: `aggregate, ${size} records each`,
      theirs: times(repeat, () => {
        for (const record of records) theirAggregator.addUserRecord(record)
        return theirAggregator.build().data.length > 0 ? size : 0
      }),
      ours: times(repeat, () => ours(records)[0]?.userRecords.length ?? 0),
    },
  ]
})

function ours(records: readonly UserRecord[]) {
  for (const record of records) ourAggregator.add(record)
  return ourAggregator.flush()
}

function times(count: number, run: Run): Run {
  return () => {
    let seen = 0
    for (let turn = 0; turn < count; turn += 1) seen += run()
    return seen
  }
}

/** CPU time of this process, nanoseconds per user record. */
function measure(run: Run): number {
  const before = process.cpuUsage()
  const seen = run()
  const { user, system } = process.cpuUsage(before)
  return ((user + system) * 1_000) / seen
}

const measured = races.map((race) => ({ name: race.name, race, theirs: [] as number[], ours: [] as number[] }))
// The first round only warms the code up.
for (let round = 0; round <= rounds; round += 1) {
  for (const { race, theirs: theirNanos, ours: ourNanos } of measured) {
    // Every other round in reverse, so that nobody always has the warmer machine.
    const pair = [() => [theirNanos, measure(race.theirs)] as const, () => [ourNanos, measure(race.ours)] as const]
    for (const turn of round % 2 === 0 ? pair : pair.toReversed()) {
      const [nanos, taken] = turn()
      if (round > 0) nanos.push(taken)
    }
  }
}
console.log(
  alignColumns([
    [`aggregates, ${rounds} rounds`, 'aws-kinesis-agg, ns CPU/record', 'Shardwise', 'times as fast'],
    ...measured.map(({ name, theirs: theirNanos, ours: ourNanos }) => [
      name,
      median(theirNanos).toFixed(0),
      median(ourNanos).toFixed(0),
      median(theirNanos.map((nanos, index) => nanos / (ourNanos[index] ?? Number.NaN))).toFixed(1),
    ]),
  ]),
)
