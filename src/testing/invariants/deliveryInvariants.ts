import { Deliveries } from './deliveries.ts'
import { invariant, none } from './invariant.ts'
import { above, isRecord, placeText } from './places.ts'
import { askedFor, leftBehind, P, passedOver, stateRank, type ToldStep, type TraceFacts } from './traceFacts.ts'

/** Steps in which something is wrong that depends on whether the deliveries of a batch were exhausted. */
function wrongDeliveries(
  { steps }: TraceFacts,
  isWrong: (step: ToldStep, exhausted: boolean) => boolean,
  say: (step: ToldStep) => unknown,
): readonly string[] {
  const deliveries = new Deliveries()
  return none(
    steps,
    (step) => {
      const exhausted = deliveries.hear(step)
      const wrong = isWrong(step, exhausted)
      deliveries.ask(step)
      return wrong
    },
    say,
  )
}

/** The steps after which the shard is paused, by what it was told. */
function whilePaused(steps: readonly ToldStep[]): ReadonlySet<ToldStep> {
  let isPaused = false
  return new Set(
    steps.filter(({ event }) => {
      if (event?.type === 'pause' || event?.type === 'resume') isPaused = event.type === 'pause'
      return isPaused
    }),
  )
}

/** What holds of the delivery of records, and of the error policy. */
export const deliveryInvariants = [
  invariant(
    90,
    'No batch is passed over, split, handed to the dead letter or given up but by the error policy, when its deliveries are exhausted',
    (facts) =>
      wrongDeliveries(
        facts,
        (step, exhausted) => {
          const { event, before, after } = step
          const isAnswer = event?.type === 'recordsFailed' || event?.type === 'timerFired'
          const splits = askedFor(step, 'splitBatch').length > 0 && isAnswer && before?.context.resume !== 'splitBatch'
          const letters = askedFor(step, 'deliverDeadLetter').length > 0 && before?.context.resume !== 'deliverDeadLetter'
          const givesUp = after.context.gaveUp !== null && before?.context.gaveUp === null && event?.type !== 'deadLetterDelivered'
          return !exhausted && ((before?.context.reason === null && passedOver(step) !== null) || splits || letters || givesUp)
        },
        ({ effects }) => effects,
      ),
  ),

  invariant(91, 'Where there is a dead letter, no batch with records is passed over or given up before it was delivered', ({ steps }) =>
    none(
      steps,
      (step) => {
        const { before, after, event } = step
        if (before?.context.options.deadLetter !== true) return false
        const givesUp = after.context.gaveUp !== null && before.context.gaveUp === null && event?.type !== 'deadLetterDelivered'
        return (before.context.batch?.count ?? 0) > 0 && before.context.reason === null && (leftBehind(step) !== null || givesUp)
      },
      ({ effects }) => effects,
    ),
  ),

  invariant(92, 'From a dead letter on, until it was delivered, no checkpoint is written beyond the records before it', ({ steps }) => {
    let letter: { readonly id: number; readonly after: ToldStep['completed'] } | null = null
    return none(
      steps,
      (step) => {
        const { event, answered } = step
        if (
          letter !== null &&
          answered?.type === 'deliverDeadLetter' &&
          event?.type !== 'deadLetterFailed' &&
          event?.type !== 'effectFailed'
        )
          letter = null
        for (const { id, after } of askedFor(step, 'deliverDeadLetter')) letter = { id, after }
        const bound = letter === null ? null : (letter.after ?? { sequenceNumber: '0', subSequenceNumber: 0 })
        return (
          bound !== null && askedFor(step, 'writeCheckpoint').some(({ checkpoint }) => isRecord(checkpoint) && above(checkpoint, bound))
        )
      },
      (step) => askedFor(step, 'writeCheckpoint').map(({ checkpoint }) => placeText(checkpoint)),
    )
  }),

  invariant(93, 'A batch on which the processor failed as often as it may is not delivered again as it is', (facts) =>
    wrongDeliveries(
      facts,
      (step, exhausted) => {
        const { before, event } = step
        const failed = before?.context.batch
        const isCovered = failed?.last !== null && failed?.last !== undefined && !above(failed.last, before?.context.checkpoint)
        return (
          exhausted &&
          !(isCovered && isRecord(before?.context.checkpoint)) &&
          (askedFor(step, 'startTimer').length > 0 && event?.type === 'recordsFailed'
            ? step.after.context.write?.effect.type !== 'startTimer'
            : askedFor(step, 'processRecords').some(({ batch }) => batch.batchId === failed?.batchId))
        )
      },
      ({ effects }) => effects,
    ),
  ),

  invariant(94, 'No batch is handed over while the shard is paused', ({ steps }) =>
    none(
      [...whilePaused(steps)],
      (step) => askedFor(step, 'processRecords').length > 0,
      ({ effects }) => effects,
    ),
  ),

  invariant(95, 'A shard that is resumed goes on, and one that is paused stands still only with a batch to hand over', ({ steps }) => {
    const paused = whilePaused(steps)
    return none(
      steps.filter(({ after }) => stateRank(after) === P),
      (step) => step.after.context.task === null && !(paused.has(step) && step.after.context.batch !== null),
      ({ event, after }) => `${event?.type} led to ${JSON.stringify(after.value)}, where nothing is awaited`,
    )
  }),
] as const
