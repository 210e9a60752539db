/**
 * The KCL's ShardConsumer as a statechart. The six states bear the KCL's names; where success and shutdown lead is the table of `consumerStates.ts`.
 *
 * - A sub-state starts at most one task effect when it is entered, and waits for its answer. Answers with another id change nothing.
 * - A shutdown reason that arrives while a task is out is recorded, and takes effect when the task is answered, whatever the answer. Where the consumer only
 *   waits (for a timer, for records, to be released), it takes effect at once.
 * - SHUTTING_DOWN is left when its work is acknowledged; a higher reason there only changes the work.
 * - While it is paused, no batch is handed to the record processor: one at most is held, in a state of its own. All else goes on.
 * - Checkpoints are served beside the task, one write at a time, by the transitions of the root.
 * - The chart computes nothing: guards and actions are plain functions in files of their own. Every effect leaves as an emitted event.
 */
import { enqueueActions, setup } from 'xstate'
import * as actions from './actions.ts'
import type { Action } from './change.ts'
import type { Guard } from './guards.ts'
import * as guards from './guards.ts'
import {
  copyContext,
  createShardConsumerContext,
  type ShardConsumerContext,
  type ShardConsumerInput,
  type ShardEffect,
  type ShardEvent,
} from './shardConsumerContext.ts'

/**
 * The context of the statechart: the memory of the consumer under one name. XState copies its context with `Object.assign` at every action; for an object
 * of this many fields that takes longer than the whole step.
 */
interface ChartContext {
  readonly memory: ShardConsumerContext
}

const types = {} as {
  context: ChartContext
  events: ShardEvent
  emitted: ShardEffect
  input: ShardConsumerInput
}

type Wrapped<T, W> = { [K in keyof T]: W }

function wrapGuard(guard: Guard) {
  return ({ context, event }: { context: ChartContext; event: ShardEvent }): boolean => guard(context.memory, event)
}

function wrapAction(action: Action) {
  return enqueueActions<ChartContext, ShardEvent, undefined, ShardEvent, never, never, never, never, ShardEffect>(
    ({ context, event, enqueue }) => {
      const change = action(context.memory, event)
      if (change.context !== undefined) enqueue.assign({ memory: Object.assign(copyContext(context.memory), change.context) })
      for (const effect of change.effects ?? []) enqueue.emit(effect)
    },
  )
}

function mapValues<T extends Readonly<Record<string, V>>, V, W>(record: T, map: (value: V) => W): Wrapped<T, W> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)])) as Wrapped<T, W>
}

const closeUninitialized = {
  guard: 'consumptionEnded',
  target: '#SHUTTING_DOWN.closing',
  actions: ['takeWriteAnswer', 'recordReason', 'leave'],
} as const

/** The shutdown column for a consumer whose processor was never initialised: it is not told. */
const endUninitialized = [
  closeUninitialized,
  {
    guard: 'shutdownRequested',
    target: '#SHUTDOWN_REQUESTED.notificationCompletion',
    actions: ['takeWriteAnswer', 'recordReason', 'leave'],
  },
] as const

type Completion = readonly ('completeBatch' | 'takePart' | 'takeBatch' | 'noteInitialized')[]
const leaving = <const C extends Completion>(complete: C) => ['takeWriteAnswer', 'recordReason', ...complete, 'leave'] as const

const whenLeaseLost = <const C extends Completion>(...complete: C) =>
  ({ guard: 'leaseIsLost', target: '#SHUTTING_DOWN.notifyingLeaseLost', actions: leaving(complete) }) as const
const whenChildrenKnown = <const C extends Completion>(...complete: C) =>
  ({ guard: 'shardEndedWithChildren', target: '#SHUTTING_DOWN.creatingChildLeases', actions: leaving(complete) }) as const
const whenShardEnded = <const C extends Completion>(...complete: C) =>
  ({ guard: 'shardEnded', target: '#SHUTTING_DOWN.listingChildShards', actions: leaving(complete) }) as const
