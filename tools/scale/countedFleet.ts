import {
  createBatchStore,
  type Interpreter,
  interpret,
  type Lease,
  type LeaseStore,
  type LeaseTable,
  type RecordSource,
  type StreamDirectory,
} from '@shardwise/effects'
import { type CoordinatorEvent, type CoordinatorState, coordinator, type LeaseMode, startCoordinator } from '@shardwise/machine'
import { createMailbox, hostLeases, type RunningLeases, seedOf } from '@shardwise/machine/host'
import { createMemoryLeaseTable, createMemoryStream, type MemoryLeaseTable, type MemoryStream, memoryRecordSource } from '@shardwise/memory'
import { adaptRecordProcessor, hostRecordProcessor } from '@shardwise/processor'
import { eachBatch, type WorkerOptions } from 'shardwise'
import { VirtualTime } from '../../src/testing/fleet/virtualTime.ts'
import { virtualTimers } from '../../src/testing/fleet/virtualTimers.ts'
import { parseWorkerOptions } from '../../src/worker/workerOptions.ts'
import { heartbeatBytes, leaseBytes } from './itemBytes.ts'

/** What is counted. */
export interface CountedFleetOptions {
  readonly shards: number
  /** Each holds the same number of leases, or one more than others. */
  readonly workers: number
  /** How many of them run; the others stand in the table, and their leases move there. */
  readonly running: number
  readonly minutes: number
  /** The time between two records of each shard, each of which is checkpointed; no records, and no checkpoints, for null. */
  readonly checkpointEveryMs: number | null
  readonly options?: FleetOptions
}

/** What the workers are told beside the defaults. */
export type FleetOptions = Pick<
  Partial<WorkerOptions>,
  'leaseMode' | 'failoverTimeMillis' | 'leaseScanIntervalMillis' | 'idleTimeInMilliseconds'
>

/** The calls of the workers that ran. */
export interface Counted {
  readonly renewalsAndCheckpoints: number
  /** Heartbeats, where there are some; and those that take or give up leases: none, at rest. */
  readonly otherWrites: number
  readonly scans: number
  readonly getRecords: number
  readonly listShards: number
  /** Before the minutes that are counted. */
  readonly listShardsAtStart: number
  /** Leases that the running workers held in the end. */
  readonly heldLeases: number
}

type Counts = { -readonly [Name in Exclude<keyof Counted, 'heldLeases' | 'listShardsAtStart'>]: number }
const none = (): Counts => ({ renewalsAndCheckpoints: 0, otherWrites: 0, scans: 0, getRecords: 0, listShards: 0 })

// In this time every worker takes its leases and comes to rest.
const settledAfterMs = 60_000
const minuteMs = 60_000

/**
 * Counts what a fleet asks of DynamoDB and Kinesis while no lease changes hands. Coordinators, keepers and consumers are those of a worker; time is virtual, and
 * the table is in memory, where each request of the DynamoDB adapter is one, too.
 */
export async function countCalls({
  shards,
  workers,
  running,
  minutes,
  checkpointEveryMs,
  options = {},
}: CountedFleetOptions): Promise<Counted> {
  const time = new VirtualTime()
  const nowMs = (): number => time.nowMs
  const stream = createMemoryStream({ shardCount: shards, now: nowMs, iteratorLifeMs: Number.MAX_SAFE_INTEGER })
  const table = createMemoryLeaseTable({ nowMs, leases: leasesOf(stream, workers) })
  const counts = none()
  const fleet = Array.from({ length: running }, (_, n) => runWorker({ workerId: workerIdOf(n), time, stream, table, counts, options }))
  if (checkpointEveryMs !== null) putEvery(checkpointEveryMs, time, stream)
  await time.run(settledAfterMs)
  const listShardsAtStart = counts.listShards
  Object.assign(counts, none())
  await time.run(settledAfterMs + minutes * minuteMs)
  for (const worker of fleet) worker.close()
  const owners = new Set(Array.from({ length: running }, (_, n) => workerIdOf(n)))
  return {
    ...counts,
    listShardsAtStart,
    heldLeases: table.rows().filter(({ leaseOwner }) => owners.has(leaseOwner ?? '')).length,
  }
}

/** The bytes of all rows of a table whose leases are shared among workers, and of their heartbeats, if they have some. */
export function tableBytes(shards: number, workers: number, leaseMode: LeaseMode): number {
  const leases = leasesOf(createMemoryStream({ shardCount: shards }), workers).reduce((sum, row) => sum + leaseBytes(row), 0)
  return leases + (leaseMode === 'workerHeartbeat' ? workers * heartbeatBytes(workerIdOf(0), 123_456) : 0)
}

/** Ids as long as those that a worker makes for itself. */
const workerIdOf = (n: number): string => `ip-10-0-0-${String(n).padStart(3, '0')}:${'0123456789abcdef'.repeat(2)}:0000`

