/** Heartbeats of workers that do not renew their leases one by one: a table of their own, of which each row is a worker and its counter. */
import type { Heartbeat, LeaseTable } from '@shardwise/effects'

/** What heartbeats need of a database. `null` stands for no row; `replace` says whether the row was as it is asked for. */
export interface HeartbeatRows {
  select(workerId?: string): Promise<readonly Heartbeat[]>
  replace(workerId: string, before: number | null, after: number | null): Promise<boolean>
}

/** Makes an empty table. */
export function heartbeatsInMemory(): HeartbeatRows {
  const counters = new Map<string, number>()
  return {
    // select * from heartbeats where $1 is null or worker_id = $1
    select: async (workerId) =>
      [...counters]
        .map(([id, counter]) => ({ workerId: id, counter }))
        .filter((row) => workerId === undefined || row.workerId === workerId),
    // insert ... on conflict do nothing, or update ... and delete ... where worker_id = $1 and counter = $2
    async replace(workerId, before, after) {
      if ((counters.get(workerId) ?? null) !== before) return false
      if (after === null) counters.delete(workerId)
      else counters.set(workerId, after)
      return true
    },
  }
}

/** The handlers of one worker. */
export function heartbeats(rows: HeartbeatRows, nowMs: () => number): Pick<LeaseTable, 'writeHeartbeat' | 'deleteHeartbeat'> {
  const standing = async (workerId: string): Promise<number | null> => (await rows.select(workerId))[0]?.counter ?? null
  return {
    async writeHeartbeat({ workerId, counter }) {
      const sentMs = nowMs()
      const next = (counter ?? 0) + 1
      if (await rows.replace(workerId, counter, next)) return { type: 'heartbeatWritten', counter: next, nowMs: sentMs }
      return { type: 'heartbeatRefused', counter: await standing(workerId) }
    },
    async deleteHeartbeat({ workerId, counter }) {
      if (await rows.replace(workerId, counter, null)) return { type: 'heartbeatDeleted' }
      const found = await standing(workerId)
      return found === null ? { type: 'heartbeatDeleted' } : { type: 'heartbeatRefused', counter: found }
    },
  }
}
