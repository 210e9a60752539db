import { createBatchStore, type KinesisRecord } from '@shardwise/effects'
import { createMemoryLeaseTable, createMemoryStream, type MemoryLeaseTable, type MemoryStream, memoryRecordSource } from '@shardwise/memory'
import type { RecordProcessor } from '@shardwise/processor'
import { type Adapters, type Observation, type Observer, Worker, type WorkerOptions } from 'shardwise'

/** Everything a worker is told, at the pace of a test: nothing waits for seconds, and no lease expires by a slow machine. */
export const quick = {
  applicationName: 'orders',
  failoverTimeMillis: 30_000,
  leaseScanIntervalMillis: 20,
  parentShardPollIntervalMillis: 5,
  idleTimeInMilliseconds: 2,
  taskBackoffTimeMillis: 2,
} as const satisfies Partial<WorkerOptions>

/** A stream and a lease table in memory, which any number of workers share. */
export interface World {
  readonly stream: MemoryStream
  readonly table: MemoryLeaseTable
  /** The adapters of one more worker. */
  adapters(): Adapters
}

/** A world of `shardCount` shards. */
export function aWorld(shardCount = 1): World {
  const stream = createMemoryStream({ shardCount })
  const table = createMemoryLeaseTable()
  return {
    stream,
    table,
    adapters() {
      const batches = createBatchStore()
      return { leases: table.store(), source: memoryRecordSource({ stream, batches }), batches }
    },
  }
}

/** Puts records whose data are the texts; each text is its partition key too. */
export function put(stream: MemoryStream, texts: readonly string[]): void {
  for (const text of texts) stream.put({ partitionKey: text, data: Buffer.from(text) })
}

/** Texts that differ from those of other prefixes: `a-0`, `a-1` and so on. */
export const texts = (prefix: string, count: number): readonly string[] => Array.from({ length: count }, (_, n) => `${prefix}-${n}`)

/** The text of a record. */
export const textOf = ({ data }: KinesisRecord): string => Buffer.from(data).toString()

/** Waits for what an observer sees. */
export interface Watch {
  readonly observe: Observer
  /** Resolves at the first observation, from now on, for which `holds` is true; rejects after 20 s. */
  until(what: string, holds: (observation: Observation) => boolean): Promise<void>
}

/** An observer that can be waited for. */
export function aWatch(): Watch {
  const waiting = new Set<(observation: Observation) => void>()
  return {
    observe(observation) {
      for (const look of waiting) look(observation)
    },
    until: (what, holds) =>
      new Promise((resolve, reject) => {
        const bound = setTimeout(() => reject(new Error(`until: ${what} did not come about`)), 20_000)
        const look = (observation: Observation): void => {
          if (!holds(observation)) return
          clearTimeout(bound)
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
      }),
  }
}

/** What record processors were told, over all shards and workers. */
export interface Diary {
  readonly lines: string[]
  /** The texts that were delivered, in the order of their delivery. */
  readonly delivered: string[]
  readonly deliveredTo: Map<string, KinesisRecord[]>
  processor(shardId: string): RecordProcessor
}

/** Processors that write down what they are told and checkpoint after every batch. */
export function aDiary(): Diary {
  const lines: string[] = []
  const delivered: string[] = []
  const deliveredTo = new Map<string, KinesisRecord[]>()
  return {
    lines,
    delivered,
    deliveredTo,
    processor: (shardId) => ({
      initialize: () => void lines.push(`${shardId} initialize`),
      async processRecords({ records, checkpointer }) {
        delivered.push(...records.map(textOf))
        deliveredTo.set(shardId, [...(deliveredTo.get(shardId) ?? []), ...records])
        await checkpointer.checkpoint()
      },
      leaseLost: () => void lines.push(`${shardId} leaseLost`),
      async shardEnded({ checkpointer }) {
        lines.push(`${shardId} shardEnded`)
        await checkpointer.checkpoint()
      },
      async shutdownRequested({ checkpointer }) {
        lines.push(`${shardId} shutdownRequested`)
        await checkpointer.checkpoint()
      },
    }),
  }
}

/** A logger that keeps its lines, by level. */
export function aLogger() {
  const lines: string[] = []
  const level = (name: string) => (message: string) => void lines.push(`${name} ${message}`)
  return { lines, debug: level('debug'), info: level('info'), warn: level('warn'), error: level('error') }
}

/** A worker of the world, told of by `watch`. */
export function aWorker(world: World, options: Partial<WorkerOptions> & Pick<WorkerOptions, 'processor'>): Worker {
  return new Worker({ ...quick, adapters: world.adapters(), ...options })
}

/** Whether a step of a shard consumer was caused by such an event. */
export const consumerHeard =
  (type: string, shardId?: string) =>
  (observation: Observation): boolean =>
    observation.machine === 'shardConsumer' &&
    observation.step.event?.type === type &&
    (shardId === undefined || observation.shardId === shardId)

/** Whether a step of a lease keeper was caused by such an event. */
export const keeperHeard =
  (type: string) =>
  ({ machine, step }: Observation): boolean =>
    machine === 'leaseKeeper' && step.event?.type === type

/** Whether so many texts have been delivered, by the time a batch is done. */
export const deliveredCount =
  (diary: Diary, count: number) =>
  (observation: Observation): boolean =>
    diary.delivered.length >= count && consumerHeard('recordsProcessed')(observation)
