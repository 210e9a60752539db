import type { ShardConsumerContext, ShardConsumerSnapshot, ShardEvent } from '@shardwise/machine'
import { answersTo, type NamedEvent, placeAfter } from '../answers.ts'
import { isPaused } from './stateKey.ts'

const shutdowns = (['REQUESTED', 'SHARD_END', 'LEASE_LOST'] as const).map(
  (reason): NamedEvent => ({ name: `shutdown: ${reason}`, event: { type: 'shutdown', reason } }),
)
const stale: readonly NamedEvent[] = [
  { name: 'stale: checkpointRefused', event: { type: 'checkpointRefused', id: 0 } },
  { name: 'stale: recordsProcessed', event: { type: 'recordsProcessed', id: 0 } },
]

/**
 * What may happen to a consumer, by name: every answer to what it awaits, every shutdown, stale answers, and checkpoints of everything, of the first record of
 * the batch and out of range. With an error policy, records are always the newest, and the last ones come with children.
 *
 * While a checkpoint is written, no other is asked for unless it would be refused: who waits behind whom triples the states and leads through no other
 * transition. Nor, with an error policy, but while a batch is looked through for the record at fault, or a dead letter is out. Nor while the shard is paused,
 * but with a batch that is held: what is under way goes on as it does otherwise.
 *
 * The shard is paused while a batch is read or processed, with no checkpoint out; one that fails, and is stored meanwhile, may be paused in its backoff. Before
 * and after, a pause is only noted. How a shardEnded that forgets to checkpoint is treated makes no difference to it, so it comes with one of the policies.
 */
export function eventsIn(snapshot: ShardConsumerSnapshot): readonly NamedEvent[] {
  const { context } = snapshot
  const awaited = [context.task, context.write?.effect ?? null].filter((effect) => effect !== null)
  const answers = awaited.flatMap((effect) => answersTo(effect, context))
  return [
    ...(hasErrorPolicy(context.options) ? answers.filter(({ name }) => !readElsewhere.has(name)) : answers),
    ...[...shutdowns, ...pausesIn(context), ...checkpointsIn(context), ...stale].map(({ name, event }) => ({ name, event: { ...event } })),
  ]
}

/** Whether a batch lags behind, and whether the end that comes with it names children, is the same to every error policy. */
const readElsewhere: ReadonlySet<string> = new Set(['readRecords: some records', 'readRecords: the last records'])

const pause: NamedEvent = { name: 'pause', event: { type: 'pause' } }
const resume: NamedEvent = { name: 'resume', event: { type: 'resume' } }

function pausesIn(context: ShardConsumerContext): readonly NamedEvent[] {
  const { task, write, reason, batch, options } = context
  if (options.missedShardEndCheckpoint === 'replay' || reason !== null) return []
  if (isPaused(context)) return [resume]
  // A batch that failed may be checkpointed to its end while it is held.
  const waitsAgain = task?.type === 'startTimer' && context.resume === 'processRecords' && batch !== null && !hasErrorPolicy(options)
  const isDue = write === null ? task?.type === 'readRecords' || task?.type === 'processRecords' : waitsAgain
  return isDue ? [pause] : []
}

function checkpointsIn(context: ShardConsumerContext): readonly NamedEvent[] {
  const { batch, whole, write, reason, processorDone, nextId, options, task } = context
  const ask = (what: string, position: CheckpointPosition): NamedEvent => ({
    name: `checkpoint: ${what}`,
    event: { type: 'checkpointRequested', request: `r${nextId}`, position },
  })
  // What checkpoints lead to elsewhere is the same with every error policy.
  const isLookedThrough = whole !== null && task?.type === 'processRecords'
  if (hasErrorPolicy(options) && !isLookedThrough && task?.type !== 'deliverDeadLetter') return []
  if (isPaused(context) && (task !== null || hasErrorPolicy(options))) return []
  const wouldWait = write !== null && reason !== 'LEASE_LOST' && !processorDone
  return [
    ...(wouldWait ? [] : [ask('everything', null)]),
    ...(wouldWait || whole !== null || batch === null || batch.first === null ? [] : [ask('the first record', batch.first)]),
    ask('out of range', placeAfter(context, 99)),
  ]
}

const hasErrorPolicy = ({ maxDeliveryAttempts, maxDeliveryAgeMillis }: ShardConsumerContext['options']): boolean =>
  maxDeliveryAttempts !== null || maxDeliveryAgeMillis !== null

type CheckpointPosition = Extract<ShardEvent, { type: 'checkpointRequested' }>['position']
