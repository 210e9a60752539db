import { compareSequenceNumbers, type ExtendedSequenceNumber, isSentinel, isShardEnd } from '@shardwise/effects'
import { describe } from 'vitest'
import { none, property } from './property.ts'
import { indexOf } from './shardWorld.ts'
import { answered, askedFor, type EventStep, eventSteps, lastOf, type Trace, type TraceStep } from './trace.ts'

const above = (a: ExtendedSequenceNumber | null, b: ExtendedSequenceNumber | null): boolean =>
  a !== null && b !== null && compareSequenceNumbers(a, b) > 0
const stored = (trace: Trace): readonly ExtendedSequenceNumber[] =>
  eventSteps(trace).flatMap((lived) => {
    const effect = answered(lived)
    return effect?.type === 'writeCheckpoint' && lived.event.type === 'checkpointWritten' ? [effect.checkpoint] : []
  })
const writes = ({ steps }: Trace) =>
  steps.flatMap((lived, index) => askedFor(lived, 'writeCheckpoint').map((effect) => ({ lived, index, effect })))
const settled = (lived: TraceStep, request: string) => askedFor(lived, 'settleCheckpoint').filter((effect) => effect.request === request)
const text = (place: ExtendedSequenceNumber | null): string =>
  place === null ? 'nothing' : `${place.sequenceNumber}/${place.subSequenceNumber}`
const requests = (trace: Trace) =>
  eventSteps(trace).flatMap((lived) =>
    lived.event.type === 'checkpointRequested' ? [{ lived, request: lived.event.request, position: lived.event.position }] : [],
  )

/** Bounds found apart from the machine: the last record that was handed over, and the last whose batch succeeded. */
function bounds(
  trace: Trace,
  until: TraceStep,
): { readonly delivered: ExtendedSequenceNumber | null; readonly completed: ExtendedSequenceNumber | null } {
  let delivered: ExtendedSequenceNumber | null = null
  let completed: ExtendedSequenceNumber | null = null
  for (const lived of trace.steps.slice(0, trace.steps.indexOf(until) + 1)) {
    for (const { batch } of askedFor(lived, 'processRecords'))
      if (batch.last !== null && !above(delivered, batch.last)) delivered = batch.last
    const effect = lived.before === null || lived.event === null ? null : answered(lived as EventStep)
    if (effect?.type === 'processRecords' && lived.event?.type === 'recordsProcessed' && effect.batch.last !== null)
      completed = effect.batch.last
  }
  return { delivered, completed }
}

describe('the checkpoints that are stored in a life', () => {
  property('I41: never fall', (trace) => {
    const values = stored(trace)
    return none(
      values.slice(1).map((value, index) => ({ value, earlier: values[index] ?? value })),
      ({ value, earlier }) => above(earlier, value),
      ({ value, earlier }) => `${text(earlier)} to ${text(value)}`,
    )
  })

  property('I42: are records that were handed over', (trace) =>
    none(
      writes(trace).filter(({ effect }) => !isShardEnd(effect.checkpoint)),
      ({ lived, effect }) => {
        const { delivered } = bounds(trace, lived)
        return delivered === null || above(effect.checkpoint, delivered)
      },
      ({ effect }) => text(effect.checkpoint),
    ),
  )

  property('I43: are not written a second time', (trace) =>
    none(
      writes(trace),
      ({ lived, effect }) =>
        lived.after.context.checkpoint !== null && compareSequenceNumbers(effect.checkpoint, lived.after.context.checkpoint) === 0,
      ({ effect }) => text(effect.checkpoint),
    ),
  )

  property('I44: are not written once the lease is lost', (trace) =>
    none(
      writes(trace),
      ({ lived }) => lived.after.context.reason === 'LEASE_LOST',
      ({ effect }) => text(effect.checkpoint),
    ),
  )

  property('I44: are not written once the lease may be released, but for the end of the shard', (trace) => {
    const released = trace.steps.findIndex((lived) => askedFor(lived, 'signalShutdownNotificationComplete').length > 0)
    return none(
      writes(trace),
      ({ index, lived }) => released >= 0 && index > released && !lived.after.context.shardEndedStarted,
      ({ effect }) => text(effect.checkpoint),
    )
  })

  property('I45: are SHARD_END only after shardEnded was called, and nothing after it', (trace) => {
    const called = trace.steps.findIndex((lived) => askedFor(lived, 'notifyShardEnded').length > 0)
    const values = stored(trace)
    const end = values.findIndex(isShardEnd)
    return [
      ...none(
        writes(trace),
        ({ index, effect }) => isShardEnd(effect.checkpoint) && (called < 0 || index <= called),
        ({ index }) => `SHARD_END in step ${index}`,
      ),
      ...(end >= 0 && end < values.length - 1 ? [`${text(values[end + 1] ?? null)} after SHARD_END`] : []),
    ]
  })

  property('I46: include SHARD_END exactly where an initialised consumer ends as finished', (trace) => {
    const { context, status } = lastOf(trace)
    if (status !== 'done' || !context.initialized) return []
    return (context.outcome === 'finished') === stored(trace).some(isShardEnd) ? [] : [String(context.outcome)]
  })

  property('I47, DP5: are SHARD_END only after the leases of the children that are known were created', (trace) => {
    const created = trace.steps.findIndex(({ event }) => event?.type === 'childLeasesCreated')
    return none(
      writes(trace),
      ({ index, lived, effect }) =>
        isShardEnd(effect.checkpoint) &&
        (lived.after.context.childShards === null || (lived.after.context.childShards.length > 0 && (created < 0 || created > index))),
      ({ index }) => `step ${index}`,
    )
  })

  property('I49: are what the last good write said, whatever became of others', (trace) =>
    none(
      eventSteps(trace).filter(({ event }) => event.type !== 'checkpointWritten' && event.type !== 'checkpointRead'),
      ({ before, after }) => JSON.stringify(before.context.checkpoint) !== JSON.stringify(after.context.checkpoint),
      ({ event }) => event.type,
    ),
  )

  property('I53: are no sentinels but SHARD_END', (trace) =>
    none(
      writes(trace),
      ({ effect: { checkpoint } }) => isSentinel(checkpoint.sequenceNumber) && !isShardEnd(checkpoint),
      ({ effect }) => text(effect.checkpoint),
    ),
  )

  property('I54: are written in the name of one lease', (trace) =>
    none(
      writes(trace),
      ({ effect }) => effect.token !== 7 || effect.leaseKey !== 'shardId-000000000000',
      ({ effect }) => JSON.stringify(effect),
    ),
  )
})

