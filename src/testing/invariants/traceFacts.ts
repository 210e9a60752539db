import {
  type AnsweredEffectType,
  type BatchHandle,
  type ExtendedSequenceNumber,
  effectTable,
  isAnswered,
  isShardEnd,
  rankOf,
} from '@shardwise/effects'
import type { ShardConsumerSnapshot, ShardEffect, ShardEvent } from '@shardwise/machine'
import type { Trace, TraceStep } from '../trace.ts'
import { Deliveries } from './deliveries.ts'
import { above, isRecord } from './places.ts'
import { expectSteps, expectWhole } from './wholeTrace.ts'

/** An effect with an answer to come. */
type AwaitedEffect = Extract<ShardEffect, { readonly type: AnsweredEffectType }>

/** A step, and what can be told of it from the steps up to it. */
export interface ToldStep extends TraceStep {
  readonly index: number
  /** What the event answers, when that is awaited. */
  readonly answered: AwaitedEffect | null
  /** The effects that the step asks for and whose answers are awaited from then on. */
  readonly asked: readonly AwaitedEffect[]
  /** The greatest record that was handed over. */
  readonly delivered: ExtendedSequenceNumber | null
  /** The last record of the last batch that was processed. */
  readonly completed: ExtendedSequenceNumber | null
  /** The batch that the processor has once the event is counted in: it was handed over, and is not answered. */
  readonly inProcess: BatchHandle | null
  /** The greatest record that the store is known to have, by what it said. */
  readonly kept: ExtendedSequenceNumber | null
  /** The last record of the greatest batch of which nothing is left to deliver: it was processed, or stored to its end while it was held. */
  readonly done: ExtendedSequenceNumber | null
}

/** A step that an event led to. */
export type EventStep = ToldStep & { readonly event: ShardEvent; readonly before: ShardConsumerSnapshot }

/** A trace as the invariants read it; each list is in the order of the steps. */
export interface TraceFacts {
  readonly trace: Trace
  readonly steps: readonly ToldStep[]
  readonly events: readonly EventStep[]
  readonly last: ShardConsumerSnapshot
  /** Every callback of the processor that was started, and every one that was answered. */
  readonly callbacks: readonly { readonly step: ToldStep; readonly effect: AwaitedEffect }[]
  readonly callbackAnswers: readonly { readonly step: EventStep; readonly effect: AwaitedEffect }[]
  /** The callbacks that were answered, one letter each: I, P, Q (a dead letter), S, E and L went well, i and the like did not. */
  readonly grammar: string
  /** Every checkpoint that was sent to the store, and every one that was stored. */
  readonly writes: readonly { readonly step: ToldStep; readonly checkpoint: ExtendedSequenceNumber }[]
  readonly stored: readonly ExtendedSequenceNumber[]
  readonly requests: readonly RequestFacts[]
}

/** A checkpoint that the processor asked for, and every settlement of it. */
export interface RequestFacts {
  readonly request: string
  readonly position: ExtendedSequenceNumber | null
  readonly step: EventStep
  readonly settlements: readonly Settlement[]
}

interface Settlement {
  readonly step: ToldStep
  readonly error: string | null
}

const known = new WeakMap<Trace, { readonly length: number; readonly facts: TraceFacts }>()

/** Reads a trace once, however many invariants ask, and again when it has grown. */
export function factsOf(trace: Trace): TraceFacts {
  expectWhole(trace)
  const earlier = known.get(trace)
  if (earlier !== undefined && earlier.length === trace.steps.length) return earlier.facts
  const facts = readFacts(trace)
  known.set(trace, { length: trace.steps.length, facts })
  return facts
}

function readFacts(trace: Trace): TraceFacts {
  expectSteps(trace)
  const steps = toldSteps(trace)
  const last = steps.at(-1)?.after
  if (last === undefined) throw new Error('steps: expected those of a trace from its start on, got none')
  const events = steps.filter((step): step is EventStep => step.event !== null && step.before !== null)
  const callbackAnswers = events.flatMap((step) =>
    step.answered !== null && isCallback(step.answered) ? [{ step, effect: step.answered }] : [],
  )
  return {
    trace,
    steps,
    events,
    last,
    callbacks: steps.flatMap((step) => step.asked.flatMap((effect) => (isCallback(effect) ? [{ step, effect }] : []))),
    callbackAnswers,
    grammar: callbackAnswers.map(({ step, effect }) => letterOf(step, effect)).join(''),
    writes: steps.flatMap((step) => askedFor(step, 'writeCheckpoint').map(({ checkpoint }) => ({ step, checkpoint }))),
    stored: events.flatMap(({ answered, event }) =>
      answered?.type === 'writeCheckpoint' && event.type === 'checkpointWritten' ? [answered.checkpoint] : [],
    ),
    requests: requestsOf(steps, events),
  }
}

