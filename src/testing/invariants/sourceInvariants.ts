import { invariant, never, none } from './invariant.ts'
import { above, isRecord, placeText } from './places.ts'
import { askedFor, P, stateRank } from './traceFacts.ts'

export const sourceInvariants = [
  invariant(51, 'Records are delivered above what is stored and what was completed, and in their order', ({ steps }) =>
    none(
      steps,
      (step) =>
        askedFor(step, 'processRecords').some(({ batch, after }) => {
          const { checkpoint } = step.after.context
          const isBehind = (bound: typeof checkpoint): boolean => isRecord(bound) && (after === null || above(bound, after))
          return (
            isBehind(checkpoint) ||
            isBehind(step.completed) ||
            above(batch.first, batch.last) ||
            (batch.last !== null && above(after, batch.last))
          )
        }),
      ({ effects }) => effects,
    ),
  ),

  invariant(
    60,
    'A shard that was opened is closed before its consumer completes, and not again once it was closed',
    ({ steps, events, last }) => {
      const closed = events.find(({ event, answered }) => answered?.type === 'closeShard' && event.type === 'shardClosed')
      const tried = events.some(({ answered }) => answered?.type === 'closeShard')
      const opened = events.some(({ event, answered }) => answered !== null && event.type === 'shardOpened')
      return [
        ...none(
          steps,
          (step) => closed !== undefined && step.index >= closed.index && askedFor(step, 'closeShard').length > 0,
          () => 'closed again',
        ),
        ...never(last.status === 'done' && opened && !tried, 'it was left open'),
      ]
    },
    'A failed initialisation is tried again as a whole, and so opens the shard again; a closing that fails is given up in the end.',
  ),

  invariant(63, 'A shard is opened again after the last batch that was completed', ({ steps }) =>
    none(
      steps,
      (step) =>
        askedFor(step, 'openShard').some(({ position }) => {
          const { completed } = step.after.context
          return (
            step.completed !== null &&
            (position.type !== 'AFTER_SEQUENCE_NUMBER' ||
              position.sequenceNumber !== completed?.sequenceNumber ||
              above(step.completed, completed))
          )
        }),
      (step) => [askedFor(step, 'openShard'), placeText(step.completed)],
    ),
  ),

  invariant(64, 'The children of the shard, once known, are not replaced by fewer', ({ events }) =>
    none(
      events,
      ({ before, after }) => (before.context.childShards?.length ?? 0) > (after.context.childShards?.length ?? 0),
      ({ event }) => event,
    ),
  ),

  invariant(80, 'A shard is opened at LATEST once: later openings begin where LATEST was', ({ steps, trace: { input } }) => {
    let openedAtMs = input.openedAtMs ?? null
    return none(
      steps,
      (step) => {
        const isWrong = askedFor(step, 'openShard').some(
          ({ position }) =>
            openedAtMs !== null &&
            (position.type === 'LATEST' ||
              (position.type === 'AT_TIMESTAMP' &&
                step.after.context.checkpoint?.sequenceNumber === 'LATEST' &&
                position.timestampMs !== openedAtMs)),
        )
        if (step.event?.type === 'shardOpened' && step.answered !== null) openedAtMs ??= step.event.openedAtMs
        return isWrong
      },
      (step) => askedFor(step, 'openShard'),
    )
  }),

  invariant(85, 'A batch is freed in the step that is done with it, and at the latest when no more is processed', ({ steps }) =>
    none(
      steps,
      (step) => {
        const held = step.before?.context.batch ?? null
        const { batch } = step.after.context
        const isLeft =
          held !== null && held.batchId !== batch?.batchId && !askedFor(step, 'dropBatch').some(({ batchId }) => batchId === held.batchId)
        return isLeft || (batch !== null && stateRank(step.after) !== P)
      },
      ({ before, after }) => [before?.context.batch?.batchId, after.value],
    ),
  ),
] as const