describe('the checkpoint requests of a life', () => {
  property('are settled once, and before the consumer completes', (trace) => {
    const completed = lastOf(trace).status === 'done'
    return requests(trace).flatMap(({ request }) => {
      const times = trace.steps.reduce((sum, lived) => sum + settled(lived, request).length, 0)
      return times > 1 || (completed && times === 0) ? [`${request} was settled ${times} times`] : []
    })
  })

  property('wait sixteen at most', ({ steps }) =>
    none(
      steps,
      ({ after }) => after.context.waiting.length > 16 || (after.context.write === null && after.context.waiting.length > 0),
      ({ after }) => String(after.context.waiting.length),
    ),
  )

  property('are settled without an error only for what is stored', (trace) =>
    trace.steps.flatMap((lived) =>
      askedFor(lived, 'settleCheckpoint')
        .filter(({ error }) => error === null)
        .flatMap(({ request }) => {
          const position = requests(trace).find((made) => made.request === request)?.position ?? null
          const { checkpoint } = lived.after.context
          const isStored = position === null || checkpoint === null || compareSequenceNumbers(position, checkpoint) === 0
          return isStored || isShardEnd(checkpoint) ? [] : [`${request} at ${text(position)} while ${text(checkpoint)} is stored`]
        }),
    ),
  )

  property('I48, DP14: out of range are refused and change nothing', (trace) =>
    requests(trace).flatMap(({ lived, request, position }) => {
      const { context } = lived.before
      if (position === null || context.reason === 'LEASE_LOST' || context.processorDone || !context.initialized) return []
      const { completed } = bounds(trace, lived)
      const inProcess = context.task?.type === 'processRecords' ? context.task.batch.last : null
      const wellFormed = /^[0-9]+$/.test(position.sequenceNumber)
      const inRange =
        wellFormed &&
        !above(context.checkpoint, position) &&
        [completed, inProcess, context.checkpoint].some((bound) => bound !== null && !above(position, bound))
      const sentinel =
        !wellFormed &&
        (position.sequenceNumber === context.checkpoint?.sequenceNumber ||
          (context.shardEndedStarted && position.sequenceNumber === 'SHARD_END'))
      if (inRange || sentinel) return []
      const error = settled(lived, request)[0]?.error?.name
      return error === 'IllegalArgumentException' && JSON.stringify(lived.before) === JSON.stringify(lived.after)
        ? []
        : [`${text(position)}: ${String(error)}`]
    }),
  )

  property('in range are not refused for their range', (trace) =>
    requests(trace).flatMap(({ lived, request, position }) => {
      const { context } = lived.before
      const inProcess = context.task?.type === 'processRecords' ? context.task.batch.last : null
      const ok =
        position !== null &&
        /^[0-9]+$/.test(position.sequenceNumber) &&
        !above(context.checkpoint, position) &&
        [inProcess, bounds(trace, lived).completed].some((bound) => bound !== null && !above(position, bound))
      return ok && settled(lived, request)[0]?.error?.name === 'IllegalArgumentException' ? [`${text(position)} was refused`] : []
    }),
  )

  property('I50, DP8: mean SHARD_END for everything that was delivered, in every call of shardEnded', (trace) =>
    requests(trace).flatMap(({ lived }) => {
      const before = lived.before.context
      const { completed } = bounds(trace, lived)
      const at = lived.event.type === 'checkpointRequested' ? lived.event.position : null
      const isAll = at === null || (completed !== null && text(at) === text(completed) && !above(before.checkpoint, completed))
      if (!before.shardEndedStarted || !isAll || before.reason === 'LEASE_LOST' || before.processorDone) return []
      return none(
        askedFor(lived, 'writeCheckpoint'),
        ({ checkpoint }) => !isShardEnd(checkpoint),
        ({ checkpoint }) => text(checkpoint),
      )
    }),
  )
})

