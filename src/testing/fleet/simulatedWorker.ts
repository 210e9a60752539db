import { createBatchStore, type Interpreter, interpret } from '@shardwise/effects'
import {
  type CoordinatorEvent,
  type CoordinatorOptions,
  type CoordinatorState,
  coordinator,
  type ShardConsumerOptions,
  startCoordinator,
} from '@shardwise/machine'
import { createMailbox, hostLeases, type Observation, type RunningLeases, type SharedHandlers, seedOf } from '@shardwise/machine/host'
import { type MemoryStream, memoryRecordSource } from '@shardwise/memory'
import { type AnyRecordProcessor, adaptRecordProcessor, hostRecordProcessor, type RecordProcessor } from '@shardwise/processor'
import { type Dice, diceOf } from './dice.ts'
import { type ProcessorSurroundings } from './flakyProcessor.ts'
import type { Ledger } from './ledger.ts'
import { type Caller, Network, type Surroundings } from './network.ts'
import { virtualTimers } from './virtualTimers.ts'
import type { WatchedEngine } from './watchedEngine.ts'

/** What every worker of a fleet is made of. */
export interface WorkerSetting {
  readonly around: Surroundings
  readonly ledger: Ledger
  readonly stream: MemoryStream
  readonly engine: WatchedEngine
  readonly lease: Omit<CoordinatorOptions, 'workerId' | 'initialPosition' | 'seed'>
  readonly shard: ShardConsumerOptions
  readonly makeProcessor: (shardId: string, world: ProcessorSurroundings) => AnyRecordProcessor
  readonly observe: (worker: SimulatedWorker, observation: Observation) => void
}

/** One run of a worker process: the coordinator, keepers and consumers of a real one, on a clock and a network that the simulation rules. */
export class SimulatedWorker implements Caller {
  readonly workerId: string
  readonly name: string
  alive = true
  pausedUntilMs = 0
  resumedMs = -Infinity
  /** Whether it was told to stop in order. */
  stopping = false
  readonly #setting: WorkerSetting
  readonly #dice: Dice
  readonly rate: number
  readonly #running: Interpreter<CoordinatorState, CoordinatorEvent>
  readonly #leases: RunningLeases
  #clockAheadMs: number
  #processors = 0

