import {
  consumerStateTable,
  isTerminal,
  requiresAwake,
  requiresDataAvailability,
  type ShardConsumerSnapshot,
  shardConsumerMachine,
  shutdownTransition,
  step,
  successTransition,
  type TableState,
  tableState,
  taskType,
} from '@shardwise/machine'
import { describe, expect, it } from 'vitest'
import { play } from '../scenarios/play.ts'
import { aBatch, answer, aShard, closed, type Move, shutdown, untilReading } from '../scenarios/story.ts'

type Reason = 'REQUESTED' | 'SHARD_END' | 'LEASE_LOST'
const reasons: readonly Reason[] = ['REQUESTED', 'SHARD_END', 'LEASE_LOST']

/** The KCL's ConsumerStates, cell by cell: what each state object returns. */
const seed: readonly {
  readonly state: TableState
  readonly success: TableState
  readonly shutdown: Readonly<Record<Reason, TableState>>
  readonly taskType: string
  readonly isTerminal: boolean
  readonly requiresDataAvailability: boolean
  readonly requiresAwake: boolean
}[] = [
  {
    state: 'WAITING_ON_PARENT_SHARDS',
    success: 'INITIALIZING',
    shutdown: { REQUESTED: 'SHUTDOWN_COMPLETE', SHARD_END: 'SHUTDOWN_COMPLETE', LEASE_LOST: 'SHUTDOWN_COMPLETE' },
    taskType: 'BLOCK_ON_PARENT_SHARDS',
    isTerminal: false,
    requiresDataAvailability: false,
    requiresAwake: false,
  },
  {
    state: 'INITIALIZING',
    success: 'PROCESSING',
    shutdown: { REQUESTED: 'SHUTDOWN_REQUESTED', SHARD_END: 'SHUTTING_DOWN', LEASE_LOST: 'SHUTTING_DOWN' },
    taskType: 'INITIALIZE',
    isTerminal: false,
    requiresDataAvailability: false,
    requiresAwake: false,
  },
  {
    state: 'PROCESSING',
    success: 'PROCESSING',
    shutdown: { REQUESTED: 'SHUTDOWN_REQUESTED', SHARD_END: 'SHUTTING_DOWN', LEASE_LOST: 'SHUTTING_DOWN' },
    taskType: 'PROCESS',
    isTerminal: false,
    requiresDataAvailability: true,
    requiresAwake: false,
  },
  {
    state: 'SHUTDOWN_REQUESTED',
    success: 'SHUTDOWN_REQUESTED.notificationCompletion',
    shutdown: { REQUESTED: 'SHUTDOWN_REQUESTED.notificationCompletion', SHARD_END: 'SHUTTING_DOWN', LEASE_LOST: 'SHUTTING_DOWN' },
    taskType: 'SHUTDOWN_NOTIFICATION',
    isTerminal: false,
    requiresDataAvailability: false,
    requiresAwake: false,
  },
  {
    state: 'SHUTDOWN_REQUESTED.notificationCompletion',
    success: 'SHUTDOWN_REQUESTED.notificationCompletion',
    shutdown: { REQUESTED: 'SHUTDOWN_REQUESTED.notificationCompletion', SHARD_END: 'SHUTTING_DOWN', LEASE_LOST: 'SHUTTING_DOWN' },
    taskType: 'SHUTDOWN_NOTIFICATION',
    isTerminal: false,
    requiresDataAvailability: false,
    requiresAwake: true,
  },
  {
    state: 'SHUTTING_DOWN',
    success: 'SHUTDOWN_COMPLETE',
    shutdown: { REQUESTED: 'SHUTDOWN_COMPLETE', SHARD_END: 'SHUTDOWN_COMPLETE', LEASE_LOST: 'SHUTDOWN_COMPLETE' },
    taskType: 'SHUTDOWN',
    isTerminal: false,
    requiresDataAvailability: false,
    requiresAwake: false,
  },
  {
    state: 'SHUTDOWN_COMPLETE',
    success: 'SHUTDOWN_COMPLETE',
    shutdown: { REQUESTED: 'SHUTDOWN_COMPLETE', SHARD_END: 'SHUTDOWN_COMPLETE', LEASE_LOST: 'SHUTDOWN_COMPLETE' },
    taskType: 'SHUTDOWN_COMPLETE',
    isTerminal: true,
    requiresDataAvailability: false,
    requiresAwake: false,
  },
]

