import { dynamoDbLeaseTable } from '@shardwise/dynamodb'
import { createBatchStore, interpret, shown } from '@shardwise/effects'
import { createDropReporter, type DroppedRecordsOfShard, fanOutRecordSource, kinesisRecordSource } from '@shardwise/kinesis'
import { type CoordinatorEvent, coordinator, startCoordinator } from '@shardwise/machine'
import { createMailbox, hostLeases, type Observer, type RunningLeases, seedOf } from '@shardwise/machine/host'
import { adaptRecordProcessor } from '@shardwise/processor'
import { checkAwsClients, createAwsClients } from './awsClients.ts'
import { watchEventLoop } from './eventLoopWatch.ts'
import { type HealthRecord, recordHealth, type WorkerHealth } from './health.ts'
import { logObservations } from './logger.ts'
import { type Adapters, processorsOf } from './processors.ts'
import { watchForStuck } from './stuckWatch.ts'
import { timers } from './timers.ts'
import { type ParsedWorkerOptions, parseWorkerOptions, type WorkerOptions } from './workerOptions.ts'

/** Consumes a stream: gives every shard a lease, takes the leases it can, and runs a shard consumer on each. */
export class Worker {
  /** The name under which this worker holds leases. */
  readonly workerId: string
  readonly #options: ParsedWorkerOptions
  readonly #health: HealthRecord
  #leases: RunningLeases | undefined
  #send: ((event: CoordinatorEvent) => void) | undefined
  #stopAsked: { force: boolean } | undefined
  #running: Promise<void> | undefined

