import { type Heartbeat, shown } from '@shardwise/effects'
import type { Item } from './leaseItem.ts'

/** What tells the heartbeats of workers from leases, as the KCL since 3.5 tells the other entities of its tables. */
const entityType = 'WORKER_HEARTBEAT'

/** The key of a worker's heartbeat: no shard and no worker of the KCL has one like it. */
export function heartbeatKey(workerId: string): Item {
  return { leaseKey: { S: `heartbeat/${workerId}` } }
}

/** The attributes of a heartbeat beside its key and counter. */
export function heartbeatFacts(workerId: string): { readonly entityType: { S: string }; readonly workerId: { S: string } } {
  return { entityType: { S: entityType }, workerId: { S: workerId } }
}

/** The heartbeat in an item; none in the items of other entities. @throws Error for one that cannot be read. */
export function heartbeatIn(item: Item): readonly Heartbeat[] {
  if (item['entityType']?.S !== entityType) return []
  const workerId = item['workerId']?.S
  const counter = counterIn(item)
  if (workerId === undefined || counter === null) {
    throw new Error(`heartbeat: expected an item with workerId (S) and heartbeatCounter (N) from 1, got ${shown(item)}`)
  }
  return [{ workerId, counter }]
}

/** The counter of a heartbeat; null where there is none. */
export function counterIn(item: Item): number | null {
  const counter = Number(item['heartbeatCounter']?.N)
  return Number.isSafeInteger(counter) && counter > 0 ? counter : null
}
