import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { Lease } from '@shardwise/effects'
import { type Item, isForeign, parseLeaseItem } from './leaseItem.ts'
import { isConditionFailed, type LeaseRows } from './leaseRows.ts'
import { isThrottle } from './throttling.ts'

/** An update that is conditional on the lease counter and grows it by one. The texts are parts of DynamoDB expressions. */
export interface CounterUpdate {
  readonly leaseKey: string
  /** The counter that the row must have. */
  readonly leaseCounter: number
  readonly set?: string
  readonly remove?: string
  /** What must hold beside the counter. */
  readonly condition?: string
  readonly values?: Readonly<Record<string, AttributeValue>>
}

/** How an update ended: applied, with the row as written; or not as far as was told, with the row as it stands now. */
export type UpdateEnd =
  | { readonly applied: true; readonly row: Item }
  | {
      readonly applied: false
      readonly row: Lease | null
      readonly error: Error
      /** The condition did not hold, as against an error that leaves open what happened. */
      readonly refused: boolean
      /** Whether this very update may have been applied nevertheless: its answer got lost, or the client sent it more than once. */
      readonly maybeApplied: boolean
    }

/**
 * Updates a row on its counter; when that does not succeed, reads the row again, consistently, so that the caller can tell what happened.
 * Rejects when it is throttled, or when the row cannot be read either.
 */
export async function updateOnCounter(rows: LeaseRows, update: CounterUpdate): Promise<UpdateEnd> {
  const { leaseKey, leaseCounter, set, remove, condition, values } = update
  try {
    const row = await rows.update({
      leaseKey,
      condition: `leaseCounter = :counter${condition === undefined ? '' : ` AND ${condition}`}`,
      update: `SET leaseCounter = :nextCounter${set === undefined ? '' : `, ${set}`}${remove === undefined ? '' : ` REMOVE ${remove}`}`,
      values: { ...values, ':counter': { N: String(leaseCounter) }, ':nextCounter': { N: String(leaseCounter + 1) } },
    })
    return { applied: true, row }
  } catch (error) {
    if (!(error instanceof Error) || isThrottle(error)) throw error
    const refused = isConditionFailed(error)
    const maybeApplied = !refused || attemptsOf(error) !== 1
    return { applied: false, row: await rowAfter(rows, leaseKey, error), error, refused, maybeApplied }
  }
}

/** The row as it stands after a write that failed: null where there is none. */
export async function rowAfter(rows: LeaseRows, leaseKey: string, error: Error): Promise<Lease | null> {
  if (isConditionFailed(error) && error.Item !== undefined) return isForeign(error.Item) ? null : parseLeaseItem(error.Item)
  try {
    return await rows.read(leaseKey)
  } catch (second) {
    if (isThrottle(second)) throw second
    const both = new Error(`lease ${JSON.stringify(leaseKey)}: ${error.message}; and it could not be read again: ${String(second)}`, {
      cause: error,
    })
    both.name = error.name
    throw both
  }
}

/** How often the client sent a request; undefined when it does not say. */
export function attemptsOf(error: Error & { readonly $metadata?: { readonly attempts?: number } }): number | undefined {
  return error.$metadata?.attempts
}
