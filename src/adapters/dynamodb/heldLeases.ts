import { compareSequenceNumbers, type EffectOf, type ExtendedSequenceNumber, isShardEnd, type Lease } from '@shardwise/effects'
import { type CounterUpdate, type UpdateEnd, updateOnCounter } from './counterUpdate.ts'
import type { Lanes } from './lanes.ts'
import { parseLeaseItem } from './leaseItem.ts'
import type { LeaseRows } from './leaseRows.ts'

/** The attributes that stand only during a hand-off. */
const endOfHandoff = 'checkpointOwner, nextOwner'

/** A lease that this process took, and the counter that it last wrote. */
interface HeldLease {
  readonly workerId: string
  readonly token: number
  leaseCounter: number
  /** The row as of the last write that is known to be in it. */
  row: Lease
  /** When that write was sent. */
  writtenMs: number
  /** Who asked for the lease to be handed over, as of that write. */
  nextOwner: string | null
  /** Whether another process was found to write to the lease under the same worker id. */
  isShared: boolean
  /** When the oldest write was sent that failed and may be applied nevertheless, by now or later; null when there is none. */
  inDoubtSinceMs: number | null
}

interface HeldWrite extends Omit<CounterUpdate, 'leaseKey' | 'leaseCounter'> {
  /** Whether a row shows what this write stores. The counters have been compared already. */
  readonly isIn: (row: Lease, workerId: string) => boolean
  /** No write is needed if one was sent since. */
  readonly freshSinceMs?: number
  readonly givesUp?: boolean
}

/** What a write came to: the time just before the row was written; or that it was refused, `shared` where another process writes under the same worker id. */
export type WriteEnd = { readonly writtenMs: number; readonly nextOwner: string | null } | 'refused' | 'shared'

interface Named {
  readonly leaseKey: string
  readonly token: number
}

/**
 * The leases that one process holds, none at first: takes them and writes to them, always conditional on the lease counter, and one write of a lease after
 * another. A lease that turns out to be lost is forgotten; one that is shared, when it is given up.
 */
