import type { ShutdownReason } from '@shardwise/effects'
import { type ShardConsumerSnapshot, type ShardEvent, type TableState, tableState } from '@shardwise/machine'
import type { Edge } from '@shardwise/testing'
import { describe, expect, it } from 'vitest'
import { edges as allEdges } from './walk.ts'

type Outcome = 'SUCCESSFUL' | 'END_OF_SHARD' | 'FAILURE'
type Pending = ShutdownReason | 'none'

const W = 'WAITING_ON_PARENT_SHARDS'
const I = 'INITIALIZING'
const P = 'PROCESSING'
const N = 'SHUTDOWN_REQUESTED'
const NC = 'SHUTDOWN_REQUESTED.notificationCompletion'
const D = 'SHUTTING_DOWN'
const C = 'SHUTDOWN_COMPLETE'

const states = [W, I, P, N, NC, D, C] as const
const pendings = ['none', 'REQUESTED', 'SHARD_END', 'LEASE_LOST'] as const

/**
 * Where the outcome of a state's work leads, by the reason that was pending: none, REQUESTED, SHARD_END, LEASE_LOST. A failure honours a pending reason.
 * INITIALIZING fails into the notification completion: the processor was never initialised, so the notification is complete without a call.
 */
const matrix: Readonly<Record<Outcome, Readonly<Record<TableState, readonly [string, string, string, string]>>>> = {
  SUCCESSFUL: {
    [W]: [I, C, C, C],
    [I]: [P, N, D, D],
    [P]: [P, N, D, D],
    [N]: [NC, NC, D, D],
    [NC]: [NC, NC, D, D],
    [D]: [C, C, C, C],
    [C]: [C, C, C, C],
  },
  END_OF_SHARD: {
    [W]: [C, C, C, C],
    [I]: [D, D, D, D],
    [P]: [D, D, D, D],
    [N]: [D, D, D, D],
    [NC]: [D, D, D, D],
    [D]: [C, C, C, C],
    [C]: [C, C, C, C],
  },
  FAILURE: {
    [W]: [W, C, C, C],
    [I]: [I, NC, D, D],
    [P]: [P, N, D, D],
    [N]: [N, NC, D, D],
    [NC]: [NC, NC, D, D],
    [D]: [D, D, D, D],
    [C]: [C, C, C, C],
  },
}

const noTask = 'the state has no task, so it has no outcome'
const onlyPAndI = 'only a read, an opening, or the stored checkpoint finds the end of a shard'
const neverWithout = 'the state is entered with a reason, and a reason is never unset'

type Unreachable = readonly [Outcome, TableState, readonly Pending[], string]
/** The cells that no events lead to, and why. */
const unreachable: readonly Unreachable[] = [
  ['SUCCESSFUL', N, ['none'], neverWithout],
  ['FAILURE', N, ['none'], neverWithout],
  ...([W, N, D] as const).map((state): Unreachable => ['END_OF_SHARD', state, pendings, onlyPAndI]),
  ...(['SUCCESSFUL', 'END_OF_SHARD', 'FAILURE'] as const).flatMap((outcome) =>
    ([NC, C] as const).map((state): Unreachable => [outcome, state, pendings, noTask]),
  ),
]

const succeeded: ReadonlySet<ShardEvent['type']> = new Set([
  'parentShardsCompleted',
  'initialized',
  'recordsProcessed',
  'shutdownRequestedNotified',
  'shardClosed',
])
const failed: ReadonlySet<ShardEvent['type']> = new Set([
  'effectFailed',
  'throttled',
  'parentShardsPending',
  'initializeFailed',
  'recordsFailed',
  'batchGone',
  'shutdownRequestedFailed',
  'leaseLostFailed',
  'shardEndedFailed',
  'siblingLeaseMissing',
])

