import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'

/** What sends the calls of one table. */
export type Sender = Pick<DynamoDBClient, 'send'>

/** Sends as the client does; a table that is not there, or not any more, is named: DynamoDB only says that some resource was not found. */
export function namingTable(client: Sender, tableName: string): Sender {
  const send = async (command: Parameters<DynamoDBClient['send']>[0]): Promise<unknown> => {
    try {
      return await client.send(command)
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'ResourceNotFoundException') throw error
      const message = `tableName: expected a lease table, got ${JSON.stringify(tableName)}, which does not exist, or not any more`
      throw Object.assign(new Error(message, { cause: error }), { name: error.name })
    }
  }
  return { send: send as DynamoDBClient['send'] }
}
