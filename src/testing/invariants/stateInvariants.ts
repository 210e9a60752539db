import { outstanding, type ShardConsumerSnapshot, type ShardEffect, type ShardEvent } from '@shardwise/machine'
import { answersTo, placeAfter } from '../answers.ts'
import { traceOf } from '../trace.ts'
import { invariant, none, same, sameEnd, snapshotText } from './invariant.ts'
import { askedFor, C, D, I, isOnlyWaitedFor, N, NC, P, stateRank, W } from './traceFacts.ts'

/** Where each state leads. NC is entered without N where there is no processor to be told. */
const next: readonly (readonly number[])[] = [[W, I, C], [I, P, N, NC, D], [P, N, NC, D], [N, NC, D], [NC, D], [D, C], [C]]

/** Everything that may happen to a consumer, stale answers and bad checkpoints among it. */
function everyEvent({ context, ...snapshot }: ShardConsumerSnapshot): readonly ShardEvent[] {
  const answers = outstanding({ context, ...snapshot }).flatMap((effect) => answersTo(effect, context).map(({ event }) => event))
  const stale = staleEffects.flatMap((effect) => answersTo(effect, context))
  return [
    ...answers,
    ...stale.map(({ event }) => event),
    ...(['REQUESTED', 'SHARD_END', 'LEASE_LOST'] as const).map((reason) => ({ type: 'shutdown', reason }) as const),
    ...(['pause', 'resume'] as const).map((type) => ({ type })),
    ...[null, placeAfter(context, 0), placeAfter(context, 99), { sequenceNumber: 'nonsense', subSequenceNumber: 0 }].map(
      (position) => ({ type: 'checkpointRequested', request: 'any', position }) as const,
    ),
  ]
}

/** Effects that nobody awaits, for no id is 0. */
const staleEffects = (
  [
    'readCheckpoint',
    'writeCheckpoint',
    'createChildLeases',
    'openShard',
    'readRecords',
    'processRecords',
    'closeShard',
    'startTimer',
  ] as const
).map((type) => ({ type, id: 0 }) as ShardEffect)

/** At rest a consumer waits for time, data or its owner; it holds no batch, and no checkpoint waits. */
const isAtRest = ({ context, status }: ShardConsumerSnapshot): boolean =>
  status === 'active' && context.write === null && context.batch === null && (context.task === null || isOnlyWaitedFor(context.task))

/** The size of a snapshot whose sequence numbers are as long as those of Kinesis. */
const bytesOf = (snapshot: ShardConsumerSnapshot): number =>
  snapshotText(snapshot).replace(/("sequenceNumber":")[0-9]+"/g, `$1${'4'.repeat(56)}"`).length

const restored = (snapshot: ShardConsumerSnapshot): ShardConsumerSnapshot => JSON.parse(snapshotText(snapshot)) as ShardConsumerSnapshot
const withoutAsking = ({ value, context, status }: ShardConsumerSnapshot) => ({
  value,
  status,
  context: { ...context, shutdownAsked: true },
})

/** What holds of every state. */
export const stateInvariants = [
  invariant(1, 'The state is one of the KCL, the first of them WAITING_ON_PARENT_SHARDS', ({ steps }) =>
    none(
      steps,
      ({ index, after }) => (index === 0 ? stateRank(after) !== W : stateRank(after) < 0),
      ({ after }) => after.value,
    ),
  ),

  invariant(
    2,
    'States follow each other along the edges of the table',
    ({ events }) =>
      none(
        events,
        ({ before, after }) => next[stateRank(before)]?.includes(stateRank(after)) !== true,
        ({ before, after }) => [before.value, after.value],
      ),
    'The hand-off of leases of KCL 3 is not there, and so its edge from W to D.',
  ),

  invariant(3, 'A consumer that has ended stays as it is, and asks for nothing but to answer its owner and its processor', ({ events }) =>
    none(
      events.filter(({ before }) => before.status === 'done'),
      ({ before, after, effects }) =>
        (before !== after && !same(withoutAsking(before), withoutAsking(after))) ||
        effects.some(({ type }) => type !== 'signalShutdownComplete' && type !== 'settleCheckpoint'),
      ({ event }) => event,
    ),
  ),

  invariant(4, 'The rank of the state never falls', ({ events }) =>
    none(
      events,
      ({ before, after }) => stateRank(after) < stateRank(before),
      ({ before, after }) => [before.value, after.value],
    ),
  ),

  invariant(5, 'Every event is handled or ignored in every state, and none throws', ({ last }, engine) =>
    everyEvent(last).flatMap((event) => {
      try {
        engine.step(last, event)
        return []
      } catch (error) {
        return [`${JSON.stringify(event)} threw ${String(error)}`]
      }
    }),
  ),

  invariant(6, 'The same events lead to the same states and effects, byte for byte', ({ trace: { input, steps } }, engine) => {
    const events = steps.flatMap(({ event }) => (event === null ? [] : [event]))
    const again = traceOf(input, events, engine).steps
    return steps.flatMap((step, index) => (sameEnd(again[index], step) ? [] : [`step ${index} differs`]))
  }),

  invariant(7, 'An answer to what is not awaited changes nothing', ({ events }) =>
    none(
      events.filter(
        ({ event, before, answered }) =>
          'id' in event && answered === null && !outstanding(before).some((effect) => isOf(effect, event.id)),
      ),
      ({ before, after, effects }) => effects.length > 0 || (before !== after && snapshotText(before) !== snapshotText(after)),
      ({ event }) => event,
    ),
  ),

  invariant(8, 'A snapshot that was stored as JSON goes on as the one that was not', ({ events }, engine) =>
    none(
      events,
      ({ before, event, after, effects }) => {
        const [again, askedAgain] = engine.step(restored(before), event)
        return !sameEnd({ after: again, effects: askedAgain }, { after, effects })
      },
      ({ event }) => event,
    ),
  ),

  invariant(86, 'A snapshot stays under 2,500 bytes at rest', ({ steps }) =>
    none(
      steps,
      ({ after }) => isAtRest(after) && bytesOf(after) > 2_500,
      ({ after }) => `${bytesOf(after)} bytes`,
    ),
  ),

  invariant(87, 'A snapshot awaits what was asked for and neither answered nor given up', ({ steps }) => {
    const awaited = new Map<number, ShardEffect>()
    const tasks = new Set<number>()
    return none(
      steps,
      (step) => {
        const { event, before, after, asked } = step
        // A timer has nothing to fail with but itself: what waits for it waits on.
        const failedTimer =
          event?.type === 'effectFailed' && before?.context.task?.type === 'startTimer' && before.context.task.id === event.id
        if (event !== null && 'id' in event && !failedTimer) awaited.delete(event.id)
        for (const effect of asked) {
          awaited.set(effect.id, effect)
          if (!isOnlyWaitedFor(effect)) tasks.add(effect.id)
        }
        // A callback that was told to stop is still awaited.
        for (const { id } of askedFor(step, 'cancel')) if (!tasks.has(id)) awaited.delete(id)
        const said = outstanding(after)
        return said.length !== awaited.size || said.some((effect) => !('id' in effect) || !same(awaited.get(effect.id), effect))
      },
      ({ after }) => `it awaits ${JSON.stringify(outstanding(after))}`,
    )
  }),
] as const

function isOf(effect: object, id: number): boolean {
  return 'id' in effect && effect.id === id
}
