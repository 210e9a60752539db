import type { BatchStore, LeaseStore, LeaseTable, RecordSource, StreamDirectory } from '@shardwise/effects'
import type { LeaseHostOptions } from '@shardwise/machine/host'
import { hostRecordProcessor, type RecordProcessor, type RecordProcessorHost, type RecordProcessorHostOptions } from '@shardwise/processor'

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
  host(consumer: Omit<RecordProcessorHostOptions, 'processor'>): RecordProcessorHost
}

/** Hosts the processors that are made for the shards of a worker. */
export function processorsOf(
  makeProcessor: (shardId: string) => RecordProcessor | SelfHostedProcessor,
  batches: BatchStore,
): LeaseHostOptions['hostProcessor'] {
  return (shardId, send) => {
    const processor = makeProcessor(shardId)
    const consumer = { shardId, batches, send }
    const host = processor.version === 'hosted' ? processor.host(consumer) : hostRecordProcessor({ processor, ...consumer })
    return { handlers: host.handlers, close: () => host.close(), shutdownOnce: processor.shutdownOnce }
  }
}
