import {
  type ConsumerHost,
  type EffectOf,
  type ExtendedSequenceNumber,
  type Interpreter,
  interpret,
  type LeaseHost,
  type LeaseStore,
  type LeaseTable,
  type Outcome,
  type Processor,
  type RecordSource,
  type StreamDirectory,
  type Timers,
} from '@shardwise/effects'
import type { CoordinatorEvent } from './coordinatorState.ts'
import { type LeaseKeeperEvent, leaseKeeper, startLeaseKeeper } from './leaseKeeper.ts'
import { createMailbox } from './mailbox.ts'
import type { Observer } from './observation.ts'
import {
  type CheckpointRequestedEvent,
  known,
  type PauseEvent,
  type ShardConsumerContext,
  type ShardEvent,
} from './shardConsumerContext.ts'
import type { ShardConsumerEngine, ShardConsumerSnapshot } from './shardConsumerEngine.ts'
import type { ShardConsumerOptions } from './shardConsumerOptions.ts'

export { createMailbox, type Mailbox } from './mailbox.ts'
export type { Observation, Observer } from './observation.ts'

/** What all machines of a worker share of the effect table. */
export type SharedHandlers = LeaseStore & LeaseTable & RecordSource & StreamDirectory & Timers

/** The record processor of one shard consumer, behind its side of the effect table. */
export interface HostedProcessor {
  readonly handlers: Processor
  /** Whether a second callback at the end of the shard breaks a promise of the processor. */
  readonly shutdownOnce?: boolean | undefined
  /** Whether it takes dead letters. */
  readonly deadLetter?: boolean | undefined
  /** Says that the consumer has ended. */
  close(): void
}

/** What a lease host is made of. */
export interface LeaseHostOptions {
  readonly handlers: SharedHandlers
  readonly workerId: string
  readonly failoverTimeMillis: number
  /** How long a record processor may take to come to an end, once its lease is to be given up; 30 s unless given. */
  readonly gracefulLeaseHandoffTimeoutMillis?: number
  readonly engine: ShardConsumerEngine
  readonly shardOptions: Partial<ShardConsumerOptions>
  /**
   * Makes the processor of a consumer that starts; `send` is how it asks for checkpoints, and pauses and resumes its shard. What it throws ends the worker.
   */
  readonly hostProcessor: (shardId: string, send: (event: CheckpointRequestedEvent | PauseEvent) => void) => HostedProcessor
  readonly tellCoordinator: (event: CoordinatorEvent) => void
  readonly observe: Observer
  /** Hears what is to end the worker: in order, where the error policy says so, or with `force`, where a machine ended against its contract. */
  readonly fail: (error: unknown, force: boolean) => void
}

/** Runs a lease keeper per held lease, and a shard consumer for each of them. */
export interface RunningLeases {
  readonly handlers: LeaseHost
  /** The leases that are kept, by their keys. */
  readonly leaseKeys: readonly string[]
  /** Pauses or resumes the shard of a lease, until the lease is gone: also its later consumers. A lease that is not kept is ignored. */
  tell(leaseKey: string, event: PauseEvent): void
  /** Stops every machine at once, as a crash would. */
  close(): void
}

type ConsumerMachine = Interpreter<ShardConsumerSnapshot, ShardEvent>

/** The host of one worker's leases. */
export function hostLeases(options: LeaseHostOptions): RunningLeases {
  const keepers = new Map<string, KeptLease>()
  return {
    handlers: {
      keepLease(effect) {
        const kept = keepLease(options, effect)
        keepers.set(effect.leaseKey, kept)
        const tellGone = (end: LeaseEnd): void => {
          keepers.delete(effect.leaseKey)
          options.tellCoordinator({ type: 'leaseGone', leaseKey: effect.leaseKey, ...end })
        }
        kept.gone.then(tellGone, (error: unknown) => {
          // Nothing renews the lease any more, so nothing may be consumed in its name.
          kept.close()
          options.fail(error, true)
          tellGone({ outcome: null, workerIdShared: false })
        })
      },
      stopKeeping: ({ leaseKey, force }) => keepers.get(leaseKey)?.send({ type: 'stop', force }),
      loseLease: ({ leaseKey }) => keepers.get(leaseKey)?.send({ type: 'leaseLost' }),
      handOverLease: ({ leaseKey, nextOwner }) => keepers.get(leaseKey)?.send({ type: 'handoffAsked', nextOwner }),
    },
    get leaseKeys() {
      return [...keepers.keys()]
    },
    tell: (leaseKey, event) => keepers.get(leaseKey)?.tellConsumer(event),
    close() {
      for (const kept of keepers.values()) kept.close()
      keepers.clear()
    },
  }
}

/** How the last shard consumer of a lease ended, and whether another process has the id of this worker. */
interface LeaseEnd {
  readonly outcome: Outcome | null
  readonly workerIdShared: boolean
}

interface KeptLease {
  send(event: LeaseKeeperEvent): void
  tellConsumer(event: PauseEvent): void
  close(): void
  readonly gone: Promise<LeaseEnd>
}

