import { compareSequenceNumbers, type ExtendedSequenceNumber, isSentinel, isShardEnd } from '@shardwise/effects'
import { invariant, never, none, same } from './invariant.ts'
import { above, isRecord, placeText } from './places.ts'
import { askedFor, endIsStored, type RequestFacts, type ToldStep, type TraceFacts } from './traceFacts.ts'

/** The writes of a trace that are wrong. */
const wrongWrites = ({ writes }: TraceFacts, isWrong: (write: TraceFacts['writes'][number]) => boolean): readonly string[] =>
  writes.filter(isWrong).map(({ step, checkpoint }) => `step ${step.index}: ${placeText(checkpoint)}`)

const wrongRequests = ({ requests }: TraceFacts, isWrong: (made: RequestFacts) => boolean): readonly string[] =>
  requests
    .filter(isWrong)
    .map(
      ({ step, request, position, settlements }) =>
        `step ${step.index}: ${request} at ${placeText(position)}, settled ${JSON.stringify(settlements.map(({ error }) => error))}`,
    )

/** How a request was answered in the step that made it; undefined when it was not. */
const answeredAtOnce = ({ step, settlements }: RequestFacts): string | null | undefined =>
  settlements.find((settlement) => settlement.step.index === step.index)?.error

/** Whether a place is at or below what was processed, or lies in the batch that is being processed. */
const isHandled = ({ completed, inProcess }: ToldStep, place: ExtendedSequenceNumber): boolean =>
  [completed, inProcess?.last ?? null].some((bound) => bound !== null && !above(place, bound))

/** Whether a request comes when a checkpoint may be asked for. */
const isTimely = ({ step }: RequestFacts): boolean => {
  const { reason, processorDone, initialized } = step.before.context
  return reason !== 'LEASE_LOST' && !processorDone && initialized && step.before.status === 'active'
}

function isInRange({ position, step }: RequestFacts): boolean {
  const { checkpoint } = step.before.context
  return isRecord(position) && !above(checkpoint, position) && isHandled(step, position)
}

/** Whether a request is for what is stored, or may be for the end of the shard. */
const isForStoredOrEnd = ({ position, step: { before } }: RequestFacts): boolean =>
  same(position, before.context.checkpoint) || (before.context.shardEndedStarted && position?.sequenceNumber === 'SHARD_END')

