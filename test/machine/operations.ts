import type { ExtendedSequenceNumber, ShutdownReason } from '@shardwise/effects'
import { outstanding, type ShardConsumerSnapshot, type ShardEffect, type ShardEvent, start, step } from '@shardwise/machine'
import fc from 'fast-check'
import { answersTo } from '../../src/testing/answers.ts'
import { indexOf, recordAt, ShardWorld, type WorldPlan } from './shardWorld.ts'
import type { Trace, TraceStep } from './trace.ts'

/** What happens next, said without ids: it is made concrete against the state in which it happens, so it shrinks and replays. */
export type Operation =
  | { readonly does: 'succeed' | 'write'; readonly count: number }
  | { readonly does: 'answerOtherwise' | 'writeOtherwise' | 'answerLate'; readonly pick: number }
  | { readonly does: 'repeat' }
  | { readonly does: 'shutdown'; readonly reason: ShutdownReason }
  | { readonly does: 'checkpoint'; readonly at: number | 'everything' | 'LATEST' | 'SHARD_END' | 'nonsense' }

export interface Life {
  readonly world: WorldPlan
  /** How many successes come before the operations. */
  readonly begun: number
  readonly operations: readonly Operation[]
}

const pick = fc.nat({ max: 11 })

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 36, arbitrary: fc.record({ does: fc.constant('succeed' as const), count: fc.nat({ max: 3 }) }) },
  { weight: 8, arbitrary: fc.record({ does: fc.constant('answerOtherwise' as const), pick }) },
  { weight: 6, arbitrary: fc.record({ does: fc.constant('write' as const), count: fc.constant(0) }) },
  { weight: 9, arbitrary: fc.record({ does: fc.constant('writeOtherwise' as const), pick }) },
  { weight: 5, arbitrary: fc.record({ does: fc.constant('answerLate' as const), pick }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('repeat' as const) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      does: fc.constant('shutdown' as const),
      reason: fc.oneof(
        { weight: 5, arbitrary: fc.constant('REQUESTED' as const) },
        { weight: 2, arbitrary: fc.constant('LEASE_LOST' as const) },
        { weight: 1, arbitrary: fc.constant('SHARD_END' as const) },
      ),
    }),
  },
  {
    weight: 20,
    arbitrary: fc.record({
      does: fc.constant('checkpoint' as const),
      at: fc.oneof(
        { weight: 6, arbitrary: fc.constant('everything' as const) },
        { weight: 6, arbitrary: fc.integer({ min: -4, max: 3 }) },
        { weight: 1, arbitrary: fc.constantFrom('LATEST' as const, 'SHARD_END' as const, 'nonsense' as const) },
      ),
    }),
  },
)

const world: fc.Arbitrary<WorldPlan> = fc.record({
  stored: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom('TRIM_HORIZON' as const, 'LATEST' as const, 'AT_TIMESTAMP' as const) },
    { weight: 4, arbitrary: fc.nat({ max: 3 }) },
    { weight: 1, arbitrary: fc.constant('SHARD_END' as const) },
  ),
  length: fc.integer({ min: 2, max: 12 }),
  children: fc.nat({ max: 2 }),
  namesChildren: fc.boolean(),
  options: fc.record({
    initialPosition: fc.constantFrom(
      { type: 'TRIM_HORIZON' } as const,
      { type: 'LATEST' } as const,
      { type: 'AT_TIMESTAMP', timestampMs: 1_001 } as const,
    ),
    maxCheckpointAttempts: fc.integer({ min: 1, max: 3 }),
    maxShutdownAttempts: fc.integer({ min: 1, max: 3 }),
    missedShardEndCheckpoint: fc.constantFrom('retry' as const, 'replay' as const),
    shouldCallProcessRecordsEvenForEmptyRecordList: fc.boolean(),
    idleTimeInMilliseconds: fc.constantFrom(0, 1_000),
  }),
})

const anyLength = fc.array(operation, { maxLength: 90, size: 'max' })
const long = fc.array(operation, { minLength: 40, maxLength: 90, size: 'max' })

/** Lives of a shard consumer. Most of them are long, for short ones come to no end, and begin with a shard that is being read; a counterexample is short. */
export const lives: fc.Arbitrary<Life> = fc.record({
  world,
  begun: fc.constantFrom(0, 3, 4, 5, 5, 5),
  operations: fc.oneof({ withCrossShrink: true }, anyLength, { weight: 2, arbitrary: long }),
})

