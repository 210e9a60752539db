import { compareSequenceNumbers, type ExtendedSequenceNumber, isShardEnd } from '@shardwise/effects'
import {
  outstanding,
  type ShardConsumerContext,
  type ShardConsumerInput,
  type ShardConsumerSnapshot,
  type ShardEvent,
} from '@shardwise/machine'
import { type AdjacencyValue, getAdjacencyMap } from '@xstate/graph'
import type { ActorLogic, Snapshot } from 'xstate'
import { answersTo, type NamedEvent, placeAfter } from '../../src/testing/answers.ts'

/** An edge of the walked graph. */
export interface Edge {
  readonly fromKey: string
  readonly from: ShardConsumerSnapshot
  readonly name: string
  readonly event: ShardEvent
  readonly to: ShardConsumerSnapshot
}

const compared = (a: ExtendedSequenceNumber | null | undefined, b: ExtendedSequenceNumber | null | undefined): number | null =>
  a === null || a === undefined || b === null || b === undefined ? null : Math.sign(compareSequenceNumbers(a, b))

/** The state and what the guards and the effects' types depend on; never an id or a sequence number. */
export function keyOf({ value, context }: ShardConsumerSnapshot): string {
  const { batch, write, checkpoint, completed, childShards } = context
  return JSON.stringify([
    value,
    context.reason,
    context.stopRequested,
    context.task?.type ?? null,
    Math.min(context.attempt, 1),
    context.resume,
    context.initialized,
    checkpoint === null ? null : isShardEnd(checkpoint),
    compared(completed, checkpoint),
    batch === null ? null : [batch.count > 0, batch.millisBehindLatest === 0, batch.atShardEnd, compared(batch.last, checkpoint)],
    context.atShardEnd,
    childShards === null ? null : childShards.length > 0,
    context.shardEndedStarted,
    context.processorDone,
    context.notificationSignalled,
    context.replay,
    write === null ? null : [write.effect.type, write.attempt, isShardEnd(write.checkpoint), compared(write.checkpoint, batch?.last)],
    context.outcome,
  ])
}

/** What may happen to a consumer: every answer, every shutdown, checkpoints in and out of range, and stale answers. */
export function eventsFor({ context, ...snapshot }: ShardConsumerSnapshot): readonly NamedEvent[] {
  const shutdowns = (['REQUESTED', 'SHARD_END', 'LEASE_LOST'] as const).map(
    (reason): NamedEvent => ({ name: `shutdown: ${reason}`, event: { type: 'shutdown', reason } }),
  )
  const stale: readonly NamedEvent[] = [
    { name: 'stale: checkpointRefused', event: { type: 'checkpointRefused', id: 0 } },
    { name: 'stale: recordsProcessed', event: { type: 'recordsProcessed', id: 0 } },
  ]
  const answers = outstanding({ context, ...snapshot }).flatMap((effect) => answersTo(effect, context))
  return [...answers, ...shutdowns, ...checkpointsFor(context), ...stale]
}

function checkpointsFor(context: ShardConsumerContext): readonly NamedEvent[] {
  // Who waits behind whom, and which part of a batch is checkpointed, multiply the states and not the transitions: other tests see to them.
  if (context.write !== null) return []
  return [
    { name: 'checkpoint: everything', event: { type: 'checkpointRequested', request: 'r', position: null } },
    { name: 'checkpoint: out of range', event: { type: 'checkpointRequested', request: 'r', position: placeAfter(context, 99) } },
  ]
}

/** How a walk begins and goes on. */
export interface Walker {
  start(input: ShardConsumerInput): ShardConsumerSnapshot
  step(before: ShardConsumerSnapshot, event: ShardEvent): ShardConsumerSnapshot
}

/** Walks every state of a consumer that the key tells apart, and takes every event there but those whose names are left out. */
export function walk(input: ShardConsumerInput, walker: Walker, leftOut: RegExp): readonly Edge[] {
  const named = new Map<ShardEvent, string>()
  const logic = { getInitialSnapshot: () => walker.start(input), transition: walker.step.bind(walker) }
  const map = withDice(() =>
    getAdjacencyMap(logic as unknown as ActorLogic<Traversed, ShardEvent, undefined>, {
      serializeState: (snapshot) => keyOf(snapshot),
      serializeEvent: (event) => named.get(event) ?? '',
      events: (snapshot) => {
        const events = eventsFor(snapshot).filter(({ name }) => !leftOut.test(name))
        for (const { name, event } of events) named.set(event, name)
        return events.map(({ event }) => event)
      },
    }),
  )
  return Object.entries(map as Readonly<Record<string, AdjacencyValue<Traversed, ShardEvent>>>).flatMap(
    ([fromKey, { state: from, transitions }]) =>
      Object.entries(transitions).map(([name, { event, state: to }]) => ({ fromKey, from, name, event, to })),
  )
}

type Traversed = ShardConsumerSnapshot & Snapshot<undefined>

/** The graph tools name an actor of their own at random; the machine never sees it. */
function withDice<T>(run: () => T): T {
  const { random } = Math
  Math.random = () => 0.5
  try {
    return run()
  } finally {
    Math.random = random
  }
}
