import type { BatchStore, LeaseStore, LeaseTable, RecordSource, StreamDirectory } from '@shardwise/effects'
import type { LeaseHostOptions } from '@shardwise/machine/host'
import {
  type DeadLetter,
  hostRecordProcessor,
  type RecordProcessor,
  type RecordProcessorHost,
  type RecordProcessorHostOptions,
} from '@shardwise/processor'

/** What the machines of a worker are plugged into. */
export interface Adapters {
  readonly leases: LeaseStore & LeaseTable
  readonly source: RecordSource & StreamDirectory
  /** The store that the source puts its batches into. */
  readonly batches: BatchStore
}

/** A record processor that carries out its side of the effect table itself, such as one in a process of its own. */
export interface SelfHostedProcessor {
  readonly version: 'hosted'
  readonly shutdownOnce?: boolean | undefined
  host(consumer: HostedConsumer): RecordProcessorHost
}

/** The shard consumer that a hosted processor works for. */
interface HostedConsumer extends Omit<RecordProcessorHostOptions, 'processor' | 'deadLetter'> {
  /** Whether the error policy has a limit against which failed deliveries (`recordsFailed`) count. */
  readonly limitsDeliveries: boolean
}

/** Why a worker with a dead letter takes no hosted processor. */
export const noHostedDeadLetter = 'deadLetter: expected a record processor of this process, got one that is hosted elsewhere'

/** Hosts the processors that are made for the shards of a worker. */
export function processorsOf(
  makeProcessor: (shardId: string) => RecordProcessor | SelfHostedProcessor,
  batches: BatchStore,
  { limitsDeliveries, deadLetter }: { readonly limitsDeliveries: boolean; readonly deadLetter?: DeadLetter | undefined },
): LeaseHostOptions['hostProcessor'] {
  return (shardId, send) => {
    const processor = makeProcessor(shardId)
    const consumer = { shardId, batches, send }
    if (processor.version === 'hosted') {
      if (deadLetter !== undefined) throw new Error(noHostedDeadLetter)
      const host = processor.host({ ...consumer, limitsDeliveries })
      return { handlers: host.handlers, close: () => host.close(), shutdownOnce: processor.shutdownOnce }
    }
    const host = hostRecordProcessor({ processor, deadLetter, ...consumer })
    return {
      handlers: host.handlers,
      close: () => host.close(),
      shutdownOnce: processor.shutdownOnce,
      deadLetter: deadLetter !== undefined || processor.deadLetter !== undefined,
    }
  }
}
