import type { ShardConsumerSnapshot, ShardEffect } from '@shardwise/machine'
import { invariant, never, none, same } from './invariant.ts'
import { askedFor, C, D, I, isCallback, N, NC, P, reasonRank, stateRank, W } from './traceFacts.ts'

/** The states in which each task may be out; a timer may be out in any. */
const statesOf: Readonly<Record<string, readonly number[]>> = {
  checkParentShards: [W],
  readCheckpoint: [I],
  openShard: [I, P],
  initialize: [I],
  readRecords: [P],
  processRecords: [P],
  splitBatch: [P],
  deliverDeadLetter: [P],
  notifyShutdownRequested: [N],
  listChildShards: [D],
  createChildLeases: [D],
  notifyShardEnded: [D],
  notifyLeaseLost: [D],
  closeShard: [D],
}

const failures: ReadonlySet<string> = new Set([
  'effectFailed',
  'throttled',
  'initializeFailed',
  'recordsFailed',
  'deadLetterFailed',
  'shardEndedFailed',
  'leaseLostFailed',
  'siblingLeaseMissing',
  'parentShardsPending',
])

/** Whether two tasks are the same work: what is left of a batch that was split is other work than a part of it. */
const isSameWork = (one: ShardEffect, other: ShardEffect): boolean =>
  one.type === 'processRecords' && other.type === 'processRecords' ? one.batch.batchId === other.batch.batchId : one.type === other.type

/** Whether a batch waits to be handed over. */
const holdsBatch = (snapshot: ShardConsumerSnapshot): boolean =>
  stateRank(snapshot) === P && snapshot.context.task === null && snapshot.context.batch !== null