const whenRequested = <const C extends Completion>(...complete: C) =>
  ({ guard: 'shutdownRequested', target: '#SHUTDOWN_REQUESTED.notifying', actions: leaving(complete) }) as const

/** The shutdown column for a consumer whose processor was initialised; `complete` is done with the batch before it is left. */
const end = <const C extends Completion>(...complete: C) =>
  [whenLeaseLost(...complete), whenChildrenKnown(...complete), whenShardEnded(...complete), whenRequested(...complete)] as const

const completed = { guard: 'shutdownRecorded', target: '#SHUTDOWN_COMPLETE', actions: ['recordReason', 'leave'] } as const

const backOff = { guard: 'answered', target: 'backingOff', actions: 'countFailure' } as const

const toLeaseLost = {
  guard: 'leaseIsLost',
  target: 'notifyingLeaseLost',
  actions: ['recordReason', 'advance'],
} as const

/** A stop does not wait for the end of the shard to be reported: that is left to the next owner of the lease. */
const giveUpIf = <const G extends 'stopsInstead' | 'givesCreationUp'>(guard: G) =>
  ({ guard, target: 'notifyingLeaseLost', actions: ['giveUpShardEnd', 'advance'] }) as const

const endOfNotification = [
  { guard: 'leaseIsLost', target: '#SHUTTING_DOWN.notifyingLeaseLost', actions: ['recordReason', 'advance'] },
  { guard: 'shardEndedWithChildren', target: '#SHUTTING_DOWN.creatingChildLeases', actions: ['recordReason', 'advance'] },
  { guard: 'shardEnded', target: '#SHUTTING_DOWN.listingChildShards', actions: ['recordReason', 'advance'] },
  { guard: 'answered', target: 'notificationCompletion', actions: 'advance' },
] as const

const lostWhenNotified = {
  guard: 'leaseIsLost',
  target: '#SHUTTING_DOWN.notifyingLeaseLost',
  actions: ['takeWriteAnswer', 'recordReason'],
} as const
const whenNotified = [
  { guard: 'endedUninitialized', target: '#SHUTTING_DOWN.closing', actions: 'recordReason' },
  lostWhenNotified,
  { guard: 'shardEndedWithChildren', target: '#SHUTTING_DOWN.creatingChildLeases', actions: 'recordReason' },
  { guard: 'shardEnded', target: '#SHUTTING_DOWN.listingChildShards', actions: 'recordReason' },
] as const

const judgeShardEnd = { guard: 'answered', target: 'awaitingCheckpoint', actions: 'countFailure' } as const

/** What the error policy does with the batch when its deliveries are exhausted. */
const passOverOrGiveUp = [
  { guard: 'skipsBatch', target: 'reading', actions: 'completeBatch' },
  {
    guard: 'givesBatchUp',
    target: '#SHUTTING_DOWN.notifyingLeaseLost',
    actions: ['countDeliveryFailure', 'giveUpDelivery', 'leave'],
  },
] as const
const passingOver = ['takeWriteAnswer', 'passOver', 'recordReason', 'leave'] as const
const takeUpWhole = ['completeBatch', 'takeWhole'] as const
const passOverPart = { guard: 'skipsPart', target: 'holding', actions: takeUpWhole } as const
const whenExhausted = [
  { guard: 'splitsBatch', target: 'splitting', actions: ['countDeliveryFailure', 'beginSplit', 'advance'] },
  { guard: 'deadLettersBatch', target: 'deadLettering', actions: ['countDeliveryFailure', 'advance'] },
  ...passOverOrGiveUp,
] as const

const replayed = [
  { guard: 'shutdownRequested', target: '#SHUTDOWN_REQUESTED.notificationCompletion', actions: 'leave' },
  { guard: 'answered', target: '#SHUTTING_DOWN.closing', actions: ['markReplay', 'leave'] },
] as const
const readAgain = [
  { guard: 'failedBefore', target: 'backingOff', actions: ['dropBatch', 'countFailure', 'thenReopen'] },
  { guard: 'answered', target: 'reopening', actions: ['dropBatch', 'countFailure'] },
] as const

