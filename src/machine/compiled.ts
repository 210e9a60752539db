import { chartOf } from './chartProgram.ts'
import { engineOf } from './shardConsumerEngine.ts'
import { shardConsumerProgram } from './shardConsumerProgram.ts'

export type { ShardConsumerContext, ShardConsumerInput, ShardEffect, ShardEvent } from './shardConsumerContext.ts'
export { outstanding, type ShardConsumerEngine, type ShardConsumerSnapshot } from './shardConsumerEngine.ts'

/** The shard consumer run by a table that was compiled from its statechart, without XState; `interpret` takes it as it is. */
export const shardConsumer = engineOf(chartOf(shardConsumerProgram))

export const {
  /** Starts a shard consumer: its first snapshot and effects. @throws Error naming the field of the input that is wrong. */
  start,
  /** Takes an event: the next snapshot, and the effects to start in their order. @throws Error for an unknown shutdown reason or state only. */
  step,
  /** Takes up a snapshot whose process died: the snapshot to go on with, and the effects to start. */
  restore,
  /** Replays events from the start: every snapshot with its effects. */
  replay,
} = shardConsumer