function toldSteps({ steps }: Trace): readonly ToldStep[] {
  const told = new Progress()
  return steps.map((step, index) => {
    const answered = answeredIn(step)
    told.hear(step, answered)
    const { inProcess } = told
    for (const effect of step.effects) told.ask(effect)
    const { delivered, completed, kept, done } = told
    return { ...step, index, answered, asked: askedIn(step), delivered, completed, inProcess: inProcess?.batch ?? null, kept, done }
  })
}

/** How far a consumer has come, told by what it asked for and what it was answered, and not by what it says of itself. */
class Progress {
  delivered: ExtendedSequenceNumber | null = null
  completed: ExtendedSequenceNumber | null = null
  kept: ExtendedSequenceNumber | null = null
  done: ExtendedSequenceNumber | null = null
  inProcess: Extract<ShardEffect, { readonly type: 'processRecords' }> | null = null
  readonly #deliveries = new Deliveries()
  #held: ExtendedSequenceNumber | null = null

  hear(step: TraceStep, answered: AwaitedEffect | null): void {
    const { event } = step
    const exhausted = this.#deliveries.hear({ ...step, answered })
    this.#deliveries.ask(step)
    if (event === null || !('id' in event)) return
    if (event.id === this.inProcess?.id) this.inProcess = null
    if (answered?.type === 'readRecords' && event.type === 'recordsRead') this.#held = event.batch.last
    if (answered?.type === 'readCheckpoint' && event.type === 'checkpointRead') this.#keep(event.checkpoint)
    if (answered?.type === 'writeCheckpoint' && event.type === 'checkpointWritten') this.#keep(answered.checkpoint)
    if (answered?.type === 'processRecords' && event.type === 'recordsProcessed') this.#complete(answered.batch)
    if (answered?.type === 'deliverDeadLetter' && event.type === 'deadLetterDelivered') this.#complete(answered.batch)
    const passed = passedOver(step)
    if (passed !== null && exhausted) this.#complete(passed)
    if (this.#held !== null && this.kept !== null && !above(this.#held, this.kept)) this.#finish(this.#held)
  }

  ask(effect: ShardEffect): void {
    if (effect.type === 'openShard') this.#held = null
    if (effect.type !== 'processRecords') return
    this.inProcess = effect
    if (effect.batch.last !== null && !above(this.delivered, effect.batch.last)) this.delivered = effect.batch.last
  }

  #complete({ last }: BatchHandle): void {
    this.completed = last ?? this.completed
    this.#finish(last)
  }

  #keep(checkpoint: ExtendedSequenceNumber): void {
    if (isRecord(checkpoint)) this.kept = checkpoint
  }

  #finish(last: ExtendedSequenceNumber | null): void {
    if (last !== null && !above(this.done, last)) this.done = last
  }
}

/** The batch that a step leaves behind though the processor failed on it: it is freed, and nothing is read anew for it. */
export function leftBehind({ event, before, effects }: TraceStep): BatchHandle | null {
  const { batch = null, checkpoint = null } = before?.context ?? {}
  const isFreed = effects.some((effect) => effect.type === 'dropBatch' && effect.batchId === batch?.batchId)
  const goesOn = !effects.some(({ type }) => ['splitBatch', 'openShard', 'notifyShutdownRequested', 'notifyLeaseLost'].includes(type))
  if (batch === null || !isFreed || !goesOn || (event?.type !== 'recordsFailed' && event?.type !== 'timerFired')) return null
  const isStored = isRecord(checkpoint) && batch.last !== null && !above(batch.last, checkpoint)
  return isStored ? null : batch
}

/** The batch that a step leaves behind, where the options allow that. Whether its attempts were exhausted is for an invariant to say. */
export function passedOver(step: TraceStep): BatchHandle | null {
  const batch = leftBehind(step)
  const options = step.before?.context.options
  // A shutdown that was to come first leaves the batch to the next owner.
  if (batch === null || options === undefined || step.before?.context.reason !== null) return null
  const answer = options.onDeliveryFailure ?? (options.deadLetter ? 'skip' : 'stop')
  const goesElsewhere = (options.bisectBatchOnError && batch.count > 1) || (options.deadLetter && batch.count > 0)
  return answer === 'skip' && !goesElsewhere ? batch : null
}

