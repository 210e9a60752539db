import { isShardEnd, TRIM_HORIZON } from '@shardwise/effects'
import { compile, type ShardConsumerContext, type ShardEffect, type ShardEvent, shardConsumerMachine } from '@shardwise/machine'
import { start, step } from '@shardwise/machine/compiled'
import type { Engine, TraceStep } from '@shardwise/testing'
import * as soundActions from '../../src/machine/actions.ts'
import { laterOf } from '../../src/machine/batches.ts'
import type { Action } from '../../src/machine/change.ts'
import type { Guard } from '../../src/machine/guards.ts'
import * as guards from '../../src/machine/guards.ts'
import { engineOf } from '../../src/machine/shardConsumerEngine.ts'
import { bindChart } from '../machine/bindChart.ts'

type Guards = Partial<Record<keyof typeof guards, Guard>>
type Actions = Partial<Record<keyof typeof soundActions, Action>>
type Shown = Pick<TraceStep, 'after' | 'effects'>

const actions: Readonly<Record<keyof typeof soundActions, Action>> = soundActions

const table = compile(shardConsumerMachine)

/** The machine with other guards and actions under some of their names. */
const broken = (brokenGuards: Guards, brokenActions: Actions = {}): Engine =>
  engineOf(bindChart(table, { ...guards, ...brokenGuards }, { ...actions, ...brokenActions }))

const withActions = (brokenActions: Actions): Engine => broken({}, brokenActions)

/** The machine whose steps are shown otherwise than they were. */
function shownAs(show: (step: Shown, before: Shown['after'] | null, event: ShardEvent | null) => Partial<Shown>): Engine {
  const hidden = new WeakMap<Shown['after'], Shown['after']>()
  const shown = (taken: readonly [Shown['after'], readonly ShardEffect[]], before: Shown['after'] | null, event: ShardEvent | null) => {
    const told = { after: taken[0], effects: taken[1] }
    const { after, effects } = { ...told, ...show(told, before, event) }
    if (after !== taken[0]) hidden.set(after, taken[0])
    return [after, effects] as const
  }
  return {
    start: (input) => shown(start(input), null, null),
    step: (before, event) => shown(step(hidden.get(before) ?? before, event), before, event),
  }
}

/** An action that is done in a context that is not what it was. */
const misled =
  (action: Action, mislead: (context: ShardConsumerContext, event: ShardEvent) => Partial<ShardConsumerContext>): Action =>
  (context, event) =>
    action({ ...context, ...mislead(context, event) }, event)

/** An action that changes something else as well. */
const andChanges =
  (action: Action, change: (context: ShardConsumerContext, event: ShardEvent) => Partial<ShardConsumerContext>): Action =>
  (context, event) => {
    const done = action(context, event)
    return { ...done, context: { ...done.context, ...change(context, event) } }
  }

/** An action whose effects are others. */
const butAsks =
  (
    action: Action,
    ask: (effects: readonly ShardEffect[], context: ShardConsumerContext, event: ShardEvent) => readonly ShardEffect[],
  ): Action =>
  (context, event) => {
    const done = action(context, event)
    return { ...done, effects: ask(done.effects ?? [], context, event) }
  }

/** One action instead of another where something is so. */
const insteadWhere =
  (action: Action, other: Action, where: (context: ShardConsumerContext, event: ShardEvent) => boolean): Action =>
  (context, event) =>
    (where(context, event) ? other : action)(context, event)

const not = (guard: Guard, where: (event: ShardEvent, context: ShardConsumerContext) => boolean): Guard => {
  return (context, event) => !where(event, context) && guard(context, event)
}

const nothing: Action = () => ({})
const never: Guard = () => false
const always: Guard = () => true
const endIsStored = ({ checkpoint }: ShardConsumerContext): boolean => checkpoint !== null && isShardEnd(checkpoint)
const isShutdown = ({ type }: ShardEvent): boolean => type === 'shutdown'
const isAnswer = ({ type }: ShardEvent): boolean => type !== 'shutdown'