function leasesOf(stream: MemoryStream, workers: number): Lease[] {
  return stream.listShards().map(({ shardId, hashKeyRange, startingSequenceNumber }, n) => ({
    leaseKey: shardId,
    leaseOwner: workerIdOf(n % workers),
    leaseCounter: 123_456,
    checkpoint: { sequenceNumber: startingSequenceNumber, subSequenceNumber: 0 },
    pendingCheckpoint: null,
    ownerSwitchesSinceCheckpoint: 0,
    parentShardIds: [],
    childShardIds: [],
    hashKeyRange,
    checkpointOwner: null,
  }))
}

/** Puts a record into every shard again and again, each shard at a time of its own within the interval. */
function putEvery(everyMs: number, time: VirtualTime, stream: MemoryStream): void {
  const data = Uint8Array.of(1)
  stream.listShards().forEach(({ hashKeyRange }, n, { length }) => {
    const put = (): void => {
      stream.put({ partitionKey: 'scale', data, explicitHashKey: hashKeyRange.startingHashKey })
      time.at(time.nowMs + everyMs, null, put)
    }
    time.at((everyMs * n) / length, null, put)
  })
}

interface RunOptions {
  readonly workerId: string
  readonly time: VirtualTime
  readonly stream: MemoryStream
  readonly table: MemoryLeaseTable
  readonly counts: Counts
  readonly options: FleetOptions
}

function runWorker({ workerId, time, stream, table, counts, options }: RunOptions): { close(): void } {
  const processor = eachBatch(() => undefined)
  const { lease, shard, engine } = parseWorkerOptions({
    ...options,
    applicationName: 'scale',
    streamName: 'scale',
    processor,
  })
  const caller = { name: workerId, workerId, alive: true, pausedUntilMs: 0, resumedMs: 0, rate: 1, clock: () => time.nowMs }
  const batches = createBatchStore()
  const handlers = {
    ...countedTable({ table, time, counts, workerId, leaseMode: lease.leaseMode }),
    ...countedSource(memoryRecordSource({ stream, batches }), counts),
    ...virtualTimers(time, caller),
  }
  const mailbox = createMailbox<CoordinatorEvent>()
  const leases: RunningLeases = hostLeases({
    handlers,
    workerId,
    failoverTimeMillis: lease.failoverTimeMillis,
    engine,
    shardOptions: shard,
    hostProcessor: (shardId, send) => hostRecordProcessor({ processor: adaptRecordProcessor(processor(shardId)), shardId, batches, send }),
    tellCoordinator: mailbox.send,
    observe: () => time.touch(),
    fail: (error) => {
      throw error
    },
  })
  const running: Interpreter<CoordinatorState, CoordinatorEvent> = interpret({
    machine: coordinator,
    start: startCoordinator({ ...lease, workerId, initialPosition: shard.initialPosition, seed: seedOf(workerId) }),
    handlers: { ...handlers, ...leases.handlers },
    observe: () => time.touch(),
  })
  mailbox.open(running)
  return {
    close() {
      leases.close()
      running.close()
    },
  }
}

/** One worker's handlers of the table: every write counts, also one that is a checkpoint. */
function countedTable({
  table,
  time,
  counts,
  workerId,
  leaseMode,
}: Omit<RunOptions, 'stream' | 'options'> & { readonly leaseMode: LeaseMode }): LeaseStore & LeaseTable {
  let writesOfLeases = false
  let listings = 0
  const store = table.store({
    nowMs: () => time.nowMs,
    calls: {
      read: (look) => look(),
      write(apply) {
        counts[writesOfLeases ? 'renewalsAndCheckpoints' : 'otherWrites'] += 1
        return { applied: apply(), attempts: 1 }
      },
    },
  })
  const asLeaseWrite = <T>(call: () => T): T => {
    writesOfLeases = true
    try {
      return call()
    } finally {
      writesOfLeases = false
    }
  }
  return {
    ...store,
    renewLease: (effect, context) => asLeaseWrite(() => store.renewLease(effect, context)),
    writeCheckpoint: (effect, context) => asLeaseWrite(() => store.writeCheckpoint(effect, context)),
    async listLeases(effect, context) {
      counts.scans += 1
      listings += 1
      const answer = await store.listLeases(effect, context)
      if (answer.type !== 'leasesListed') return answer
      // The leases of workers that do not run would stand still, and be taken for those of dead ones.
      const isOthers = ({ leaseOwner }: Lease): boolean => leaseOwner !== workerId
      if (leaseMode === 'kcl') {
        return {
          ...answer,
          leases: answer.leases.map((row) => (isOthers(row) ? { ...row, leaseCounter: row.leaseCounter + listings } : row)),
        }
      }
      const others = new Set(answer.leases.filter(isOthers).map(({ leaseOwner }) => leaseOwner ?? ''))
      const own = answer.heartbeats?.filter((heartbeat) => heartbeat.workerId === workerId) ?? []
      return { ...answer, heartbeats: [...own, ...[...others].map((other) => ({ workerId: other, counter: listings }))] }
    },
  }
}

function countedSource(source: RecordSource & StreamDirectory, counts: Counts): RecordSource & StreamDirectory {
  return {
    ...source,
    readRecords(effect, context) {
      counts.getRecords += 1
      return source.readRecords(effect, context)
    },
    listShards(effect, context) {
      counts.listShards += 1
      return source.listShards(effect, context)
    },
  }
}
