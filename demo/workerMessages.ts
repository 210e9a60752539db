import type { ShardProgress } from '../src/worker/shardProgress.ts'
import type { Entry } from './ledger.ts'

/** What a worker process is started with, as JSON in its argument. */
export interface WorkerStart {
  readonly workerId: string
  readonly streamName: string
  readonly applicationName: string
  readonly kinesisEndpoint: string
  readonly dynamodbEndpoint: string
}

/** What a worker process tells its parent. */
export type WorkerMessage =
  /** Orders that a record processor was given; told before they are checkpointed. */
  | { readonly type: 'delivered'; readonly entries: readonly Entry[] }
  | { readonly type: 'progress'; readonly phase: string; readonly shards: readonly ShardProgress[] }
  | { readonly type: 'logged'; readonly line: string }

/** What a parent tells a worker process. */
export interface StopMessage {
  readonly type: 'stop'
}
