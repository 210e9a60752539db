import type { KinesisRecord, ShardId } from '@shardwise/effects'
import type { Checkpointer } from './checkpointer.ts'
import { kclError } from './kclError.ts'
import type { RecordProcessor } from './recordProcessor.ts'
import { TerminateCheckpointer } from './terminateCheckpointer.ts'

/** Why a processor of version 1 or 2 is shut down: ZOMBIE when its lease is lost, TERMINATE at the end of its shard, where it must checkpoint. */
export type ZombieOrTerminate = 'ZOMBIE' | 'TERMINATE'

/** A record processor of version 2. After `shutdown` no other method is called. Source: amazon_kclpy `v2.processor`. */
export interface RecordProcessorV2 {
  readonly version: 2
  initialize(input: {
    readonly shardId: ShardId
    readonly sequenceNumber: string
    readonly subSequenceNumber: number
  }): void | Promise<void>
  processRecords(input: {
    readonly records: readonly KinesisRecord[]
    readonly millisBehindLatest: number | undefined
    readonly checkpointer: Checkpointer
  }): void | Promise<void>
  shutdown(input: { readonly reason: ZombieOrTerminate; readonly checkpointer: Checkpointer }): void | Promise<void>
  shutdownRequested?(input: { readonly checkpointer: Checkpointer }): void | Promise<void>
}

/** A record processor of version 1, with plain arguments. Source: amazon_kclpy `kcl`. */
export interface RecordProcessorV1 {
  readonly version: 1
  initialize(shardId: ShardId): void | Promise<void>
  processRecords(records: readonly KinesisRecord[], checkpointer: Checkpointer): void | Promise<void>
  shutdown(checkpointer: Checkpointer, reason: ZombieOrTerminate): void | Promise<void>
  shutdownRequested?(checkpointer: Checkpointer): void | Promise<void>
}

/** Where warnings go; the console is one. */
export interface WarningLogger {
  warn(message: string): void
}

/** A version 1 processor, called as one of version 2. */
export function v1ToV2(delegate: RecordProcessorV1): RecordProcessorV2 {
  return {
    version: 2,
    initialize: ({ shardId }) => delegate.initialize(shardId),
    processRecords: ({ records, checkpointer }) => delegate.processRecords(records, checkpointer),
    shutdown: ({ checkpointer, reason }) => delegate.shutdown(checkpointer, reason),
    shutdownRequested: ({ checkpointer }) => delegate.shutdownRequested?.(checkpointer),
  }
}

/** A version 2 processor, called as one of the KCL. Its `shutdown` is called once at most. */
export function v2ToKcl(delegate: RecordProcessorV2, logger: WarningLogger | undefined): RecordProcessor {
  let shardId = ''
  let wasShutDown = false
  return {
    shutdownOnce: true,
    initialize(input) {
      shardId = input.shardId
      return delegate.initialize({ shardId, ...input.extendedSequenceNumber })
    },
    processRecords: ({ records, millisBehindLatest, checkpointer }) =>
      delegate.processRecords({ records, millisBehindLatest, checkpointer }),
    // The lease can be lost after TERMINATE, and a failed call can be asked for again: the processor has had its last call by then.
    async leaseLost() {
      if (wasShutDown) return
      wasShutDown = true
      await delegate.shutdown({ reason: 'ZOMBIE', checkpointer: zombieCheckpointer })
    },
    async shardEnded({ checkpointer }) {
      if (wasShutDown) throw new Error(`${shardId}: shutdown was called already, and a version 1 or 2 processor gets no second call`)
      wasShutDown = true
      const watched = new TerminateCheckpointer(checkpointer, () => logger?.warn(missedCheckpoint(shardId)))
      await delegate.shutdown({ reason: 'TERMINATE', checkpointer: watched })
      watched.judge()
    },
    shutdownRequested: ({ checkpointer }) => delegate.shutdownRequested?.({ checkpointer }),
  }
}

const zombieCheckpointer: Checkpointer = {
  checkpoint: () => Promise.reject(kclError({ name: 'ShutdownException', message: 'the lease is lost: nothing can be checkpointed' })),
}

function missedCheckpoint(shardId: ShardId): string {
  return (
    `${shardId}: shutdown(TERMINATE) returned without a successful checkpoint. The children of the shard cannot start; ` +
    'a new processor gets the records since the last checkpoint again. Call checkpointer.checkpoint() at TERMINATE.'
  )
}
