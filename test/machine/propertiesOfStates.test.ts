import { effectTable } from '@shardwise/effects'
import { outstanding, replay, type ShardConsumerSnapshot, step, tableState } from '@shardwise/machine'
import { describe, expect, it } from 'vitest'
import { allLives, none, property } from './property.ts'
import { asked, eventSteps, isOnlyWaitedFor, lastOf } from './trace.ts'
import { eventsFor } from './walk.ts'

const order = [
  'WAITING_ON_PARENT_SHARDS',
  'INITIALIZING',
  'PROCESSING',
  'SHUTDOWN_REQUESTED',
  'SHUTDOWN_REQUESTED.notificationCompletion',
  'SHUTTING_DOWN',
  'SHUTDOWN_COMPLETE',
]
const W = 0
const I = 1
const P = 2
const N = 3
const NC = 4
const D = 5
const C = 6

/** I2; to NC without N goes a consumer whose processor cannot be told. */
const next = [[W, I, C], [I, P, N, NC, D], [P, N, NC, D], [N, NC, D], [NC, D], [D, C], [C]]

const place = ({ value }: ShardConsumerSnapshot): number => order.indexOf(tableState(value))
const restored = (snapshot: ShardConsumerSnapshot): ShardConsumerSnapshot => JSON.parse(JSON.stringify(snapshot)) as ShardConsumerSnapshot
const stale = new Set(['answerLate', 'repeat'])

/** At rest a consumer waits for time, data or its owner; it holds no batch, and no checkpoint waits. */
const atRest = ({ context, status }: ShardConsumerSnapshot): boolean =>
  status === 'active' && context.write === null && context.batch === null && (context.task === null || isOnlyWaitedFor(context.task))

/** The size of a snapshot whose sequence numbers are as long as those of Kinesis. */
const bytesOf = (snapshot: ShardConsumerSnapshot): number => JSON.stringify(snapshot).replace(/"5[0-9]{3}"/g, `"${'4'.repeat(56)}"`).length

describe('the states of every life', () => {
  property('I1: are those of the KCL, the first of them WAITING_ON_PARENT_SHARDS', ({ steps }) => [
    ...none(
      steps,
      ({ after }) => place(after) < 0,
      ({ after }) => JSON.stringify(after.value),
    ),
    ...(steps[0] === undefined || place(steps[0].after) !== W ? ['the first is another'] : []),
  ])

  property('I2: follow each other along the edges of the table', (trace) =>
    none(
      eventSteps(trace),
      ({ before, after }) => !(next[place(before)] ?? []).includes(place(after)),
      ({ before, after }) => `${JSON.stringify(before.value)} to ${JSON.stringify(after.value)}`,
    ),
  )

  property('I3: end for good', (trace) =>
    none(
      eventSteps(trace).filter(({ before }) => before.status === 'done'),
      ({ before, after, effects }) =>
        after.status !== 'done' ||
        JSON.stringify({ ...after.context, shutdownAsked: true }) !== JSON.stringify({ ...before.context, shutdownAsked: true }) ||
        effects.some(({ type }) => type !== 'signalShutdownComplete' && type !== 'settleCheckpoint'),
      ({ event }) => `${event.type} woke a completed consumer`,
    ),
  )

  property('I4: never fall in rank', (trace) =>
    none(
      eventSteps(trace),
      ({ before, after }) => place(after) < place(before),
      ({ event }) => event.type,
    ),
  )

  property('I5: let every event happen', (trace) => {
    const last = lastOf(trace)
    for (const { event } of eventsFor(last)) step(last, event)
    return []
  })

  property('I6: and their effects are the same, byte for byte, when the events are played again', ({ input, steps }) => {
    const events = steps.flatMap(({ event }) => (event === null ? [] : [event]))
    const again = replay(input, events).map(([snapshot, effects]) => JSON.stringify([snapshot, effects]))

    return none(
      steps.map((lived, index) => ({ lived, index })),
      ({ lived, index }) => JSON.stringify([lived.after, lived.effects]) !== again[index],
      ({ index }) => `step ${index} differs`,
    )
  })

  property('I7: ignore what answers nothing that is awaited', (trace) =>
    none(
      eventSteps(trace).filter(
        ({ does, before, event }) =>
          stale.has(does) && 'id' in event && !outstanding(before).some((effect) => 'id' in effect && effect.id === event.id),
      ),
      ({ before, after, effects }) => before !== after || effects.length > 0,
      ({ event }) => JSON.stringify(event),
    ),
  )

  property('I8: survive storage as JSON at every step', (trace) =>
    none(
      eventSteps(trace),
      ({ before, event, after, effects }) => JSON.stringify(step(restored(before), event)) !== JSON.stringify([after, effects]),
      ({ event }) => event.type,
    ),
  )
})

describe('the snapshot', () => {
  property('stays under 2,000 bytes at rest', ({ steps }) =>
    none(
      steps,
      ({ after }) => atRest(after) && bytesOf(after) > 2_000,
      ({ after }) => `${bytesOf(after)} bytes in ${JSON.stringify(after)}`,
    ),
  )

  property('is awaiting exactly the effects that were asked for and neither answered nor given up', ({ steps }) => {
    const awaited = new Map<number, string>()
    return steps.flatMap((lived) => {
      const { event, before, effects, after } = lived
      // A timer has nothing to fail with but itself: without one, what waits for it waits on.
      const failedTimer =
        event?.type === 'effectFailed' && before?.context.task?.type === 'startTimer' && before.context.task.id === event.id
      if (event !== null && 'id' in event && !failedTimer) awaited.delete(event.id)
      for (const effect of asked(lived)) awaited.set(effect.id, JSON.stringify(effect))
      for (const effect of effects) {
        if (effect.type !== 'cancel') continue
        const type = (JSON.parse(awaited.get(effect.id) ?? '{"type":"cancel"}') as { type: keyof typeof effectTable }).type
        if (effectTable[type].lane !== 'task') awaited.delete(effect.id)
      }
      const said = outstanding(after).map((effect) => JSON.stringify(effect))
      return JSON.stringify([...awaited.values()].toSorted()) === JSON.stringify(said.toSorted())
        ? []
        : [`awaited ${[...awaited.values()].join()}, said ${said.join()}`]
    })
  })
})

describe('the lives that the properties are checked on', () => {
  it('come to every state and every end', () => {
    expect(new Set(allLives.flatMap(({ steps }) => steps.map(({ after }) => tableState(after.value))))).toEqual(new Set(order))
    expect(new Set(allLives.flatMap((trace) => lastOf(trace).context.outcome ?? []))).toEqual(
      new Set(['finished', 'leaseLost', 'stopped', 'replay']),
    )
  })

  it('give stale answers in great number', () => {
    expect(allLives.flatMap(({ steps }) => steps.filter(({ does }) => stale.has(does))).length).toBeGreaterThan(500)
  })
})
