import type { ShutdownReason } from '@shardwise/effects'
import { outstanding, type ShardConsumerSnapshot, type ShardEvent, step, tableState } from '@shardwise/machine'
import { describe } from 'vitest'
import { answersTo } from '../../src/testing/answers.ts'
import { none, property } from './property.ts'
import { answered, askedFor, callbackAnswers, eventSteps, lastOf } from './trace.ts'

/** Answers everything, all but timers failing as often as is said at first, until nothing is awaited; gives up after as many steps as no consumer needs. */
function runOn(
  snapshot: ShardConsumerSnapshot,
  { failures, checkpoints }: { failures: number; checkpoints: boolean },
): { readonly last: ShardConsumerSnapshot; readonly steps: number } {
  let last = snapshot
  let failed = 0
  for (let steps = 0; steps < 200; steps += 1) {
    const [effect] = outstanding(last).toReversed()
    const { context } = last
    const asksForCheckpoint =
      checkpoints &&
      context.task?.type === 'notifyShardEnded' &&
      context.write === null &&
      context.reason === 'SHARD_END' &&
      context.checkpoint?.sequenceNumber !== 'SHARD_END'
    if (effect === undefined) return { last, steps }
    const answers = answersTo(effect, last.context).map(({ event }) => event)
    const fails = effect.type !== 'startTimer' && failed < failures
    if (fails) failed += 1
    const event: ShardEvent | undefined = asksForCheckpoint
      ? { type: 'checkpointRequested', request: `late${steps}`, position: null }
      : answers.find(({ type }) => !fails || type.endsWith('Failed'))
    if (event === undefined) return { last, steps }
    last = step(last, event)[0]
  }
  return { last, steps: 200 }
}

const asked = (snapshot: ShardConsumerSnapshot, reason: ShutdownReason): ShardConsumerSnapshot =>
  step(snapshot, { type: 'shutdown', reason })[0]
const stateOf = ({ value }: ShardConsumerSnapshot) => tableState(value)

describe('a consumer in any state of any life', () => {
  property('I65: completes after LEASE_LOST in a bounded number of steps, also where everything fails', ({ steps }) =>
    steps.flatMap(({ after }, index) => {
      if (index % 4 !== 0) return []
      const ended = runOn(asked(after, 'LEASE_LOST'), { failures: index % 8 === 0 ? 2 : Number.POSITIVE_INFINITY, checkpoints: false })
      // The task and the write that are out; leaseLost and the closing, each with its attempts and their timers.
      const bound = 4 + 4 * after.context.options.maxShutdownAttempts
      return stateOf(ended.last) === 'SHUTDOWN_COMPLETE' && ended.steps <= bound
        ? []
        : [`${JSON.stringify(after.value)}: ${ended.steps} steps to ${JSON.stringify(ended.last.value)}`]
    }),
  )

  property('I66: completes after SHARD_END when the processor checkpoints', ({ steps }) =>
    steps.flatMap(({ after }, index) => {
      if (index % 6 !== 0) return []
      const { last } = runOn(asked(after, 'SHARD_END'), { failures: 2, checkpoints: true })
      return stateOf(last) === 'SHUTDOWN_COMPLETE' ? [] : [`${JSON.stringify(after.value)} to ${JSON.stringify(last.value)}`]
    }),
  )

  property('I67: is notified or ended after REQUESTED', ({ steps }) =>
    steps.flatMap(({ after }, index) => {
      if (index % 6 !== 0) return []
      const { last } = runOn(asked(after, 'REQUESTED'), { failures: 1, checkpoints: true })
      return ['SHUTDOWN_REQUESTED.notificationCompletion', 'SHUTDOWN_COMPLETE'].includes(stateOf(last))
        ? []
        : [`${JSON.stringify(after.value)} to ${JSON.stringify(last.value)}`]
    }),
  )
})