const lastReasonWins = withActions({
  recordReason: andChanges(actions.recordReason, (_, event) => (event.type === 'shutdown' ? { reason: event.reason } : {})),
})
const answersIgnoreRequested = broken({ shutdownRequested: not(guards.shutdownRequested, isAnswer) })
const shutdownsAreIgnored = broken({
  shutdownRequested: not(guards.shutdownRequested, isShutdown),
  leaseIsLost: not(guards.leaseIsLost, isShutdown),
  shardEnded: not(guards.shardEnded, isShutdown),
  shardEndedWithChildren: not(guards.shardEndedWithChildren, isShutdown),
})
const requestedEndsTheShard = broken({
  shardEnded: (context, event) => guards.shardEnded(context, event) || guards.shutdownRequested(context, event),
})
const nothingIsCheckpointed = withActions({
  requestCheckpoint: misled(actions.requestCheckpoint, ({ checkpoint }) => ({ checkpoint: checkpoint === null ? null : TRIM_HORIZON })),
})
const everythingIsDelivered = withActions({
  requestCheckpoint: misled(actions.requestCheckpoint, ({ completed }, event) => ({
    completed: event.type === 'checkpointRequested' && event.position !== null ? event.position : completed,
  })),
})
const initializesWhenReopening = withActions({
  openShard: insteadWhere(actions.openShard, actions.initialize, ({ initialized }) => initialized),
})
const tellsTheUninitialized = withActions({
  closeShard: insteadWhere(
    actions.closeShard,
    actions.notifyLeaseLost,
    ({ initialized, reason }) => !initialized && reason === 'LEASE_LOST',
  ),
})
const tellsAfterLeaseLost = (action: Action): Engine =>
  withActions({ closeShard: insteadWhere(actions.closeShard, action, (_, event) => event.type === 'leaseLostNotified') })
const endsAs = (outcome: NonNullable<ShardConsumerContext['outcome']>): Engine =>
  withActions({ complete: andChanges(actions.complete, () => ({ outcome })) })

/** What is wrong with a machine, and the machine. */
export interface Mutant {
  readonly fault: string
  readonly engine: Engine
}

const mutant = (fault: string, engine: Engine): Mutant => ({ fault, engine })

const is = ({ value }: Shown['after'], state: string): boolean => JSON.stringify(value).includes(state)
const as = (after: Shown['after'], value: Shown['after']['value']): Partial<Shown> => ({ after: { ...after, value } })

/** Places far above all records. */
const farAbove = { sequenceNumber: '9'.repeat(40), subSequenceNumber: 0 }

