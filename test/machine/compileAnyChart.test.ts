import { compile, type ShardEffect, type ShardEvent } from '@shardwise/machine'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type AnyStateMachine, emit, enqueueActions, initialTransition, setup, transition } from 'xstate'
import { createShardConsumerContext, type ShardConsumerContext } from '../../src/machine/shardConsumerContext.ts'
import type { ShardStep } from '../../src/machine/shardConsumerEngine.ts'
import { randomRuns } from '../randomRuns.ts'
import { bindChart } from './bindChart.ts'

/** The memory counts in `attempt`; events of the chart are told apart by their types alone. */
type Event = { readonly type: 'go' | 'stop' | 'other' }

const guards = {
  even: ({ attempt }: ShardConsumerContext) => attempt % 2 === 0,
  few: ({ attempt }: ShardConsumerContext) => attempt < 6,
  never: () => false,
}
const counted = { type: 'startTimer', id: 1, delayMs: 1 } as const
const noted = { type: 'cancel', id: 1 } as const
const actions = {
  count: ({ attempt }: ShardConsumerContext) => ({ context: { attempt: attempt + 1 }, effects: [counted] }),
  note: () => ({ effects: [noted] }),
}

/** The same as a machine of XState. */
const chartOf = (config: object) =>
  setup({
    types: { context: {} as ShardConsumerContext, events: {} as Event, emitted: {} as ShardEffect },
    guards: {
      even: ({ context }) => guards.even(context),
      few: ({ context }) => guards.few(context),
      never: () => guards.never(),
    },
    actions: {
      count: enqueueActions(({ context, enqueue }) => {
        const { context: changed, effects } = actions.count(context)
        enqueue.assign(changed)
        for (const effect of effects) enqueue.emit(effect)
      }),
      note: emit(noted),
    },
  }).createMachine({ ...config, context: createShardConsumerContext(input) } as never)

const input = { shardId: 'shardId-000000000000', token: 0 }

const paths = ['a', 'b', 'b1', 'b2', 'c', 'c1'] as const
const target = fc.constantFrom(...paths).map((id) => `#${id}`)
const guard = fc.constantFrom('even', 'few', 'never', undefined)
const byEvent = fc.record({
  guard,
  target: fc.option(target, { nil: undefined }),
  actions: fc.subarray(['count', 'note'], { minLength: 0 }),
})
const leaves = ['a', 'b1', 'b2', 'c1']
/** Eventless branches that end: they lead to later states, count up to a bound, or change nothing. */
const eventless = (self: string) =>
  fc.oneof(
    fc.record({
      guard,
      target: fc.constantFrom(undefined, ...leaves.slice(leaves.indexOf(self) + 1).map((id) => `#${id}`)),
      actions: fc.constantFrom([], ['note']),
    }),
    fc.record({ guard: fc.constant('few'), target, actions: fc.constantFrom(['count'], ['count', 'note']) }),
    fc.record({ guard, target: fc.constantFrom(undefined, `#${self}`), actions: fc.constantFrom([], ['note']) }),
  )
const on = fc.record({ go: fc.array(byEvent, { maxLength: 3 }), stop: fc.array(byEvent, { maxLength: 2 }) }, { requiredKeys: [] })
const leaf = (id: string) =>
  fc.record({
    id: fc.constant(id),
    on,
    entry: fc.subarray(['count', 'note']),
    always: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.array(eventless(id), { minLength: 1, maxLength: 2 })),
  })
const chart = fc.record({
  initial: fc.constantFrom('a', 'b', 'c'),
  on,
  states: fc.record({
    a: leaf('a'),
    b: fc.record({
      id: fc.constant('b'),
      on,
      initial: fc.constantFrom('b1', 'b2'),
      states: fc.record({ b1: leaf('b1'), b2: leaf('b2') }),
    }),
    c: fc.record({ id: fc.constant('c'), initial: fc.constant('c1'), states: fc.record({ c1: leaf('c1') }) }),
  }),
})

it('compiles any chart of nested states, guards, actions and eventless branches to one that does the same', () => {
  fc.assert(
    fc.property(chart, fc.array(fc.constantFrom<Event['type'][]>('go', 'stop', 'other'), { maxLength: 12 }), (config, types) => {
      expect(asTable(config, types)).toEqual(withXState(config, types))
    }),
    { numRuns: randomRuns(400), seed: 20_181_118 },
  )
})

type Seen = readonly [value: unknown, count: number, effects: readonly string[]]

function asTable(config: object, types: readonly Event['type'][]): readonly Seen[] {
  const { begin, take } = bindChart(compile(chartOf(config) as unknown as AnyStateMachine), guards, actions)
  const seen = ([{ value, context }, effects]: ShardStep): Seen => [value, context.attempt, effects.map(({ type }) => type)]
  let step = begin(input)
  return [
    seen(step),
    ...types.map((type) => {
      step = take(step[0], { type } as unknown as ShardEvent)
      return seen(step)
    }),
  ]
}

function withXState(config: object, types: readonly Event['type'][]): readonly Seen[] {
  const machine = chartOf(config)
  type Step = ReturnType<typeof initialTransition<typeof machine>>
  const seen = ([{ value, context }, effects]: Step): Seen => [
    value,
    context.attempt,
    effects.map(({ params }) => (params as { readonly event: ShardEffect }).event.type),
  ]
  let step: Step = initialTransition(machine)
  return [
    seen(step),
    ...types.map((type) => {
      step = transition(machine, step[0], { type })
      return seen(step)
    }),
  ]
}
