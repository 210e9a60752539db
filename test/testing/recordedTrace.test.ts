import { type Effect, type EffectType, effectTable, type Handlers, interpret, isAnswered } from '@shardwise/effects'
import { type ShardConsumerSnapshot, type ShardEffect, shardConsumer, start } from '@shardwise/machine'
import { type Engine, invariants, type Trace, type TraceStep } from '@shardwise/testing'
import { expect, it } from 'vitest'
import { answersTo } from '../../src/testing/answers.ts'

/** A runtime of someone's own: every effect succeeds, the third batch is the last, and the processor checkpoints when the shard has ended. */
async function record(input: Trace['input'], ended: (snapshot: ShardConsumerSnapshot) => boolean): Promise<Trace> {
  const first = start(input)
  const steps: TraceStep[] = []
  let [last] = first
  let reads = 0
  const handlerOf = (type: EffectType) => [
    type,
    (effect: Effect) => {
      if (!isAnswered(type)) return undefined
      if (type === 'readRecords') reads += 1
      if (type === 'notifyShardEnded') consumer.send({ type: 'checkpointRequested', request: 'end', position: null })
      const wanted = type === 'readRecords' && reads === 3 ? 'readRecords: the last records and children' : ''
      const answers = answersTo(effect as ShardEffect, last.context)
      const answer = answers.find(({ name }) => name === wanted) ?? answers[0]
      // The driver gives the answer its id.
      return Promise.resolve({ ...answer?.event, id: undefined })
    },
  ]
  const consumer = interpret({
    machine: shardConsumer,
    start: first,
    handlers: Object.fromEntries(Object.keys(effectTable).map((type) => handlerOf(type as EffectType))) as Handlers<
      Exclude<ShardEffect['type'], 'cancel'>
    >,
    observe(step) {
      steps.push(step)
      last = step.after
      if (ended(last) && !last.context.shutdownAsked) consumer.send({ type: 'shutdown', reason: 'LEASE_LOST' })
    },
  })
  await consumer.done
  return { input, steps }
}

const wrongIn = (trace: Trace, engine?: Engine) =>
  invariants.flatMap(({ number, check }) => check(trace, engine).map((wrong) => `I${number} ${wrong}`))

const input = { shardId: 'shardId-000000000007', leaseKey: 'stream:shardId-000000000007', token: 3, options: { idleTimeInMilliseconds: 0 } }

it('a trace that interpret showed to an observer keeps every invariant: a shard that is read to its end', async () => {
  const trace = await record(input, () => false)

  expect(trace.steps.at(-1)?.after.context.outcome).toBe('finished')
  expect(wrongIn(trace)).toEqual([])
  expect(wrongIn(JSON.parse(JSON.stringify(trace)) as Trace)).toEqual([])
})

it('a trace that interpret showed to an observer keeps every invariant: a lease that is lost', async () => {
  const trace = await record(input, ({ context }) => context.completed !== null)

  expect(trace.steps.at(-1)?.after.context.outcome).toBe('leaseLost')
  expect(wrongIn(trace)).toEqual([])
})

it('a recorded trace that was changed is found out, with the step', async () => {
  const { steps } = await record(input, () => false)
  const doubled = steps.map((step): TraceStep => {
    const closings = step.effects.filter(({ type }) => type === 'closeShard')
    return { ...step, effects: [...step.effects, ...closings] }
  })

  expect(wrongIn({ input, steps: doubled })).toContainEqual(expect.stringMatching(/^I70 step [0-9]+: /))
})
