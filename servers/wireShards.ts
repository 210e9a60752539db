import type { WireAnswer } from './wireKinesis.ts'

/** A shard of the scripted Kinesis. Times are epoch milliseconds; a shard without `closedAtMs` is open. */
export interface WireShard {
  readonly shardId: string
  readonly parents?: readonly string[]
  readonly openedAtMs: number
  readonly closedAtMs?: number
  /** Both ends inclusive; the whole range when left out. */
  readonly hashKeys?: readonly [string, string]
}

/** What ListShards answers from. */
export interface WireShardList {
  readonly shards: readonly WireShard[]
  /** Where the stream was trimmed: shards that closed before are not listed. */
  readonly trimHorizonMs?: number
  /** Shards per page; all of them when left out. */
  readonly pageSize?: number
  /** Answers every filter with all shards, as some servers do. */
  readonly ignoresFilters?: boolean
}

interface Filter {
  readonly Type: string
  /** Epoch seconds. */
  readonly Timestamp?: number
  readonly ShardId?: string
}

const wholeRange = ['0', '340282366920938463463374607431768211455'] as const

/** Answers one ListShards request as the service documents it: the filter, the pages, and what may not stand beside a NextToken. */
export function listShardsPage(list: WireShardList, input: Readonly<Record<string, unknown>>): WireAnswer {
  const token = input['NextToken'] as string | undefined
  if (token !== undefined && (input['StreamName'] !== undefined || input['ShardFilter'] !== undefined)) {
    return { error: 'InvalidArgumentException', message: 'NextToken excludes StreamName and ShardFilter' }
  }
  if (token === undefined && input['StreamName'] === undefined && input['StreamARN'] === undefined) {
    return { error: 'InvalidArgumentException', message: 'one of NextToken, StreamName and StreamARN is required' }
  }
  const page = token === undefined ? { from: 0, filter: input['ShardFilter'] as Filter | undefined } : readToken(token)
  const horizonMs = list.trimHorizonMs ?? 0
  const shards = list.shards.filter(
    (shard) => closeOf(shard) >= horizonMs && (list.ignoresFilters === true || passes(shard, page.filter, horizonMs)),
  )
  const size = Math.min(list.pageSize ?? shards.length, (input['MaxResults'] as number | undefined) ?? 1_000)
  const end = page.from + size
  return {
    json: {
      Shards: shards.slice(page.from, end).map(describe),
      ...(end < shards.length ? { NextToken: JSON.stringify({ from: end, filter: page.filter }) } : {}),
    },
  }
}

function readToken(token: string): { readonly from: number; readonly filter: Filter | undefined } {
  return JSON.parse(token) as { from: number; filter: Filter | undefined }
}

const closeOf = (shard: WireShard): number => shard.closedAtMs ?? Number.POSITIVE_INFINITY

function passes(shard: WireShard, filter: Filter | undefined, horizonMs: number): boolean {
  if (filter === undefined || filter.Type === 'FROM_TRIM_HORIZON') return true
  const openAt = (ms: number): boolean => shard.openedAtMs <= ms && closeOf(shard) >= ms
  const timestampMs = (filter.Timestamp ?? Number.NaN) * 1_000
  if (filter.Type === 'AT_LATEST') return shard.closedAtMs === undefined
  if (filter.Type === 'AT_TRIM_HORIZON') return openAt(horizonMs)
  if (filter.Type === 'AT_TIMESTAMP') return openAt(timestampMs)
  if (filter.Type === 'FROM_TIMESTAMP') return closeOf(shard) >= timestampMs
  if (filter.Type === 'AFTER_SHARD_ID') return shard.shardId > (filter.ShardId ?? '')
  throw new Error(`ShardFilter: unknown type ${filter.Type}`)
}

function describe(shard: WireShard): object {
  const [parent, adjacentParent] = shard.parents ?? []
  const [startingHashKey, endingHashKey] = shard.hashKeys ?? wholeRange
  return {
    ShardId: shard.shardId,
    ParentShardId: parent,
    AdjacentParentShardId: adjacentParent,
    HashKeyRange: { StartingHashKey: startingHashKey, EndingHashKey: endingHashKey },
    SequenceNumberRange: {
      StartingSequenceNumber: String(shard.openedAtMs),
      EndingSequenceNumber: shard.closedAtMs === undefined ? undefined : String(shard.closedAtMs),
    },
  }
}
