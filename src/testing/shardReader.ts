import type { BatchHandle, ChildShard, ExtendedSequenceNumber, KinesisRecord, Position, Shard } from '@shardwise/effects'
import { ownContext } from './handlerContext.ts'
import type { PutRecord, RecordSourceFixture } from './recordSourceContract.ts'

const id = 1
const noPrefetch = { maxRecords: 0, maxBytes: 0 }
/** A real server may answer with nothing several times before it answers with records. */
const maxReads = 100

/** How one read is made; everything of it may be left out. */
export interface ReadOptions {
  readonly after?: ExtendedSequenceNumber | null
  readonly maxRecords?: number
  readonly prefetch?: { readonly maxRecords: number; readonly maxBytes: number }
}

/** A record reduced to what was put and where it went: plain JSON. */
export interface SeenRecord {
  readonly sequenceNumber: string
  readonly subSequenceNumber: number
  readonly partitionKey: string
  readonly data: readonly number[]
}

/** The calls of a shard consumer on a source, without the ceremony of effects. Functions that promise records throw on every other answer, and after a bounded number of reads without them. */
export function shardReader({ source, batches, stream }: RecordSourceFixture) {
  const answerOf = async (
    shardId: string,
    { after = null, maxRecords = 1000, prefetch = noPrefetch }: ReadOptions = {},
    within = ownContext(),
  ) => source.readRecords({ type: 'readRecords', id, shardId, after, maxRecords, prefetch }, within)
  const open = async (shardId: string, position: Position) => source.openShard({ type: 'openShard', id, shardId, position }, ownContext())
  const list = async (from: Parameters<typeof source.listShards>[0]['from']): Promise<readonly Shard[]> => {
    const answer = await source.listShards({ type: 'listShards', id, from }, ownContext())
    if (answer.type !== 'shardsListed') throw new Error(`listShards: expected shardsListed, got ${answer.type}`)
    return answer.shards.map((shard) => ({ ...shard, parentShardIds: [...shard.parentShardIds].sort() })).sort(byShardId)
  }
  const read = async (shardId: string, options: ReadOptions = {}): Promise<{ handle: BatchHandle; records: readonly SeenRecord[] }> => {
    const answer = await answerOf(shardId, options)
    if (answer.type !== 'recordsRead') throw new Error(`readRecords of ${shardId}: expected recordsRead, got ${answer.type}`)
    const stored = batches.take(answer.batch.batchId)
    if (stored === undefined) throw new Error(`readRecords of ${shardId}: the batch ${answer.batch.batchId} is not in the store`)
    return { handle: answer.batch, records: stored.records.map(seen) }
  }
  const readUntil = async (
    shardId: string,
    options: ReadOptions,
    isEnough: (records: readonly SeenRecord[], handle: BatchHandle) => boolean,
  ) => {
    const records: SeenRecord[] = []
    for (let reads = 1; reads <= maxReads; reads += 1) {
      const batch = await read(shardId, options)
      source.dropBatch({ type: 'dropBatch', shardId, batchId: batch.handle.batchId })
      records.push(...batch.records)
      if (isEnough(records, batch.handle)) return { records, handle: batch.handle }
    }
    throw new Error(`readRecords of ${shardId}: ${records.length} records after ${maxReads} reads: ${JSON.stringify(records)}`)
  }

  return {
    answerOf,
    open,
    list,
    read,
    /** The next batch that holds records; it stays in the store. */
    async readSome(shardId: string, options: ReadOptions = {}) {
      for (let reads = 1; reads <= maxReads; reads += 1) {
        const batch = await read(shardId, options)
        if (batch.handle.count > 0) return batch
        source.dropBatch({ type: 'dropBatch', shardId, batchId: batch.handle.batchId })
      }
      throw new Error(`readRecords of ${shardId}: nothing came in ${maxReads} reads`)
    },
    /** Opens the shard and reads until `count` records have come, and once more, so that a surplus shows. */
    async readFrom(shardId: string, position: Position, count: number, options: ReadOptions = {}): Promise<readonly SeenRecord[]> {
      const answer = await open(shardId, position)
      if (answer.type !== 'shardOpened') throw new Error(`openShard of ${shardId}: expected shardOpened, got ${answer.type}`)
      const { records, handle } = await readUntil(shardId, options, (soFar) => soFar.length >= count)
      if (handle.atShardEnd) return records
      return [...records, ...(await readUntil(shardId, options, () => true)).records]
    },
    /** Reads on until `count` records have come. */
    readOn: async (shardId: string, count: number, options: ReadOptions = {}): Promise<readonly SeenRecord[]> =>
      (await readUntil(shardId, options, (soFar) => soFar.length >= count)).records,
    /** Opens the shard and reads it to its end. */
    async readToEnd(shardId: string, position: Position, options: ReadOptions = {}) {
      await open(shardId, position)
      return readUntil(shardId, options, (_, handle) => handle.atShardEnd)
    },
    split: async (shardId: string, batchId: string, after: ExtendedSequenceNumber | null, count: number) =>
      source.splitBatch({ type: 'splitBatch', id, shardId, batchId, after, count }, ownContext()),
    close: async (shardId: string) => source.closeShard({ type: 'closeShard', id, shardId }, ownContext()),
    drop: (shardId: string, batchId: string) => source.dropBatch({ type: 'dropBatch', shardId, batchId }),
    async listChildren(shardId: string) {
      const answer = await source.listChildShards({ type: 'listChildShards', id, shardId }, ownContext())
      return answer.type === 'childShardsListed' ? { ...answer, childShards: answer.childShards.map(child).sort(byShardId) } : answer
    },
    /** Puts numbered records into one shard, one after another, and answers with what a reader must see. */
    async fill(shard: Shard, count: number, firstByte = 0): Promise<readonly SeenRecord[]> {
      const put: SeenRecord[] = []
      for (let index = 0; index < count; index += 1) {
        const data = [firstByte + index, 255, 0]
        const record: PutRecord = {
          partitionKey: `key ${index}`,
          data: Uint8Array.from(data),
          explicitHashKey: shard.hashKeyRange.startingHashKey,
        }
        const { shardId, sequenceNumber } = await stream.put(record)
        if (shardId !== shard.shardId) throw new Error(`put: expected the shard ${shard.shardId}, got ${shardId}`)
        put.push({ sequenceNumber, subSequenceNumber: 0, partitionKey: record.partitionKey, data })
      }
      return put
    },
    /** The open shards of the stream, from the lowest hash key up. */
    async openShards(): Promise<readonly Shard[]> {
      const open = (await stream.shards()).filter(({ closed }) => !closed)
      return open.sort((a, b) => (BigInt(a.hashKeyRange.startingHashKey) < BigInt(b.hashKeyRange.startingHashKey) ? -1 : 1))
    },
  }
}

/** The element of a list that a case cannot do without. @throws Error when it is not there. */
export function the<T>(element: T | undefined, what: string): T {
  if (element === undefined) throw new Error(`${what}: expected one, got none`)
  return element
}

/** A child shard with its parents in order, as plain JSON. */
export function child({ shardId, parentShardIds, hashKeyRange }: ChildShard): ChildShard {
  return { shardId, parentShardIds: [...parentShardIds].sort(), hashKeyRange: { ...hashKeyRange } }
}

/** Where a record lies. @throws Error when it is not there. */
export function place(record: SeenRecord | undefined): ExtendedSequenceNumber {
  const { sequenceNumber, subSequenceNumber } = the(record, 'record')
  return { sequenceNumber, subSequenceNumber }
}

/** Orders by shard id. */
export function byShardId(a: { readonly shardId: string }, b: { readonly shardId: string }): number {
  return a.shardId < b.shardId ? -1 : 1
}

/** A record of a batch, as what was put is compared with it. */
export function seen({ sequenceNumber, subSequenceNumber, partitionKey, data }: KinesisRecord): SeenRecord {
  return { sequenceNumber, subSequenceNumber, partitionKey, data: [...data] }
}