const processing = [...untilReading(), answer('readRecords', 'recordsRead', aBatch({ records: [1, 3], millisBehindLatest: 5_000 }))]
const notified = [...untilReading(), shutdown('REQUESTED'), answer('notifyShutdownRequested', 'shutdownRequestedNotified')]
const leaseLost = [...untilReading(), shutdown('LEASE_LOST'), answer('notifyLeaseLost', 'leaseLostNotified')]

/** How a consumer comes to each state, with the last piece of its work out, and the answer that says its work is done. */
const lives: Readonly<Record<TableState, { readonly arrival: readonly Move[]; readonly done: readonly Move[] }>> = {
  WAITING_ON_PARENT_SHARDS: { arrival: [], done: [answer('checkParentShards', 'parentShardsCompleted')] },
  INITIALIZING: { arrival: untilReading().slice(0, 3), done: [answer('initialize', 'initialized')] },
  PROCESSING: { arrival: processing, done: [answer('processRecords', 'recordsProcessed')] },
  SHUTDOWN_REQUESTED: {
    arrival: [...untilReading(), shutdown('REQUESTED')],
    done: [answer('notifyShutdownRequested', 'shutdownRequestedNotified')],
  },
  'SHUTDOWN_REQUESTED.notificationCompletion': { arrival: notified, done: [] },
  SHUTTING_DOWN: { arrival: leaseLost, done: [closed] },
  SHUTDOWN_COMPLETE: { arrival: [...leaseLost, closed], done: [] },
}

const lastOf = (moves: readonly Move[]): ShardConsumerSnapshot => {
  const last = play({ input: aShard, moves }).at(-1)
  if (last === undefined) throw new Error('moves: none was played')
  return last.after
}

describe.each(seed)('$state of the seed', ({ state, ...row }) => {
  const { arrival, done } = lives[state]
  const snapshot = lastOf(arrival)

  it(`has the facts: success to ${row.success}, shutdown to ${Object.values(row.shutdown).join(', ')}`, () => {
    expect(consumerStateTable[state]).toEqual({ taskType: row.taskType, success: row.success, shutdown: row.shutdown })
    expect(successTransition(state)).toBe(row.success)
    for (const reason of reasons) expect(shutdownTransition(state, reason)).toBe(row.shutdown[reason])
  })

  it('is told by the value of a snapshot', () => {
    expect(tableState(snapshot.value)).toBe(state)
    expect(taskType(snapshot.value)).toBe(row.taskType)
    expect(isTerminal(snapshot.value)).toBe(row.isTerminal)
    expect(requiresDataAvailability(snapshot.value)).toBe(row.requiresDataAvailability)
    expect(requiresAwake(snapshot.value)).toBe(row.requiresAwake)
    expect(snapshot.status).toBe(row.isTerminal ? 'done' : 'active')
  })

  it('is left for its success when its work is done', () => {
    expect(tableState(lastOf([...arrival, ...done]).value)).toBe(row.success)
  })

  it.each(reasons)('is left by %s as the table says, once its work is done', (reason) => {
    const asked = [...arrival, shutdown(reason)]
    const stillWorks = tableState(lastOf(asked).value) === state

    expect(tableState(lastOf(stillWorks ? [...asked, ...done] : asked).value)).toBe(row.shutdown[reason])
  })
})

describe('the table of states', () => {
  it('has the seven states of the seed and no other', () => {
    expect(Object.keys(consumerStateTable)).toEqual(seed.map(({ state }) => state))
  })

  it('is tagged in the statechart where a state needs data or waits to be woken', () => {
    const tagged = (tag: string): readonly string[] =>
      Object.values(shardConsumerMachine.root.states)
        .flatMap((state) => [state, ...Object.values(state.states)])
        .flatMap((node) => (node.tags.includes(tag) ? [node.path.join('.')] : []))

    expect(tagged('requiresDataAvailability')).toEqual(['PROCESSING'])
    expect(tagged('requiresAwake')).toEqual(['SHUTDOWN_REQUESTED.notificationCompletion'])
  })

  it('knows no other reason', () => {
    expect(() => shutdownTransition('PROCESSING', 'ZOMBIE' as never)).toThrow(
      'reason: expected REQUESTED, SHARD_END or LEASE_LOST, got "ZOMBIE"',
    )
    expect(() => step(lastOf([]), { type: 'shutdown', reason: 'ZOMBIE' as never })).toThrow('reason: expected')
  })

  it('knows no other state', () => {
    for (const value of ['ZOMBIE', { ZOMBIE: 'reading' }, 'toString', {}]) {
      expect(() => taskType(value)).toThrow('value: expected the state of a shard consumer')
    }
  })
})