function answeredIn({ event, before }: TraceStep): AwaitedEffect | null {
  if (event === null || before === null || !('id' in event)) return null
  const { task, write } = before.context
  if (task?.id === event.id) return task
  return write?.effect.id === event.id ? write.effect : null
}

const askedIn = ({ effects }: TraceStep): readonly AwaitedEffect[] =>
  effects.filter((effect): effect is AwaitedEffect => effect.type !== 'cancel' && isAnswered(effect.type))

function requestsOf(steps: readonly ToldStep[], events: readonly EventStep[]): readonly RequestFacts[] {
  const settlements = new Map<string, Settlement[]>()
  for (const step of steps)
    for (const { request, error } of askedFor(step, 'settleCheckpoint')) {
      const settled = settlements.get(request) ?? []
      settled.push({ step, error: error?.name ?? null })
      settlements.set(request, settled)
    }
  return events.flatMap((step) => {
    if (step.event.type !== 'checkpointRequested') return []
    const { request, position } = step.event
    return [{ request, position, step, settlements: settlements.get(request) ?? [] }]
  })
}

function letterOf({ event, after }: EventStep, { type }: AwaitedEffect): string {
  switch (type) {
    case 'initialize':
      return event.type === 'initialized' ? 'I' : 'i'
    case 'processRecords':
      return event.type === 'recordsProcessed' ? 'P' : 'p'
    case 'deliverDeadLetter':
      return event.type === 'deadLetterDelivered' ? 'Q' : 'q'
    case 'notifyShutdownRequested':
      return 'S'
    case 'notifyShardEnded':
      return event.type === 'shardEndedNotified' && endIsStored(after) ? 'E' : 'e'
    default:
      return event.type === 'leaseLostNotified' ? 'L' : 'l'
  }
}

/** The effects of one type that a step asks for. */
export const askedFor = <K extends ShardEffect['type']>(step: TraceStep, type: K): readonly Extract<ShardEffect, { readonly type: K }>[] =>
  step.effects.filter((effect): effect is Extract<ShardEffect, { readonly type: K }> => effect.type === type)

const callbackTypes = new Set<string>([
  'initialize',
  'processRecords',
  'deliverDeadLetter',
  'notifyShutdownRequested',
  'notifyShardEnded',
  'notifyLeaseLost',
])

/** Whether an effect calls the record processor. */
export const isCallback = ({ type }: ShardEffect): boolean => callbackTypes.has(type)

/** Whether a consumer only waits for an effect, so that a shutdown need not wait for it too. */
export const isOnlyWaitedFor = ({ type }: ShardEffect): boolean => ['read', 'timer'].includes(effectTable[type].lane)

/** The rank of WAITING_ON_PARENT_SHARDS. States are ranked in their order; the notification has two ranks, as its completion is a state of its own. */
export const W = 0
/** The rank of INITIALIZING. */
export const I = 1
/** The rank of PROCESSING. */
export const P = 2
/** The rank of SHUTDOWN_REQUESTED before its completion. */
export const N = 3
/** The rank of the notification's completion. */
export const NC = 4
/** The rank of SHUTTING_DOWN. */
export const D = 5
/** The rank of SHUTDOWN_COMPLETE. */
export const C = 6

const ranks: Readonly<Record<string, number>> = {
  WAITING_ON_PARENT_SHARDS: W,
  INITIALIZING: I,
  PROCESSING: P,
  SHUTDOWN_REQUESTED: N,
  SHUTTING_DOWN: D,
  SHUTDOWN_COMPLETE: C,
}

/** The rank of a snapshot's state; -1 for a state that no shard consumer has. */
export function stateRank({ value }: ShardConsumerSnapshot): number {
  const [state, subState] = typeof value === 'string' ? [value] : (Object.entries(value)[0] ?? [''])
  return state === 'SHUTDOWN_REQUESTED' && subState === 'notificationCompletion' ? NC : (ranks[state] ?? -1)
}

/** The rank of the highest reason that is recorded; 0 for none. */
export const reasonRank = ({ context }: ShardConsumerSnapshot): number => (context.reason === null ? 0 : rankOf(context.reason))

/** Whether the snapshot knows SHARD_END as the stored checkpoint. */
export const endIsStored = ({ context }: ShardConsumerSnapshot): boolean => context.checkpoint !== null && isShardEnd(context.checkpoint)
