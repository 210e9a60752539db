import type { Heartbeat, LeaseTable } from '@shardwise/effects'
import type { MemoryTableCalls } from './leaseTable.ts'

/** The heartbeats of workers in a table: their counters, by worker id. */
export type Heartbeats = Map<string, number>

/** The heartbeats as a listing shows them. */
export function listHeartbeats(heartbeats: Heartbeats): readonly Heartbeat[] {
  return [...heartbeats].map(([workerId, counter]) => ({ workerId, counter }))
}

/** Writes and deletes heartbeats, each on the condition that its counter is the one that is named. */
export function heartbeatHandlers(
  heartbeats: Heartbeats,
  nowMs: () => number,
  calls: MemoryTableCalls,
): Pick<LeaseTable, 'writeHeartbeat' | 'deleteHeartbeat'> {
  const standing = (workerId: string): number | null => heartbeats.get(workerId) ?? null
  return {
    writeHeartbeat({ workerId, counter }) {
      const next = (counter ?? 0) + 1
      const sentMs = nowMs()
      const { applied, attempts } = calls.write(() => {
        if (standing(workerId) !== counter) return false
        heartbeats.set(workerId, next)
        return true
      })
      const found = applied ? next : calls.read(() => standing(workerId))
      // Sent twice, it may have been refused by the first of the two.
      if (applied || (attempts > 1 && found === next)) return { type: 'heartbeatWritten', counter: next, nowMs: sentMs }
      return { type: 'heartbeatRefused', counter: found }
    },

    deleteHeartbeat({ workerId, counter }) {
      const { applied } = calls.write(() => {
        if (heartbeats.get(workerId) === counter) heartbeats.delete(workerId)
        return !heartbeats.has(workerId)
      })
      return applied ? { type: 'heartbeatDeleted' } : { type: 'heartbeatRefused', counter: calls.read(() => standing(workerId)) }
    },
  }
}
