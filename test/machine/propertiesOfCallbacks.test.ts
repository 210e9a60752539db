import { isShardEnd } from '@shardwise/effects'
import { describe } from 'vitest'
import { none, property } from './property.ts'
import { answered, askedFor, callbackAnswers, callbacks, eventSteps, lastOf, type Trace } from './trace.ts'

/** The callbacks of a life, one letter each when it ended: I, P, S, E and L went well, i and the like did not. */
function grammarOf(trace: Trace): string {
  return callbackAnswers(trace)
    .map(({ step: { event, after }, effect }) => {
      switch (effect.type) {
        case 'initialize':
          return event.type === 'initialized' ? 'I' : 'i'
        case 'processRecords':
          return event.type === 'recordsProcessed' ? 'P' : 'p'
        case 'notifyShutdownRequested':
          return 'S'
        case 'notifyShardEnded':
          return event.type === 'shardEndedNotified' && after.context.checkpoint !== null && isShardEnd(after.context.checkpoint)
            ? 'E'
            : 'e'
        default:
          return event.type === 'leaseLostNotified' ? 'L' : 'l'
      }
    })
    .join('')
}

const started = (trace: Trace) => callbacks(trace).map(({ effect }) => effect.type)
const after = (types: readonly string[], first: string, later: readonly string[]): boolean => {
  const index = types.indexOf(first)
  return index >= 0 && types.slice(index + 1).some((type) => later.includes(type))
}
const never = (isWrong: boolean, what: string): readonly string[] => (isWrong ? [what] : [])
const initialized = (trace: Trace): boolean => callbackAnswers(trace).some(({ step }) => step.event.type === 'initialized')