  /** `ended` hears that the process has ended by itself, with what failed it. */
  constructor(setting: WorkerSetting, workerId: string, run: number, ended: (worker: SimulatedWorker, failure: unknown) => void) {
    this.#setting = setting
    this.workerId = workerId
    this.name = `${workerId}/${run}`
    this.#dice = diceOf(setting.around.seed, `worker ${this.name}`)
    this.rate = setting.around.calm ? 1 : 0.998 + this.#dice.next() * 0.004
    this.#clockAheadMs = this.#dice.next() * 1_000_000
    const network = new Network(setting.around, this)
    const batches = createBatchStore()
    const source = network.source(memoryRecordSource({ stream: setting.stream, batches }))
    const table = setting.around.table.handlers(network)
    const { ledger } = setting
    const handlers: SharedHandlers = {
      ...table,
      readCheckpoint: async (effect, context) => {
        const answer = await table.readCheckpoint(effect, context)
        if (answer.type === 'checkpointRead') ledger.checkpointKnown(effect.leaseKey, answer.checkpoint)
        return answer
      },
      writeCheckpoint: async (effect, context) => {
        ledger.checkpointSent(this, effect.leaseKey)
        const answer = await table.writeCheckpoint(effect, context)
        if (answer.type === 'checkpointWritten') {
          ledger.checkpointKnown(effect.leaseKey, effect.checkpoint)
          ledger.leaseHeard(this, effect.leaseKey)
        }
        return answer
      },
      acquireLease: async (effect, context) => {
        const answer = await table.acquireLease(effect, context)
        if (answer.type === 'leaseAcquired') ledger.leaseHeard(this, effect.leaseKey)
        return answer
      },
      renewLease: async (effect, context) => {
        const answer = await table.renewLease(effect, context)
        if (answer.type === 'leaseRenewed') ledger.leaseHeard(this, effect.leaseKey)
        return answer
      },
      writeHeartbeat: async (effect, context) => {
        const answer = await table.writeHeartbeat(effect, context)
        // Refused by the write before, whose answer was lost, it hears of that one.
        if (answer.type === 'heartbeatWritten' || (answer.type === 'heartbeatRefused' && answer.counter === (effect.counter ?? 0) + 1)) {
          ledger.heartbeatHeard(this)
        }
        return answer
      },
      ...source,
      ...virtualTimers(setting.around.time, this),
    }
    const mailbox = createMailbox<CoordinatorEvent>()
    const observe = (observation: Observation): void => {
      setting.around.time.touch()
      setting.observe(this, observation)
    }
    this.#leases = hostLeases({
      handlers,
      workerId,
      failoverTimeMillis: setting.lease.failoverTimeMillis,
      gracefulLeaseHandoffTimeoutMillis: setting.lease.gracefulLeaseHandoffTimeoutMillis,
      engine: setting.engine.engine(this.#dice),
      shardOptions: setting.shard,
      hostProcessor: (shardId, send) => {
        const processor = this.#watched(shardId)
        return { ...hostRecordProcessor({ processor, shardId, batches, send }), shutdownOnce: processor.shutdownOnce }
      },
      tellCoordinator: mailbox.send,
      observe,
      fail: (error) => setting.ledger.violate('M', null, `${this.name}: ${String(error)}`),
    })
    this.#running = interpret({
      machine: coordinator,
      start: startCoordinator({ ...setting.lease, workerId, initialPosition: setting.shard.initialPosition, seed: seedOf(workerId) }),
      handlers: { ...handlers, ...this.#leases.handlers },
      observe: (step) => {
        observe({ machine: 'coordinator', step })
        if (step.event !== null && 'id' in step.event) this.#repeat(step.event)
      },
    })
    mailbox.open(this.#running)
    const end = (failure: unknown): void => {
      if (!this.alive) return
      this.#close()
      ended(this, failure)
    }
    this.#running.done.then(
      ({ failure }) => end(failure),
      (error: unknown) => {
        setting.ledger.violate('M', null, `${this.name}: the coordinator broke its contract: ${String(error)}`)
        end(error)
      },
    )
  }

  /** Its monotonic clock in ms, which goes a little faster or slower than the world's. */
  clock(): number {
    return this.#clockAheadMs + this.#setting.around.time.nowMs * this.rate
  }

  /** The leases it keeps. */
  get kept(): readonly string[] {
    return this.#running.snapshot.kept
  }

  /** Ends it as a kill does: what it has sent arrives all the same. */
  crash(): void {
    this.#close()
  }

  stop(): void {
    this.stopping = true
    this.#running.send({ type: 'stop', force: false })
  }

  /** Lets nothing happen in it for a while; its clock goes on, or stands still as in a machine that is suspended. */
  pause(forMs: number, clockStops: boolean): void {
    const { time } = this.#setting.around
    this.pausedUntilMs = time.nowMs + forMs
    if (clockStops) this.#clockAheadMs -= forMs * this.rate
    this.resumedMs = this.#clockAheadMs + this.pausedUntilMs * this.rate
  }

  #close(): void {
    this.alive = false
    this.#leases.close()
    this.#running.close()
  }

  /** Now and then an answer comes twice. */
  #repeat(event: CoordinatorEvent): void {
    const { around } = this.#setting
    if (around.calm || !this.#dice.chance(around.faults.answerRepeated)) return
    around.injected['answerRepeated'] = (around.injected['answerRepeated'] ?? 0) + 1
    around.time.at(around.time.nowMs + this.#dice.between(0, 100), this, () => this.#running.send(event))
  }

  /** The user's processor, with account kept of what it is handed. */
  #watched(shardId: string): RecordProcessor {
    const { ledger, around, makeProcessor } = this.#setting
    const { time } = around
    this.#processors += 1
    const dice = diceOf(around.seed, `processor ${this.name} ${shardId} ${this.#processors}`)
    const given = makeProcessor(shardId, {
      workerId: this.workerId,
      random: dice.next,
      nowMs: () => this.clock(),
      sleep: (delayMs) =>
        new Promise((resolve) => {
          time.at(time.nowMs + delayMs, this, () => {
            time.touch()
            resolve()
          })
        }),
    })
    const processor = adaptRecordProcessor(given)
    let tenure: ReturnType<Ledger['processorStarted']> | undefined
    const touching = async (callback: () => void | Promise<void>): Promise<void> => {
      time.touch()
      try {
        await callback()
      } finally {
        time.touch()
      }
    }
    return {
      shutdownOnce: processor.shutdownOnce,
      initialize: (input) =>
        touching(() => {
          tenure = ledger.processorStarted(this, shardId, input.extendedSequenceNumber)
          return processor.initialize(input)
        }),
      processRecords: (input) =>
        touching(async () => {
          const of = tenure
          if (of === undefined) throw new Error(`${shardId}: processRecords came before initialize`)
          const end = ledger.batchHanded(
            of,
            input.records.map(({ sequenceNumber }) => sequenceNumber),
          )
          await processor.processRecords(input)
          of.completed = end
        }),
      leaseLost: (input) => touching(() => processor.leaseLost(input)),
      shardEnded: (input) => touching(() => processor.shardEnded(input)),
      ...(processor.shutdownRequested === undefined
        ? {}
        : { shutdownRequested: (input) => touching(() => processor.shutdownRequested?.(input)) }),
    }
  }
}
