import { chartOf } from './chartTable.ts'
import { engineOf } from './shardConsumerEngine.ts'
import { shardConsumerTable } from './shardConsumerTable.ts'

export type { ShardConsumerContext, ShardConsumerInput, ShardEffect, ShardEvent } from './shardConsumerContext.ts'
export { outstanding, type ShardConsumerEngine, type ShardConsumerSnapshot } from './shardConsumerEngine.ts'

/** The shard consumer run by a table that was compiled from its statechart, without XState; `interpret` takes it as it is. */
export const shardConsumer = engineOf(chartOf(shardConsumerTable))

export const { start, step, restore, replay } = shardConsumer
