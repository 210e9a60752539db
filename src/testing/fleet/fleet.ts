import type { CoordinatorOptions, ShardConsumerOptions } from '@shardwise/machine'
import type { Observation } from '@shardwise/machine/host'
import { createMemoryLeaseTable, createMemoryStream, type MemoryStream } from '@shardwise/memory'
import type { AnyRecordProcessor } from '@shardwise/processor'
import { type Dice, diceOf } from './dice.ts'
import { unmet } from './endChecks.ts'
import { flakyProcessor, type ProcessorSurroundings } from './flakyProcessor.ts'
import { Ledger } from './ledger.ts'
import type { FleetTable, OnRowChange, Surroundings } from './network.ts'
import { type FleetOperation, noFaults, type Plan } from './plan.ts'
import { SimulatedWorker, type WorkerSetting } from './simulatedWorker.ts'
import { VirtualTime } from './virtualTime.ts'
import { WatchedEngine } from './watchedEngine.ts'

/** What a fleet is made of beside its plan. */
export interface FleetSetting {
  readonly plan: Plan
  readonly lease: Omit<WorkerSetting['lease'], 'leaseMode'>
  readonly shard: ShardConsumerOptions
  readonly processor?: ((shardId: string, world: ProcessorSurroundings) => AnyRecordProcessor) | undefined
  /** Makes the lease table; the one of the memory package unless given. */
  readonly table?: ((onChange: OnRowChange) => FleetTable) | undefined
  readonly observe: (atMs: number, worker: string, observation: Observation) => void
  readonly told: (atMs: number, what: string) => void
}

/** What a lease coordinator of the simulation does unless told otherwise: the worker's defaults, with finished leases cleaned up within a simulation's time. */
export const usualLease: Omit<CoordinatorOptions, 'workerId' | 'initialPosition' | 'leaseMode' | 'seed'> = {
  failoverTimeMillis: 10_000,
  leaseScanIntervalMillis: 10_000,
  maxLeasesForWorker: Number.MAX_SAFE_INTEGER,
  maxLeasesToStealAtOneTime: 1,
  isGracefulLeaseHandoffEnabled: true,
  gracefulLeaseHandoffTimeoutMillis: 30_000,
  cleanupLeasesOfCompletedShards: true,
  completedLeaseCleanupIntervalMillis: 60_000,
  leasesRecoveryAuditorExecutionFrequencyMillis: 120_000,
  leasesRecoveryAuditorInconsistencyConfidenceThreshold: 3,
  garbageLeaseCleanupIntervalMillis: 1_800_000,
  skipShardSyncAtWorkerInitializationIfLeasesExist: false,
  ignoreUnexpectedChildShards: false,
  maxInitializationAttempts: 20,
}

/** The lease table of the memory package. */
function memoryTable(onChange: OnRowChange): FleetTable {
  const table = createMemoryLeaseTable({ nowMs: () => 0, onChange })
  return { rows: table.rows, row: table.row, heartbeats: table.heartbeats, handlers: (network) => network.memoryTable(table) }
}

/** How long a fleet has, once nothing goes wrong any more, to come to rest: leases go to their workers one by one. */
const settleMs = ({ shards }: Plan): number => 4 * 60_000 + 2_000 * shards
const stopMs = 3 * 60_000
const restartMs = 5_000
const trimIntervalMs = 3 * 60_000

/** A fleet of workers on one stream and one lease table, under virtual time. */
export class Fleet {
  readonly around: Surroundings
  readonly ledger: Ledger
  readonly stream: MemoryStream
  steps = 0
  readonly setting: FleetSetting
  readonly #dice: Dice
  readonly #workers = new Set<SimulatedWorker>()
  readonly #runs = new Map<string, number>()
  readonly #workerSetting: WorkerSetting
  readonly #engine: WatchedEngine
  #named = 0