/** Lives a life: every operation becomes the event that it means in the state it meets, or nothing where it means none. */
export function live({ world: plan, begun, operations }: Life): Trace {
  const input = { shardId: 'shardId-000000000000', token: 7, options: plan.options }
  const [first, effects] = start(input)
  const world = new ShardWorld(plan)
  const steps: TraceStep[] = [{ does: 'start', event: null, before: null, after: first, effects }]
  let before = first
  const beginning = Array.from({ length: begun }, (): Operation => ({ does: 'succeed', count: 2 }))
  for (const operation of [...beginning, ...operations]) {
    const event = eventOf(operation, before, steps, world)
    if (event === null) continue
    const [after, asked] = step(before, event)
    steps.push({ does: operation.does, event, before, after, effects: asked })
    before = after
  }
  return { input, plan, steps }
}

function eventOf(operation: Operation, before: ShardConsumerSnapshot, steps: readonly TraceStep[], world: ShardWorld): ShardEvent | null {
  const { task, write } = before.context
  switch (operation.does) {
    case 'shutdown':
      return { type: 'shutdown', reason: operation.reason }
    case 'checkpoint':
      return { type: 'checkpointRequested', request: `r${steps.length}`, position: positionOf(operation.at, before) }
    case 'repeat':
      return steps.findLast(({ event }) => event !== null && 'id' in event)?.event ?? null
    case 'succeed':
      return task === null ? null : successOf(task, before, world, operation.count)
    case 'write':
      if (write?.effect.type === 'writeCheckpoint') world.stored = write.checkpoint
      return write === null ? null : successOf(write.effect, before, world, 0)
    case 'answerOtherwise':
      return task === null ? null : picked(othersTo(task, before), operation.pick)
    case 'writeOtherwise':
      return write === null ? null : picked(othersTo(write.effect, before), operation.pick)
    case 'answerLate': {
      const awaited = outstanding(before)
      const gone = steps
        .flatMap(({ effects }) => effects)
        .filter((effect) => 'id' in effect && effect.type !== 'cancel' && !awaited.includes(effect))
      const effect = gone[gone.length === 0 ? 0 : operation.pick % gone.length]
      return effect === undefined
        ? null
        : picked(
            answersTo(effect, before.context).map(({ event }) => event),
            operation.pick,
          )
    }
  }
}

/** Answers that tell of another world are not given: what was read, stored or opened is the world's to say. */
const worldly: ReadonlySet<string> = new Set(['recordsRead', 'checkpointRead', 'shardOpened', 'childShardsListed'])

function othersTo(effect: ShardEffect, { context }: ShardConsumerSnapshot): readonly ShardEvent[] {
  return answersTo(effect, context)
    .slice(1)
    .flatMap(({ event }) => (worldly.has(event.type) ? [] : [event]))
}

function picked(events: readonly ShardEvent[], pick: number): ShardEvent | null {
  return events[events.length === 0 ? 0 : pick % events.length] ?? null
}

/** The answer that an effect gets when all goes well. */
function successOf(effect: ShardEffect, { context }: ShardConsumerSnapshot, world: ShardWorld, count: number): ShardEvent | null {
  if (!('id' in effect)) return null
  const { id } = effect
  switch (effect.type) {
    case 'readCheckpoint':
      return { type: 'checkpointRead', checkpoint: world.stored, pendingCheckpoint: null, id }
    case 'openShard':
      return { ...world.open(effect.position), id }
    case 'readRecords':
      return { ...world.read(effect, count), id }
    case 'listChildShards':
      return { type: 'childShardsListed', childShards: world.childShards, id }
    default:
      return answersTo(effect, context)[0]?.event ?? null
  }
}

function positionOf(
  at: Extract<Operation, { does: 'checkpoint' }>['at'],
  { context }: ShardConsumerSnapshot,
): ExtendedSequenceNumber | null {
  if (at === 'everything') return null
  if (typeof at === 'string') return { sequenceNumber: at, subSequenceNumber: 0 }
  const last = [context.batch?.last, context.completed, context.checkpoint].find(
    (place) => place !== null && place !== undefined && /^[0-9]+$/.test(place.sequenceNumber),
  )
  return recordAt(Math.max(0, (last === undefined || last === null ? 3 : indexOf(last)) + at))
}