const reopen = [
  { guard: 'failedBefore', target: 'backingOff', actions: ['countFailure', 'thenReopen'] },
  { guard: 'answered', target: 'reopening', actions: 'countFailure' },
] as const

/** The machine. Pure: `start` and `step` of this package run it as functions; `createActor` runs it as an actor that emits its effects. */
export const shardConsumerMachine = setup({
  types,
  guards: mapValues<typeof guards, Guard, ReturnType<typeof wrapGuard>>(guards, wrapGuard),
  actions: mapValues<typeof actions, Action, ReturnType<typeof wrapAction>>(actions, wrapAction),
}).createMachine({
  id: 'shardConsumer',
  // XState also asks for the context of a machine without input, to describe it.
  context: ({ input }) => ({ memory: createShardConsumerContext(input ?? { shardId: 'shardId-000000000000', token: 0 }) }),
  initial: 'WAITING_ON_PARENT_SHARDS',
  on: {
    shutdown: { actions: 'recordReason' },
    pause: { actions: 'notePause' },
    resume: { actions: 'notePause' },
    checkpointRequested: { actions: 'requestCheckpoint' },
    checkpointWritten: { guard: 'answersWrite', actions: 'takeWriteAnswer' },
    checkpointRefused: { guard: 'answersWrite', actions: ['takeWriteAnswer', 'recordReason'] },
    throttled: { guard: 'answersWrite', actions: 'takeWriteAnswer' },
    effectFailed: { guard: 'answersWrite', actions: 'takeWriteAnswer' },
    timerFired: { guard: 'answersWrite', actions: 'takeWriteAnswer' },
    '*': {},
  },
  states: {
    WAITING_ON_PARENT_SHARDS: {
      id: 'WAITING_ON_PARENT_SHARDS',
      description: 'Waits until every parent shard has been processed to its end.',
      initial: 'checking',
      states: {
        checking: {
          description: 'Looks at the leases of the parents.',
          entry: 'checkParentShards',
          on: {
            parentShardsCompleted: [completed, { guard: 'answered', target: '#INITIALIZING' }],
            parentShardsPending: [completed, { guard: 'answered', target: 'blocked' }],
            effectFailed: [completed, { guard: 'answered', target: 'blocked' }],
          },
        },
        blocked: {
          description: 'Waits before the next look.',
          entry: 'startParentPollTimer',
          on: {
            timerFired: { guard: 'answered', target: 'checking' },
            shutdown: completed,
          },
        },
      },
    },
    INITIALIZING: {
      id: 'INITIALIZING',
      description: 'Finds the checkpoint, opens the shard there, and initialises the record processor.',
      initial: 'readingCheckpoint',
      states: {
        readingCheckpoint: {
          description: 'Reads the stored checkpoint. SHARD_END there ends the consumer without a callback; so does a missing lease.',
          entry: 'readCheckpoint',
          on: {
            checkpointRead: [
              {
                guard: 'consumptionEnded',
                target: '#SHUTTING_DOWN.closing',
                actions: ['recordReason', 'storeCheckpoint', 'leave'],
              },
              {
                guard: 'shutdownRequested',
                target: '#SHUTDOWN_REQUESTED.notificationCompletion',
                actions: ['recordReason', 'storeCheckpoint', 'leave'],
              },
              { guard: 'answered', target: 'openingShard', actions: 'storeCheckpoint' },
            ],
            leaseNotFound: closeUninitialized,
            throttled: [...endUninitialized, backOff],
            effectFailed: [...endUninitialized, backOff],
          },
        },
        openingShard: {
          description: 'Opens the shard at the checkpoint. A shard that is gone has ended: the processor is initialised to be told so.',
          entry: 'openShard',
          on: {
            shardOpened: [...endUninitialized, { guard: 'answered', target: 'initializingProcessor', actions: 'noteOpened' }],
            shardNotFound: [...endUninitialized, { guard: 'answered', target: 'initializingProcessor', actions: 'noteOpened' }],
            throttled: [...endUninitialized, backOff],
            effectFailed: [...endUninitialized, backOff],
          },
        },
        initializingProcessor: {
          description: 'Calls initialize.',
          entry: 'initialize',
          on: {
            initialized: [
              whenLeaseLost('noteInitialized'),
              whenShardEnded('noteInitialized'),
              whenRequested('noteInitialized'),
              { guard: 'answered', target: '#PROCESSING', actions: ['noteInitialized', 'advance'] },
            ],
            initializeFailed: [...endUninitialized, backOff],
            effectFailed: [...endUninitialized, backOff],
          },
        },
        backingOff: {
          description: 'Waits before the whole initialisation is tried again.',
          entry: 'startBackoffTimer',
          on: {
            timerFired: { guard: 'answered', target: 'readingCheckpoint' },
            shutdown: endUninitialized,
          },
        },
      },
    },
    PROCESSING: {
      id: 'PROCESSING',
      description: 'Reads batches of records and hands them to the record processor, one at a time, in order.',
      tags: 'requiresDataAvailability',
      initial: 'reading',
      states: {
        reading: {
          description: 'Waits for the next batch. A shutdown does not wait for it.',
          entry: 'readRecords',
          on: {
            recordsRead: [
              { guard: 'recordsDelivered', target: 'holding', actions: 'takeBatch' },
              {
                guard: 'shardEndedWithChildren',
                target: '#SHUTTING_DOWN.creatingChildLeases',
                actions: ['recordReason', 'takeBatch', 'completeBatch', 'leave'],
              },
              {
                guard: 'shardEnded',
                target: '#SHUTTING_DOWN.listingChildShards',
                actions: ['recordReason', 'takeBatch', 'completeBatch', 'leave'],
              },
              { guard: 'answered', target: 'idling', actions: ['takeBatch', 'completeBatch'] },
            ],
            iteratorExpired: reopen,
            shardNotOpen: reopen,
            shardNotFound: [whenChildrenKnown(), whenShardEnded()],
            throttled: backOff,
            effectFailed: backOff,
            shutdown: end(),
            checkpointRefused: whenLeaseLost(),
          },
        },
        holding: {
          description:
            'Holds the batch that is to be processed next, for as long as the shard is paused. A batch of which nothing is left is passed over.',
          entry: 'endTask',
          always: [
            { guard: 'partCovered', actions: takeUpWhole },
            { guard: 'batchCovered', target: 'reading', actions: 'completeBatch' },
            { guard: 'deliveryIsAllowed', target: 'processing' },
          ],
          on: {
            shutdown: end(),
            checkpointRefused: whenLeaseLost(),
          },
        },
        processing: {
          description: 'Calls processRecords. A failed batch is kept and delivered again, until the error policy goes on.',
          entry: 'processRecords',
          on: {
            recordsProcessed: [
              ...end('completeBatch'),
              { guard: 'partIsDone', target: 'splitting', actions: ['completeBatch', 'advance'] },
              { guard: 'partsAreDone', target: 'holding', actions: takeUpWhole },
              { guard: 'tipReached', target: 'idling', actions: 'completeBatch' },
              { guard: 'answered', target: 'reading', actions: 'completeBatch' },
            ],
            recordsFailed: [
              whenLeaseLost(),
              { ...whenChildrenKnown(), actions: passingOver },
              { ...whenShardEnded(), actions: passingOver },
              whenRequested(),
              passOverPart,
              ...whenExhausted,
              { guard: 'answered', target: 'backingOff', actions: ['countFailure', 'countDeliveryFailure'] },
            ],
            effectFailed: [...end(), backOff],
            batchGone: [...end(), ...readAgain],
            processorGone: replayed,
          },
        },
        splitting: {
          description: 'Splits a part off a batch whose deliveries are exhausted, to find the records at fault.',
          entry: 'splitBatch',
          on: {
            batchSplit: [
              ...end('takePart'),
              { guard: 'partFound', target: 'holding', actions: ['takePart', 'advance'] },
              { guard: 'answered', target: 'holding', actions: ['takePart', ...takeUpWhole] },
            ],
            batchGone: [...end(), ...readAgain],
            effectFailed: [...end(), backOff],
          },
        },
        deadLettering: {
          description:
            'Hands what is left of a batch whose deliveries are exhausted to the dead letter, which must take it before anything is passed over.',
          entry: 'deliverDeadLetter',
          on: {
            deadLetterDelivered: [...end('completeBatch'), passOverPart, ...passOverOrGiveUp],
            deadLetterFailed: [...end(), backOff],
            effectFailed: [...end(), backOff],
            batchGone: [...end(), ...readAgain],
            processorGone: replayed,
          },
        },
        idling: {
          description: 'Waits before the next read, because the tip of the shard was reached or a read found nothing.',
          entry: 'startIdleTimer',
          on: {
            timerFired: { guard: 'answered', target: 'reading' },
            shutdown: end(),
            checkpointRefused: whenLeaseLost(),
          },
        },
        reopening: {
          description: 'Opens the shard again at the last completed record.',
          entry: 'openShard',
          on: {
            shardOpened: [...end(), { guard: 'answered', target: 'reading' }],
            shardNotFound: [whenLeaseLost(), whenChildrenKnown(), whenShardEnded()],
            throttled: [...end(), backOff],
            effectFailed: [...end(), backOff],
          },
        },
        backingOff: {
          description: 'Waits before the failed read, opening, batch or dead letter is tried again.',
          entry: 'startBackoffTimer',
          on: {
            timerFired: [
              whenChildrenKnown('completeBatch'),
              whenShardEnded('completeBatch'),
              { guard: 'coveredMeanwhile', target: 'holding' },
              passOverPart,
              ...whenExhausted,
              { guard: 'resumeProcessing', target: 'holding', actions: 'noteFailing' },
              { guard: 'resumeSplitting', target: 'splitting' },
              { guard: 'resumeDeadLetter', target: 'deadLettering' },
              { guard: 'resumeReopening', target: 'reopening' },
              { guard: 'answered', target: 'reading' },
            ],
            shutdown: end(),
            checkpointRefused: whenLeaseLost(),
          },
        },
      },
    },
    SHUTDOWN_REQUESTED: {
      id: 'SHUTDOWN_REQUESTED',
      description: 'A shutdown was requested: the record processor may checkpoint, then the consumer waits until its lease is released.',
      initial: 'notifying',
      states: {
        notifying: {
          description: 'Calls shutdownRequested, once, whether it succeeds or not.',
          entry: 'notifyShutdownRequested',
          on: {
            shutdownRequestedNotified: endOfNotification,
            shutdownRequestedFailed: endOfNotification,
            processorGone: endOfNotification,
            effectFailed: endOfNotification,
          },
        },
        notificationCompletion: {
          description: 'Waits to be released. A further request changes nothing.',
          tags: 'requiresAwake',
          entry: 'endCheckpoints',
          always: { guard: 'notificationDue', actions: 'signalNotificationComplete' },
          on: {
            shutdown: [...whenNotified, { actions: 'recordReason' }],
            checkpointRefused: lostWhenNotified,
          },
        },
      },
    },
    SHUTTING_DOWN: {
      id: 'SHUTTING_DOWN',
      description: 'Tells the record processor that the lease is lost or the shard has ended, and closes the shard.',
      initial: 'closing',
      states: {
        listingChildShards: {
          description:
            'Asks for the children of a shard whose end named none. A shard that is still open, or whose stream is not there, ends as if the lease were lost.',
          entry: 'listChildShards',
          on: {
            childShardsListed: [
              toLeaseLost,
              { guard: 'childrenListed', target: 'creatingChildLeases', actions: ['noteChildren', 'advance'] },
              { guard: 'answered', target: 'notifyingShardEnded', actions: ['noteChildren', 'advance'] },
            ],
            shardStillOpen: toLeaseLost,
            streamNotFound: toLeaseLost,
            throttled: [toLeaseLost, giveUpIf('stopsInstead'), backOff],
            effectFailed: [toLeaseLost, giveUpIf('stopsInstead'), backOff],
          },
        },
        creatingChildLeases: {
          description:
            'Creates the leases of the children, before the end of the shard can be stored. Where the other parent of a merged child has no lease for long, the lease is given away.',
          entry: 'createChildLeases',
          on: {
            childLeasesCreated: [toLeaseLost, { guard: 'answered', target: 'notifyingShardEnded', actions: 'advance' }],
            siblingLeaseMissing: [toLeaseLost, giveUpIf('givesCreationUp'), backOff],
            leaseNotFound: toLeaseLost,
            throttled: [toLeaseLost, giveUpIf('stopsInstead'), backOff],
            effectFailed: [toLeaseLost, giveUpIf('stopsInstead'), backOff],
          },
        },
        notifyingShardEnded: {
          description: 'Calls shardEnded, which must checkpoint: only a stored SHARD_END completes the shard and lets its children start.',
          entry: 'notifyShardEnded',
          on: {
            shardEndedNotified: judgeShardEnd,
            shardEndedFailed: judgeShardEnd,
            effectFailed: judgeShardEnd,
            processorGone: { guard: 'answered', target: 'closing', actions: ['markReplay', 'advance'] },
          },
        },
        awaitingCheckpoint: {
          description: 'Judges what shardEnded has come to, once the checkpoint that it left behind is answered.',
          always: [
            { guard: 'shardEndStored', target: 'closing', actions: 'advance' },
            { guard: 'leaseLostDuringShardEnd', target: 'notifyingLeaseLost', actions: 'advance' },
            { guard: 'missedForGood', target: 'closing', actions: ['markReplay', 'advance'] },
            { guard: 'stopRequestedDuringShardEnd', target: 'notifyingLeaseLost', actions: ['giveUpShardEnd', 'advance'] },
            { guard: 'nothingWritten', target: 'backingOff' },
          ],
        },
        notifyingLeaseLost: {
          description: 'Calls leaseLost. It may not checkpoint.',
          entry: 'notifyLeaseLost',
          on: {
            leaseLostNotified: { guard: 'answered', target: 'closing', actions: 'advance' },
            leaseLostFailed: [{ guard: 'lastShutdownAttempt', target: 'closing', actions: 'advance' }, backOff],
            effectFailed: [{ guard: 'lastShutdownAttempt', target: 'closing', actions: 'advance' }, backOff],
            processorGone: { guard: 'answered', target: 'closing', actions: 'advance' },
          },
        },
        closing: {
          description: 'Closes the shard.',
          entry: ['endCheckpoints', 'closeShard'],
          on: {
            shardClosed: { guard: 'answered', target: 'draining', actions: 'advance' },
            effectFailed: [{ guard: 'lastShutdownAttempt', target: 'draining', actions: 'advance' }, backOff],
          },
        },
        draining: {
          description: 'Waits for the checkpoint write that is still out.',
          always: { guard: 'nothingWritten', target: '#SHUTDOWN_COMPLETE' },
        },
        backingOff: {
          description: 'Waits before the failed work is tried again.',
          entry: 'startBackoffTimer',
          always: [
            { guard: 'shardEndStoredMeanwhile', target: 'closing', actions: 'advance' },
            { guard: 'leaseLostDuringShardEnd', target: 'notifyingLeaseLost', actions: 'advance' },
            { guard: 'leaseLostWhileShardEndIsWritten', target: 'awaitingCheckpoint', actions: 'advance' },
            { guard: 'stopRequestedDuringShardEnd', target: 'notifyingLeaseLost', actions: ['giveUpShardEnd', 'advance'] },
          ],
          on: {
            timerFired: [
              { guard: 'resumeListing', target: 'listingChildShards' },
              { guard: 'resumeCreating', target: 'creatingChildLeases' },
              { guard: 'resumeShardEnded', target: 'notifyingShardEnded' },
              { guard: 'resumeLeaseLost', target: 'notifyingLeaseLost' },
              { guard: 'answered', target: 'closing' },
            ],
          },
        },
      },
    },
    SHUTDOWN_COMPLETE: {
      id: 'SHUTDOWN_COMPLETE',
      description: 'The consumer has ended.',
      type: 'final',
      entry: 'complete',
    },
  },
})
