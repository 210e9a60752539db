import type { ShardConsumerSnapshot } from '@shardwise/machine'
import type { Engine } from '../trace.ts'
import { invariant, none, same, spread } from './invariant.ts'
import { D, type EventStep, isOnlyWaitedFor, P, reasonRank, stateRank } from './traceFacts.ts'

const pairs = [
  ['REQUESTED', 'SHARD_END'],
  ['REQUESTED', 'LEASE_LOST'],
  ['SHARD_END', 'LEASE_LOST'],
] as const

/** Whether a task is out that a shutdown waits for. */
const isAtWork = ({ context: { task } }: ShardConsumerSnapshot): boolean => task !== null && !isOnlyWaitedFor(task)

const reasonAfter = (engine: Engine, snapshot: ShardConsumerSnapshot, ...reasons: readonly (typeof pairs)[number][number][]) =>
  reasons.reduce((before, reason) => engine.step(before, { type: 'shutdown', reason })[0], snapshot).context.reason

/** Whether an event may bring SHARD_END: the end was found, or the owner says so. */
function bringsShardEnd({ event, before: { context } }: EventStep): boolean {
  const answer = context.options.onDeliveryFailure ?? (context.options.deadLetter ? 'skip' : 'stop')
  switch (event.type) {
    case 'shutdown':
      return event.reason === 'SHARD_END'
    case 'checkpointRead':
      return event.checkpoint.sequenceNumber === 'SHARD_END'
    case 'recordsRead':
      return event.batch.atShardEnd && event.batch.count === 0
    case 'recordsProcessed':
    case 'timerFired':
    case 'deadLetterDelivered':
      return context.batch?.atShardEnd === true
    case 'recordsFailed':
      return context.batch?.atShardEnd === true && answer === 'skip'
    case 'shardNotFound':
      return true
    case 'initialized':
      return context.atShardEnd
    default:
      return false
  }
}

/** What holds of reasons to shut down. */
export const reasonInvariants = [
  invariant(9, 'The reason never falls and is never unset', ({ events }) =>
    none(
      events,
      ({ before, after }) => reasonRank(after) < reasonRank(before),
      ({ before, after }) => [before.context.reason, after.context.reason],
    ),
  ),

  invariant(10, 'A reason is only recorded while a task is out: it moves nothing and calls nobody', ({ events }) =>
    none(
      events.filter(({ event, before }) => event.type === 'shutdown' && isAtWork(before)),
      ({ before, after, effects }) =>
        !same(before.value, after.value) || effects.some(({ type }) => type !== 'cancel' && type !== 'settleCheckpoint'),
      ({ after, effects }) => [after.value, effects],
    ),
  ),

  invariant(11, 'A shutdown leaves WAITING_ON_PARENT_SHARDS, INITIALIZING and PROCESSING at once where no task is out', ({ events }) =>
    none(
      events.filter(
        ({ event, before }) => event.type === 'shutdown' && before.context.task !== null && !isAtWork(before) && stateRank(before) <= P,
      ),
      ({ before, after }) => stateRank(before) === stateRank(after),
      ({ after }) => after.value,
    ),
  ),

  invariant(
    12,
    'REQUESTED does not lead to SHUTTING_DOWN',
    ({ events }) =>
      none(
        events.filter(({ before, after }) => stateRank(before) !== D && stateRank(after) === D),
        ({ after }) => reasonRank(after) < 2 && !after.context.replay,
        ({ event }) => event,
      ),
    'A consumer whose processor is gone goes there to be made anew.',
  ),

  invariant(13, 'SHARD_END is recorded where the end of the shard was found, or was said by the owner', ({ events }) =>
    none(
      events.filter(({ before, after }) => before.context.reason !== 'SHARD_END' && after.context.reason === 'SHARD_END'),
      (step) => !bringsShardEnd(step),
      ({ event }) => event,
    ),
  ),

  invariant(14, 'Two reasons come to the same in either order while a task is out', ({ steps }, engine) =>
    spread(
      steps.filter(({ after }) => isAtWork(after)),
      2,
    ).flatMap(({ index, after }) =>
      pairs.flatMap(([a, b]) =>
        reasonAfter(engine, after, a, b) === reasonAfter(engine, after, b, a)
          ? []
          : [`step ${index}: ${a} and ${b} are not one in both orders`],
      ),
    ),
  ),

  invariant(
    69,
    'A timer neither changes the reason nor skips a state',
    ({ events }) =>
      none(
        events.filter(({ event, answered }) => event.type === 'timerFired' && answered !== null),
        ({ before, after }) => {
          const { batch, resume, reason, stopRequested, write } = before.context
          // A stop waits for the checkpoint of the end of the shard, and gives that end up with it.
          if (reason === 'SHARD_END' && stopRequested && write !== null && after.context.write === null) return false
          // A failed last batch that was checkpointed to its end is left to nobody: its timer finds the shard at its end.
          if (batch?.atShardEnd === true && (resume === 'processRecords' || resume === 'deliverDeadLetter')) return false
          // So is a batch whose deliveries are exhausted by its age: another invariant says when.
          if (after.context.gaveUp !== null && before.context.gaveUp === null) return false
          // The timer of a checkpoint write may be all that a consumer without more work waits for.
          const skips = reason === null && stateRank(before) < D && stateRank(after) !== stateRank(before)
          return reason !== after.context.reason || skips
        },
        ({ after }) => [after.context.reason, after.value],
      ),
    'The last batch may have been checkpointed to its end after it failed; its timer then finds the shard at its end.',
  ),

  invariant(72, 'Every answer of a task, a failure as well, honours the reason that was recorded meanwhile', ({ events }) =>
    none(
      events.filter(
        ({ before, answered }) =>
          answered !== null &&
          answered.id === before.context.task?.id &&
          answered.type !== 'startTimer' &&
          before.context.reason !== null &&
          stateRank(before) < D,
      ),
      ({ before, after }) => stateRank(before) === stateRank(after),
      ({ event, after }) => `${event.type} stayed in ${JSON.stringify(after.value)}`,
    ),
  ),
] as const
