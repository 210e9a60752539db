import { consumerStateTable, shutdownTransition, successTransition, type TableState, tableState } from '@shardwise/machine'
import type { Branch } from './chart.ts'
import { arrow, box, mark } from './mermaid.ts'

type Reason = 'REQUESTED' | 'SHARD_END' | 'LEASE_LOST'
type Cause = 'success' | Reason

const reasons: readonly Reason[] = ['REQUESTED', 'SHARD_END', 'LEASE_LOST']

/** The states of the KCL's drawing, in its words. */
const titles: Readonly<Record<TableState, string>> = {
  WAITING_ON_PARENT_SHARDS: 'WAITING_ON_PARENT_SHARDS',
  INITIALIZING: 'INITIALIZING',
  PROCESSING: 'PROCESSING',
  SHUTDOWN_REQUESTED: 'SHUTDOWN_REQUESTED\n(notification)',
  'SHUTDOWN_REQUESTED.notificationCompletion': 'SHUTDOWN_REQUESTED\n(notification complete)',
  SHUTTING_DOWN: 'SHUTTING_DOWN',
  SHUTDOWN_COMPLETE: 'SHUTDOWN_COMPLETE',
}

/** The seven states, in the order of the table. */
export const tableStates = Object.keys(titles) as readonly TableState[]

/** The KCL's older names, which its drawing bears. */
const reasonNames: Readonly<Record<Reason, string>> = {
  REQUESTED: 'Requested',
  SHARD_END: 'Terminated\n(SHARD_END)',
  LEASE_LOST: 'Zombie\n(LEASE_LOST)',
}

/** What has happened when a branch with this guard is taken from one of the seven states to another. */
const causes: Readonly<Record<string, readonly Cause[]>> = {
  answered: ['success'],
  nothingWritten: ['success'],
  shutdownRecorded: reasons,
  shutdownRequested: ['REQUESTED'],
  shardEnded: ['SHARD_END'],
  shardEndedWithChildren: ['SHARD_END'],
  leaseIsLost: ['LEASE_LOST'],
  consumptionEnded: ['SHARD_END', 'LEASE_LOST'],
  endedUninitialized: ['SHARD_END', 'LEASE_LOST'],
}

interface Exception {
  readonly from: TableState
  readonly to: TableState
  readonly label: string
  readonly why: string
  readonly covers: (branch: Branch) => boolean
}

/** Where the chart goes between two of the seven states and the table does not. */
export const exceptions: readonly Exception[] = [
  {
    from: 'INITIALIZING',
    to: 'SHUTDOWN_REQUESTED.notificationCompletion',
    label: 'Requested, processor\nnot initialised',
    why: 'a record processor that was never initialised is not notified: the consumer waits for its release at once',
    covers: ({ guard }) => guard === 'shutdownRequested',
  },
  {
    from: 'PROCESSING',
    to: 'SHUTDOWN_REQUESTED.notificationCompletion',
    label: 'Requested,\nprocessor gone',
    why: 'a record processor that was lost in a crash cannot be notified either',
    covers: ({ event, guard }) => event === 'processorGone' && guard === 'shutdownRequested',
  },
  {
    from: 'PROCESSING',
    to: 'SHUTTING_DOWN',
    label: 'Processor gone',
    why: 'without a request to shut down, a shard whose record processor was lost in a crash is closed without a further callback, to be consumed anew from the last checkpoint',
    covers: ({ event }) => event === 'processorGone',
  },
  {
    from: 'PROCESSING',
    to: 'SHUTTING_DOWN',
    label: 'Given up',
    why: 'a batch whose deliveries are exhausted may stop its shard on this worker, or the worker: the lease is given away',
    covers: ({ guard }) => guard === 'givesBatchUp',
  },
]

interface Edge {
  readonly from: TableState
  readonly to: TableState
  readonly label: readonly string[]
}

/**
 * The edges of the seven states: those that the branches of the chart make, labelled by the table.
 * @throws Error for a branch between two of the seven states that neither the table nor an exception explains, and for an exception that has no branch.
 */
export function overviewEdges(branches: readonly Branch[]): readonly Edge[] {
  const own = branches.filter(({ source }) => source !== '')
  const unused = exceptions.find((exception) => !own.some((branch) => isCovered(branch, exception)))
  if (unused !== undefined) throw new Error(`${unused.from} to ${unused.to}: listed as an exception to the table, but not in the chart`)
  for (const branch of own) explain(branch)
  const joined = new Set(own.map((branch) => `${fromOf(branch)} ${toOf(branch)}`))
  return tableStates.flatMap((from) =>
    tableStates.flatMap((to) => {
      const label = [...tableLabel(from, to), ...exceptions.filter((it) => it.from === from && it.to === to).map((it) => it.label)]
      return joined.has(`${from} ${to}`) && label.length > 0 ? [{ from, to, label }] : []
    }),
  )
}

/** The drawing of the seven states. */
export function overviewLines(branches: readonly Branch[]): readonly string[] {
  return [
    ...tableStates.flatMap((state) => box(state, titles[state], [])),
    arrow(mark, 'WAITING_ON_PARENT_SHARDS'),
    ...overviewEdges(branches).map(({ from, to, label }) => arrow(from, to, label)),
    arrow('SHUTDOWN_COMPLETE', mark),
  ]
}

function explain(branch: Branch): void {
  const [from, to] = [fromOf(branch), toOf(branch)]
  if (from === to || exceptions.some((exception) => isCovered(branch, exception))) return
  const name = `${branch.source} to ${branch.target} on ${branch.event} [${branch.guard}]`
  const found = causes[branch.guard ?? '']
  if (found === undefined) throw new Error(`${name}: expected a guard that says whether success or a shutdown leads there`)
  const other = found.find((cause) => tableTarget(from, cause) !== to)
  if (other !== undefined) throw new Error(`${name}: the table says that ${other} leads to ${tableTarget(from, other)}`)
}

const isCovered = (branch: Branch, { from, to, covers }: Exception): boolean =>
  fromOf(branch) === from && toOf(branch) === to && covers(branch)

const fromOf = ({ source }: Branch): TableState => rowOf(source)
const toOf = ({ source, target }: Branch): TableState => rowOf(target ?? source)

function rowOf(path: string): TableState {
  const [state = '', subState] = path.split('.')
  return tableState(subState === undefined ? state : { [state]: subState })
}

const tableTarget = (from: TableState, cause: Cause): TableState =>
  cause === 'success' ? successTransition(from) : shutdownTransition(from, cause)

function tableLabel(from: TableState, to: TableState): readonly string[] {
  const success = consumerStateTable[from].success === to ? ['Success'] : []
  const given = reasons.filter((reason) => shutdownTransition(from, reason) === to)
  return [...success, ...(given.length === reasons.length ? ['All Reasons'] : given.map((reason) => reasonNames[reason]))]
}
