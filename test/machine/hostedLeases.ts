import {
  type AnswerBody,
  type AnsweredEffectType,
  type BatchHandle,
  type Effect,
  type EffectOf,
  effectTable,
  type HandlerContext,
  isAnswered,
  type Port,
} from '@shardwise/effects'
import type { CoordinatorEvent, ShardConsumerOptions } from '@shardwise/machine'
import { shardConsumer } from '@shardwise/machine/compiled'
import { type HostedProcessor, hostLeases, type LeaseHostOptions, type Observation, type RunningLeases } from '@shardwise/machine/host'
import { record } from '../scenarios/story.ts'

type Scripted = { readonly [K in AnsweredEffectType]?: AnswerBody<K> | (() => AnswerBody<K>) }
type Keep = Omit<EffectOf<'keepLease'>, 'type'>
type ProcessorEvent = Parameters<Parameters<LeaseHostOptions['hostProcessor']>[1]>[0]

/** What is said at once to effects that a test does not care for; all others wait for `answer`. */
const usual: Scripted = {
  checkParentShards: { type: 'parentShardsCompleted' },
  readCheckpoint: {
    type: 'checkpointRead',
    checkpoint: { sequenceNumber: 'TRIM_HORIZON', subSequenceNumber: 0 },
    pendingCheckpoint: null,
  },
  openShard: { type: 'shardOpened', openedAtMs: 1_700_000_000_000 },
  initialize: { type: 'initialized' },
  notifyShutdownRequested: { type: 'shutdownRequestedNotified' },
  notifyLeaseLost: { type: 'leaseLostNotified' },
  closeShard: { type: 'shardClosed' },
  releaseLease: { type: 'leaseReleased' },
}

/** The lease that is kept unless a test says otherwise. */
export const aLease: Keep = {
  leaseKey: 'shardId-000000000001',
  token: 7,
  shardId: 'shardId-000000000001',
  parentShardIds: ['shardId-000000000000'],
  acquiredMs: 0,
  renews: true,
}

/** What a hosted processor is made of beside its callbacks. */
export type ProcessorFacts = Pick<HostedProcessor, 'shutdownOnce' | 'deadLetter'>

/** A host of leases under test, amid ports that note what they are asked. */
export interface LeaseHostUnderTest {
  readonly leases: RunningLeases
  /** Everything the ports were asked, in order. */
  readonly asked: readonly Effect[]
  /** The effects that were aborted before they were answered, by type. */
  readonly aborted: readonly string[]
  readonly observed: readonly Observation[]
  readonly failures: readonly { readonly error: unknown; readonly force: boolean }[]
  readonly told: readonly CoordinatorEvent[]
  /** The processors that were made: for which shard, and whether they were closed since. */
  readonly processors: readonly { readonly shardId: string; readonly closed: boolean; readonly send: (event: ProcessorEvent) => void }[]
  /** The effects of a type that the ports were asked. */
  all<K extends Effect['type']>(type: K): readonly EffectOf<K>[]
  keep(lease?: Partial<Keep>): void
  /** Answers the oldest effect of the type that waits, and lets what follows come about. @throws Error when none waits. */
  answer<K extends AnsweredEffectType>(type: K, body: AnswerBody<K>): Promise<void>
}

/** Lets every promise settle that can. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
}

/** A host of leases; `script` is what the ports say at once, beside the usual, and `processor` gives the facts of a processor or throws. */
export function aLeaseHost({
  script = {},
  processor = () => ({}),
  shardOptions = {},
  ...options
}: Partial<Pick<LeaseHostOptions, 'workerId' | 'failoverTimeMillis' | 'gracefulLeaseHandoffTimeoutMillis'>> & {
  readonly script?: Scripted
  readonly processor?: (shardId: string, send: (event: ProcessorEvent) => void) => ProcessorFacts
  readonly shardOptions?: Partial<ShardConsumerOptions>
} = {}): LeaseHostUnderTest {
  const asked: Effect[] = []
  const aborted: string[] = []
  const observed: Observation[] = []
  const failures: { error: unknown; force: boolean }[] = []
  const told: CoordinatorEvent[] = []
  const processors: { shardId: string; closed: boolean; send: (event: ProcessorEvent) => void }[] = []
  const waiting: { readonly effect: Effect; readonly resolve: (body: unknown) => void }[] = []
  const said: Readonly<Record<string, unknown>> = { ...usual, ...script }

  const handle = (effect: Effect, context: HandlerContext): unknown => {
    asked.push(effect)
    if (!isAnswered(effect.type)) return undefined
    const body = said[effect.type]
    if (typeof body === 'function') return (body as () => unknown)()
    if (body !== undefined) return body
    return new Promise((resolve) => {
      waiting.push({ effect, resolve })
      context.onAbort(() => void aborted.push(effect.type))
    })
  }
  const portsOf = (...ports: readonly Port[]): object =>
    Object.fromEntries(Object.entries(effectTable).flatMap(([type, { port }]) => (ports.includes(port) ? [[type, handle]] : [])))

  const leases = hostLeases({
    handlers: portsOf('leaseStore', 'leaseTable', 'recordSource', 'streamDirectory', 'timers') as LeaseHostOptions['handlers'],
    workerId: 'worker-a',
    failoverTimeMillis: 6_000,
    engine: shardConsumer,
    shardOptions,
    hostProcessor(shardId, send) {
      const facts = processor(shardId, send)
      const made = { shardId, closed: false, send }
      processors.push(made)
      return {
        ...facts,
        handlers: portsOf('processor') as HostedProcessor['handlers'],
        close() {
          made.closed = true
        },
      }
    },
    tellCoordinator: (event) => void told.push(event),
    observe: (observation) => void observed.push(observation),
    fail: (error, force) => void failures.push({ error, force }),
    ...options,
  })
  return {
    leases,
    asked,
    aborted,
    observed,
    failures,
    told,
    processors,
    all: <K extends Effect['type']>(type: K) =>
      asked.filter((effect): effect is Extract<Effect, { type: K }> & EffectOf<K> => effect.type === type),
    keep: (lease = {}) => leases.handlers.keepLease({ type: 'keepLease', ...aLease, ...lease }),
    async answer(type, body) {
      const at = waiting.findIndex(({ effect }) => effect.type === type)
      const [found] = at < 0 ? [] : waiting.splice(at, 1)
      if (found === undefined) {
        const types = waiting.map(({ effect }) => effect.type).join(' and ') || 'nothing'
        throw new Error(`answer: expected ${type} to wait, got ${types}`)
      }
      found.resolve(body)
      await settle()
    },
  }
}

/** Delivers a batch to the record processor, which is gone by then: another consumer is started. */
export async function startAnew(host: LeaseHostUnderTest): Promise<void> {
  await host.answer('readRecords', someRecords(1, 3))
  await host.answer('processRecords', { type: 'processorGone' })
  await host.answer('startTimer', { type: 'timerFired', nowMs: 0 })
}

/** A read of the records of a shard from one number to another; `facts` of its batch may be others. */
export const someRecords = (first: number, last: number, facts: Partial<BatchHandle> = {}): AnswerBody<'readRecords'> => ({
  type: 'recordsRead',
  batch: {
    batchId: `b${first}`,
    count: last - first + 1,
    first: record(first),
    last: record(last),
    bytes: 100,
    millisBehindLatest: 5_000,
    atShardEnd: false,
    childShards: [],
    ...facts,
  },
})