describe('the owner of a consumer', () => {
  property('I55, I56: hears once at most that the notification is complete, after shutdownRequested was answered', (trace) => {
    const told = trace.steps.flatMap((lived, index) => (askedFor(lived, 'signalShutdownNotificationComplete').length > 0 ? [index] : []))
    const answeredAt = callbackAnswers(trace).find(({ effect }) => effect.type === 'notifyShutdownRequested')
    const isTold = answeredAt === undefined || told[0] === undefined || trace.steps.indexOf(answeredAt.step) <= told[0]
    const stillOut = trace.steps.some((lived) => askedFor(lived, 'notifyShutdownRequested').length > 0) && answeredAt === undefined
    return told.length > 1 || !isTold || (stillOut && told.length > 0) ? [told.join()] : []
  })

  property('I55: is told that the notification is complete when no checkpoint is being written', ({ steps }) =>
    none(
      steps,
      (lived) => askedFor(lived, 'signalShutdownNotificationComplete').length > 0 && lived.after.context.write !== null,
      ({ event }) => String(event?.type),
    ),
  )

  property('I57, I58, I59, DP4: hears once that the shutdown is complete if it asked for one, before the end or after it', ({ steps }) => {
    const askedAt = steps.findIndex(({ event }) => event?.type === 'shutdown')
    const completedAt = steps.findIndex(({ after }) => after.status === 'done')
    const told = steps.flatMap((lived, index) => askedFor(lived, 'signalShutdownComplete').map(({ outcome }) => ({ index, outcome })))
    const due = askedAt >= 0 && completedAt >= 0 ? [Math.max(askedAt, completedAt)] : []
    return JSON.stringify(told.map(({ index }) => index)) === JSON.stringify(due)
      ? none(
          told,
          ({ outcome, index }) => outcome !== steps[index]?.after.context.outcome,
          ({ outcome }) => outcome,
        )
      : [`told in ${told.map(({ index }) => index).join()}, due in ${due.join()}`]
  })

  property('I57: hears of the notification before it hears of the end', ({ steps }) => {
    const told = steps.flatMap(({ effects }) => effects.flatMap(({ type }) => (type.startsWith('signalShutdown') ? [type] : [])))
    return told.indexOf('signalShutdownNotificationComplete') > told.indexOf('signalShutdownComplete') &&
      told.includes('signalShutdownComplete')
      ? [told.join()]
      : []
  })

  property('DP10, DP11: hears that the lease is lost once at most, and only where it did not say so itself', (trace) => {
    const lost = eventSteps(trace).filter((lived) => askedFor(lived, 'signalLeaseLost').length > 0)
    return [
      ...(lost.length > 1 ? ['twice'] : []),
      ...none(
        lost,
        ({ event, before, after }) =>
          event.type === 'shutdown' || before.context.reason === 'LEASE_LOST' || after.context.reason !== 'LEASE_LOST',
        ({ event }) => event.type,
      ),
    ]
  })

  property('DP9: sees a shard whose stored checkpoint is SHARD_END end as finished, without a callback', (trace) => {
    const found = eventSteps(trace).some(
      (lived) => lived.event.type === 'checkpointRead' && answered(lived) !== null && lived.event.checkpoint.sequenceNumber === 'SHARD_END',
    )
    const { context, status } = lastOf(trace)
    return found && (callbackAnswers(trace).length > 0 || (status === 'done' && context.outcome !== 'finished'))
      ? [String(context.outcome)]
      : []
  })

  property('sees the end that the life had', (trace) => {
    const { context, status } = lastOf(trace)
    if (status !== 'done') return context.outcome === null ? [] : ['an outcome before the end']
    const finished = context.checkpoint?.sequenceNumber === 'SHARD_END' || (context.reason === 'SHARD_END' && !context.initialized)
    const expected = finished ? 'finished' : context.reason === 'LEASE_LOST' ? 'leaseLost' : context.replay ? 'replay' : 'stopped'
    return context.outcome === expected ? [] : [`${String(context.outcome)}, expected ${expected}`]
  })

  property('sees a consumer stop before its processor was initialised only where it asked for that', (trace) =>
    none(
      [lastOf(trace)],
      ({ context }) => context.outcome === 'stopped' && (context.initialized || context.reason !== 'REQUESTED' || !context.shutdownAsked),
      ({ context }) => String(context.reason),
    ),
  )
})

describe('the record source', () => {
  property('I60: is closed once it was opened, before the consumer completes, and not again after it was closed', (trace) => {
    const closings = eventSteps(trace).filter((lived) => answered(lived)?.type === 'closeShard')
    const asks = trace.steps.reduce((sum, lived) => sum + askedFor(lived, 'closeShard').length, 0)
    const closedAt = closings.findIndex(({ event }) => event.type === 'shardClosed')
    const opened = eventSteps(trace).some(({ event }) => event.type === 'shardOpened')
    return [
      ...(closedAt >= 0 && closedAt < asks - 1 ? ['closed again'] : []),
      ...(lastOf(trace).status === 'done' && opened && closings.length === 0 ? ['left open'] : []),
    ]
  })

  property('I64: names the children of the shard once: an empty list does not replace them', (trace) =>
    none(
      eventSteps(trace),
      ({ before, after }) => (before.context.childShards?.length ?? 0) > (after.context.childShards?.length ?? 0),
      ({ event }) => event.type,
    ),
  )

  property('frees every batch that it read, once the batch is done or given up, and at the latest when no more is processed', (trace) => [
    ...none(
      eventSteps(trace).filter(
        ({ before, after }) => before.context.batch !== null && before.context.batch.batchId !== after.context.batch?.batchId,
      ),
      ({ before, effects }) => !effects.some((effect) => effect.type === 'dropBatch' && effect.batchId === before.context.batch?.batchId),
      ({ event }) => event.type,
    ),
    ...none(
      trace.steps,
      ({ after }) => after.context.batch !== null && stateOf(after) !== 'PROCESSING',
      ({ after }) => JSON.stringify(after.value),
    ),
  ])
})
