import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { dynamoDbLeaseTable } from '@shardwise/dynamodb'
import { leaseTableContract } from '@shardwise/testing'
import { afterAll, beforeAll, describe, test } from 'vitest'
import { startDynalite } from '../../servers/dynalite.ts'
import type { LocalServer } from '../../servers/localServer.ts'

let server: LocalServer
let client: DynamoDBClient
let tables = 0

beforeAll(async () => {
  server = await startDynalite()
  client = new DynamoDBClient({
    endpoint: server.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  })
})

afterAll(async () => {
  client.destroy()
  await server.stop()
})

describe('a lease table in DynamoDB keeps the contract', () => {
  const cases = leaseTableContract(async () => {
    tables += 1
    const tableName = `application-${tables}`
    return { worker: () => dynamoDbLeaseTable({ client, tableName }), close: async () => {} }
  })
  test.each(cases)('$name', ({ run }) => run())
})
