import { DeleteItemCommand, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import type { AnswerBody, EffectOf } from '@shardwise/effects'
import { attemptsOf } from './counterUpdate.ts'
import { counterIn, heartbeatFacts, heartbeatKey } from './heartbeatItem.ts'
import type { Item } from './leaseItem.ts'
import { isConditionFailed } from './leaseRows.ts'
import type { Sender } from './namingTable.ts'

/** Writes the heartbeat of a worker, and deletes those of others, each on its counter and by one call, and another where a refusal does not show the row. */
export function heartbeats(client: Sender, tableName: string, nowMs: () => number) {
  const standing = async (workerId: string, error: { readonly Item?: Item }): Promise<number | null> => {
    if (error.Item !== undefined) return counterIn(error.Item)
    const { Item: item } = await client.send(
      new GetItemCommand({ TableName: tableName, Key: heartbeatKey(workerId), ConsistentRead: true }),
    )
    return item === undefined ? null : counterIn(item)
  }

  return {
    async write({ workerId, counter }: EffectOf<'writeHeartbeat'>): Promise<AnswerBody<'writeHeartbeat'>> {
      const next = (counter ?? 0) + 1
      const facts = heartbeatFacts(workerId)
      const startedMs = nowMs()
      const written = { type: 'heartbeatWritten', counter: next, nowMs: startedMs } as const
      try {
        await client.send(
          new UpdateItemCommand({
            TableName: tableName,
            Key: heartbeatKey(workerId),
            ConditionExpression: counter === null ? 'attribute_not_exists(leaseKey)' : 'heartbeatCounter = :counter',
            UpdateExpression: 'SET heartbeatCounter = :next, entityType = :entityType, workerId = :workerId',
            ExpressionAttributeValues: {
              ':next': { N: String(next) },
              ':entityType': facts.entityType,
              ':workerId': facts.workerId,
              ...(counter !== null && { ':counter': { N: String(counter) } }),
            },
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          }),
        )
        return written
      } catch (error) {
        if (!isConditionFailed(error)) throw error
        const found = await standing(workerId, error)
        // The client may have sent it twice: then the first one stands.
        return found === next && attemptsOf(error) !== 1 ? written : { type: 'heartbeatRefused', counter: found }
      }
    },

    async remove({ workerId, counter }: EffectOf<'deleteHeartbeat'>): Promise<AnswerBody<'deleteHeartbeat'>> {
      try {
        await client.send(
          new DeleteItemCommand({
            TableName: tableName,
            Key: heartbeatKey(workerId),
            ConditionExpression: 'attribute_not_exists(leaseKey) OR heartbeatCounter = :counter',
            ExpressionAttributeValues: { ':counter': { N: String(counter) } },
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          }),
        )
        return { type: 'heartbeatDeleted' }
      } catch (error) {
        if (!isConditionFailed(error)) throw error
        return { type: 'heartbeatRefused', counter: await standing(workerId, error) }
      }
    },
  }
}
