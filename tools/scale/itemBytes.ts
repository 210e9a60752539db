import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { Lease } from '@shardwise/effects'
import { heartbeatFacts, heartbeatKey } from '../../src/adapters/dynamodb/heartbeatItem.ts'
import { type Item, newLeaseItem } from '../../src/adapters/dynamodb/leaseItem.ts'

const unknownRange = { startingHashKey: '0', endingHashKey: '0' }

/** What DynamoDB charges an item for, in bytes: the names of its attributes and their values, each text in UTF-8. Source: its guide on item sizes. */
export function itemBytes(item: Item): number {
  return Object.entries(item).reduce((sum, [name, value]) => sum + textBytes(name) + valueBytes(value), 0)
}

/** The bytes of the row of a lease. */
export function leaseBytes(lease: Lease): number {
  const { leaseCounter, leaseOwner, childShardIds, hashKeyRange } = lease
  return itemBytes({
    ...newLeaseItem({ ...lease, hashKeyRange: hashKeyRange ?? unknownRange }),
    leaseCounter: { N: String(leaseCounter) },
    ...(leaseOwner !== null && { leaseOwner: { S: leaseOwner } }),
    ...(childShardIds.length > 0 && { childShardIds: { SS: [...childShardIds] } }),
  })
}

/** The bytes of the heartbeat of a worker. */
export const heartbeatBytes = (workerId: string, counter: number): number =>
  itemBytes({ ...heartbeatKey(workerId), ...heartbeatFacts(workerId), heartbeatCounter: { N: String(counter) } })

function valueBytes({ S: text, N: number, SS: texts, ...other }: AttributeValue): number {
  if (text !== undefined) return textBytes(text)
  // A byte for two digits, and one more.
  if (number !== undefined) return Math.ceil(number.length / 2) + 1
  if (texts !== undefined) return 3 + texts.reduce((sum, one) => sum + textBytes(one) + 1, 0)
  throw new Error(`attribute: expected a text, a number or a set of texts, got ${Object.keys(other).join(', ')}`)
}

const textBytes = (text: string): number => Buffer.byteLength(text)
