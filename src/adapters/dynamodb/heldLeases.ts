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
  /** When the oldest write was sent that failed and may be applied nevertheless, by now or later; null when there is none. */
  inDoubtSinceMs: number | null
}

interface HeldWrite extends Omit<CounterUpdate, 'leaseKey' | 'leaseCounter'> {
  /** Whether a row shows what this write stores. The counters have been compared already. */
  readonly isIn: (row: Lease, workerId: string) => boolean
  /** Sees the row as it stands, once this write is in it. */
  readonly onWritten?: (row: Lease) => void
  readonly givesUp?: boolean
}

interface Named {
  readonly leaseKey: string
  readonly token: number
}

/**
 * The leases that one process holds, none at first: takes them and writes to them, always conditional on the lease counter, and one write of a lease after
 * another. A lease that turns out to be lost is forgotten.
 */
export function heldLeases(rows: LeaseRows, inLane: Lanes, nowMs: () => number) {
  const held = new Map<string, HeldLease>()

  /** Answers with the time just before the row was written, or null when the write is refused. */
  const write = ({ leaseKey, token }: Named, { isIn, onWritten, givesUp, ...update }: HeldWrite): Promise<number | null> =>
    inLane(leaseKey, async () => {
      const lease = held.get(leaseKey)
      if (lease === undefined || lease.token !== token) return null
      const startedMs = nowMs()
      const doubtedSinceMs = lease.inDoubtSinceMs ?? startedMs
      const end = await updateOnCounter(rows, { ...update, leaseKey, leaseCounter: lease.leaseCounter }).catch((error: unknown) => {
        lease.inDoubtSinceMs = doubtedSinceMs
        throw error
      })
      const verdict = judge(lease, end, isIn)
      if (verdict === 'written' || verdict === 'overtaken') {
        lease.leaseCounter += 1
        lease.inDoubtSinceMs = null
      }
      if (verdict === 'written') onWritten?.(rowOf(end))
      if (verdict === 'lost' || (verdict === 'written' && givesUp)) held.delete(leaseKey)
      if (end.applied) return startedMs
      if (verdict === 'written') return doubtedSinceMs
      if (verdict === 'overtaken') throw overtaken(leaseKey, end.error)
      if (verdict === 'failed') {
        lease.inDoubtSinceMs = doubtedSinceMs
        throw end.error
      }
      return null
    })

  return {
    /** Takes a lease; null when its counter is not the one that was listed. `nowMs` is the time just before the write. */
    acquire: ({ leaseKey, leaseCounter, workerId }: EffectOf<'acquireLease'>) =>
      inLane(leaseKey, async () => {
        // Whether a switch is counted depends on the owner that is replaced, which an update cannot look at.
        const before = await rows.read(leaseKey)
        if (before === null || before.leaseCounter !== leaseCounter) return null
        const isSwitch = before.leaseOwner !== null && before.leaseOwner !== workerId
        const startedMs = nowMs()
        const end = await updateOnCounter(rows, {
          leaseKey,
          leaseCounter,
          set: 'leaseOwner = :owner, ownerSwitchesSinceCheckpoint = :switches',
          remove: endOfHandoff,
          values: { ':owner': { S: workerId }, ':switches': { N: String(before.ownerSwitchesSinceCheckpoint + (isSwitch ? 1 : 0)) } },
        })
        const token = leaseCounter + 1
        const lease = end.applied ? parseLeaseItem(end.row) : end.row
        if (!end.applied && !end.refused && lease?.leaseCounter === leaseCounter) throw end.error
        const isTaken = end.applied || (end.maybeApplied && lease?.leaseCounter === token && lease.checkpointOwner === null)
        if (lease === null || !isTaken || lease.leaseOwner !== workerId) return null
        held.set(leaseKey, { workerId, token, leaseCounter: token, inDoubtSinceMs: null })
        return { lease, token, nowMs: startedMs }
      }),

    /**
     * Grows the counter; answers with the time just before that and with who asked for the lease to be handed over, or null when the lease is not held any
     * more.
     */
    renew: async (named: Named): Promise<{ readonly nowMs: number; readonly nextOwner: string | null } | null> => {
      let nextOwner: string | null = null
      const writtenMs = await write(named, {
        isIn: (row, workerId) => holderOf(row) === workerId,
        onWritten: (row) => {
          nextOwner = row.checkpointOwner === null ? null : row.leaseOwner
        },
      })
      return writtenMs === null ? null : { nowMs: writtenMs, nextOwner }
    },

    /** Stores a checkpoint; null when the lease is not held any more, or SHARD_END would be moved back. */
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

    /** Gives a lease up, to the next owner if there is one; null when it was not held any more. */
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
 * was, by the rest of the condition. `failed`: it is as it was, by an error. `lost`: somebody else wrote, or the row is gone.
 */
function judge(lease: HeldLease, end: UpdateEnd, isIn: HeldWrite['isIn']): 'written' | 'overtaken' | 'standing' | 'failed' | 'lost' {
  if (end.applied) return 'written'
  const { row } = end
  if (row === null) return 'lost'
  // A counter that is one ahead is ours only if one of our writes may have got there: two processes may share a worker id by mistake.
  const isOwnStep = row.leaseCounter === lease.leaseCounter + 1 && (end.maybeApplied || lease.inDoubtSinceMs !== null)
  if (isOwnStep && isIn(row, lease.workerId)) return 'written'
  if (holderOf(row) !== lease.workerId) return 'lost'
  if (isOwnStep) return 'overtaken'
  if (row.leaseCounter !== lease.leaseCounter) return 'lost'
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