/** For every invariant a machine that breaks it. */
export const mutants: Readonly<Record<number, Mutant>> = {
  1: mutant(
    'it is in a state of its own',
    shownAs(({ after }) => (is(after, 'PROCESSING') ? as(after, { LIMBO: 'reading' }) : {})),
  ),
  2: mutant(
    'it skips SHUTTING_DOWN',
    shownAs(({ after }) => (is(after, 'SHUTTING_DOWN') ? as(after, 'SHUTDOWN_COMPLETE') : {})),
  ),
  3: mutant(
    'it closes the shard again when something comes after the end',
    shownAs(({ effects }, before) => (before?.status === 'done' ? { effects: [...effects, { type: 'cancel', id: 1 }] } : {})),
  ),
  4: mutant(
    'it goes back to the parents when initialize failed',
    shownAs(({ after }) => (is(after, 'INITIALIZING":"backingOff') ? as(after, { WAITING_ON_PARENT_SHARDS: 'blocked' }) : {})),
  ),
  5: mutant('it throws at an answer that nobody asked for', {
    start,
    step(before, event) {
      if ('id' in event && event.id === 0) throw new Error('id: nobody asked')
      return step(before, event)
    },
  }),
  6: mutant('its delays depend on what it did before', restlessEngine()),
  7: mutant('it takes any answer for the one it awaits', broken({ answered: (_, event) => 'id' in event })),
  8: mutant('it does not know its own snapshot when it comes from a store', forgetfulEngine()),
  9: mutant('the last reason wins', lastReasonWins),
  10: mutant(
    'a shutdown is acknowledged at once',
    withActions({
      recordReason: butAsks(actions.recordReason, (effects, { shardId, leaseKey, token, task }) =>
        task?.type === 'processRecords' ? [...effects, { type: 'signalShutdownNotificationComplete', shardId, leaseKey, token }] : effects,
      ),
    }),
  ),
  11: mutant('a shutdown waits for the next answer', shutdownsAreIgnored),
  12: mutant('REQUESTED is taken for the end of the shard', requestedEndsTheShard),
  13: mutant(
    'REQUESTED is recorded as SHARD_END',
    withActions({
      recordReason: (context, event) =>
        actions.recordReason(context, event.type === 'shutdown' ? { ...event, reason: 'SHARD_END' } : event),
    }),
  ),
  14: mutant('the last reason wins', lastReasonWins),
  15: mutant('it does not cancel the read that it leaves', withActions({ leave: butAsks(actions.leave, () => []) })),
  16: mutant('an id is used twice', withActions({ processRecords: andChanges(actions.processRecords, ({ nextId }) => ({ nextId })) })),
  17: mutant('it reads before the processor is initialised', withActions({ initialize: actions.readRecords })),
  18: mutant('it waits for a timer to be released', withActions({ endCheckpoints: actions.startIdleTimer })),
  19: mutant(
    'it does not close the shard',
    shownAs(({ effects }) => ({ effects: effects.filter(({ type }) => type !== 'closeShard') })),
  ),
  20: mutant(
    'a failed batch is delivered again at once',
    withActions({
      startBackoffTimer: insteadWhere(actions.startBackoffTimer, actions.processRecords, ({ resume }) => resume === 'processRecords'),
    }),
  ),
  21: mutant(
    'a stored checkpoint ends the task',
    withActions({
      takeWriteAnswer: andChanges(actions.takeWriteAnswer, (_, event) => (event.type === 'checkpointWritten' ? { task: null } : {})),
    }),
  ),
  22: mutant(
    'empty batches are always delivered',
    broken({ recordsDelivered: (context, event) => event.type === 'recordsRead' && guards.answered(context, event) }),
  ),
  23: mutant('a lost lease is told as the end of the shard', withActions({ notifyLeaseLost: actions.notifyShardEnded })),
  24: mutant('it initialises the processor when it opens the shard again', initializesWhenReopening),
  25: mutant('it tells a processor that was not initialised', tellsTheUninitialized),
  26: mutant('an answer does not honour REQUESTED', answersIgnoreRequested),
  27: mutant(
    'a batch is delivered once more after shutdownRequested',
    shownAs(({ after, effects }, _, event) =>
      event?.type === 'shutdownRequestedNotified' ? { effects: [...effects, aDelivery(after.context)] } : {},
    ),
  ),
  28: mutant('a shutdown waits for the next answer', shutdownsAreIgnored),
  29: mutant(
    'the last batch does not end the shard',
    broken({
      shardEnded: not(guards.shardEnded, ({ type }) => type === 'recordsProcessed'),
      shardEndedWithChildren: not(guards.shardEndedWithChildren, ({ type }) => type === 'recordsProcessed'),
      recordsDelivered: (context, event) => event.type === 'recordsRead' && guards.answered(context, event),
    }),
  ),
  30: mutant(
    'shutdownRequested is called again when it failed',
    withActions({
      endCheckpoints: insteadWhere(
        actions.endCheckpoints,
        actions.notifyShutdownRequested,
        (_, event) => event.type === 'shutdownRequestedFailed',
      ),
    }),
  ),
  31: mutant('a lost lease is told as a shutdown that was requested', withActions({ notifyLeaseLost: actions.notifyShutdownRequested })),
  32: mutant('a lost lease is told as the end of the shard', withActions({ notifyLeaseLost: actions.notifyShardEnded })),
  33: mutant('the end of the shard is told after leaseLost', tellsAfterLeaseLost(actions.notifyShardEnded)),
  34: mutant('leaseLost is told twice', tellsAfterLeaseLost(actions.notifyLeaseLost)),
  35: mutant(
    'leaseLost is told after SHARD_END was stored',
    withActions({
      closeShard: insteadWhere(actions.closeShard, actions.notifyLeaseLost, (context) => context.initialized && endIsStored(context)),
    }),
  ),
  36: mutant(
    'leaseLost does not wait for processRecords',
    withActions({
      recordReason: butAsks(actions.recordReason, (effects, { task, shardId, nextId }, event) =>
        task?.type === 'processRecords' && event.type === 'shutdown' && event.reason === 'LEASE_LOST'
          ? [...effects, { type: 'notifyLeaseLost', id: nextId, shardId, attempt: 0 }]
          : effects,
      ),
    }),
  ),
  37: mutant(
    'the processor is told at the end',
    withActions({
      complete: butAsks(actions.complete, (effects, { shardId, nextId }) => [
        ...effects,
        { type: 'notifyLeaseLost', id: nextId, shardId, attempt: 0 },
      ]),
    }),
  ),
  38: mutant('leaseLost is given up when it failed once', broken({ lastShutdownAttempt: guards.answered })),
  39: mutant('it tells a processor that was not initialised', tellsTheUninitialized),
  40: mutant('REQUESTED is taken for the end of the shard', requestedEndsTheShard),
  41: mutant('it does not look at the stored checkpoint', nothingIsCheckpointed),
  42: mutant('it takes every place for delivered', everythingIsDelivered),
  43: mutant('it does not look at the stored checkpoint', nothingIsCheckpointed),
  44: mutant(
    'it writes checkpoints whatever was recorded',
    withActions({ requestCheckpoint: misled(actions.requestCheckpoint, () => ({ reason: null, processorDone: false })) }),
  ),
  45: mutant(
    'a checkpoint of everything is SHARD_END from the beginning',
    withActions({ requestCheckpoint: misled(actions.requestCheckpoint, () => ({ shardEndedStarted: true })) }),
  ),
  46: mutant('every end is finished', endsAs('finished')),
  47: mutant('it does not create the leases of the children that it listed', broken({ childrenListed: never })),
  48: mutant('it takes every place for delivered', everythingIsDelivered),
  49: mutant(
    'a throttled write counts as stored',
    withActions({
      takeWriteAnswer: andChanges(actions.takeWriteAnswer, ({ write, checkpoint }, event) => ({
        checkpoint: event.type === 'throttled' && write !== null ? write.checkpoint : checkpoint,
      })),
    }),
  ),
  50: mutant(
    'a checkpoint in shardEnded is that of the last record',
    withActions({ requestCheckpoint: misled(actions.requestCheckpoint, () => ({ shardEndedStarted: false })) }),
  ),
  51: mutant(
    'a batch is delivered as if nothing had been',
    withActions({ processRecords: misled(actions.processRecords, () => ({ checkpoint: null, completed: null })) }),
  ),
  52: mutant('the prepared checkpoint is kept', withActions({ noteInitialized: () => ({ context: { initialized: true } }) })),
  53: mutant('a checkpoint at LATEST is written', withActions({ requestCheckpoint: writingAnything })),
  54: mutant(
    'it writes in the name of the next acquisition',
    shownAs(({ effects }) => ({
      effects: effects.map((effect) => (effect.type === 'writeCheckpoint' ? { ...effect, token: effect.token + 1 } : effect)),
    })),
  ),
  55: mutant(
    'the lease may be released while a checkpoint is being written',
    broken({ notificationDue: ({ notificationSignalled }) => !notificationSignalled }),
  ),
  56: mutant(
    'it forgets that the notification was complete',
    withActions({
      signalNotificationComplete: (context, event) => ({ effects: actions.signalNotificationComplete(context, event).effects ?? [] }),
    }),
  ),
  57: mutant('it ends without a word', withActions({ complete: butAsks(actions.complete, () => []) })),
  58: mutant(
    'it does not answer who asks after the end',
    shownAs((_, before) => (before?.status === 'done' ? { effects: [] } : {})),
  ),
  59: mutant(
    'it forgets who asked when something else happens',
    withActions({ recordReason: andChanges(actions.recordReason, (_, event) => ({ shutdownAsked: event.type === 'shutdown' })) }),
  ),
  60: mutant(
    'it closes the shard twice',
    shownAs(({ after, effects }, _, event) =>
      event?.type === 'shardClosed'
        ? { effects: [...effects, { type: 'closeShard', id: after.context.nextId, shardId: after.context.shardId }] }
        : {},
    ),
  ),
  61: mutant('an answer does not honour REQUESTED', answersIgnoreRequested),
  62: mutant(
    'it reads ahead',
    shownAs(({ effects }) => ({
      effects: effects.flatMap((effect): readonly ShardEffect[] =>
        effect.type === 'readRecords' ? [effect, { ...effect, id: effect.id + 1_000 }] : [effect],
      ),
    })),
  ),
  63: mutant('it reopens the shard at the checkpoint', withActions({ openShard: misled(actions.openShard, () => ({ completed: null })) })),
  64: mutant(
    'the children are forgotten with the last batch',
    withActions({ completeBatch: andChanges(actions.completeBatch, () => ({ childShards: null })) }),
  ),
  65: mutant('leaseLost is tried for ever', broken({ lastShutdownAttempt: never })),
  66: mutant('it does not see that SHARD_END is stored', broken({ shardEndStored: never, shardEndStoredMeanwhile: never })),
  67: mutant(
    'it does not hear that shutdownRequested succeeded',
    broken({ answered: not(guards.answered, ({ type }) => type === 'shutdownRequestedNotified') }),
  ),
  68: mutant('it does not hear of its parents', broken({ answered: not(guards.answered, ({ type }) => type === 'parentShardsCompleted') })),
  69: mutant(
    'a shard that is idle for long has ended',
    withActions({
      readRecords: andChanges(actions.readRecords, (_, event) => (event.type === 'timerFired' ? { reason: 'SHARD_END' } : {})),
    }),
  ),
  70: mutant(
    'the next read starts with the batch',
    withActions({
      processRecords: (context, event) => {
        const processing = actions.processRecords(context, event)
        const reading = actions.readRecords({ ...context, nextId: context.nextId + 1 }, event)
        return {
          context: { ...processing.context, nextId: context.nextId + 2 },
          effects: [...(processing.effects ?? []), ...(reading.effects ?? [])],
        }
      },
    }),
  ),
  71: mutant('it initialises the processor when it opens the shard again', initializesWhenReopening),
  72: mutant('an answer does not honour REQUESTED', answersIgnoreRequested),
  73: mutant(
    'every shutdown aborts the callback',
    withActions({
      recordReason: butAsks(actions.recordReason, (effects, { task }, event) =>
        task?.type === 'processRecords' && event.type === 'shutdown' ? [...effects, { type: 'cancel', id: task.id }] : effects,
      ),
    }),
  ),
  74: mutant('a batch that failed is left behind', broken({ resumeProcessing: never })),
  75: mutant('failures are not counted', withActions({ countDeliveryFailure: nothing })),
  76: mutant(
    'a stored checkpoint is not settled',
    withActions({
      takeWriteAnswer: butAsks(actions.takeWriteAnswer, (effects) => effects.filter(({ type }) => type !== 'settleCheckpoint')),
    }),
  ),
  77: mutant(
    'who waits behind a write is forgotten',
    withActions({
      takeWriteAnswer: andChanges(actions.takeWriteAnswer, ({ write, waiting }, event) =>
        write !== null && event.type === 'checkpointWritten' ? { write: null, waiting } : {},
      ),
    }),
  ),
  78: mutant(
    'every checkpoint succeeds',
    withActions({
      requestCheckpoint: butAsks(actions.requestCheckpoint, (effects) =>
        effects.map((effect) => (effect.type === 'settleCheckpoint' ? { ...effect, error: null } : effect)),
      ),
    }),
  ),
  79: mutant(
    'it does not look at what was delivered',
    withActions({ requestCheckpoint: misled(actions.requestCheckpoint, () => ({ completed: null, task: null })) }),
  ),
  80: mutant('it does not note where LATEST was', withActions({ noteOpened: nothing })),
  81: mutant(
    'the owner is told what it said',
    withActions({
      recordReason: butAsks(actions.recordReason, (effects, { shardId, leaseKey, token }, event) =>
        event.type === 'shutdown' && event.reason === 'LEASE_LOST'
          ? [...effects, { type: 'signalLeaseLost', shardId, leaseKey, token }]
          : effects,
      ),
    }),
  ),
  82: mutant(
    'a consumer that called nobody was stopped',
    withActions({ complete: andChanges(actions.complete, ({ initialized }) => (initialized ? {} : { outcome: 'stopped' })) }),
  ),
  83: mutant('every end asks for a new processor', endsAs('replay')),
  84: mutant('every end is a stop', endsAs('stopped')),
  85: mutant('batches that were processed are not freed', withActions({ completeBatch: butAsks(actions.completeBatch, () => []) })),
  86: mutant(
    'it keeps a log of what it does',
    shownAs(({ after }) => ({ after: { ...after, context: { ...after.context, leaseKey: 'x'.repeat(2_000) } } })),
  ),
  87: mutant(
    'it does not await the idle timer',
    withActions({ startIdleTimer: andChanges(actions.startIdleTimer, () => ({ task: null })) }),
  ),
  88: mutant(
    'a batch that failed may be checkpointed',
    withActions({
      requestCheckpoint: misled(actions.requestCheckpoint, ({ completed, batch }) => ({
        completed: laterOf(completed, batch?.last ?? null),
      })),
    }),
  ),
  89: mutant(
    'a batch that is gone counts as completed',
    withActions({
      dropBatch: andChanges(actions.dropBatch, ({ completed, batch }) => ({ completed: laterOf(completed, batch?.last ?? null) })),
    }),
  ),
  90: mutant(
    'a batch is skipped when it fails',
    broken({ skipsBatch: (context, event) => guards.answered(context, event) && context.options.onDeliveryFailure === 'skip' }),
  ),
  91: mutant('the dead letter is left out', broken({ deadLettersBatch: never, skipsBatch: guards.givesBatchUp })),
  92: mutant(
    'a batch may be checkpointed once it is handed to the dead letter',
    withActions({
      requestCheckpoint: misled(actions.requestCheckpoint, ({ completed, batch, task }) => ({
        completed: task?.type === 'deliverDeadLetter' ? laterOf(completed, batch?.last ?? null) : completed,
      })),
    }),
  ),
  93: mutant(
    'the error policy is not asked',
    broken({ splitsBatch: never, deadLettersBatch: never, skipsPart: never, skipsBatch: never, givesBatchUp: never }),
  ),
  94: mutant('a pause is only noted', broken({ deliveryIsAllowed: always })),
  95: mutant('it does not hear that it is resumed', withActions({ notePause: () => ({ context: { paused: true } }) })),
}

