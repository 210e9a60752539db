import type { ExtendedSequenceNumber, Position } from '@shardwise/effects'
import type { ShardConsumerSnapshot } from '@shardwise/machine'
import { invariant, never, none } from './invariant.ts'
import { above, isRecord, placeText } from './places.ts'
import { askedFor, P, stateRank } from './traceFacts.ts'

/** What holds of what a record source is asked. */
export const sourceInvariants = [
  invariant(
    51,
    'Records are delivered above what is stored and what was completed, and in their order',
    ({ steps }) =>
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
              (batch.last !== null && after !== null && (batch.atShardEnd ? above(after, batch.last) : !above(batch.last, after)))
            )
          }),
        ({ effects }) => effects,
      ),
    'A last batch of which nothing is left is handed over, with no records: the end of the shard follows its answer.',
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

  invariant(63, 'A shard is opened again at the last record that was completed', ({ steps }) =>
    none(
      steps,
      ({ completed, kept, done, ...step }) =>
        askedFor(step, 'openShard').some(({ position }) => {
          if (completed === null) return false
          if (position.type !== 'AT_SEQUENCE_NUMBER') return true
          return above(wholeRecord(completed.sequenceNumber), wholeRecord(position.sequenceNumber)) || skips(position, kept, done)
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
        const freed = askedFor(step, 'dropBatch').map(({ batchId }) => batchId)
        const held = heldBy(step.after)
        const isLeft = step.before !== null && heldBy(step.before).some((batchId) => !held.includes(batchId) && !freed.includes(batchId))
        return isLeft || (held.length > 0 && stateRank(step.after) !== P)
      },
      ({ before, after }) => [before?.context.batch?.batchId, after.value],
    ),
  ),

  invariant(
    89,
    'No record is skipped: reading goes on, and begins again, after what was processed or stored, and a shard ends there',
    ({ steps, events }) => {
      const endedFromOutside = events.find(
        ({ event, answered }) =>
          (event.type === 'shutdown' && event.reason === 'SHARD_END') || (event.type === 'shardNotFound' && answered),
      )
      let read: ExtendedSequenceNumber | null = null
      return none(
        steps,
        (step) => {
          const { event, answered, kept, done, index } = step
          if (event?.type === 'recordsRead' && answered?.type === 'readRecords') read = event.batch.last ?? read
          const isMissed = (place: ExtendedSequenceNumber | null): boolean =>
            isRecord(place) && ![kept, done].some((bound) => bound !== null && !above(place, bound))
          const opened = askedFor(step, 'openShard')
          if (opened.length > 0) read = null
          const endsBehind = endedFromOutside === undefined || index < endedFromOutside.index
          return (
            opened.some(({ position }) => skips(position, kept, done)) ||
            askedFor(step, 'readRecords').some(({ after }) => isMissed(after) || isMissed(read)) ||
            askedFor(step, 'processRecords').some(({ after }) => isMissed(after)) ||
            (endsBehind && askedFor(step, 'notifyShardEnded').length > 0 && isMissed(read))
          )
        },
        ({ effects, kept, done }) => [effects, placeText(kept), placeText(done)],
      )
    },
    'A shard that is ended from outside, or that the stream no longer has, leaves behind what was not processed.',
  ),
] as const

/** The batches that a consumer holds: the present one, and the one that it is a part of. */
const heldBy = ({ context: { batch, whole } }: ShardConsumerSnapshot): readonly string[] =>
  [batch, whole].flatMap((each) => (each === null ? [] : [each.batchId]))

/** The place of a Kinesis record as a whole: where it is an aggregate, of its first user record. */
const wholeRecord = (sequenceNumber: string): ExtendedSequenceNumber => ({ sequenceNumber, subSequenceNumber: 0 })

/** Whether an opening leaves records out; what is stored may be the midst of an aggregate, the end of a batch is not. */
function skips(position: Position, kept: ExtendedSequenceNumber | null, done: ExtendedSequenceNumber | null): boolean {
  if (position.type !== 'AT_SEQUENCE_NUMBER' && position.type !== 'AFTER_SEQUENCE_NUMBER') return false
  const place = wholeRecord(position.sequenceNumber)
  const isStored =
    kept !== null && (position.type === 'AT_SEQUENCE_NUMBER' ? !above(place, kept) : above(wholeRecord(kept.sequenceNumber), place))
  return !isStored && (done === null || above(place, done))
}
