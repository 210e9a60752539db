import {
  type AttributeValue,
  DeleteItemCommand,
  DynamoDBClient,
  type DynamoDBClientConfig,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { type DynamoDbLeaseTableOptions, dynamoDbLeaseTable } from '@shardwise/dynamodb'
import type { ExtendedSequenceNumber, LeaseStore, LeaseTable, NewLease } from '@shardwise/effects'
import { neverAborted } from './handlerContext.ts'

type Item = Record<string, AttributeValue>

export const shard = 'shardId-000000000000'
export const wholeRange = { startingHashKey: '0', endingHashKey: '340282366920938463463374607431768211455' }
const context = neverAborted

/** A client of a local server, that sends each request once unless said otherwise. */
export function clientOf(endpoint: string, config: DynamoDBClientConfig = {}): DynamoDBClient {
  return new DynamoDBClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
    ...config,
  })
}

/** A checkpoint. */
export function at(sequenceNumber: string, subSequenceNumber = 0): ExtendedSequenceNumber {
  return { sequenceNumber, subSequenceNumber }
}

/** Reads and writes items past the adapter. */
export function rawTable(client: DynamoDBClient, tableName: string) {
  const keyOf = (leaseKey: string): Item => ({ leaseKey: { S: leaseKey } })
  return {
    get: async (leaseKey: string): Promise<Item | undefined> =>
      (await client.send(new GetItemCommand({ TableName: tableName, Key: keyOf(leaseKey), ConsistentRead: true }))).Item,
    put: async (item: Item): Promise<void> => void (await client.send(new PutItemCommand({ TableName: tableName, Item: item }))),
    remove: async (leaseKey: string): Promise<void> =>
      void (await client.send(new DeleteItemCommand({ TableName: tableName, Key: keyOf(leaseKey) }))),
    /** Sets attributes of a row, as another worker would. */
    set: async (leaseKey: string, attributes: Item): Promise<void> => {
      const names = Object.keys(attributes)
      await client.send(
        new UpdateItemCommand({
          TableName: tableName,
          Key: keyOf(leaseKey),
          UpdateExpression: `SET ${names.map((name) => `${name} = :${name}`).join(', ')}`,
          ExpressionAttributeValues: Object.fromEntries(names.map((name) => [`:${name}`, attributes[name] as AttributeValue])),
        }),
      )
    },
  }
}

/** One worker process at a table, and its calls without the ceremony of effects. */
export function workerAt(options: DynamoDbLeaseTableOptions, workerId = 'alice') {
  const handlers = dynamoDbLeaseTable(options)
  return { handlers, ...callsOf(handlers, workerId) }
}

function callsOf(handlers: LeaseStore & LeaseTable, workerId: string) {
  const id = 1
  const acquire = async (leaseKey: string, leaseCounter: number, leaseOwner: string | null = null) =>
    handlers.acquireLease({ type: 'acquireLease', id, leaseKey, leaseCounter, leaseOwner, workerId }, context)
  return {
    ensureTable: async () => handlers.ensureTable({ type: 'ensureTable', id }, context),
    list: async () => handlers.listLeases({ type: 'listLeases', id }, context),
    create: async (leaseKey: string, lease: Partial<NewLease> = {}) => {
      const whole = { leaseKey, checkpoint: at('TRIM_HORIZON'), parentShardIds: [], hashKeyRange: wholeRange, ...lease }
      return handlers.createLease({ type: 'createLease', id, lease: whole }, context)
    },
    acquire,
    /** Takes a lease and answers with the token. */
    hold: async (leaseKey: string, leaseCounter = 0, leaseOwner: string | null = null): Promise<number> => {
      const answer = await acquire(leaseKey, leaseCounter, leaseOwner)
      if (answer.type !== 'leaseAcquired') throw new Error(`expected leaseAcquired, got ${answer.type}`)
      return answer.token
    },
    renew: async (leaseKey: string, token: number, freshSinceMs = Number.MAX_SAFE_INTEGER) =>
      handlers.renewLease({ type: 'renewLease', id, leaseKey, token, freshSinceMs }, context),
    request: async (leaseKey: string, leaseOwner: string) =>
      handlers.requestHandoff({ type: 'requestHandoff', id, leaseKey, leaseOwner, workerId }, context),
    release: async (leaseKey: string, token: number) =>
      handlers.releaseLease({ type: 'releaseLease', id, leaseKey, token, nextOwner: null }, context),
    remove: async (leaseKey: string) => handlers.deleteLease({ type: 'deleteLease', id, leaseKey }, context),
    read: async (leaseKey: string) =>
      handlers.readCheckpoint({ type: 'readCheckpoint', id, shardId: leaseKey, leaseKey, token: 1 }, context),
    checkpoint: async (leaseKey: string, token: number, checkpoint: ExtendedSequenceNumber) =>
      handlers.writeCheckpoint({ type: 'writeCheckpoint', id, shardId: leaseKey, leaseKey, token, checkpoint }, context),
    checkParents: async (parentShardIds: readonly string[]) =>
      handlers.checkParentShards({ type: 'checkParentShards', id, shardId: 'shardId-000000000099', parentShardIds }, context),
    createChildren: async (leaseKey: string, children: readonly (readonly [shardId: string, parentShardIds: readonly string[]])[]) => {
      const childShards = children.map(([shardId, parentShardIds]) => ({ shardId, parentShardIds, hashKeyRange: wholeRange }))
      return handlers.createChildLeases({ type: 'createChildLeases', id, shardId: leaseKey, leaseKey, token: 1, childShards }, context)
    },
  }
}