/** Machines that break an invariant in other ways. */
export const furtherMutants: readonly (readonly [number, Mutant])[] = [
  [
    94,
    mutant(
      'a part of a batch is handed over though the shard is paused',
      broken({ deliveryIsAllowed: (context, event) => guards.deliveryIsAllowed(context, event) || context.whole !== null }),
    ),
  ],
  [
    94,
    mutant(
      'a batch that failed is handed over though the shard is paused',
      broken({ deliveryIsAllowed: (context, event) => guards.deliveryIsAllowed(context, event) || context.batchFailures > 0 }),
    ),
  ],
  [
    95,
    mutant(
      'a shard that is paused reads no more',
      withActions({
        readRecords: (context, event) => (context.paused ? { context: { task: null } } : actions.readRecords(context, event)),
      }),
    ),
  ],
  [
    63,
    mutant(
      'a batch that is gone counts as completed',
      withActions({
        dropBatch: andChanges(actions.dropBatch, ({ completed, batch }) => ({ completed: laterOf(completed, batch?.last ?? null) })),
      }),
    ),
  ],
  [
    88,
    mutant(
      'a checkpoint that waited is written whatever became of its batch',
      withActions({
        takeWriteAnswer: insteadWhere(
          misled(actions.takeWriteAnswer, () => ({ completed: farAbove })),
          actions.takeWriteAnswer,
          (_, event) => event.type === 'timerFired',
        ),
      }),
    ),
  ],
  [
    88,
    mutant(
      'a throttled checkpoint is written again whatever became of its batch',
      withActions({
        takeWriteAnswer: insteadWhere(
          actions.takeWriteAnswer,
          misled(actions.takeWriteAnswer, () => ({ completed: farAbove })),
          (_, event) => event.type === 'timerFired',
        ),
      }),
    ),
  ],
  [89, mutant('a batch that failed is left behind', broken({ resumeProcessing: never }))],
  [
    89,
    mutant(
      'what was read is taken for processed',
      withActions({ takeBatch: andChanges(actions.takeBatch, ({ completed }, event) => ({ completed: readIn(event) ?? completed })) }),
    ),
  ],
]

