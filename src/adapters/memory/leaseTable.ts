import type { ChildShard, Heartbeat, Lease, LeaseStore, LeaseTable } from '@shardwise/effects'
import { isShardEnd, TRIM_HORIZON } from '@shardwise/effects'
import { type Heartbeats, heartbeatHandlers, listHeartbeats } from './heartbeats.ts'
import { expectFunction, expectKnownOptions } from './options.ts'

/** A lease table in memory, shared by every worker that asks for its handlers. Its writes have the conditions of a KCL table: the lease counter fences. */
export interface MemoryLeaseTable {
  /**
   * The handlers of one worker process, with its own memory of the leases it holds. A second call stands for a second process, or for a restart. `nowMs` is that
   * process's monotonic clock, and `calls` its way to the table.
   */
  store(options?: { readonly nowMs?: () => number; readonly calls?: MemoryTableCalls }): LeaseStore & LeaseTable
  /** The rows as they stand, in the order of their creation. */
  rows(): readonly Lease[]
  /** The row of one lease as it stands. */
  row(leaseKey: string): Lease | undefined
  /** The heartbeats of workers as they stand. */
  heartbeats(): readonly Heartbeat[]
}

/** How the calls of one process reach the table. Each gets what the call does there, to run it once, twice, later or not at all; what it throws is how the call failed. */
export interface MemoryTableCalls {
  read<Rows>(look: () => Rows): Rows
  /** Answers whether the condition held, and how often the request was sent: after a second one, a condition that failed may have failed by the first. */
  write(apply: () => boolean): { readonly applied: boolean; readonly attempts: number }
}

/** What a worker knows of a lease it holds: the token of its acquisition, and the counter it last wrote. */
interface Held {
  readonly workerId: string
  readonly token: number
  readonly counter: number
  /** When the last write was sent that is known to be in the row. */
  readonly writtenMs: number
  /** Whether another process was found to write to the lease under the same worker id. */
  readonly isShared: boolean
  /** When the oldest write was sent that failed and may be applied nevertheless, by now or later; null when there is none. */
  readonly inDoubtSinceMs: number | null
}

/** What changes a row, as an observer of the table sees it: null stands for a row that is not there. */
type OnChange = (before: Lease | null, after: Lease | null) => void

const straight: MemoryTableCalls = { read: (look) => look(), write: (apply) => ({ applied: apply(), attempts: 1 }) }

/**
 * Makes a lease table with the rows of `leases`, or none. `nowMs` is monotonic milliseconds, the clock of the worker's timers; `performance.now` unless given.
 * `onChange` sees every change of a row, in their order.
 * @throws Error for an unknown option or one of the wrong type.
 */
export function createMemoryLeaseTable(
  options: { readonly nowMs?: () => number; readonly leases?: readonly Lease[]; readonly onChange?: OnChange } = {},
): MemoryLeaseTable {
  expectKnownOptions('createMemoryLeaseTable', options, ['nowMs', 'leases', 'onChange'])
  const { onChange = () => undefined } = options
  const nowMs = options.nowMs ?? monotonicClock()
  expectFunction('nowMs', nowMs)
  expectFunction('onChange', onChange)
  const rows = new ObservedRows(options.leases ?? [], onChange)
  const heartbeats: Heartbeats = new Map()
  return {
    store: ({ nowMs: ownMs = nowMs, calls = straight } = {}) => workersStore(rows, heartbeats, ownMs, calls),
    rows: () => rows.all(),
    row: (leaseKey) => rows.get(leaseKey),
    heartbeats: () => listHeartbeats(heartbeats),
  }
}

/** The rows of a table, by lease key. */
class ObservedRows {
  readonly #rows: Map<string, Lease>
  readonly #onChange: OnChange

  constructor(leases: readonly Lease[], onChange: OnChange) {
    this.#rows = new Map(leases.map((lease) => [lease.leaseKey, lease]))
    this.#onChange = onChange
  }

