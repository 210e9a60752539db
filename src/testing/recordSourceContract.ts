import type { BatchStore, RecordSource, Shard, StreamDirectory } from '@shardwise/effects'
import { aggregateCases, aggregateShardCases } from './aggregateCases.ts'
import { batchCases } from './batchCases.ts'
import { type ContractCase, casesOver, expectFunction } from './contractCase.ts'
import { partCases } from './partCases.ts'
import { positionCases } from './positionCases.ts'
import { aFunction, anObject, expectMembers } from './rules.ts'
import { shardEndCases } from './shardEndCases.ts'
import { shardFilterCases } from './shardFilterCases.ts'
import { twoShardCases } from './twoShardCases.ts'

/** A record to put. `explicitHashKey` is a decimal string from 0 to 2^128 - 1 and decides the shard. */
export interface PutRecord {
  readonly partitionKey: string
  readonly data: Uint8Array
  readonly explicitHashKey?: string
}

/** A fresh stream with a source that reads it, and the means to write and reshard it, which answer when the stream can be used again. */
export interface RecordSourceFixture {
  readonly source: RecordSource & StreamDirectory
  /** The store that `source` puts its batches in; nobody else uses it. */
  readonly batches: BatchStore
  readonly stream: {
    put(record: PutRecord): Promise<{ readonly shardId: string; readonly sequenceNumber: string }>
    /** Splits a shard in the middle of its hash keys. */
    split(shardId: string): Promise<void>
    merge(shardId: string, adjacentShardId: string): Promise<void>
    shards(): Promise<readonly Shard[]>
  }
  close(): Promise<void>
}

/** Makes one Kinesis record of several user records, as the Kinesis Producer Library does; it goes to the shard of the first. */
export type Aggregate = (records: readonly PutRecord[]) => PutRecord

/** Makes a stream with that many shards over the whole hash key space, 1 unless given, and a source without an open shard. */
export type MakeRecordSource = (options?: { readonly shardCount?: number }) => Promise<RecordSourceFixture>

/** What every record source promises: the cases to run against your own. `make` gives each case a stream of its own. @throws Error where `make` is no function. */
export function recordSourceContract(make: MakeRecordSource): readonly ContractCase[] {
  return [
    ...sourceCases(make, 1, { ...positionCases, ...batchCases, ...partCases, ...shardEndCases }),
    ...sourceCases(make, 2, twoShardCases),
  ]
}

/** What a source promises besides when its server filters the listing of shards as Kinesis does; several emulators do not. @throws Error where `make` is no function. */
export function shardFilterContract(make: MakeRecordSource): readonly ContractCase[] {
  return sourceCases(make, 2, shardFilterCases)
}

/**
 * What a source promises besides when it takes aggregates of the Kinesis Producer Library apart. `aggregate` makes them.
 * @throws Error where one of both is no function.
 */
export function aggregateContract(make: MakeRecordSource, aggregate: Aggregate): readonly ContractCase[] {
  expectFunction('aggregate', aggregate, 'that makes an aggregate')
  return [...sourceCases(make, 1, aggregateCases(aggregate)), ...sourceCases(make, 2, aggregateShardCases(aggregate))]
}

function sourceCases(
  make: MakeRecordSource,
  shardCount: number,
  bodies: Readonly<Record<string, (fixture: RecordSourceFixture) => Promise<void>>>,
): readonly ContractCase[] {
  expectFunction('make', make, 'that makes a fixture')
  return casesOver(() => make({ shardCount }), bodies, expectSourceFixture)
}

function expectSourceFixture(fixture: object): void {
  expectMembers('fixture', fixture, { source: anObject, batches: anObject, stream: anObject })
  const { stream } = fixture as RecordSourceFixture
  expectMembers('fixture.stream', stream, { put: aFunction, split: aFunction, merge: aFunction, shards: aFunction })
}