/** What holds of checkpoints. */
export const checkpointInvariants = [
  invariant(41, 'Stored checkpoints never fall', ({ stored }) =>
    stored.flatMap((value, index) =>
      above(stored[index - 1], value) ? [`${placeText(stored[index - 1])} was followed by ${placeText(value)}`] : [],
    ),
  ),

  invariant(42, 'A checkpoint is at or below what was delivered, and what is completed never falls', (facts) => [
    ...wrongWrites(
      facts,
      ({ step, checkpoint }) => !isShardEnd(checkpoint) && (step.delivered === null || above(checkpoint, step.delivered)),
    ),
    ...none(
      facts.events,
      ({ before, after }) =>
        above(before.context.completed, after.context.completed) || (before.context.completed !== null && after.context.completed === null),
      ({ after }) => placeText(after.context.completed),
    ),
  ]),

  invariant(43, 'What is stored is not written again', (facts) =>
    wrongWrites(facts, ({ step, checkpoint }) => {
      const stored = step.after.context.checkpoint
      return stored !== null && compareSequenceNumbers(checkpoint, stored) === 0
    }),
  ),

  invariant(44, 'Nothing is written once the lease is lost or may be released, and who asks is told of the shutdown', (facts) => {
    const released = facts.steps.find((step) => askedFor(step, 'signalShutdownNotificationComplete').length > 0)
    return [
      ...wrongWrites(
        facts,
        ({ step }) =>
          step.after.context.reason === 'LEASE_LOST' ||
          (released !== undefined && step.index > released.index && !step.after.context.shardEndedStarted),
      ),
      ...wrongRequests(facts, (made) => made.step.before.context.reason === 'LEASE_LOST' && answeredAtOnce(made) !== 'ShutdownException'),
    ]
  }),

  invariant(45, 'SHARD_END is written only after shardEnded was called, and nothing is stored after it', (facts) => {
    const called = facts.steps.find((step) => askedFor(step, 'notifyShardEnded').length > 0)?.index ?? Number.POSITIVE_INFINITY
    const end = facts.stored.findIndex(isShardEnd)
    return [
      ...wrongWrites(facts, ({ step, checkpoint }) => isShardEnd(checkpoint) && step.index <= called),
      ...never(end >= 0 && end < facts.stored.length - 1, `${placeText(facts.stored[end + 1])} was stored after SHARD_END`),
    ]
  }),

  invariant(
    46,
    'An initialised consumer ends as finished exactly where SHARD_END was stored',
    ({ last: { context, status }, stored }) =>
      never(
        status === 'done' && context.initialized && (context.outcome === 'finished') !== stored.some(isShardEnd),
        String(context.outcome),
      ),
    'The checkpoint may be stored by a later answer than that of shardEnded.',
  ),

  invariant(47, 'SHARD_END is written only after the leases of the children, all of them known, were created', (facts) => {
    const created = facts.events.find(({ event, answered }) => event.type === 'childLeasesCreated' && answered !== null)
    return wrongWrites(facts, ({ step, checkpoint }) => {
      const { childShards } = step.after.context
      const isCreated = created !== undefined && created.index <= step.index
      return isShardEnd(checkpoint) && (childShards === null || (childShards.length > 0 && !isCreated))
    })
  }),

  invariant(48, 'A checkpoint out of range is refused and changes nothing', (facts) =>
    wrongRequests(facts, (made) => {
      const { position, step } = made
      const isStored = step.before.context.checkpoint !== null && same(position, step.before.context.checkpoint)
      if (position === null || !isTimely(made) || isInRange(made) || isStored || isForStoredOrEnd(made)) return false
      return answeredAtOnce(made) !== 'IllegalArgumentException' || !same(step.before, step.after)
    }),
  ),

  invariant(49, 'The stored checkpoint is what the last good write said, whatever became of others', ({ events }) =>
    none(
      events,
      ({ event, before, after, answered }) => {
        if (event.type === 'checkpointRead' && answered !== null) return !same(after.context.checkpoint, event.checkpoint)
        const written = event.type === 'checkpointWritten' && answered?.type === 'writeCheckpoint' ? answered.checkpoint : null
        return !same(after.context.checkpoint, written ?? before.context.checkpoint)
      },
      ({ event, after }) => [event, after.context.checkpoint],
    ),
  ),

  invariant(50, 'Once shardEnded was called, a checkpoint of everything is SHARD_END, in every attempt', (facts) =>
    wrongRequests(facts, (made) => {
      const { position, step } = made
      const { checkpoint, shardEndedStarted } = step.before.context
      const isAll = position === null || (same(position, step.completed) && !above(checkpoint, position))
      return (
        shardEndedStarted && isAll && isTimely(made) && askedFor(step, 'writeCheckpoint').some((write) => !isShardEnd(write.checkpoint))
      )
    }),
  ),

  invariant(
    52,
    'A prepared checkpoint is the one that the store has, is handed to initialize, and is forgotten once that succeeded',
    ({ steps }) => {
      let stored: unknown = null
      return none(
        steps,
        (step) => {
          const { event, answered, after } = step
          if (event?.type === 'checkpointRead' && answered !== null) stored = event.pendingCheckpoint
          const expected = after.context.initialized ? null : stored
          return (
            !same(after.context.pendingCheckpoint, expected) ||
            askedFor(step, 'initialize').some(({ pendingCheckpoint }) => !same(pendingCheckpoint, stored))
          )
        },
        ({ after }) => placeText(after.context.pendingCheckpoint),
      )
    },
    'That it lies above the checkpoint is for the store to promise; a consumer prepares none.',
  ),

  invariant(53, 'No sentinel but SHARD_END is written', (facts) =>
    wrongWrites(facts, ({ checkpoint }) => isSentinel(checkpoint.sequenceNumber) && !isShardEnd(checkpoint)),
  ),

  invariant(54, 'Every write is made in the name of the acquisition that the consumer was started with', ({ steps, trace: { input } }) =>
    none(
      steps,
      (step) =>
        askedFor(step, 'writeCheckpoint').some(
          ({ token, leaseKey, shardId }) =>
            token !== input.token || leaseKey !== (input.leaseKey ?? input.shardId) || shardId !== input.shardId,
        ),
      ({ effects }) => effects,
    ),
  ),

  invariant(76, 'A checkpoint request is settled once, and before the consumer completes', (facts) =>
    wrongRequests(facts, ({ settlements }) => settlements.length > 1 || (facts.last.status === 'done' && settlements.length === 0)),
  ),

  invariant(77, 'Sixteen checkpoint requests wait at most, and none where nothing is being written', ({ steps }) =>
    none(
      steps,
      ({ after: { context } }) => context.waiting.length > 16 || (context.write === null && context.waiting.length > 0),
      ({ after }) => after.context.waiting.length,
    ),
  ),

  invariant(78, 'A checkpoint request is settled without an error only for what is stored', (facts) =>
    wrongRequests(facts, ({ position, settlements }) =>
      settlements.some(
        ({ step, error }) =>
          error === null && position !== null && !endIsStored(step.after) && !same(position, step.after.context.checkpoint),
      ),
    ),
  ),

  invariant(79, 'A checkpoint in range is not refused for its range', (facts) =>
    wrongRequests(facts, (made) => isInRange(made) && answeredAtOnce(made) === 'IllegalArgumentException'),
  ),

  invariant(88, 'A checkpoint that is written is of a batch that was processed, or of the one that is being processed', (facts) =>
    wrongWrites(facts, ({ step, checkpoint }) => !isShardEnd(checkpoint) && !isHandled(step, checkpoint)),
  ),
] as const