  all = (): readonly Lease[] => [...this.#rows.values()]
  get = (leaseKey: string): Lease | undefined => this.#rows.get(leaseKey)
  has = (leaseKey: string): boolean => this.#rows.has(leaseKey)

  set(row: Lease): void {
    const before = this.#rows.get(row.leaseKey) ?? null
    this.#rows.set(row.leaseKey, row)
    this.#onChange(before, row)
  }

  delete(leaseKey: string): void {
    const before = this.#rows.get(leaseKey)
    if (before === undefined) return
    this.#rows.delete(leaseKey)
    this.#onChange(before, null)
  }
}

function workersStore(rows: ObservedRows, heartbeats: Heartbeats, nowMs: () => number, calls: MemoryTableCalls): LeaseStore & LeaseTable {
  const held = new Map<string, Held>()
  const read = (leaseKey: string): Lease | undefined => calls.read(() => rows.get(leaseKey))

  /** Changes a row that has this counter, and grows it; the row as it stands when that is not told to have happened. */
  const update = (leaseKey: string, counter: number, change: Partial<Lease>, mayChange: (row: Lease) => boolean = () => true): Update => {
    const apply = (): boolean => {
      const row = rows.get(leaseKey)
      if (row === undefined || row.leaseCounter !== counter || !mayChange(row)) return false
      rows.set({ ...row, ...change, leaseCounter: counter + 1 })
      return true
    }
    try {
      const { applied, attempts } = calls.write(apply)
      return { applied, maybeApplied: attempts > 1, failure: null, row: applied ? undefined : read(leaseKey) }
    } catch (thrown) {
      const failure = thrown instanceof Error ? thrown : new Error(String(thrown))
      return { applied: false, maybeApplied: true, failure, row: read(leaseKey) }
    }
  }

  /** Writes to a held lease. Answers with the time just before that, or null when the lease is not held any more, which is then forgotten. */
  const write = (
    { leaseKey, token }: { readonly leaseKey: string; readonly token: number },
    change: Partial<Lease>,
    mayChange?: (row: Lease) => boolean,
  ): number | null => {
    const mine = held.get(leaseKey)
    if (mine === undefined || mine.token !== token || mine.isShared) return null
    const sentMs = nowMs()
    const doubt = { ...mine, inDoubtSinceMs: mine.inDoubtSinceMs ?? sentMs }
    // Until it is known what the write came to: the read that follows a failure may fail, too.
    held.set(leaseKey, doubt)
    const { applied, maybeApplied, failure, row } = update(leaseKey, mine.counter, change, mayChange)
    const next = { ...mine, counter: mine.counter + 1, writtenMs: doubt.inDoubtSinceMs, inDoubtSinceMs: null }
    if (applied) {
      held.set(leaseKey, { ...next, writtenMs: sentMs })
      return sentMs
    }
    // One ahead is an own step only where a write of ours may have got there: two processes may share a worker id by mistake.
    const isOwnStep = row?.leaseCounter === next.counter && (maybeApplied || mine.inDoubtSinceMs !== null)
    const holder = row === undefined ? undefined : (row.checkpointOwner ?? row.leaseOwner)
    if (
      row !== undefined &&
      isOwnStep &&
      holder === (change.leaseOwner === undefined ? mine.workerId : change.leaseOwner) &&
      hasIn(row, change)
    ) {
      held.set(leaseKey, next)
      return doubt.inDoubtSinceMs
    }
    if (holder !== mine.workerId || (!isOwnStep && row?.leaseCounter !== mine.counter)) {
      if (holder === mine.workerId) held.set(leaseKey, { ...mine, isShared: true })
      else held.delete(leaseKey)
      return null
    }
    if (isOwnStep) {
      held.set(leaseKey, next)
      throw failure ?? new Error(`lease ${JSON.stringify(leaseKey)}: an earlier write was applied after it had failed, so this one was not`)
    }
    if (failure !== null) throw failure
    held.set(leaseKey, mine)
    return null
  }

  const refusal = ({ leaseKey, token }: { readonly leaseKey: string; readonly token: number }) => {
    const mine = held.get(leaseKey)
    return { type: mine?.token === token && mine.isShared ? 'workerIdShared' : 'leaseRefused' } as const
  }

  return {
    checkParentShards({ parentShardIds }) {
      const pendingShardId = parentShardIds.find((shardId) => {
        const row = read(shardId)
        return row !== undefined && !isShardEnd(row.checkpoint)
      })
      return pendingShardId === undefined ? { type: 'parentShardsCompleted' } : { type: 'parentShardsPending', pendingShardId }
    },

    readCheckpoint({ leaseKey }) {
      const row = read(leaseKey)
      if (row === undefined) return { type: 'leaseNotFound' }
      return { type: 'checkpointRead', checkpoint: row.checkpoint, pendingCheckpoint: row.pendingCheckpoint }
    },

    writeCheckpoint({ leaseKey, token, checkpoint }) {
      const change = { checkpoint, pendingCheckpoint: null, ownerSwitchesSinceCheckpoint: 0 }
      const written = write({ leaseKey, token }, change, (row) => isShardEnd(checkpoint) || !isShardEnd(row.checkpoint))
      return { type: written === null ? 'checkpointRefused' : 'checkpointWritten' }
    },

    createChildLeases({ leaseKey, childShards }) {
      if (read(leaseKey) === undefined) return { type: 'leaseNotFound' }
      if (childShards.some((child) => missesOneParent(read, child))) return { type: 'siblingLeaseMissing' }
      for (const { shardId, parentShardIds, hashKeyRange } of childShards) {
        calls.write(() => create(rows, { leaseKey: shardId, checkpoint: TRIM_HORIZON, parentShardIds, hashKeyRange }))
      }
      // A shard that is ended a second time names no children: those that are noted still are its children.
      if (childShards.length === 0) return { type: 'childLeasesCreated' }
      const { applied } = calls.write(() => {
        const row = rows.get(leaseKey)
        if (row !== undefined) rows.set({ ...row, childShardIds: childShards.map(({ shardId }) => shardId) })
        return row !== undefined
      })
      return { type: applied ? 'childLeasesCreated' : 'leaseNotFound' }
    },

    ensureTable: () => ({ type: 'tableReady' }),

    listLeases() {
      let found: readonly Heartbeat[] = []
      const leases = calls.read(() => {
        found = listHeartbeats(heartbeats)
        return rows.all()
      })
      return { type: 'leasesListed', nowMs: nowMs(), leases, ...(found.length > 0 && { heartbeats: found }) }
    },

    createLease: ({ lease }) => ({ type: calls.write(() => create(rows, lease)).applied ? 'leaseCreated' : 'leaseExists' }),

    acquireLease({ leaseKey, leaseCounter, leaseOwner, workerId }) {
      const before = read(leaseKey)
      if (before === undefined || before.leaseCounter !== leaseCounter || before.leaseOwner !== leaseOwner) return { type: 'leaseRefused' }
      const token = leaseCounter + 1
      const switched = before.leaseOwner !== null && before.leaseOwner !== workerId
      const ownerSwitchesSinceCheckpoint = before.ownerSwitchesSinceCheckpoint + (switched ? 1 : 0)
      const sentMs = nowMs()
      const change = { leaseOwner: workerId, checkpointOwner: null, ownerSwitchesSinceCheckpoint }
      const { applied, maybeApplied, failure, row } = update(leaseKey, leaseCounter, change)
      if (!applied && failure !== null && row?.leaseCounter === leaseCounter) throw failure
      const lease = applied ? rows.get(leaseKey) : row
      const taken = applied || (maybeApplied && lease?.leaseCounter === token && lease.checkpointOwner === null)
      if (lease === undefined || !taken || lease.leaseOwner !== workerId) return { type: 'leaseRefused' }
      held.set(leaseKey, { workerId, token, counter: token, writtenMs: sentMs, isShared: false, inDoubtSinceMs: null })
      return { type: 'leaseAcquired', lease, token, nowMs: sentMs }
    },

    requestHandoff({ leaseKey, leaseOwner, workerId }) {
      const { applied } = calls.write(() => {
        const row = rows.get(leaseKey)
        if (row?.leaseOwner !== leaseOwner || row.checkpointOwner !== null) return false
        rows.set({ ...row, leaseOwner: workerId, checkpointOwner: leaseOwner })
        return true
      })
      const row = applied ? undefined : read(leaseKey)
      const stands = applied || (row?.leaseOwner === workerId && row.checkpointOwner === leaseOwner)
      return { type: stands ? 'handoffRequested' : 'handoffRefused' }
    },

    renewLease({ freshSinceMs, ...lease }) {
      const mine = held.get(lease.leaseKey)
      const isFresh = mine?.token === lease.token && !mine.isShared && mine.writtenMs >= freshSinceMs
      const renewedMs = isFresh ? mine.writtenMs : write(lease, {})
      if (renewedMs === null) return refusal(lease)
      const row = rows.get(lease.leaseKey)
      return {
        type: 'leaseRenewed',
        nowMs: renewedMs,
        nextOwner: row === undefined || row.checkpointOwner === null ? null : row.leaseOwner,
      }
    },

    releaseLease({ nextOwner, ...lease }) {
      if (write(lease, { leaseOwner: nextOwner, checkpointOwner: null }) === null) {
        const refused = refusal(lease)
        if (refused.type === 'workerIdShared') held.delete(lease.leaseKey)
        return refused
      }
      held.delete(lease.leaseKey)
      return { type: 'leaseReleased' }
    },

    ...heartbeatHandlers(heartbeats, nowMs, calls),

    deleteLease({ leaseKey }) {
      calls.write(() => {
        rows.delete(leaseKey)
        return true
      })
      held.delete(leaseKey)
      return { type: 'leaseDeleted' }
    },
  }
}

/** What became of a conditional write, as far as its sender was told; `row` is how the row stands after one that is not told to be applied. */
interface Update {
  readonly applied: boolean
  readonly maybeApplied: boolean
  readonly failure: Error | null
  readonly row: Lease | undefined
}

/** Whether a row shows what a write stores. */
function hasIn(row: Lease, change: Partial<Lease>): boolean {
  return Object.entries(change).every(([name, value]) => JSON.stringify(row[name as keyof Lease]) === JSON.stringify(value))
}

function create(rows: ObservedRows, lease: Parameters<typeof unowned>[0]): boolean {
  if (rows.has(lease.leaseKey)) return false
  rows.set(unowned(lease))
  return true
}

function unowned(lease: Pick<Lease, 'leaseKey' | 'checkpoint' | 'parentShardIds' | 'hashKeyRange'>): Lease {
  return {
    leaseKey: lease.leaseKey,
    leaseOwner: null,
    leaseCounter: 0,
    checkpoint: lease.checkpoint,
    pendingCheckpoint: null,
    ownerSwitchesSinceCheckpoint: 0,
    parentShardIds: lease.parentShardIds,
    childShardIds: [],
    hashKeyRange: lease.hashKeyRange,
    checkpointOwner: null,
  }
}

/** A merged child waits until both parents have rows; with none of them it is an old shard whose parents were cleaned up. */
function missesOneParent(read: (leaseKey: string) => Lease | undefined, { parentShardIds }: ChildShard): boolean {
  return parentShardIds.length === 2 && parentShardIds.filter((shardId) => read(shardId) !== undefined).length === 1
}

function monotonicClock(): () => number {
  const { performance } = globalThis as unknown as { performance?: { now(): number } }
  if (performance === undefined) throw new Error('nowMs: this runtime has no performance.now, so a function was expected, got undefined')
  return () => performance.now()
}