export function heldLeases(rows: LeaseRows, inLane: Lanes, nowMs: () => number) {
  const held = new Map<string, HeldLease>()

  const write = ({ leaseKey, token }: Named, { isIn, freshSinceMs, givesUp, ...update }: HeldWrite): Promise<WriteEnd> =>
    inLane(leaseKey, async () => {
      const lease = held.get(leaseKey)
      if (lease === undefined || lease.token !== token) return 'refused'
      if (lease.isShared) {
        if (givesUp) held.delete(leaseKey)
        return 'shared'
      }
      if (freshSinceMs !== undefined && lease.writtenMs >= freshSinceMs) return { writtenMs: lease.writtenMs, nextOwner: lease.nextOwner }
      const startedMs = nowMs()
      const doubtedSinceMs = lease.inDoubtSinceMs ?? startedMs
      const end = await updateOnCounter(rows, { ...update, leaseKey, leaseCounter: lease.leaseCounter }).catch((error: unknown) => {
        lease.inDoubtSinceMs = doubtedSinceMs
        throw error
      })
      const verdict = judge(lease, end, isIn)
      if (verdict === 'written' || verdict === 'overtaken') {
        lease.leaseCounter += 1
        lease.row = rowOf(end)
        lease.inDoubtSinceMs = null
        lease.writtenMs = end.applied ? startedMs : doubtedSinceMs
      }
      if (verdict === 'lost' || (givesUp && (verdict === 'written' || verdict === 'shared'))) held.delete(leaseKey)
      if (verdict === 'written') {
        const { checkpointOwner, leaseOwner } = lease.row
        lease.nextOwner = checkpointOwner === null ? null : leaseOwner
        return { writtenMs: lease.writtenMs, nextOwner: lease.nextOwner }
      }
      // verdict is not 'written', so the write was not applied.
      if (!end.applied && verdict === 'overtaken') throw overtaken(leaseKey, end.error)
      if (!end.applied && verdict === 'failed') {
        lease.inDoubtSinceMs = doubtedSinceMs
        throw end.error
      }
      lease.isShared = verdict === 'shared'
      return lease.isShared ? 'shared' : 'refused'
    })

  return {
    /** Takes a lease; null when its counter or its owner is not what was listed. `nowMs` is the time just before the write. */
    acquire: ({ leaseKey, leaseCounter, leaseOwner, workerId }: EffectOf<'acquireLease'>) =>
      inLane(leaseKey, async () => {
        const isSwitch = leaseOwner !== null && leaseOwner !== workerId
        const startedMs = nowMs()
        const end = await updateOnCounter(rows, {
          leaseKey,
          leaseCounter,
          // The owner may change under one counter, by a hand-off that is asked for; whether a switch is counted depends on the owner that is replaced.
          condition: leaseOwner === null ? 'attribute_not_exists(leaseOwner)' : 'leaseOwner = :listedOwner',
          set: 'leaseOwner = :owner, ownerSwitchesSinceCheckpoint = ownerSwitchesSinceCheckpoint + :switch',
          remove: endOfHandoff,
          values: {
            ':owner': { S: workerId },
            ':switch': { N: isSwitch ? '1' : '0' },
            ...(leaseOwner !== null && { ':listedOwner': { S: leaseOwner } }),
          },
        })
        const token = leaseCounter + 1
        const lease = end.applied ? parseLeaseItem(end.row) : end.row
        if (!end.applied && !end.refused && lease?.leaseCounter === leaseCounter) throw end.error
        const isTaken = end.applied || (end.maybeApplied && lease?.leaseCounter === token && lease.checkpointOwner === null)
        if (lease === null || !isTaken || lease.leaseOwner !== workerId) return null
        held.set(leaseKey, {
          workerId,
          token,
          leaseCounter: token,
          row: lease,
          writtenMs: startedMs,
          nextOwner: null,
          isShared: false,
          inDoubtSinceMs: null,
        })
        return { lease, token, nowMs: startedMs }
      }),

    /**
     * The row of a lease as this process last wrote it: nobody else can have stored a checkpoint since, or the lease is lost, and every write will say so. Undefined
     * when that is not known: the lease is not held under this token, or a write failed that may be applied.
     */
    ownRow: ({ leaseKey, token }: Named): Lease | undefined => {
      const lease = held.get(leaseKey)
      return lease?.token === token && !lease.isShared && lease.inDoubtSinceMs === null ? lease.row : undefined
    },

    /** Grows the counter, unless another write did since `freshSinceMs`. */
    renew: ({ freshSinceMs, ...named }: Named & { readonly freshSinceMs: number }) =>
      write(named, { isIn: (row, workerId) => holderOf(row) === workerId, freshSinceMs }),

    /** Stores a checkpoint; refused when the lease is not held any more, or SHARD_END would be moved back. */
    checkpoint: (named: Named, checkpoint: ExtendedSequenceNumber) =>
      write(named, {
        set: 'checkpoint = :checkpoint, checkpointSubSequenceNumber = :subSequenceNumber, ownerSwitchesSinceCheckpoint = :noSwitches',
        remove: 'pendingCheckpoint, pendingCheckpointSubSequenceNumber, pendingCheckpointState',
        values: {
          ':checkpoint': { S: checkpoint.sequenceNumber },
          ':subSequenceNumber': { N: String(checkpoint.subSequenceNumber) },
          ':noSwitches': { N: '0' },
          ...(!isShardEnd(checkpoint) && { ':shardEnd': { S: 'SHARD_END' } }),
        },
        ...(!isShardEnd(checkpoint) && { condition: 'checkpoint <> :shardEnd' }),
        isIn: (row, workerId) => holderOf(row) === workerId && compareSequenceNumbers(row.checkpoint, checkpoint) === 0,
      }),

    /** Gives a lease up, to the next owner if there is one. */
    release: ({ nextOwner, ...named }: Named & { readonly nextOwner: string | null }) =>
      write(named, {
        ...(nextOwner === null
          ? { remove: `leaseOwner, ${endOfHandoff}` }
          : { set: 'leaseOwner = :nextOwner', remove: endOfHandoff, values: { ':nextOwner': { S: nextOwner } } }),
        isIn: (row) => holderOf(row) === nextOwner,
        givesUp: true,
      }),

    /** Deletes the row of a lease, held or not. */
    remove: (leaseKey: string) =>
      inLane(leaseKey, async () => {
        await rows.remove(leaseKey)
        held.delete(leaseKey)
      }),
  }
}

/**
 * What an update of a held lease came to. `written`: the row has it. `overtaken`: the row has an earlier write of ours in its place. `standing`: the row is as it
 * was, by the rest of the condition. `failed`: it is as it was, by an error. `shared`: a process with the
 * same worker id wrote. `lost`: somebody else wrote, or the row is gone.
 */
function judge(
  lease: HeldLease,
  end: UpdateEnd,
  isIn: HeldWrite['isIn'],
): 'written' | 'overtaken' | 'standing' | 'failed' | 'shared' | 'lost' {
  if (end.applied) return 'written'
  const { row } = end
  if (row === null) return 'lost'
  // A counter that is one ahead is ours only if one of our writes may have got there: two processes may share a worker id by mistake.
  const isOwnStep = row.leaseCounter === lease.leaseCounter + 1 && (end.maybeApplied || lease.inDoubtSinceMs !== null)
  if (isOwnStep && isIn(row, lease.workerId)) return 'written'
  if (holderOf(row) !== lease.workerId) return 'lost'
  if (isOwnStep) return 'overtaken'
  if (row.leaseCounter !== lease.leaseCounter) return 'shared'
  return end.refused ? 'standing' : 'failed'
}

/** The row of a write that is in it. */
function rowOf(end: UpdateEnd): Lease {
  if (end.applied) return parseLeaseItem(end.row)
  if (end.row === null) throw new Error('row: expected the one that was written, got none', { cause: end.error })
  return end.row
}

/** Who may checkpoint: during a hand-off of KCL 3.x that is still the old owner. */
function holderOf({ checkpointOwner, leaseOwner }: Lease): string | null {
  return checkpointOwner ?? leaseOwner
}

function overtaken(leaseKey: string, cause: Error): Error {
  const name = JSON.stringify(leaseKey)
  return new Error(`lease ${name}: an earlier write was applied after it had failed, so this one was not; the lease is still held`, {
    cause,
  })
}
