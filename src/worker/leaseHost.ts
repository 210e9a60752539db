import {
  type BatchStore,
  type ConsumerHost,
  type EffectOf,
  type Interpreter,
  interpret,
  type LeaseHost,
  type LeaseStore,
  type LeaseTable,
  type Outcome,
  type RecordSource,
  type StreamDirectory,
  type Timers,
} from '@shardwise/effects'
import {
  type CoordinatorEvent,
  type LeaseKeeperEvent,
  leaseKeeper,
  type ShardConsumerEngine,
  type ShardConsumerOptions,
  type ShardConsumerSnapshot,
  type ShardEvent,
  startLeaseKeeper,
} from '@shardwise/machine'
import { hostRecordProcessor, type RecordProcessor, type RecordProcessorHost, type RecordProcessorHostOptions } from '@shardwise/processor'
import { createMailbox } from './mailbox.ts'
import type { Observer } from './observation.ts'
import { timers } from './timers.ts'

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

/** What a lease host is made of. */
export interface LeaseHostOptions extends Adapters {
  readonly workerId: string
  readonly failoverTimeMillis: number
  readonly engine: ShardConsumerEngine
  readonly shardOptions: Partial<ShardConsumerOptions>
  readonly makeProcessor: (shardId: string) => RecordProcessor | SelfHostedProcessor
  readonly tellCoordinator: (event: CoordinatorEvent) => void
  readonly observe: Observer
  /** Hears what ends a machine against its contract. */
  readonly fail: (error: unknown) => void
}

/** Runs a lease keeper per held lease, and a shard consumer for each of them. */
export interface RunningLeases {
  readonly handlers: LeaseHost
  /** Stops every machine at once, as a crash would. */
  close(): void
}

type ConsumerMachine = Interpreter<ShardConsumerSnapshot, ShardEvent>

/** The host of one worker's leases. */
export function hostLeases(given: LeaseHostOptions): RunningLeases {
  const options = { ...given, shared: { ...given.leases, ...given.source, ...timers } }
  const keepers = new Map<string, KeptLease>()
  return {
    handlers: {
      keepLease(effect) {
        const kept = keepLease(options, effect)
        keepers.set(effect.leaseKey, kept)
        const tellGone = (outcome: Outcome | null): void => {
          keepers.delete(effect.leaseKey)
          options.tellCoordinator({ type: 'leaseGone', leaseKey: effect.leaseKey, outcome })
        }
        kept.gone.then(tellGone, (error: unknown) => {
          // Nothing renews the lease any more, so nothing may be consumed in its name.
          kept.close()
          options.fail(error)
          tellGone(null)
        })
      },
      stopKeeping: ({ leaseKey, force }) => keepers.get(leaseKey)?.send({ type: 'stop', force }),
    },
    close() {
      for (const kept of keepers.values()) kept.close()
      keepers.clear()
    },
  }
}

/** The options, and the handlers that all consumers of the worker share. */
interface Hosting extends LeaseHostOptions {
  readonly shared: LeaseStore & LeaseTable & RecordSource & StreamDirectory & Timers
}

interface KeptLease {
  send(event: LeaseKeeperEvent): void
  close(): void
  /** Resolves with how the last shard consumer ended. */
  readonly gone: Promise<Outcome | null>
}

function keepLease(options: Hosting, effect: EffectOf<'keepLease'>): KeptLease {
  const { shared, workerId, failoverTimeMillis, observe } = options
  const { leaseKey, token, shardId, parentShardIds, acquiredMs } = effect
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
      failoverTimeMillis,
      seed: seedOf(workerId + leaseKey),
    }),
    handlers: withOwn(shared, consumers.handlers),
    observe: (step) => observe({ machine: 'leaseKeeper', leaseKey, step }),
  })
  mailbox.open(keeper)
  return {
    send: (event) => keeper.send(event),
    close() {
      consumers.close()
      keeper.close()
    },
    gone: keeper.done.then(({ outcome }) => outcome),
  }
}

/** Runs the shard consumers of one lease, one after another. */
function hostConsumer(options: Hosting, tellKeeper: (event: LeaseKeeperEvent) => void): { handlers: ConsumerHost; close(): void } {
  let running: ConsumerMachine | undefined
  let closeRunning = (): void => undefined
  return {
    handlers: {
      startConsumer(effect) {
        try {
          const started = startConsumer(options, effect, tellKeeper)
          running = started.consumer
          closeRunning = started.close
        } catch (error) {
          // The user's factory threw, or made something that is not a processor: the worker ends, and the lease is released first.
          options.fail(error)
          tellKeeper({ type: 'consumerEnded', outcome: 'stopped', openedAtMs: null })
        }
      },
      shutDownConsumer: ({ reason }) => running?.send({ type: 'shutdown', reason }),
    },
    close: () => closeRunning(),
  }
}

function startConsumer(
  options: Hosting,
  effect: EffectOf<'startConsumer'>,
  tellKeeper: (event: LeaseKeeperEvent) => void,
): { consumer: ConsumerMachine; close(): void } {
  const { shared, batches, engine, shardOptions, observe, workerId } = options
  const { leaseKey, token, shardId, parentShardIds, openedAtMs } = effect
  const processor = options.makeProcessor(shardId)
  const mailbox = createMailbox<ShardEvent>()
  const itsConsumer = { shardId, batches, send: mailbox.send }
  const host = processor.version === 'hosted' ? processor.host(itsConsumer) : hostRecordProcessor({ processor, ...itsConsumer })
  const consumer = interpret({
    machine: engine,
    start: engine.start({
      shardId,
      leaseKey,
      token,
      parentShardIds,
      openedAtMs,
      seed: seedOf(workerId + shardId),
      options: processor.shutdownOnce === true ? { ...shardOptions, missedShardEndCheckpoint: 'replay' } : shardOptions,
    }),
    handlers: withOwn(shared, {
      ...host.handlers,
      signalShutdownNotificationComplete: () => tellKeeper({ type: 'consumerNotified' }),
      signalLeaseLost: () => tellKeeper({ type: 'consumerLostLease' }),
      signalShutdownComplete: () => undefined,
    }),
    observe: (step) => observe({ machine: 'shardConsumer', shardId, step }),
  })
  mailbox.open(consumer)
  const close = (): void => {
    consumer.close()
    host.close()
  }
  consumer.done.then(
    ({ context }) => {
      close()
      tellKeeper({ type: 'consumerEnded', outcome: context.outcome ?? 'stopped', openedAtMs: context.openedAtMs })
    },
    (error: unknown) => {
      close()
      options.fail(error)
      tellKeeper({ type: 'consumerEnded', outcome: 'stopped', openedAtMs: null })
    },
  )
  return { consumer, close }
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