const findsTheEnd = ({ from: { context }, event }: Edge): boolean =>
  (event.type === 'recordsProcessed' && context.batch?.atShardEnd === true) ||
  (event.type === 'recordsRead' && event.batch.count === 0 && event.batch.atShardEnd) ||
  (event.type === 'checkpointRead' && event.checkpoint.sequenceNumber === 'SHARD_END') ||
  (event.type === 'shardNotFound' && context.initialized) ||
  (event.type === 'initialized' && context.atShardEnd)

/** The outcome that an event gives to the work of a state; null when the work goes on, and for events that are no answer to it. */
function outcomeOf(edge: Edge): Outcome | null {
  const { from, event } = edge
  if (!('id' in event) || event.id !== from.context.task?.id) return null
  if (findsTheEnd(edge)) return 'END_OF_SHARD'
  if (succeeded.has(event.type)) return 'SUCCESSFUL'
  return failed.has(event.type) ? 'FAILURE' : null
}

const pendingIn = ({ context }: ShardConsumerSnapshot): Pending => context.reason ?? 'none'

/** A checkpoint that is still being written delays the end of a consumer, whatever its work came to. */
const edges = allEdges.filter(({ from }) => from.context.write === null)

/** Work that failed for the last time counts as done, so that a consumer always ends. */
const isLastAttempt = ({ context }: ShardConsumerSnapshot): boolean => context.attempt + 1 >= context.options.maxShutdownAttempts
/** The error policy may give the shard up, or pass over its last batch: its own tests say when. */
const endsByPolicy = ({ from, to, event }: Edge): boolean =>
  event.type === 'recordsFailed' &&
  (to.context.gaveUp !== null || (from.context.batch?.atShardEnd === true && from.context.options.onDeliveryFailure === 'skip'))
const outcomes = edges.flatMap((edge) => {
  const outcome = outcomeOf(edge)
  const from = tableState(edge.from.value)
  return outcome === null || (from === D && outcome === 'FAILURE' && isLastAttempt(edge.from)) || endsByPolicy(edge)
    ? []
    : [{ outcome, from, pending: pendingIn(edge.from), to: tableState(edge.to.value), event: edge.event.type }]
})

const cells = (['SUCCESSFUL', 'END_OF_SHARD', 'FAILURE'] as const).flatMap((outcome) =>
  states.flatMap((state) => pendings.map((pending, index) => ({ outcome, state, pending, to: matrix[outcome][state][index] }))),
)
const reasonAgainst = (cell: (typeof cells)[number]): string | undefined =>
  unreachable.find(([outcome, state, without]) => outcome === cell.outcome && state === cell.state && without.includes(cell.pending))?.[3]

describe('the outcome of the work of a state', () => {
  it.each(cells.filter((cell) => reasonAgainst(cell) === undefined))(
    '$outcome in $state with $pending pending leads to $to',
    ({ outcome, state, pending, to }) => {
      const found = outcomes.filter((edge) => edge.outcome === outcome && edge.from === state && edge.pending === pending)

      expect(found.length).toBeGreaterThan(0)
      expect(new Set(found.map((edge) => edge.to))).toEqual(new Set([to]))
    },
  )

  it.each(cells.filter((cell) => reasonAgainst(cell) !== undefined).map((cell) => ({ ...cell, because: reasonAgainst(cell) })))(
    '$outcome in $state with $pending pending is never met: $because',
    ({ outcome, state, pending }) => {
      expect(outcomes.filter((edge) => edge.outcome === outcome && edge.from === state && edge.pending === pending)).toEqual([])
    },
  )

  it('is one of 84 cells', () => {
    expect(cells.length).toBe(84)
  })

  it('is taken for the end of the shard only where one was found, not where the last batch failed', () => {
    const failedAtTheEnd = edges.filter(
      ({ from, event }) =>
        from.context.options.maxDeliveryAttempts === null &&
        event.type === 'recordsFailed' &&
        from.context.batch?.atShardEnd === true &&
        from.context.reason === null &&
        'id' in event &&
        event.id === from.context.task?.id,
    )

    expect(failedAtTheEnd.length).toBeGreaterThan(0)
    expect(failedAtTheEnd.filter(({ to }) => to.context.reason !== null)).toEqual([])
  })
})
