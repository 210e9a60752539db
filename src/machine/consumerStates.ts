import { parseShutdownReason, type ShutdownReason } from '@shardwise/effects'

/** The six states of the KCL's ShardConsumer. SHUTDOWN_REQUESTED has two forms there: the notification, and its completion. */
export type ConsumerState =
  | 'WAITING_ON_PARENT_SHARDS'
  | 'INITIALIZING'
  | 'PROCESSING'
  | 'SHUTDOWN_REQUESTED'
  | 'SHUTTING_DOWN'
  | 'SHUTDOWN_COMPLETE'

/** A state of the seed's table: the notification completion apart from the notification, for which the KCL has one name. */
export type TableState = ConsumerState | 'SHUTDOWN_REQUESTED.notificationCompletion'

/** What a state does, in the KCL's words. */
export type TaskType = 'BLOCK_ON_PARENT_SHARDS' | 'INITIALIZE' | 'PROCESS' | 'SHUTDOWN_NOTIFICATION' | 'SHUTDOWN' | 'SHUTDOWN_COMPLETE'

/** The value of a consumer's state: sub-states are named except in SHUTDOWN_COMPLETE, which has none. */
export type ConsumerStateValue = string | Readonly<Record<string, string | undefined>>

interface Row {
  readonly taskType: TaskType
  readonly success: TableState
  readonly shutdown: Readonly<Record<ShutdownReason, TableState>>
}

const all = (state: TableState): Row['shutdown'] => ({ REQUESTED: state, SHARD_END: state, LEASE_LOST: state })
const whenInitialized = { REQUESTED: 'SHUTDOWN_REQUESTED', SHARD_END: 'SHUTTING_DOWN', LEASE_LOST: 'SHUTTING_DOWN' } as const
const whenNotified = { ...whenInitialized, REQUESTED: 'SHUTDOWN_REQUESTED.notificationCompletion' } as const

/** The table of KCL 2.0 `ConsumerStates`: where success leads, and where a shutdown leads, by reason. */
export const consumerStateTable: Readonly<Record<TableState, Row>> = {
  WAITING_ON_PARENT_SHARDS: { taskType: 'BLOCK_ON_PARENT_SHARDS', success: 'INITIALIZING', shutdown: all('SHUTDOWN_COMPLETE') },
  INITIALIZING: { taskType: 'INITIALIZE', success: 'PROCESSING', shutdown: whenInitialized },
  PROCESSING: { taskType: 'PROCESS', success: 'PROCESSING', shutdown: whenInitialized },
  SHUTDOWN_REQUESTED: {
    taskType: 'SHUTDOWN_NOTIFICATION',
    success: 'SHUTDOWN_REQUESTED.notificationCompletion',
    shutdown: whenNotified,
  },
  'SHUTDOWN_REQUESTED.notificationCompletion': {
    taskType: 'SHUTDOWN_NOTIFICATION',
    success: 'SHUTDOWN_REQUESTED.notificationCompletion',
    shutdown: whenNotified,
  },
  SHUTTING_DOWN: { taskType: 'SHUTDOWN', success: 'SHUTDOWN_COMPLETE', shutdown: all('SHUTDOWN_COMPLETE') },
  SHUTDOWN_COMPLETE: { taskType: 'SHUTDOWN_COMPLETE', success: 'SHUTDOWN_COMPLETE', shutdown: all('SHUTDOWN_COMPLETE') },
}

/** The row of the seed's table that a state value stands for. @throws Error when the value is none of a shard consumer. */
export function tableState(value: ConsumerStateValue): TableState {
  const [state, subState] = typeof value === 'string' ? [value] : (Object.entries(value)[0] ?? [''])
  const name = subState === 'notificationCompletion' ? `${state}.${subState}` : state
  if (!Object.hasOwn(consumerStateTable, name))
    throw new Error(`value: expected the state of a shard consumer, got ${JSON.stringify(value)}`)
  return name as TableState
}

/** The KCL's name of a state value. */
export function consumerState(value: ConsumerStateValue): ConsumerState {
  const state = tableState(value)
  return state === 'SHUTDOWN_REQUESTED.notificationCompletion' ? 'SHUTDOWN_REQUESTED' : state
}

/** Where the success of its task leads from a state. */
export function successTransition(state: TableState): TableState {
  return consumerStateTable[state].success
}

/** Where a shutdown leads from a state. @throws Error for an unknown reason. */
export function shutdownTransition(state: TableState, reason: ShutdownReason): TableState {
  return consumerStateTable[state].shutdown[parseShutdownReason(reason)]
}

/** The type of task that a state runs. */
export function taskType(value: ConsumerStateValue): TaskType {
  return consumerStateTable[tableState(value)].taskType
}

/** Whether nothing follows the state. */
export function isTerminal(value: ConsumerStateValue): boolean {
  return tableState(value) === 'SHUTDOWN_COMPLETE'
}

/** Whether the state's task needs a batch of records. */
export function requiresDataAvailability(value: ConsumerStateValue): boolean {
  return tableState(value) === 'PROCESSING'
}

/** Whether the state runs no task and waits to be told to go on. */
export function requiresAwake(value: ConsumerStateValue): boolean {
  return tableState(value) === 'SHUTDOWN_REQUESTED.notificationCompletion'
}
