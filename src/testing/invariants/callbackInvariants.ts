import { isShardEnd } from '@shardwise/effects'
import { invariant, never, none } from './invariant.ts'
import { above } from './places.ts'
import { askedFor, endIsStored, passedOver, type ToldStep, type TraceFacts } from './traceFacts.ts'

/** The steps that start a callback. */
const starting = ({ steps }: TraceFacts, ...types: readonly string[]): readonly ToldStep[] =>
  steps.filter(({ asked }) => asked.some(({ type }) => types.includes(type)))

const firstStart = (facts: TraceFacts, type: string): number => starting(facts, type)[0]?.index ?? Number.POSITIVE_INFINITY

const wasInitialized = ({ grammar }: TraceFacts): boolean => grammar.includes('I')

const reasonOf = ({ after }: ToldStep): string => `the reason is ${String(after.context.reason)}`
const callsOf = ({ asked }: ToldStep): unknown => asked.map(({ type }) => type)

/** What holds of the callbacks of a processor. */
export const callbackInvariants = [
  invariant(24, 'initialize succeeds once at most, and is not called again', (facts) => {
    const success = facts.callbackAnswers.find(({ step }) => step.event.type === 'initialized')
    return none(
      starting(facts, 'initialize'),
      ({ index }) => success !== undefined && index >= success.step.index,
      () => 'initialize',
    )
  }),

  invariant(25, 'Nothing is called before initialize succeeded', (facts) => {
    const success = facts.callbackAnswers.find(({ step }) => step.event.type === 'initialized')?.step.index ?? Number.POSITIVE_INFINITY
    return none(
      starting(facts, 'processRecords', 'deliverDeadLetter', 'notifyShutdownRequested', 'notifyShardEnded', 'notifyLeaseLost'),
      ({ index }) => index < success,
      callsOf,
    )
  }),

  invariant(26, 'initialize is not called once a reason is recorded', (facts) =>
    none(starting(facts, 'initialize'), ({ after }) => after.context.reason !== null, reasonOf),
  ),

  invariant(27, 'No records come after shutdownRequested', (facts) => {
    const told = firstStart(facts, 'notifyShutdownRequested')
    return none(starting(facts, 'processRecords', 'deliverDeadLetter'), ({ index }) => index > told, callsOf)
  }),

  invariant(28, 'No records come once a reason is recorded', (facts) =>
    none(starting(facts, 'processRecords'), ({ after }) => after.context.reason !== null, reasonOf),
  ),

  invariant(29, 'No records come after the last batch of the shard', (facts) => {
    const done = facts.events.find(
      ({ event, answered }) => event.type === 'recordsProcessed' && answered?.type === 'processRecords' && answered.batch.atShardEnd,
    )
    return none(starting(facts, 'processRecords'), ({ index }) => done !== undefined && index >= done.index, callsOf)
  }),

  invariant(30, 'shutdownRequested is called once at most, whether it succeeds or not', (facts) => {
    const told = starting(facts, 'notifyShutdownRequested')
    return never(told.length > 1, `called in steps ${told.map(({ index }) => index).join()}`)
  }),

  invariant(31, 'shutdownRequested is called where REQUESTED is the reason, and so the lease is held', (facts) =>
    none(starting(facts, 'notifyShutdownRequested'), ({ after }) => after.context.reason !== 'REQUESTED', reasonOf),
  ),

  invariant(32, 'shardEnded is called after the end of the shard was found, and with no lost lease recorded', (facts) => {
    const found = facts.events.find(({ before, after }) => before.context.reason !== 'SHARD_END' && after.context.reason === 'SHARD_END')
    return none(
      starting(facts, 'notifyShardEnded'),
      ({ index, after }) => after.context.reason === 'LEASE_LOST' || found === undefined || index < found.index,
      reasonOf,
    )
  }),

  invariant(33, 'shardEnded is not called after leaseLost', (facts) => {
    const told = firstStart(facts, 'notifyLeaseLost')
    return none(starting(facts, 'notifyShardEnded'), ({ index }) => index > told, callsOf)
  }),

  invariant(34, 'leaseLost succeeds once at most', ({ grammar }) => never(grammar.split('L').length > 2, grammar)),

  invariant(35, 'leaseLost is not called where SHARD_END is stored or is being written', (facts) =>
    none(
      starting(facts, 'notifyLeaseLost'),
      ({ after }) => endIsStored(after) || (after.context.write !== null && isShardEnd(after.context.write.checkpoint)),
      ({ after }) => [after.context.checkpoint, after.context.write],
    ),
  ),

  invariant(36, 'A callback starts when the one before it has ended', ({ callbacks, callbackAnswers }) => {
    const ends = new Map(callbackAnswers.map(({ step, effect }) => [effect.id, step.index]))
    return callbacks.flatMap(({ step, effect }, index) => {
      const earlier = callbacks[index - 1]
      return earlier !== undefined && (ends.get(earlier.effect.id) ?? Number.POSITIVE_INFINITY) > step.index
        ? [`step ${step.index}: ${effect.type} beside ${earlier.effect.type}`]
        : []
    })
  }),

  invariant(37, 'No callback starts at the end', ({ callbacks }) =>
    none(
      callbacks.map(({ step }) => step),
      ({ after }) => after.status === 'done',
      callsOf,
    ),
  ),

  invariant(
    38,
    'A processor that was initialised is told one end before its consumer completes',
    (facts) => {
      const { last, grammar, callbackAnswers } = facts
      const { context, status } = last
      if (status !== 'done' || !wasInitialized(facts)) return []
      const isGone = callbackAnswers.some(({ step }) => step.event.type === 'processorGone')
      const refusals = grammar.split('l').length - 1
      const heard = grammar.endsWith('L') || (endIsStored(last) && /[eE]$/.test(grammar))
      return never(
        !heard && !isGone && !context.replay && refusals < context.options.maxShutdownAttempts,
        `${grammar} ended ${String(context.outcome)}`,
      )
    },
    'Not told is a processor that is gone, or is to be made anew for the same lease; and one that fails in leaseLost as often as that is tried.',
  ),

  invariant(39, 'A processor that was not initialised is told no end', (facts) =>
    never(!wasInitialized(facts) && /[SEeLl]/.test(facts.grammar), facts.grammar),
  ),

  invariant(
    40,
    'REQUESTED alone parks an initialised consumer until it is released',
    ({ events }) =>
      none(
        events,
        ({ after: { context, value } }) =>
          context.reason === 'REQUESTED' &&
          context.initialized &&
          !context.replay &&
          (value === 'SHUTDOWN_COMPLETE' || Object.hasOwn(Object(value) as object, 'SHUTTING_DOWN')),
        ({ after }) => after.value,
      ),
    'A processor that is gone cannot be parked: its consumer ends, to be made anew.',
  ),

  // An e may yet be a good end: what it left behind was stored later.
  invariant(
    71,
    'Callbacks come in order: initialize until it succeeds, batches, perhaps shutdownRequested, then one kind of end',
    ({ grammar }) => never(!/^i*(I[pPqQ]*S?e*(E|l*L?))?$/.test(grammar), grammar),
  ),

  invariant(74, 'A batch that failed is delivered again until it succeeds, its consumer ends, or the error policy goes on', ({ steps }) => {
    const finished = new Set<string>()
    let earlier: string | null = null
    return none(
      steps,
      (step) => {
        const { event, before, after, answered } = step
        const heard = event?.type
        if (answered?.type === 'processRecords' && (heard === 'recordsProcessed' || heard === 'batchGone'))
          finished.add(answered.batch.batchId)
        if (answered?.type === 'deliverDeadLetter' && (heard === 'deadLetterDelivered' || heard === 'batchGone'))
          finished.add(answered.batch.batchId)
        // Checkpointed to its end, nothing of it is left to deliver: that is looked at when its backoff ends, and while it is held.
        const batch = before?.context.batch ?? null
        const isStored = heard === 'checkpointWritten' && batch !== null && batch.last !== null && !above(batch.last, step.kept)
        if (batch !== null && (heard === 'timerFired' || isStored) && after.context.batch?.batchId !== batch.batchId)
          finished.add(batch.batchId)
        // Its parts are, and then what is left of it; a part that failed is delivered in parts of its own.
        if (earlier !== null && askedFor(step, 'splitBatch').length > 0) finished.add(earlier)
        const passed = passedOver(step)
        if (passed !== null) finished.add(passed.batchId)
        const started = askedFor(step, 'processRecords')[0]?.batch.batchId
        const isGivenUp = started !== undefined && earlier !== null && earlier !== started && !finished.has(earlier)
        earlier = started ?? earlier
        return isGivenUp
      },
      ({ effects }) => effects,
    )
  }),

  invariant(
    75,
    'The attempts that a processor hears of are its own failures on the same records, since they were last split or taken up anew',
    ({ steps }) => {
      let series = { batchId: '', failures: 0 }
      return none(
        steps,
        (step) => {
          const { event, answered } = step
          if (event?.type === 'recordsFailed' && answered?.type === 'processRecords') series.failures += 1
          if (askedFor(step, 'splitBatch').length > 0) series = { batchId: '', failures: 0 }
          return askedFor(step, 'processRecords').some(({ batch: { batchId }, attempt }) => {
            if (series.batchId !== batchId) series = { batchId, failures: 0 }
            return attempt !== series.failures
          })
        },
        ({ effects }) => effects,
      )
    },
  ),
] as const
