/** What a worker remembers of the leases that it holds, so that a lease which was taken from it refuses its writes. */
import { isShardEnd, type Lease } from '@shardwise/effects'
import type { LeaseRows } from './leaseRows.ts'

interface Held {
  readonly token: number
  /** The counter that this worker wrote last. */
  leaseCounter: number
  writing: Promise<unknown>
}

/** Begins with no lease. `write` is false when the lease is not held, or is not held any more. */
export function heldLeases(rows: LeaseRows) {
  const held = new Map<string, Held>()

  const writeNow = async (leaseKey: string, mine: Held, set: Partial<Lease>): Promise<boolean> => {
    if (held.get(leaseKey) !== mine) return false
    const [row] = await rows.select(leaseKey)
    // What a shard has ended with stays.
    if (row !== undefined && isShardEnd(row.checkpoint) && set.checkpoint !== undefined && !isShardEnd(set.checkpoint)) return false
    const { leaseCounter } = mine
    const written = await rows.update({ leaseKey, leaseCounter }, { ...set, leaseCounter: leaseCounter + 1 })
    // Not where `update` throws: if the row was written after all, the next write is refused, and the lease is given up.
    mine.leaseCounter += 1
    if (!written || set.leaseOwner === null) held.delete(leaseKey)
    return written
  }

  return {
    hold: (leaseKey: string, token: number) => held.set(leaseKey, { token, leaseCounter: token, writing: Promise.resolve() }),
    write(leaseKey: string, token: number, set: Partial<Lease>): Promise<boolean> {
      const mine = held.get(leaseKey)
      if (mine?.token !== token) return Promise.resolve(false)
      // One write of a lease after another, for renewals and checkpoints grow the same counter.
      const written = mine.writing.then(() => writeNow(leaseKey, mine, set))
      mine.writing = written.catch(() => undefined)
      return written
    },
  }
}
