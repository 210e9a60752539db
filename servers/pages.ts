import type { WireShard } from './wireShards.ts'

/** What the prepared stream holds. */
export interface PagesOptions {
  readonly shards: number
  readonly recordsPerShard: number
  /** Records in one GetRecords answer; the last page of a shard may hold fewer. */
  readonly recordsPerPage: number
  readonly bytesPerRecord: number
  /** `open`: the last page is followed by empty answers for ever. `ended`: the last page names two children, which are open and empty. */
  readonly end: 'open' | 'ended'
}

/** A shard with its GetRecords answers, ready to be sent. Page n is read with the iterator `${shardId}/n`. */
export interface PreparedShard {
  readonly description: WireShard
  readonly pages: readonly Buffer[]
  /** The page that starts right after the nth record (0: before the first); undefined where no page starts. */
  pageAfter(recordNumber: number): number | undefined
}

/** When the shards were opened, epoch milliseconds: records arrive from here on, one each millisecond. */
const openedAtMs = 1_700_000_000_000
const highestHashKey = 2n ** 128n - 1n
const limits = { shards: 100, recordsPerShard: 1_000_000, recordsPerPage: 10_000, bytesPerRecord: 1_048_576 }
const optionNames: readonly string[] = [...Object.keys(limits), 'end']

/** Builds every answer of the stream. @throws Error that names the option, when one is unknown or out of range. */
export function preparePages(options: PagesOptions): ReadonlyMap<string, PreparedShard> {
  check(options)
  const parents = Array.from({ length: options.shards }, (_, index) => prepareShard(index, options))
  const children = options.end === 'open' ? [] : parents.flatMap(({ description }, index) => prepareChildren(description, index, options))
  return new Map([...parents, ...children].map((shard) => [shard.description.shardId, shard]))
}

/** The number of a record in its shard, counted from 1, out of its sequence number. */
export const recordNumberOf = (sequenceNumber: string): number => Number(sequenceNumber.slice(-7))

function prepareShard(index: number, options: PagesOptions): PreparedShard {
  const { shards, recordsPerShard, recordsPerPage, end } = options
  const shardId = shardIdOf(index)
  const share = (highestHashKey + 1n) / BigInt(shards)
  const lastHashKey = index === shards - 1 ? highestHashKey : share * BigInt(index + 1) - 1n
  const hashKeys = [String(share * BigInt(index)), String(lastHashKey)] as const
  const description = { shardId, openedAtMs, hashKeys, ...(end === 'ended' ? { closedAtMs: openedAtMs + recordsPerShard } : {}) }
  const count = Math.ceil(recordsPerShard / recordsPerPage)
  const pages = Array.from({ length: count }, (_, page) => {
    const last = page === count - 1
    const first = page * recordsPerPage + 1
    const after = Math.min(first + recordsPerPage, recordsPerShard + 1)
    const records = Array.from({ length: after - first }, (_, offset) => recordText(index, first + offset, options.bytesPerRecord))
    const following =
      last && end === 'ended' ? { ChildShards: childrenOf(description, index, shards) } : { NextShardIterator: `${shardId}/${page + 1}` }
    return answer({ ...following, MillisBehindLatest: recordsPerShard + 1 - after }, records)
  })
  const tail = end === 'open' ? [emptyPage(shardId, count)] : []
  return {
    description,
    pages: [...pages, ...tail],
    pageAfter: (recordNumber) => {
      if (recordNumber === recordsPerShard) return end === 'open' ? count : undefined
      return recordNumber % recordsPerPage === 0 ? recordNumber / recordsPerPage : undefined
    },
  }
}

function prepareChildren(parent: WireShard, index: number, { shards, recordsPerShard }: PagesOptions): readonly PreparedShard[] {
  return childrenOf(parent, index, shards).map(({ ShardId, HashKeyRange }) => ({
    description: {
      shardId: ShardId,
      parents: [parent.shardId],
      openedAtMs: openedAtMs + recordsPerShard,
      hashKeys: [HashKeyRange.StartingHashKey, HashKeyRange.EndingHashKey],
    },
    pages: [emptyPage(ShardId, 0)],
    pageAfter: () => 0,
  }))
}

function childrenOf({ shardId, hashKeys }: WireShard, index: number, shards: number) {
  const [low, high] = (hashKeys ?? ['0', String(highestHashKey)]).map(BigInt) as [bigint, bigint]
  const middle = (low + high) / 2n
  return [[low, middle] as const, [middle + 1n, high] as const].map(([from, to], half) => ({
    ShardId: shardIdOf(shards + 2 * index + half),
    ParentShards: [shardId],
    HashKeyRange: { StartingHashKey: String(from), EndingHashKey: String(to) },
  }))
}

/** The answer of an open shard at its tip; it leads to itself. */
const emptyPage = (shardId: string, page: number): Buffer => answer({ NextShardIterator: `${shardId}/${page}`, MillisBehindLatest: 0 }, [])

const answer = (facts: object, records: readonly string[]): Buffer =>
  Buffer.from(`${JSON.stringify(facts).slice(0, -1)},"Records":[${records.join(',')}]}`)

function recordText(shard: number, number: number, bytes: number): string {
  return JSON.stringify({
    ApproximateArrivalTimestamp: (openedAtMs + number) / 1_000,
    Data: Buffer.alloc(bytes, `shard ${shard} record ${number} `).toString('base64'),
    PartitionKey: `key-${number % 1_000}`,
    SequenceNumber: sequenceNumberOf(shard, number),
  })
}

/** 56 digits, as long as those of Kinesis: a prefix, two digits of the shard, seven of the record. */
const sequenceNumberOf = (shard: number, number: number): string =>
  `49590338271490256608559692538361571095921575989${String(shard).padStart(2, '0')}${String(number).padStart(7, '0')}`

const shardIdOf = (index: number): string => `shardId-${String(index).padStart(12, '0')}`

function check(options: PagesOptions): void {
  for (const name of Object.keys(options)) {
    if (!optionNames.includes(name)) throw new Error(`${name}: no such option; expected one of ${optionNames.join(', ')}`)
  }
  for (const [name, most] of Object.entries(limits)) {
    const value: unknown = options[name as keyof typeof limits]
    if (!Number.isInteger(value) || Number(value) < 1 || Number(value) > most) {
      throw new Error(`${name}: expected a whole number from 1 to ${most}, got ${String(value)}`)
    }
  }
  if (!['open', 'ended'].includes(options.end)) throw new Error(`end: expected 'open' or 'ended', got ${String(options.end)}`)
}