function keepLease(options: LeaseHostOptions, effect: EffectOf<'keepLease'>): KeptLease {
  const { handlers, workerId, failoverTimeMillis, gracefulLeaseHandoffTimeoutMillis = 30_000, observe } = options
  const { leaseKey, token, shardId, parentShardIds, acquiredMs, renews } = effect
  const mailbox = createMailbox<LeaseKeeperEvent>()
  const consumers = hostConsumer(options, mailbox.send)
  const keeper = interpret({
    machine: leaseKeeper,
    start: startLeaseKeeper({
      leaseKey,
      token,
      shardId,
      parentShardIds,
      acquiredMs,
      renews,
      failoverTimeMillis,
      gracefulLeaseHandoffTimeoutMillis,
      seed: seedOf(workerId + leaseKey),
    }),
    handlers: withOwn(handlers, consumers.handlers),
    observe: (step) => observe({ machine: 'leaseKeeper', leaseKey, step }),
  })
  mailbox.open(keeper)
  return {
    send: (event) => keeper.send(event),
    tellConsumer: consumers.tell,
    close() {
      consumers.close()
      keeper.close()
    },
    gone: keeper.done.then(({ outcome, workerIdShared }) => ({ outcome, workerIdShared })),
  }
}

/** Runs the shard consumers of one lease, one after another. */
function hostConsumer(
  options: LeaseHostOptions,
  tellKeeper: (event: LeaseKeeperEvent) => void,
): { handlers: ConsumerHost; tell(event: PauseEvent): void; close(): void } {
  let running: ConsumerMachine | undefined
  let closeRunning = (): void => undefined
  let isPausedFromOutside = false
  let lastTold: PauseEvent | undefined
  const tell = (event: PauseEvent): void => {
    lastTold = event
    running?.send(event)
  }
  /** What a processor asks for does not end a pause from outside, and adds nothing to it. */
  const tellFromInside = (event: PauseEvent): void => {
    if (!isPausedFromOutside) tell(event)
  }
  return {
    tell(event) {
      isPausedFromOutside = event.type === 'pause'
      tell(event)
    },
    handlers: {
      startConsumer(effect) {
        try {
          const started = startConsumer(options, effect, tellKeeper, tellFromInside)
          running = started.consumer
          closeRunning = started.close
          // A pause outlasts the consumer that heard of it.
          if (lastTold?.type === 'pause') running.send(lastTold)
        } catch (error) {
          // The user's factory threw, or made something that is not a processor: the worker ends, and the lease is released first.
          options.fail(error, true)
          tellKeeper({ type: 'consumerEnded', outcome: 'stopped', openedAtMs: null })
        }
      },
      shutDownConsumer: ({ reason }) => running?.send({ type: 'shutdown', reason }),
    },
    close: () => closeRunning(),
  }
}

function startConsumer(
  options: LeaseHostOptions,
  effect: EffectOf<'startConsumer'>,
  tellKeeper: (event: LeaseKeeperEvent) => void,
  tellConsumer: (event: PauseEvent) => void,
): { consumer: ConsumerMachine; close(): void } {
  const { handlers, engine, shardOptions, observe, workerId } = options
  const { leaseKey, token, shardId, parentShardIds, openedAtMs } = effect
  const mailbox = createMailbox<ShardEvent>()
  const processor = options.hostProcessor(shardId, (event) => {
    if (event.type === 'checkpointRequested') mailbox.send(event)
    else tellConsumer(event)
  })
  const consumer = interpret({
    machine: engine,
    start: engine.start({
      shardId,
      leaseKey,
      token,
      parentShardIds,
      openedAtMs,
      seed: seedOf(workerId + shardId),
      options: optionsFor(processor, shardOptions),
    }),
    handlers: withOwn(handlers, {
      ...processor.handlers,
      signalShutdownNotificationComplete: () => tellKeeper({ type: 'consumerNotified' }),
      signalLeaseLost: () => tellKeeper({ type: 'consumerLostLease' }),
      signalShutdownComplete: () => undefined,
    }),
    observe: (step) => observe({ machine: 'shardConsumer', shardId, step }),
  })
  mailbox.open(consumer)
  const close = (): void => {
    consumer.close()
    processor.close()
  }
  consumer.done.then(
    ({ context }) => {
      close()
      if (context.outcome === 'failed') options.fail(deliveryFailure(context), false)
      tellKeeper({ type: 'consumerEnded', outcome: known(context, 'outcome'), openedAtMs: context.openedAtMs })
    },
    (error: unknown) => {
      close()
      options.fail(error, true)
      tellKeeper({ type: 'consumerEnded', outcome: 'stopped', openedAtMs: null })
    },
  )
  return { consumer, close }
}

/** The options of a consumer, changed where its processor asks for it; the very object otherwise, for it was checked. */
function optionsFor({ shutdownOnce, deadLetter }: HostedProcessor, options: Partial<ShardConsumerOptions>): Partial<ShardConsumerOptions> {
  const adds = deadLetter === true && options.deadLetter !== true
  if (shutdownOnce !== true && !adds) return options
  return {
    ...options,
    ...(shutdownOnce === true ? { missedShardEndCheckpoint: 'replay' } : {}),
    ...(adds ? { deadLetter } : {}),
  }
}

/** What the worker fails with when the error policy says that it should. */
function deliveryFailure(context: ShardConsumerContext): Error {
  const place = (at: ExtendedSequenceNumber | null): string => (at === null ? 'nothing' : `${at.sequenceNumber}/${at.subSequenceNumber}`)
  const { first, last, attempts, error } = known(context, 'gaveUp')
  const what = `${context.shardId}: the records from ${place(first)} to ${place(last)} failed in attempt ${attempts}`
  return Object.assign(new Error(`${what} with ${error.name}: ${error.message}`), { name: 'DeliveryFailedError' })
}

/** An object with the members of both: `shared` is its prototype, not a copy of two dozen functions for every shard. */
function withOwn<Shared extends object, Own extends object>(shared: Shared, own: Own): Shared & Own {
  return Object.assign(Object.create(shared) as Shared, own)
}

/** A number that depends on the text alone, for jitter that differs among workers and shards. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5
  for (const character of text) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193)
  return hash >>> 0
}
