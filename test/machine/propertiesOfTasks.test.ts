import { consumerState, step, type TaskType, tableState, taskType } from '@shardwise/machine'
import { describe } from 'vitest'
import { none, property } from './property.ts'
import { answered, asked, askedFor, eventSteps, isCallback, isOnlyWaitedFor, rank } from './trace.ts'

const stateOf = ({ after }: { readonly after: { readonly value: Parameters<typeof tableState>[0] } }) => tableState(after.value)
const failures = new Set([
  'effectFailed',
  'throttled',
  'initializeFailed',
  'recordsFailed',
  'shardEndedFailed',
  'leaseLostFailed',
  'siblingLeaseMissing',
  'parentShardsPending',
])

/** The states' task types in which each effect may be out; a timer may be out in any. */
const tasks: Readonly<Record<string, readonly TaskType[]>> = {
  checkParentShards: ['BLOCK_ON_PARENT_SHARDS'],
  readCheckpoint: ['INITIALIZE'],
  openShard: ['INITIALIZE', 'PROCESS'],
  initialize: ['INITIALIZE'],
  readRecords: ['PROCESS'],
  processRecords: ['PROCESS'],
  notifyShutdownRequested: ['SHUTDOWN_NOTIFICATION'],
  listChildShards: ['SHUTDOWN'],
  createChildLeases: ['SHUTDOWN'],
  notifyShardEnded: ['SHUTDOWN'],
  notifyLeaseLost: ['SHUTDOWN'],
  closeShard: ['SHUTDOWN'],
}

describe('the reason for a shutdown', () => {
  property('I9: never falls and is never unset', (trace) =>
    none(
      eventSteps(trace),
      ({ before, after }) => rank(after.context.reason) < rank(before.context.reason),
      ({ before, after }) => `${String(before.context.reason)} to ${String(after.context.reason)}`,
    ),
  )

  property('I10: is only recorded while a task is out', (trace) =>
    none(
      eventSteps(trace).filter(
        ({ event, before }) => event.type === 'shutdown' && before.context.task !== null && !isOnlyWaitedFor(before.context.task),
      ),
      ({ before, after, effects }) =>
        JSON.stringify(before.value) !== JSON.stringify(after.value) ||
        effects.some((effect) => !['cancel', 'settleCheckpoint'].includes(effect.type)),
      ({ after }) => JSON.stringify(after.value),
    ),
  )

  property('I11: leaves WAITING_ON_PARENT_SHARDS, INITIALIZING and PROCESSING at once where no task is out', (trace) =>
    none(
      eventSteps(trace).filter(
        ({ event, before }) =>
          event.type === 'shutdown' &&
          before.context.task !== null &&
          isOnlyWaitedFor(before.context.task) &&
          ['WAITING_ON_PARENT_SHARDS', 'INITIALIZING', 'PROCESSING'].includes(consumerState(before.value)),
      ),
      ({ before, after }) => consumerState(before.value) === consumerState(after.value),
      ({ after }) => JSON.stringify(after.value),
    ),
  )

  property('DP1: is honoured by every answer of a task but those of the shutdown work, a failure as well', (trace) =>
    none(
      eventSteps(trace).filter((lived) => {
        const effect = answered(lived)
        const { context, value } = lived.before
        return (
          effect !== null &&
          effect.id === context.task?.id &&
          context.reason !== null &&
          !['SHUTTING_DOWN', 'SHUTDOWN_COMPLETE'].includes(consumerState(value)) &&
          !(effect.type === 'startTimer')
        )
      }),
      ({ before, after }) => stateOf({ after: before }) === stateOf({ after }),
      ({ event, after }) => `${event.type} stayed in ${JSON.stringify(after.value)}`,
    ),
  )

  property('I12: REQUESTED leads to SHUTTING_DOWN only where the processor must be made anew', (trace) =>
    none(
      eventSteps(trace).filter(
        ({ before, after }) => stateOf({ after: before }) !== 'SHUTTING_DOWN' && stateOf({ after }) === 'SHUTTING_DOWN',
      ),
      ({ after }) => rank(after.context.reason) < 2 && !after.context.replay,
      ({ event }) => event.type,
    ),
  )

  property('I13: becomes SHARD_END where the end of the shard was found, or was said by the owner', (trace) =>
    none(
      eventSteps(trace).filter(({ before, after }) => before.context.reason !== 'SHARD_END' && after.context.reason === 'SHARD_END'),
      ({ event, before: { context } }) => {
        switch (event.type) {
          case 'shutdown':
            return event.reason !== 'SHARD_END'
          case 'checkpointRead':
            return event.checkpoint.sequenceNumber !== 'SHARD_END'
          case 'recordsRead':
            return !event.batch.atShardEnd || event.batch.count > 0
          case 'recordsProcessed':
          case 'timerFired':
            return context.batch?.atShardEnd !== true
          case 'shardNotFound':
            return false
          case 'initialized':
            return !context.atShardEnd
          default:
            return true
        }
      },
      ({ event }) => event.type,
    ),
  )

  property('I14: is the same whichever of two was recorded first', (trace) => {
    const reasons = ['REQUESTED', 'SHARD_END', 'LEASE_LOST'] as const
    return trace.steps.flatMap(({ after }, index) =>
      index % 5 !== 0 || after.context.task === null || isOnlyWaitedFor(after.context.task)
        ? []
        : reasons.flatMap((a) =>
            reasons.flatMap((b) => {
              const reasonAfter = (first: typeof a, second: typeof a) =>
                step(step(after, { type: 'shutdown', reason: first })[0], { type: 'shutdown', reason: second })[0].context.reason
              return reasonAfter(a, b) === reasonAfter(b, a) ? [] : [`${a} and ${b} in ${JSON.stringify(after.value)}`]
            }),
          ),
    )
  })

  property('I69: is not changed by a timer, but where a batch that failed was checkpointed to the end of its shard', (trace) =>
    none(
      eventSteps(trace).filter(({ event, before, after }) => event.type === 'timerFired' && before.context.reason !== after.context.reason),
      ({ before }) => before.context.batch?.atShardEnd !== true || before.context.resume !== 'processing',
      ({ after }) => String(after.context.reason),
    ),
  )
})