const readIn = (event: ShardEvent) => (event.type === 'recordsRead' ? event.batch.last : null)

function restlessEngine(): Engine {
  let steps = 0
  return shownAs(({ effects }) => {
    steps += 1
    return { effects: effects.map((effect) => (effect.type === 'startTimer' ? { ...effect, delayMs: effect.delayMs + steps } : effect)) }
  })
}

function forgetfulEngine(): Engine {
  const known = new WeakSet<object>()
  const made = <T extends readonly [object, unknown]>(taken: T): T => {
    known.add(taken[0])
    return taken
  }
  return {
    start: (input) => made(start(input)),
    step: (before, event) => made(known.has(before) ? step(before, event) : [before, []]),
  }
}

function aDelivery({ shardId, nextId }: ShardConsumerContext): ShardEffect {
  const batch = { batchId: 'b0', count: 0, first: null, last: null, bytes: 0, millisBehindLatest: 0, atShardEnd: false, childShards: [] }
  return { type: 'processRecords', id: nextId, shardId, batch, after: null, attempt: 0 }
}

function writingAnything(...[context, event]: Parameters<Action>): ReturnType<Action> {
  if (event.type !== 'checkpointRequested' || event.position?.sequenceNumber !== 'LATEST' || context.write !== null)
    return actions.requestCheckpoint(context, event)
  const { shardId, leaseKey, token, nextId } = context
  const checkpoint = event.position
  const effect = { type: 'writeCheckpoint', id: nextId, shardId, leaseKey, token, checkpoint } as const
  return { context: { write: { request: event.request, checkpoint, effect, attempt: 0 }, nextId: nextId + 1 }, effects: [effect] }
}