/** What holds of the tasks of each state. */
export const taskInvariants = [
  invariant(15, 'One task is out at a time, beside one checkpoint write', ({ steps }) => {
    const awaited = new Map<number, 'task' | 'write'>()
    return none(
      steps,
      (step) => {
        const { event, after, asked } = step
        const { task, write } = after.context
        if (event !== null && 'id' in event) awaited.delete(event.id)
        for (const { id } of askedFor(step, 'cancel')) awaited.delete(id)
        for (const { id } of asked) awaited.set(id, write?.effect.id === id ? 'write' : 'task')
        const writes = [...awaited.values()].filter((kind) => kind === 'write').length
        // A cancelled callback is still awaited; nothing starts beside it.
        const cancelled = task !== null && !awaited.has(task.id) ? 1 : 0
        return writes > 1 || awaited.size - writes + cancelled > 1
      },
      ({ asked }) => asked,
    )
  }),

  invariant(
    16,
    'Every effect has an id of its own, above those before it, and is answered once at most',
    ({ steps, events }) => {
      const answers = new Set<number>()
      let last = 0
      return [
        ...none(
          steps,
          ({ asked }) => {
            const isWrong = asked.some(({ id }, index) => id !== last + index + 1)
            last += asked.length
            return isWrong
          },
          ({ asked }) => asked.map(({ id }) => id),
        ),
        ...none(
          events.filter(({ event, answered }) => answered !== null && !(answered.type === 'startTimer' && event.type === 'effectFailed')),
          ({ answered }) => {
            const isWrong = answered !== null && answers.has(answered.id)
            if (answered !== null) answers.add(answered.id)
            return isWrong
          },
          ({ event }) => event,
        ),
      ]
    },
    'That an answer comes is for the driver to promise.',
  ),

  invariant(17, 'The task that is out is one of the state', ({ steps }) =>
    none(
      steps,
      ({ after }) => {
        const { task } = after.context
        return task !== null && task.type !== 'startTimer' && statesOf[task.type]?.includes(stateRank(after)) !== true
      },
      ({ after }) => [after.context.task?.type, after.value],
    ),
  ),

  invariant(18, 'No task is out in the notification completion and at the end', ({ steps }) =>
    none(
      steps,
      ({ after }) => [NC, C].includes(stateRank(after)) && after.context.task !== null,
      ({ after }) => after.context.task,
    ),
  ),

  invariant(
    19,
    'A consumer that was SHUTTING_DOWN asked for the shutdown work, the closing of the shard last, before it completed',
    ({ steps }) => {
      const wasShuttingDown = steps.some(({ after }) => stateRank(after) === D)
      const completed = steps.find(({ after }) => stateRank(after) === C)
      const closing = steps.findLast((step) => askedFor(step, 'closeShard').length > 0)
      return never(
        wasShuttingDown && completed !== undefined && (closing === undefined || closing.index >= completed.index),
        'it completed without having closed the shard',
      )
    },
  ),

  invariant(20, 'A failed task is tried again only when a timer has fired', ({ events }) =>
    none(
      events.filter(({ event, before, answered }) => failures.has(event.type) && answered !== null && answered === before.context.task),
      ({ answered, asked }) => answered !== null && answered.type !== 'startTimer' && asked.some((effect) => isSameWork(effect, answered)),
      ({ event }) => event,
    ),
  ),

  invariant(
    21,
    'What becomes of a checkpoint write is not taken for the outcome of the task',
    ({ events }) =>
      none(
        events.filter(
          ({ event, before, answered }) =>
            answered !== null && answered === before.context.write?.effect && event.type !== 'checkpointRefused' && stateRank(before) < D,
        ),
        ({ event, before, after }) =>
          !(event.type === 'checkpointWritten' && holdsBatch(before)) &&
          (!same(before.value, after.value) || !same(before.context.task, after.context.task)),
        ({ event, after }) => `${event.type} led to ${JSON.stringify(after.value)}`,
      ),
    'A handler that cannot be run fails its own effect, by its id: there is no other way to say so. A batch that is held awaits nothing: one that a checkpoint has stored is passed over.',
  ),

  invariant(22, 'Every processRecords has a batch, and one without records only where that was asked for', ({ steps }) =>
    none(
      steps,
      (step) =>
        askedFor(step, 'processRecords').some(
          ({ batch }) =>
            batch.batchId === '' ||
            (batch.count === 0 && (!step.after.context.options.shouldCallProcessRecordsEvenForEmptyRecordList || batch.atShardEnd)),
        ),
      ({ effects }) => effects,
    ),
  ),

  invariant(23, 'The end that is told is that of the reason', ({ steps }) =>
    none(
      steps,
      (step) =>
        (askedFor(step, 'notifyShardEnded').length > 0 && step.after.context.reason !== 'SHARD_END') ||
        (askedFor(step, 'notifyLeaseLost').length > 0 && step.after.context.reason !== 'LEASE_LOST'),
      ({ after, effects }) => [after.context.reason, effects],
    ),
  ),

  invariant(61, 'Nothing is fetched once a reason is recorded, or after the last batch of the shard', ({ steps }) => {
    let isAtEnd = false
    return none(
      steps,
      (step) => {
        const { event, answered } = step
        if (answered?.type === 'processRecords' && event?.type === 'recordsProcessed' && answered.batch.atShardEnd) isAtEnd = true
        return askedFor(step, 'readRecords').length > 0 && (isAtEnd || reasonRank(step.after) > 0)
      },
      ({ after }) => after.context.reason,
    )
  }),

  invariant(62, 'One read is out at a time', ({ steps }) => {
    let out: number | null = null
    return none(
      steps,
      (step) => {
        if (out !== null && step.event !== null && 'id' in step.event && step.event.id === out) out = null
        if (askedFor(step, 'cancel').some(({ id }) => id === out)) out = null
        const reads = askedFor(step, 'readRecords')
        const isWrong = reads.length > 1 || (reads.length === 1 && out !== null)
        out = reads.at(-1)?.id ?? out
        return isWrong
      },
      ({ effects }) => effects,
    )
  }),

  invariant(70, 'A step starts one task at most, with a bounded number of notices', ({ steps }) =>
    none(
      steps,
      ({ asked, effects, after }) => asked.filter(({ id }) => id !== after.context.write?.effect.id).length > 1 || effects.length > 25,
      ({ effects }) => effects.map(({ type }) => type),
    ),
  ),

  invariant(73, 'A callback is cancelled only where the lease is lost', ({ events }) =>
    none(
      events,
      (step) => {
        const { task } = step.before.context
        const isCancelled = task !== null && isCallback(task) && askedFor(step, 'cancel').some(({ id }) => id === task.id)
        return isCancelled && step.after.context.reason !== 'LEASE_LOST'
      },
      ({ event }) => event,
    ),
  ),
] as const
