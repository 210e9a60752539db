import { shardConsumer } from '@shardwise/machine'
import { live, lives, type Trace } from '@shardwise/testing'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fieldByField, handWrittenStep } from '../../bench/handWrittenSwitch.ts'

/** The steps of the loop that the bench measures: a batch is read while more is to come, or processed. */
const loopSteps = ({ steps }: Trace) =>
  steps.filter(
    ({ event, before, after }) =>
      before !== null &&
      ((event?.type === 'recordsRead' &&
        JSON.stringify(after.value) === '{"PROCESSING":"processing"}' &&
        event.batch.count > 0 &&
        !event.batch.atShardEnd) ||
        (event?.type === 'recordsProcessed' &&
          JSON.stringify(after.value) === '{"PROCESSING":"reading"}' &&
          before.context.idleMs === 0)) &&
      'id' in event &&
      before.context.task?.id === event.id &&
      before.context.batch?.atShardEnd !== true,
  )

it('does in the loop of the bench what the machine does', () => {
  const traces = fc.sample(lives(), { numRuns: 300, seed: 7 }).map((life) => live(life, shardConsumer))
  const steps = traces.flatMap(loopSteps)

  expect(new Set(steps.map(({ event }) => event?.type))).toEqual(new Set(['recordsRead', 'recordsProcessed']))
  expect(steps.length).toBeGreaterThan(200)
  for (const { before, event, after, effects } of steps) {
    if (before === null || event === null) throw new Error('step: expected one with an event')
    expect(handWrittenStep(before, event)).toEqual([after, effects])
    expect(handWrittenStep(before, event, fieldByField)).toEqual([after, effects])
  }
})