  /** @throws Error naming the option that is unknown, missing or wrong. Nothing is started. */
  constructor(options: WorkerOptions) {
    this.#options = parseWorkerOptions(options)
    this.workerId = this.#options.workerId
    this.#health = recordHealth({
      workerId: this.workerId,
      stuckAfterMillis: this.#options.stuckAfterMillis,
      nowMs: () => performance.now(),
    })
  }

  /**
   * Consumes until `stop` is called, `signal` fires, or something fails for good. Resolves when every record processor was told, every lease released and
   * nothing is left running; rejects with what failed, after the same.
   */
  run({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    if (this.#running !== undefined) throw new Error('run: this worker has been run already; expected a new Worker for every run')
    const stop = (): void => this.#stop(false)
    if (signal?.aborted === true) stop()
    signal?.addEventListener('abort', stop, { once: true })
    this.#running = this.#run().finally(() => signal?.removeEventListener('abort', stop))
    return this.#running
  }

  /**
   * Stops in order: record processors may checkpoint in `shutdownRequested`, then their leases are released. With `force` leases are released at once. Resolves
   * when the run has ended, whether it failed or not.
   */
  async stop({ force = false }: { force?: boolean } = {}): Promise<void> {
    this.#stop(force)
    await this.#running?.catch(() => undefined)
  }

  /** How this worker and its shards fare now: for probes, dashboards and alarms. */
  health(): WorkerHealth {
    return this.#health.health()
  }

  /**
   * Has no further batch of a shard handed to its record processor, until `resume`, or until the lease leaves this worker: a later owner begins unpaused. A
   * call that is under way ends as it will; the lease is kept, and one batch at most is held. @throws Error for a shard whose lease this worker does not hold.
   */
  pause(shardId: string): void {
    this.#tell(shardId, 'pause')
  }

  /** Ends a pause, whoever asked for it; the batch that is held comes first. @throws Error for a shard whose lease this worker does not hold. */
  resume(shardId: string): void {
    this.#tell(shardId, 'resume')
  }

  #tell(shardId: string, type: 'pause' | 'resume'): void {
    const held = this.#leases?.leaseKeys ?? []
    if (!held.includes(shardId)) {
      throw new Error(
        `shardId: expected a shard that this worker holds (${held.join(', ') || 'now none'}) to ${type}, got ${shown(shardId)}`,
      )
    }
    this.#leases?.tell(shardId, { type })
  }

  #stop(force: boolean): void {
    this.#stopAsked = { force: force || this.#stopAsked?.force === true }
    this.#send?.({ type: 'stop', force })
  }

  async #run(): Promise<void> {
    const { adapters, release } = await connect(this.#options)
    const { given, lease } = this.#options
    const unwatch = given.logger === undefined ? () => undefined : watchEventLoop(lease.failoverTimeMillis, given.logger)
    try {
      await this.#coordinate(adapters)
    } finally {
      unwatch()
      release()
    }
  }

  async #coordinate(adapters: Adapters): Promise<void> {
    const { given, workerId, lease, shard, engine } = this.#options
    const observe = observerOf(this.#options, this.#health)
    const mailbox = createMailbox<CoordinatorEvent>()
    const failures: unknown[] = []
    const handlers = { ...adapters.leases, ...adapters.source, ...timers }
    const fail = (error: unknown, force = true): void => {
      failures.push(error)
      mailbox.send({ type: 'stop', force })
    }
    const leases = hostLeases({
      handlers,
      workerId,
      failoverTimeMillis: lease.failoverTimeMillis,
      gracefulLeaseHandoffTimeoutMillis: lease.gracefulLeaseHandoffTimeoutMillis,
      engine,
      shardOptions: shard,
      hostProcessor: processorsOf(
        (shardId) => {
          const processor = given.processor(shardId)
          // A factory in JavaScript may give nothing at all.
          return processor?.version === 'hosted'
            ? processor
            : adaptRecordProcessor(processor, given.logger === undefined ? {} : { logger: given.logger })
        },
        adapters.batches,
        { limitsDeliveries: shard.maxDeliveryAttempts !== null || shard.maxDeliveryAgeMillis !== null, deadLetter: given.deadLetter },
      ),
      tellCoordinator: mailbox.send,
      observe,
      fail,
    })
    const { initialPosition } = shard
    const running = interpret({
      machine: coordinator,
      start: startCoordinator({ ...lease, workerId, initialPosition, seed: seedOf(workerId) }),
      handlers: { ...handlers, ...leases.handlers },
      observe: (step) => observe({ machine: 'coordinator', step }),
    })
    mailbox.open(running)
    this.#send = mailbox.send
    this.#leases = leases
    if (this.#stopAsked !== undefined) running.send({ type: 'stop', ...this.#stopAsked })
    const watch = watchForStuck({ health: this.#health, stuckAfterMillis: this.#options.stuckAfterMillis, given, fail })
    try {
      const { failure } = await running.done
      if (failures.length > 0) throw failures[0]
      if (failure !== null) throw Object.assign(new Error(failure.message), { name: failure.name })
    } finally {
      this.#send = undefined
      this.#leases = undefined
      watch.end()
      leases.close()
    }
  }
}

function observerOf({ given }: ParsedWorkerOptions, health: HealthRecord): Observer {
  const observers = [
    health.observe,
    ...(given.logger === undefined ? [] : [logObservations(given.logger)]),
    ...(given.observe === undefined ? [] : [given.observe]),
  ]
  return (observation) => {
    for (const observer of observers) observer(observation)
  }
}

/** Both the logger and the user hear of dropped records; with neither, the source warns of the first. */
function dropListenerOf({ logger, onDroppedRecords }: WorkerOptions): ((dropped: DroppedRecordsOfShard) => void) | undefined {
  if (logger === undefined) return onDroppedRecords
  const report = createDropReporter(logger)
  return (dropped) => {
    report(dropped)
    onDroppedRecords?.(dropped)
  }
}

/** Plugs the machines into Kinesis and DynamoDB, or into what the user gave. `release` ends what was made here. */
async function connect({ given, consumer }: ParsedWorkerOptions): Promise<{ adapters: Adapters; release(): void }> {
  if (given.adapters !== undefined) return { adapters: given.adapters, release: () => undefined }
  const made = createAwsClients(given)
  const kinesis = given.kinesis ?? made.kinesis
  const dynamodb = given.dynamodb ?? made.dynamodb
  const release = (): void => {
    made.kinesis.destroy()
    made.dynamodb.destroy()
  }
  try {
    await checkAwsClients([kinesis, dynamodb])
    const { streamName, streamArn, applicationName, tableName = applicationName, createTable = true, onThrottle, deaggregate } = given
    const batches = createBatchStore()
    const stream = streamName === undefined ? { arn: streamArn ?? '' } : { name: streamName }
    const reading = { client: kinesis, stream, batches, onThrottle, deaggregate, onDroppedRecords: dropListenerOf(given) }
    const source = consumer === null ? kinesisRecordSource(reading) : fanOutRecordSource({ ...reading, ...consumer })
    const leases = dynamoDbLeaseTable({ client: dynamodb, tableName, createTable })
    return { adapters: { leases, source, batches }, release }
  } catch (error) {
    release()
    throw error
  }
}
