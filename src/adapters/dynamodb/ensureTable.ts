import { CreateTableCommand, DescribeTableCommand, type TableDescription } from '@aws-sdk/client-dynamodb'
import type { AnswerBody } from '@shardwise/effects'
import type { DynamoDbLeaseTableOptions } from './leaseTableOptions.ts'

type TableAnswer = AnswerBody<'ensureTable'>

/** Looks at the table once, and asks for its creation where it is missing and that is allowed. It never waits. */
export async function ensureTable(options: Required<DynamoDbLeaseTableOptions>): Promise<TableAnswer> {
  const { client, tableName, createTable } = options
  try {
    const { Table: table } = await client.send(new DescribeTableCommand({ TableName: tableName }))
    return judge(tableName, table)
  } catch (error) {
    if (!isNamed(error, 'ResourceNotFoundException')) throw error
  }
  if (createTable) return create(options)
  return refused(
    'TableMissing',
    `tableName: expected a table, got ${JSON.stringify(tableName)}, which does not exist, and createTable is false`,
  )
}

function judge(tableName: string, table: TableDescription | undefined): TableAnswer {
  const keys = (table?.KeySchema ?? []).map(({ AttributeName: name, KeyType: keyType }) => {
    const type = table?.AttributeDefinitions?.find((definition) => definition.AttributeName === name)?.AttributeType
    return `${keyType} ${name} (${type})`
  })
  const status = table?.TableStatus
  // The description of a table that is being deleted may be incomplete.
  if (status === 'DELETING') return { type: 'tablePending' }
  if (keys.join() !== 'HASH leaseKey (S)') {
    const found = `got ${JSON.stringify(tableName)} with ${keys.join(', ')}`
    return refused('NotALeaseTable', `tableName: expected a lease table, whose only key is HASH leaseKey (S), ${found}`)
  }
  if (status === 'ACTIVE' || status === 'UPDATING') return { type: 'tableReady' }
  if (status === 'CREATING') return { type: 'tablePending' }
  return refused('TableUnusable', `tableName: expected a table that is ACTIVE, got ${JSON.stringify(tableName)}, which is ${status}`)
}

async function create({ client, tableName, billing }: Required<DynamoDbLeaseTableOptions>): Promise<TableAnswer> {
  try {
    await client.send(
      new CreateTableCommand({
        TableName: tableName,
        AttributeDefinitions: [{ AttributeName: 'leaseKey', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'leaseKey', KeyType: 'HASH' }],
        ...(billing === 'PAY_PER_REQUEST'
          ? { BillingMode: 'PAY_PER_REQUEST' }
          : {
              BillingMode: 'PROVISIONED',
              ProvisionedThroughput: { ReadCapacityUnits: billing.readCapacityUnits, WriteCapacityUnits: billing.writeCapacityUnits },
            }),
      }),
    )
  } catch (error) {
    // Another worker was faster, or an earlier request of ours.
    if (!isNamed(error, 'ResourceInUseException')) throw error
  }
  return { type: 'tablePending' }
}

function refused(name: string, message: string): TableAnswer {
  return { type: 'tableRefused', error: { name, message } }
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof Error && error.name === name
}
