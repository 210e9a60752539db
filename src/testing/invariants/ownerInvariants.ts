import { invariant, never, none } from './invariant.ts'
import { askedFor, endIsStored, type TraceFacts } from './traceFacts.ts'

/** The steps that say that the notification is complete, each as often as it says so. */
const notifications = ({ steps }: TraceFacts) =>
  steps.flatMap((step) => askedFor(step, 'signalShutdownNotificationComplete').map(() => step))

const askedAt = ({ events }: TraceFacts) => events.find(({ event }) => event.type === 'shutdown')?.index
const completedAt = ({ steps }: TraceFacts) => steps.find(({ after }) => after.status === 'done')?.index

/** What holds of what the owner of a consumer is told. */
export const ownerInvariants = [
  invariant(
    55,
    'The lease may be released once at most: when shutdownRequested was answered and nothing is being written',
    (facts) => {
      const answered = facts.callbackAnswers.find(({ effect }) => effect.type === 'notifyShutdownRequested')?.step.index
      const told = notifications(facts)
      return [
        ...never(told.length > 1, `signalled in steps ${told.map(({ index }) => index).join()}`),
        ...none(
          told,
          ({ index, after }) =>
            after.context.write !== null ||
            (facts.steps.some((step) => askedFor(step, 'notifyShutdownRequested').length > 0) &&
              (answered === undefined || answered > index)),
          ({ after }) => after.context.write,
        ),
      ]
    },
    'An end of the shard that cannot be reported gives the lease away as a lost one; there is no hand-off of leases.',
  ),

  invariant(56, 'The notification is complete once at most, where the consumer then waits for its release', (facts) => {
    const told = notifications(facts)
    return [
      ...never(told.length > 1, `signalled in steps ${told.map(({ index }) => index).join()}`),
      ...none(
        told,
        ({ after }) =>
          JSON.stringify(after.value) !== '{"SHUTDOWN_REQUESTED":"notificationCompletion"}' || after.context.reason !== 'REQUESTED',
        ({ after }) => after.value,
      ),
    ]
  }),

  invariant(57, 'The owner hears once that the shutdown is complete, exactly if it asked for one, and after the notification', (facts) => {
    const [asked, completed] = [askedAt(facts), completedAt(facts)]
    const told = facts.steps.flatMap((step) => askedFor(step, 'signalShutdownComplete').map(() => step.index))
    const isDue = asked !== undefined && completed !== undefined
    const notified = notifications(facts)[0]?.index ?? -1
    return never(
      told.length !== (isDue ? 1 : 0) || told.some((index) => index < notified),
      `told in steps ${told.join()}; asked in ${String(asked)}, complete in ${String(completed)}`,
    )
  }),

  invariant(58, 'A first request to shut down that comes after the end is answered in its step, with the outcome', (facts) =>
    none(
      facts.events.filter(({ index, before }) => before.status === 'done' && index === askedAt(facts)),
      (step) => askedFor(step, 'signalShutdownComplete')[0]?.outcome !== step.before.context.outcome,
      ({ effects }) => effects,
    ),
  ),

  invariant(59, 'A request to shut down that was made is not forgotten for a later one', ({ events }) =>
    none(
      events,
      ({ event, before, after }) =>
        (before.context.shutdownAsked && !after.context.shutdownAsked) ||
        (before.context.stopRequested && !after.context.stopRequested) ||
        (event.type === 'shutdown' && !after.context.shutdownAsked),
      ({ event }) => event,
    ),
  ),

  invariant(81, 'The owner hears once at most that the lease is lost, and not where it said so itself', (facts) => {
    const told = facts.events.filter((step) => askedFor(step, 'signalLeaseLost').length > 0)
    return [
      ...never(told.length > 1, `signalled in steps ${told.map(({ index }) => index).join()}`),
      ...none(
        told,
        ({ event, before, after }) =>
          (event.type === 'shutdown' && event.reason === 'LEASE_LOST') ||
          before.context.reason === 'LEASE_LOST' ||
          after.context.reason !== 'LEASE_LOST',
        ({ event }) => event,
      ),
    ]
  }),

  invariant(82, 'A shard whose stored checkpoint is SHARD_END ends as finished, without a callback', ({ events, callbacks, last }) => {
    const found = events.find(
      ({ event, answered }) => event.type === 'checkpointRead' && answered !== null && event.checkpoint.sequenceNumber === 'SHARD_END',
    )
    return found === undefined
      ? []
      : [
          ...none(
            callbacks.map(({ step }) => step),
            ({ index }) => index >= found.index,
            ({ asked }) => asked,
          ),
          ...never(last.status === 'done' && last.context.outcome !== 'finished', String(last.context.outcome)),
        ]
  }),

  invariant(83, 'The outcome is that of what happened, and there is none before the end', ({ last }) => {
    const { context, status } = last
    const finished = endIsStored(last) || (context.reason === 'SHARD_END' && !context.initialized)
    const { onDeliveryFailure } = context.options
    const gaveUp = context.gaveUp === null ? null : onDeliveryFailure === 'fail' ? 'failed' : 'stopped'
    const expected = finished
      ? 'finished'
      : gaveUp !== null
        ? gaveUp
        : context.reason === 'LEASE_LOST'
          ? 'leaseLost'
          : context.replay
            ? 'replay'
            : 'stopped'
    return never(context.outcome !== (status === 'done' ? expected : null), `${String(context.outcome)}, expected ${expected}`)
  }),

  invariant(
    84,
    'A consumer is stopped only by the error policy, or before its processor was initialised, where that was asked for',
    ({ last: { context } }) =>
      never(
        context.outcome === 'stopped' &&
          context.gaveUp === null &&
          (context.initialized || context.reason !== 'REQUESTED' || !context.shutdownAsked),
        String(context.reason),
      ),
  ),
] as const