describe('the tasks of every life', () => {
  property('I15: are one at a time, beside one checkpoint write', ({ steps }) => {
    const awaited = new Map<number, boolean>()
    return steps.flatMap((lived) => {
      if (lived.event !== null && 'id' in lived.event) awaited.delete(lived.event.id)
      for (const effect of askedFor(lived, 'cancel')) awaited.delete(effect.id)
      for (const effect of asked(lived)) awaited.set(effect.id, lived.after.context.write?.effect.id === effect.id)
      const writes = [...awaited.values()].filter(Boolean).length
      const out = awaited.size - writes
      // A cancelled callback is still awaited; nothing starts beside it.
      const cancelled = lived.after.context.task !== null && !awaited.has(lived.after.context.task.id) ? 1 : 0
      return writes > 1 || out + cancelled > 1 ? [`${out} tasks and ${writes} writes after ${lived.event?.type ?? 'the start'}`] : []
    })
  })

  property('I16: have ids of their own that rise, so that each is answered once', ({ steps }) => {
    const ids = steps.flatMap((lived) => asked(lived).map(({ id }) => id))
    return none(
      ids,
      (id) => id !== ids.indexOf(id) + 1,
      (id) => `#${id}`,
    )
  })

  property('I17: are those of the state', ({ steps }) =>
    none(
      steps,
      ({ after }) =>
        after.context.task !== null &&
        after.context.task.type !== 'startTimer' &&
        !(tasks[after.context.task.type] ?? []).includes(taskType(after.value)),
      ({ after }) => `${after.context.task?.type ?? ''} in ${JSON.stringify(after.value)}`,
    ),
  )

  property('I18: are none in the notification completion and at the end', ({ steps }) =>
    none(
      steps,
      (lived) =>
        ['SHUTDOWN_REQUESTED.notificationCompletion', 'SHUTDOWN_COMPLETE'].includes(stateOf(lived)) && lived.after.context.task !== null,
      ({ after }) => String(after.context.task?.type),
    ),
  )

  property('I19: close the shard before a consumer that shuts down completes', ({ steps }) => {
    const wasShuttingDown = steps.some((lived) => stateOf(lived) === 'SHUTTING_DOWN')
    const completed = steps.some((lived) => stateOf(lived) === 'SHUTDOWN_COMPLETE')
    return completed && wasShuttingDown && !steps.some((lived) => askedFor(lived, 'closeShard').length > 0) ? ['it was not closed'] : []
  })

  property('I20: are tried again after a failure only when a timer has fired', (trace) =>
    none(
      eventSteps(trace).filter((lived) => failures.has(lived.event.type) && answered(lived)?.id === lived.before.context.task?.id),
      (lived) => {
        const failed = answered(lived)?.type
        return failed !== undefined && failed !== 'startTimer' && asked(lived).some(({ type }) => type === failed)
      },
      ({ event }) => event.type,
    ),
  )

  property('I21: are not moved by what becomes of a checkpoint write, unless the lease is lost by it', (trace) =>
    none(
      eventSteps(trace).filter(
        (lived) =>
          answered(lived)?.id === lived.before.context.write?.effect.id &&
          answered(lived) !== null &&
          lived.event.type !== 'checkpointRefused',
      ),
      ({ before, after }) =>
        consumerState(before.value) !== 'SHUTTING_DOWN' && JSON.stringify(before.value) !== JSON.stringify(after.value),
      ({ event, after }) => `${event.type} led to ${JSON.stringify(after.value)}`,
    ),
  )

  property('I22: process a batch, and one without records only where that was asked for', ({ steps, plan }) =>
    none(
      steps.flatMap((lived) => askedFor(lived, 'processRecords')),
      ({ batch }) => batch.count === 0 && (plan.options.shouldCallProcessRecordsEvenForEmptyRecordList !== true || batch.atShardEnd),
      ({ batch }) => batch.batchId,
    ),
  )

  property('I23: tell the end that the reason says when they start', ({ steps }) =>
    steps.flatMap((lived) => [
      ...none(
        askedFor(lived, 'notifyShardEnded'),
        () => lived.after.context.reason !== 'SHARD_END',
        () => `shardEnded with ${String(lived.after.context.reason)}`,
      ),
      ...none(
        askedFor(lived, 'notifyLeaseLost'),
        () => lived.after.context.reason !== 'LEASE_LOST',
        () => `leaseLost with ${String(lived.after.context.reason)}`,
      ),
    ]),
  )

  property('I61: fetch nothing once a reason is recorded', ({ steps }) =>
    none(
      steps,
      (lived) => askedFor(lived, 'readRecords').length > 0 && lived.after.context.reason !== null,
      ({ after }) => String(after.context.reason),
    ),
  )

  property('I70: start one at most in a step, with finitely many notices', ({ steps }) =>
    none(
      steps,
      (lived) =>
        asked(lived).filter((effect) => effect.id !== lived.after.context.write?.effect.id).length > 1 || lived.effects.length > 25,
      ({ effects }) => effects.map(({ type }) => type).join(),
    ),
  )

  property('that call the processor are cancelled by a lost lease alone', (trace) =>
    none(
      eventSteps(trace).filter(
        ({ before, effects }) =>
          before.context.task !== null &&
          isCallback(before.context.task) &&
          effects.some((effect) => effect.type === 'cancel' && effect.id === before.context.task?.id),
      ),
      ({ after }) => after.context.reason !== 'LEASE_LOST',
      ({ event }) => event.type,
    ),
  )
})
