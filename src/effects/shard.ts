import { unexpected } from './shown.ts'

/** The id of a shard, such as `shardId-000000000012`: 1 to 128 letters, digits, `_`, `.` or `-`. */
export type ShardId = string

/** The hash keys a shard takes, both ends inclusive, as decimal strings from 0 to 2^128 - 1. */
export interface HashKeyRange {
  readonly startingHashKey: string
  readonly endingHashKey: string
}

/** A shard as ListShards describes it. A split child has one parent, a merged child two. `closed` means it takes no more records. */
export interface Shard {
  readonly shardId: ShardId
  readonly parentShardIds: readonly ShardId[]
  readonly hashKeyRange: HashKeyRange
  readonly startingSequenceNumber: string
  readonly closed: boolean
}

/** A child shard as the end of its parent names it. */
export type ChildShard = Pick<Shard, 'shardId' | 'parentShardIds' | 'hashKeyRange'>

/** Gives back the id of a shard as it is. @throws Error when the text cannot be one. */
export function parseShardId(text: string): ShardId {
  if (typeof text !== 'string' || !/^[a-zA-Z0-9_.-]{1,128}$/.test(text)) {
    throw unexpected('shardId', '1 to 128 letters, digits, "_", "." or "-"', text)
  }
  return text
}