describe('the records of a life', () => {
  property('I51: are above what is stored, and rise within and across batches', (trace) => {
    const batches = trace.steps.flatMap((lived) =>
      askedFor(lived, 'processRecords').map((effect) => ({ ...effect, checkpoint: lived.after.context.checkpoint })),
    )
    return none(
      batches.map((batch, index) => ({ batch, earlier: batches[index - 1] })),
      ({ batch: { batch, after, checkpoint }, earlier }) =>
        (batch.first !== null && checkpoint !== null && !isShardEnd(checkpoint) && above(checkpoint, batch.last)) ||
        (after !== null && checkpoint !== null && !isSentinel(checkpoint.sequenceNumber) && above(checkpoint, after)) ||
        (earlier !== undefined &&
          earlier.batch.batchId !== batch.batchId &&
          earlier.batch.last !== null &&
          batch.first !== null &&
          above(earlier.after, batch.first)),
      ({ batch: { batch } }) => batch.batchId,
    )
  })

  property('DP13: leave none out: each batch begins where what was completed or checkpointed ends', (trace) => {
    let through = -1
    let begun = false
    return eventSteps(trace).flatMap((lived) => {
      const { event, before } = lived
      const effect = answered(lived)
      if (event.type === 'checkpointRead' && effect !== null && /^[0-9]+$/.test(event.checkpoint.sequenceNumber)) {
        through = indexOf(event.checkpoint)
        begun = true
      }
      if (event.type === 'checkpointWritten' && effect?.type === 'writeCheckpoint' && !isShardEnd(effect.checkpoint))
        through = Math.max(through, indexOf(effect.checkpoint))
      if (event.type === 'recordsProcessed' && effect?.type === 'processRecords' && effect.batch.last !== null)
        through = Math.max(through, indexOf(effect.batch.last))
      return askedFor(lived, 'processRecords').flatMap(({ batch, after }) => {
        if (batch.first === null || before.context.task === null) return []
        // Where a sentinel begins is the world's to say; from then on nothing may be missing.
        const first = begun ? through + 1 : indexOf(batch.first)
        if (!begun) through = first - 1
        begun = true
        const delivered = after === null ? indexOf(batch.first) : Math.max(indexOf(batch.first), indexOf(after) + 1)
        return delivered > first ? [`${batch.batchId} begins at ${delivered}, ${first} is missing`] : []
      })
    })
  })

  property('I62: are fetched by one read at a time', ({ steps }) =>
    none(
      steps,
      (lived) => askedFor(lived, 'readRecords').length > 1,
      ({ after }) => JSON.stringify(after.value),
    ),
  )

  property('I63: are read again after the last batch that was completed', (trace) =>
    none(
      trace.steps.flatMap((lived) => askedFor(lived, 'openShard').map((effect) => ({ lived, effect }))),
      ({ lived, effect: { position } }) => {
        const { completed } = bounds(trace, lived)
        const covered = lived.after.context.completed
        return (
          completed !== null &&
          (position.type !== 'AFTER_SEQUENCE_NUMBER' ||
            covered === null ||
            position.sequenceNumber !== covered.sequenceNumber ||
            above(completed, covered))
        )
      },
      ({ effect }) => JSON.stringify(effect.position),
    ),
  )

  property('are opened at LATEST once: later openings start where LATEST was', (trace) => {
    const opened = eventSteps(trace).flatMap(({ event }) => (event.type === 'shardOpened' ? [event] : []))
    const openings = trace.steps.flatMap((lived) => askedFor(lived, 'openShard').map((effect) => ({ lived, effect })))
    return none(
      openings,
      ({ lived, effect: { position } }) => position.type === 'LATEST' && opened.length > 0 && lived.before?.context.openedAtMs !== null,
      ({ effect }) => String(effect.id),
    )
  })
})