describe('the callbacks of a record processor', () => {
  // An `e` may yet be a good end: what it left behind was stored later.
  property('follow the grammar: initialize until it succeeds, batches, perhaps shutdownRequested, then one kind of end', (trace) =>
    never(!/^i*(I[pP]*S?e*(E|l*L?))?$/.test(grammarOf(trace)), grammarOf(trace)),
  )

  property('I24: initialize succeeds once and is not called again', (trace) => {
    const answers = grammarOf(trace)
    return never(
      answers.lastIndexOf('I') !== answers.indexOf('I') || (answers.includes('I') && answers.lastIndexOf('i') > answers.indexOf('I')),
      answers,
    )
  })

  property('I25, DP2: nothing is called before initialize succeeded', (trace) => {
    const first = eventSteps(trace).findIndex(({ event, after }) => event.type === 'initialized' && after.context.initialized)
    return none(
      callbacks(trace),
      ({ index, effect }) => effect.type !== 'initialize' && (first < 0 || index < first + 1),
      ({ effect }) => effect.type,
    )
  })

  property('I26: initialize is not called once a reason is recorded', (trace) =>
    none(
      callbacks(trace),
      ({ effect, step }) => effect.type === 'initialize' && step.after.context.reason !== null,
      ({ step }) => String(step.after.context.reason),
    ),
  )

  property('I27: no records after shutdownRequested', (trace) =>
    never(after(started(trace), 'notifyShutdownRequested', ['processRecords']), started(trace).join()),
  )

  property('I28: no records once a reason is recorded', (trace) =>
    none(
      callbacks(trace),
      ({ effect, step }) => effect.type === 'processRecords' && step.after.context.reason !== null,
      ({ step }) => String(step.after.context.reason),
    ),
  )

  property('I29: no records after the last batch of the shard', (trace) => {
    const done = eventSteps(trace).findIndex(
      (lived) => lived.event.type === 'recordsProcessed' && answered(lived) !== null && lived.before.context.batch?.atShardEnd === true,
    )
    return done < 0
      ? []
      : none(
          callbacks(trace),
          ({ effect, index }) => effect.type === 'processRecords' && index > done + 1,
          ({ index }) => `step ${index}`,
        )
  })

  property('I30, DP3: shutdownRequested is called once at most, whether it throws or not', (trace) =>
    never(started(trace).filter((type) => type === 'notifyShutdownRequested').length > 1, started(trace).join()),
  )

  property('I31: shutdownRequested is called where REQUESTED is the reason, and the lease is held', (trace) =>
    none(
      callbacks(trace),
      ({ effect, step }) => effect.type === 'notifyShutdownRequested' && step.after.context.reason !== 'REQUESTED',
      ({ step }) => String(step.after.context.reason),
    ),
  )

  property('I33: shardEnded is not called after leaseLost', (trace) =>
    never(after(started(trace), 'notifyLeaseLost', ['notifyShardEnded']), started(trace).join()),
  )

  property('I34: leaseLost succeeds once at most', (trace) => never(grammarOf(trace).split('L').length > 2, grammarOf(trace)))

  property('I35: leaseLost is not called where SHARD_END is stored or is being written', (trace) =>
    none(
      callbacks(trace).filter(({ effect }) => effect.type === 'notifyLeaseLost'),
      ({
        step: {
          after: { context },
        },
      }) =>
        (context.checkpoint !== null && isShardEnd(context.checkpoint)) || (context.write !== null && isShardEnd(context.write.checkpoint)),
      ({ index }) => `step ${index}`,
    ),
  )

  property('I36: one does not start before another has ended', (trace) => {
    const answers = new Map(callbackAnswers(trace).map(({ step, effect }) => [effect.id, trace.steps.indexOf(step)]))
    const ran = callbacks(trace)
    return none(
      ran.slice(1).map((later, index) => ({ later, earlier: ran[index] })),
      ({ later, earlier }) => earlier !== undefined && (answers.get(earlier.effect.id) ?? Number.POSITIVE_INFINITY) > later.index,
      ({ later }) => later.effect.type,
    )
  })

  property('I37: none is called at the end', (trace) =>
    none(
      callbacks(trace),
      ({ step }) => step.after.status === 'done',
      ({ effect }) => effect.type,
    ),
  )

  property('I38: an initialised processor is told one end, unless it is gone, or refused to hear it as often as is tried', (trace) => {
    const { context, status } = lastOf(trace)
    if (status !== 'done' || !initialized(trace)) return []
    const gone = callbackAnswers(trace).some(({ step }) => step.event.type === 'processorGone')
    const refusals = grammarOf(trace).split('l').length - 1
    const heard =
      grammarOf(trace).endsWith('L') || (context.checkpoint !== null && isShardEnd(context.checkpoint) && /[eE]$/.test(grammarOf(trace)))
    return never(
      !heard &&
        !gone &&
        context.outcome !== 'replay' &&
        refusals < context.options.maxShutdownAttempts &&
        !(context.replay && context.outcome === 'leaseLost'),
      `${grammarOf(trace)} ended ${String(context.outcome)}`,
    )
  })

  property('I39: a processor that was not initialised is told no end', (trace) =>
    never(!initialized(trace) && /[SEeLl]/.test(grammarOf(trace)), grammarOf(trace)),
  )

  property('I40: REQUESTED alone parks the consumer until it is released', (trace) => {
    const { context, value } = lastOf(trace)
    return never(
      context.reason === 'REQUESTED' &&
        context.initialized &&
        !context.replay &&
        /SHUTTING_DOWN|SHUTDOWN_COMPLETE/.test(JSON.stringify(value)),
      JSON.stringify(value),
    )
  })

  property('DP6, DP13: a batch that failed is delivered again until it succeeds, or its consumer ends', (trace) => {
    const batches = trace.steps.flatMap((lived) => askedFor(lived, 'processRecords').map(({ batch }) => batch))
    const finished = new Set(
      eventSteps(trace).flatMap((lived) => {
        const effect = answered(lived)
        const done = effect?.type === 'processRecords' && ['recordsProcessed', 'batchGone'].includes(lived.event.type)
        // Checkpointed to its end, nothing of it is left to deliver.
        const covered =
          lived.event.type === 'timerFired' && lived.before.context.batch !== null && lived.after.context.batch === null
            ? [lived.before.context.batch.batchId]
            : []
        return done ? [effect.batch.batchId, ...covered] : covered
      }),
    )
    return none(
      batches.slice(1).map((batch, index) => ({ batch, earlier: batches[index] })),
      ({ batch, earlier }) => earlier !== undefined && earlier.batchId !== batch.batchId && !finished.has(earlier.batchId),
      ({ earlier }) => `${earlier?.batchId ?? ''} was given up`,
    )
  })

  property('DP13: the attempts that a processor hears of are its own failures', (trace) => {
    const failures = new Map<string, number>()
    return trace.steps.flatMap((lived) => {
      const task = lived.before?.context.task
      if (lived.event?.type === 'recordsFailed' && task?.type === 'processRecords' && task.id === lived.event.id)
        failures.set(task.batch.batchId, (failures.get(task.batch.batchId) ?? 0) + 1)
      return none(
        askedFor(lived, 'processRecords'),
        ({ batch, attempt }) => attempt !== (failures.get(batch.batchId) ?? 0),
        ({ batch, attempt }) => `${batch.batchId} attempt ${attempt}`,
      )
    })
  })
})
