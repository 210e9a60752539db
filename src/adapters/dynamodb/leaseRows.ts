import {
  type AttributeValue,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  ScanCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import type { Heartbeat, Lease, NewLease, ReportingWorker } from '@shardwise/effects'
import { heartbeatIn } from './heartbeatItem.ts'
import { type Item, isForeign, newLeaseItem, parseLeaseItem, reportsIn } from './leaseItem.ts'
import type { Sender } from './namingTable.ts'

/** An update of one row that stands. The texts are DynamoDB expressions. */
interface RowUpdate {
  readonly leaseKey: string
  readonly condition?: string
  readonly update: string
  readonly values: Readonly<Record<string, AttributeValue>>
}

/** What one scan shows. */
interface Listing {
  readonly leases: readonly Lease[]
  readonly reportingWorkers: readonly ReportingWorker[]
  readonly heartbeats: readonly Heartbeat[]
}

/** The rows of one lease table. */
export type LeaseRows = ReturnType<typeof leaseRows>

/** Reads and writes the rows of a table through the client: each function is one call, but for `list`, which is one call a page. */
export function leaseRows(client: Sender, tableName: string) {
  return {
    /** Reads a row consistently; null when there is none, or another entity's. */
    async read(leaseKey: string): Promise<Lease | null> {
      const { Item: item } = await client.send(
        new GetItemCommand({ TableName: tableName, Key: { leaseKey: { S: leaseKey } }, ConsistentRead: true }),
      )
      return item === undefined || isForeign(item) ? null : parseLeaseItem(item)
    },

    /** Reads every lease and heartbeat, and who reports to a leader; eventually consistent, as the scans of the KCL are, for every write is conditional anyway. */
    async list(): Promise<Listing> {
      const leases: Lease[] = []
      const heartbeats: Heartbeat[] = []
      const reportingWorkers: ReportingWorker[] = []
      let from: Item | undefined
      do {
        const page = await client.send(new ScanCommand({ TableName: tableName, ExclusiveStartKey: from }))
        for (const item of page.Items ?? []) {
          if (!isForeign(item)) leases.push(parseLeaseItem(item))
          else {
            reportingWorkers.push(...reportsIn(item))
            heartbeats.push(...heartbeatIn(item))
          }
        }
        from = page.LastEvaluatedKey
      } while (from !== undefined)
      return { leases, reportingWorkers, heartbeats }
    },

    /** Creates a row; false when there is one. */
    async create(lease: NewLease): Promise<boolean> {
      const condition = 'attribute_not_exists(leaseKey)'
      try {
        await client.send(new PutItemCommand({ TableName: tableName, Item: newLeaseItem(lease), ConditionExpression: condition }))
        return true
      } catch (error) {
        if (isConditionFailed(error)) return false
        throw error
      }
    },

    /** Updates a row and answers with all of it. @throws ConditionalCheckFailedException, with the row as `Item` where the server gives it. */
    async update({ leaseKey, condition, update, values }: RowUpdate): Promise<Item> {
      const isLease = 'attribute_exists(leaseKey) AND (attribute_not_exists(entityType) OR entityType = :lease)'
      const { Attributes: row } = await client.send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: { leaseKey: { S: leaseKey } },
          ConditionExpression: condition === undefined ? isLease : `${isLease} AND ${condition}`,
          UpdateExpression: update,
          ExpressionAttributeValues: { ...values, ':lease': { S: 'LEASE' } },
          ReturnValues: 'ALL_NEW',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      )
      if (row === undefined) throw new Error(`lease ${JSON.stringify(leaseKey)}: expected the updated row as the answer, got none`)
      return row
    },

    /** Deletes a row, whoever owns it; nothing happens when there is none. */
    async remove(leaseKey: string): Promise<void> {
      await client.send(new DeleteItemCommand({ TableName: tableName, Key: { leaseKey: { S: leaseKey } } }))
    },
  }
}

/** Whether a write was refused by its own condition. */
export function isConditionFailed(error: unknown): error is Error & { readonly Item?: Item } {
  return error instanceof Error && error.name === 'ConditionalCheckFailedException'
}
