import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import {
  type ExtendedSequenceNumber,
  type HashKeyRange,
  type Lease,
  type NewLease,
  parseExtendedSequenceNumber,
  parseShardId,
  type ReportingWorker,
  shown,
} from '@shardwise/effects'

/** An item as DynamoDB gives it: attributes by name. */
export type Item = Record<string, AttributeValue>

/** Whether an item belongs to another entity of a KCL 3.5 table; the items of older versions carry no `entityType` and are leases. */
export function isForeign(item: Item): boolean {
  return item['entityType'] !== undefined && item['entityType'].S !== 'LEASE'
}

/** The worker whose load a KCL 3.5 keeps in this item; none in the items of other entities. The time of its last report is epoch seconds. */
export function reportsIn(item: Item): readonly ReportingWorker[] {
  const workerId = item['leaseKey']?.S
  const reportedSeconds = Number(item['lut']?.N)
  if (item['entityType']?.S !== 'WORKER_METRIC_STATS' || workerId === undefined || !Number.isFinite(reportedSeconds)) return []
  return [{ workerId, reportedMsAgo: Date.now() - reportedSeconds * 1_000 }]
}

/**
 * Reads a lease from an item in the KCL's schema; attributes that it does not know are ignored.
 * @throws Error that names the lease key, the attribute, its value and what was expected.
 */
export function parseLeaseItem(item: Item): Lease {
  const leaseKey = item['leaseKey']?.S
  if (leaseKey === undefined) {
    throw new Error(`not a lease table: expected items with the key leaseKey (S), got one with ${shown(Object.keys(item).sort())}`)
  }
  if (!isShardId(leaseKey)) throw unreadable(item, 'leaseKey', 'the id of a shard (S)')
  const checkpoint = placeIn(item, 'checkpoint', 'checkpointSubSequenceNumber')
  if (checkpoint === null) throw unreadable(item, 'checkpoint', 'a sequence number or a sentinel (S)')
  return {
    leaseKey,
    leaseOwner: textIn(item, 'leaseOwner'),
    leaseCounter: countIn(item, 'leaseCounter'),
    checkpoint,
    pendingCheckpoint: placeIn(item, 'pendingCheckpoint', 'pendingCheckpointSubSequenceNumber'),
    ownerSwitchesSinceCheckpoint: countIn(item, 'ownerSwitchesSinceCheckpoint'),
    parentShardIds: textsIn(item, 'parentShardId'),
    childShardIds: textsIn(item, 'childShardIds'),
    hashKeyRange: rangeIn(item),
    checkpointOwner: checkpointOwnerIn(item),
  }
}

/** The item of a lease that nobody owns. Like the KCL before 3.5 it carries no `entityType`, which every version reads as a lease. */
export function newLeaseItem({ leaseKey, checkpoint, parentShardIds, hashKeyRange }: NewLease): Item {
  return {
    leaseKey: { S: leaseKey },
    leaseCounter: { N: '0' },
    ownerSwitchesSinceCheckpoint: { N: '0' },
    checkpoint: { S: checkpoint.sequenceNumber },
    checkpointSubSequenceNumber: { N: String(checkpoint.subSequenceNumber) },
    startingHashKey: { S: hashKeyRange.startingHashKey },
    endingHashKey: { S: hashKeyRange.endingHashKey },
    // DynamoDB has no empty sets.
    ...(parentShardIds.length > 0 && { parentShardId: { SS: [...parentShardIds] } }),
  }
}

function textIn(item: Item, name: string): string | null {
  const value = item[name]
  if (value === undefined) return null
  if (value.S === undefined || value.S === '') throw unreadable(item, name, 'a text that is not empty (S), or no such attribute')
  return value.S
}

/**
 * A worker of the KCL 2 that takes a lease in the middle of a hand-off leaves the owner of the checkpoints behind: it knows no hand-offs. Then the row has
 * another owner than the one that the hand-off was asked for, and the hand-off is void.
 */
function checkpointOwnerIn(item: Item): string | null {
  const nextOwner = textIn(item, 'nextOwner')
  return nextOwner === null || nextOwner === textIn(item, 'leaseOwner') ? textIn(item, 'checkpointOwner') : null
}

function textsIn(item: Item, name: string): readonly string[] {
  const value = item[name]
  if (value === undefined) return []
  if (value.SS === undefined || !value.SS.every(isShardId)) throw unreadable(item, name, 'a set of shard ids (SS), or no such attribute')
  return [...value.SS].sort()
}

/** What else stood there would end the consumer that is started on it. */
function isShardId(text: string): boolean {
  try {
    return parseShardId(text) === text
  } catch {
    return false
  }
}

function countIn(item: Item, name: string): number {
  const digits = item[name]?.N ?? ''
  const count = Number(digits)
  // As DynamoDB writes it: what else Number reads, such as -0, is no count.
  if (!/^[0-9]+$/.test(digits) || !Number.isSafeInteger(count)) throw unreadable(item, name, 'a whole number from 0 (N)')
  return count
}

function placeIn(item: Item, name: string, subName: string): ExtendedSequenceNumber | null {
  const sequenceNumber = textIn(item, name)
  if (sequenceNumber === null) return null
  const subSequenceNumber = item[subName] === undefined ? 0 : countIn(item, subName)
  try {
    return parseExtendedSequenceNumber(sequenceNumber, subSequenceNumber)
  } catch (cause) {
    throw unreadable(item, name, 'decimal digits, TRIM_HORIZON, LATEST, AT_TIMESTAMP or SHARD_END (S)', cause)
  }
}

/** The KCL reads a row with one end of the range as a row without a range. */
function rangeIn(item: Item): HashKeyRange | null {
  const [startingHashKey, endingHashKey] = [hashKeyIn(item, 'startingHashKey'), hashKeyIn(item, 'endingHashKey')]
  return startingHashKey === null || endingHashKey === null ? null : { startingHashKey, endingHashKey }
}

function hashKeyIn(item: Item, name: string): string | null {
  const text = textIn(item, name)
  if (text !== null && !/^[0-9]{1,39}$/.test(text)) throw unreadable(item, name, 'decimal digits (S)')
  return text
}

function unreadable(item: Item, name: string, expected: string, cause?: unknown): Error {
  const value = item[name] === undefined ? 'nothing' : shown(item[name])
  return new Error(`lease ${shown(item['leaseKey']?.S)}: ${name}: expected ${expected}, got ${value}`, { cause })
}