  constructor(setting: FleetSetting) {
    this.setting = setting
    const { plan, lease, shard } = setting
    const time = new VirtualTime()
    this.#dice = diceOf(plan.seed, 'fleet')
    const earlier: Surroundings['earlier'] = new Map()
    const table = (setting.table ?? memoryTable)((before, after) => {
      const leaseKey = (after ?? before)?.leaseKey
      if (leaseKey !== undefined) earlier.set(leaseKey, { row: before, changedMs: time.nowMs })
      this.ledger.rowChanged(before, after)
    })
    const { seed, faults } = plan
    this.around = { time, seed, faults, table, calm: false, stormUntilMs: 0, cutOffUntilMs: new Map(), injected: {}, acting: null, earlier }
    this.ledger = new Ledger(this.around, plan.leaseMode, lease.failoverTimeMillis)
    this.stream = createMemoryStream({ shardCount: plan.shards, now: () => epochMs + Math.floor(time.nowMs) })
    this.#noteShards()
    this.#engine = new WatchedEngine(this.around, this.ledger)
    const rates = () => (this.around.calm ? noFaults : plan.faults)
    this.#workerSetting = {
      around: this.around,
      ledger: this.ledger,
      stream: this.stream,
      engine: this.#engine,
      lease: { ...lease, leaseMode: plan.leaseMode },
      shard,
      makeProcessor: setting.processor ?? ((_, world) => flakyProcessor(world, rates, lease.failoverTimeMillis)),
      observe: (worker, observation) => {
        this.steps += 1
        setting.observe(time.nowMs, worker.name, observation)
      },
    }
  }

  /** The workers that run. */
  get workers(): readonly SimulatedWorker[] {
    return [...this.#workers]
  }

  /** Runs the plan, waits for the fleet to come to rest, and stops it. Ends at the first violation. */
  async run(): Promise<void> {
    const { plan } = this.setting
    const { time } = this.around
    const isBroken = (): boolean => this.ledger.violations.length > 0
    for (let worker = 0; worker < plan.workers; worker += 1) this.#start(this.#newId())
    for (const operation of plan.operations) time.at(operation.atMs, null, () => this.#operate(operation))
    this.#produce()
    this.#trim(new Map())
    await time.run(plan.durationMs, isBroken)
    if (isBroken()) return
    this.#calm()
    const restMs = time.nowMs + settleMs(plan)
    while (time.nowMs < restMs && !isBroken() && unmet(this).length > 0) await time.run(time.nowMs + 5_000, isBroken)
    if (isBroken()) return
    for (const { rule, leaseKey, message } of unmet(this)) this.ledger.violate(rule, leaseKey, message)
    if (isBroken()) return
    this.#engine.close()
    this.#tell('the fleet stops')
    for (const worker of this.#workers) worker.stop()
    await time.run(time.nowMs + stopMs, () => isBroken() || this.#workers.size === 0)
    if (isBroken()) return
    for (const worker of this.#workers) this.ledger.violate('L1', null, `${worker.name} did not stop; it keeps ${worker.kept.join(', ')}`)
    for (const { leaseKey, leaseOwner } of this.around.table.rows()) {
      if (leaseOwner !== null) this.ledger.violate('L1', leaseKey, `${leaseOwner} did not release the lease when it stopped`)
    }
    for (const { workerId } of this.around.table.heartbeats()) {
      this.ledger.violate('L7', null, `${workerId} did not delete its heartbeat when it stopped`)
    }
  }

  #tell(what: string): void {
    this.setting.told(this.around.time.nowMs, what)
  }

  #newId(): string {
    this.#named += 1
    return `worker-${this.#named}`
  }

  #start(workerId: string): void {
    const run = (this.#runs.get(workerId) ?? 0) + 1
    this.#runs.set(workerId, run)
    const { time } = this.around
    const worker = new SimulatedWorker(this.#workerSetting, workerId, run, (ended, failure) => {
      this.#workers.delete(ended)
      this.#tell(`${ended.name} has ended${failure === null ? '' : `: ${JSON.stringify(failure)}`}`)
      // Whoever runs workers starts one anew that has failed.
      if (!ended.stopping) time.at(time.nowMs + restartMs, null, () => this.#start(workerId))
    })
    this.#workers.add(worker)
    this.#tell(`${worker.name} starts`)
  }

  #operate(operation: FleetOperation): void {
    const { time, cutOffUntilMs, injected } = this.around
    const running = this.workers.filter(({ stopping }) => !stopping)
    const worker = running[operation.pick % Math.max(1, running.length)]
    const { workers } = this.setting.plan
    switch (operation.type) {
      case 'crash': {
        if (worker === undefined) return
        worker.crash()
        this.#workers.delete(worker)
        const next = operation.sameId ? worker.workerId : this.#newId()
        time.at(time.nowMs + operation.downMs, null, () => this.#start(next))
        break
      }
      case 'pause':
        if (worker === undefined) return
        worker.pause(operation.forMs, operation.clockStops)
        break
      case 'partition':
        if (worker === undefined) return
        cutOffUntilMs.set(worker.name, time.nowMs + operation.forMs)
        break
      case 'storm':
        this.around.stormUntilMs = time.nowMs + operation.forMs
        break
      case 'leave':
        if (worker === undefined || running.length < 2) return
        worker.stop()
        break
      case 'join':
        if (running.length >= workers + 2) return
        this.#start(this.#newId())
        break
      case 'expireIterators':
        this.stream.expireIterators()
        break
      default:
        if (!this.#reshard(operation)) return
    }
    injected[operation.type] = (injected[operation.type] ?? 0) + 1
    const whose = ['crash', 'pause', 'partition', 'leave'].includes(operation.type) ? ` ${worker?.name ?? ''}` : ''
    this.#tell(`${operation.type}${whose} ${JSON.stringify(operation)}`)
  }

  #reshard({ type, pick }: FleetOperation): boolean {
    const open = this.stream
      .listShards()
      .filter(({ closed }) => !closed)
      .sort((a, b) => (BigInt(a.hashKeyRange.startingHashKey) < BigInt(b.hashKeyRange.startingHashKey) ? -1 : 1))
    const shard = open[pick % open.length]
    const next = open[(pick % open.length) + 1]
    const { shards } = this.setting.plan
    if (shard === undefined || (type === 'split' ? open.length >= 2 * shards : next === undefined)) return false
    if (type === 'split') this.stream.split(shard.shardId)
    else if (next !== undefined) this.stream.merge(shard.shardId, next.shardId)
    this.#noteShards()
    return true
  }

  #noteShards(): void {
    for (const shard of this.stream.listShards()) this.ledger.shardOpened(shard)
  }

  /** Puts the records of a second, and then those of the next. */
  #produce(): void {
    const { plan } = this.setting
    const { time } = this.around
    const count = Math.floor(plan.recordsPerSecond) + (this.#dice.chance(plan.recordsPerSecond % 1) ? 1 : 0)
    for (let index = 0; index < count; index += 1) {
      const { shardId, sequenceNumber } = this.stream.put({ partitionKey: `key-${this.#dice.between(0, 1_000_000)}`, data: noData })
      this.ledger.recordPut(shardId, sequenceNumber)
    }
    if (time.nowMs + 1_000 < plan.durationMs) time.at(time.nowMs + 1_000, null, () => this.#produce())
  }

  /**
   * Forgets what was checkpointed a while ago, as retention does: closed shards of which nothing is left go. Not at once, for a worker that was paused reads on
   * from where it was until it hears that its lease is lost.
   */
  #trim(stood: ReadonlyMap<string, string>): void {
    const { time, table } = this.around
    for (const { shardId, closed } of this.stream.listShards()) {
      const checkpoint = stood.get(shardId)
      if (checkpoint === 'SHARD_END' && closed && this.#dice.chance(0.3)) this.stream.trim(shardId)
      else if (checkpoint !== undefined && /^\d+$/.test(checkpoint)) this.stream.trim(shardId, checkpoint)
    }
    const stands = new Map(table.rows().map(({ leaseKey, checkpoint }) => [leaseKey, checkpoint.sequenceNumber]))
    time.at(time.nowMs + trimIntervalMs, null, () => this.#trim(stands))
  }

  /** Ends everything that goes wrong. */
  #calm(): void {
    this.#tell('nothing goes wrong any more')
    this.around.calm = true
    this.around.cutOffUntilMs.clear()
    for (const worker of this.#workers) worker.pausedUntilMs = 0
  }
}

/** When the world began: 2026-01-01. */
const epochMs = 1_767_225_600_000
const noData = new Uint8Array(0)
