import type { AttributeValue, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { dynamoDbLeaseTable } from '@shardwise/dynamodb'
import type { EffectType } from '@shardwise/effects'
import { heartbeatIn } from '../../src/adapters/dynamodb/heartbeatItem.ts'
import { type Item, isForeign, parseLeaseItem } from '../../src/adapters/dynamodb/leaseItem.ts'
import type { FleetTable, Network, OnRowChange } from '../../src/testing/fleet/network.ts'

/** What the lease table asks of DynamoDB, so far as it is looked at here. */
interface Input {
  readonly Key?: { readonly leaseKey: { readonly S: string } }
  readonly Item?: Item
  readonly ConditionExpression?: string
  readonly UpdateExpression?: string
  readonly ExpressionAttributeValues?: Item
}

/** A table of DynamoDB in memory, of which each worker of a fleet has a client behind its own network. */
export class DynamoDbInMemory implements FleetTable {
  readonly #items = new Map<string, Item>()
  readonly #onChange: OnRowChange

  constructor(onChange: OnRowChange) {
    this.#onChange = onChange
  }

  rows = () => [...this.#items.values()].filter((item) => !isForeign(item)).map(parseLeaseItem)

  heartbeats = () => [...this.#items.values()].flatMap(heartbeatIn)

  row = (leaseKey: string) => {
    const item = this.#items.get(leaseKey)
    return item === undefined ? undefined : parseLeaseItem(item)
  }

  handlers(network: Network) {
    const send = async ({ constructor, input }: { readonly constructor: { readonly name: string }; readonly input: Input }) => {
      const command = constructor.name
      const isWrite = /^(Put|Update|Delete)/.test(command)
      return await network.request(effectOf(command, input), isWrite, (attempt) => this.#take(command, input, attempt))
    }
    const client = { send } as unknown as DynamoDBClient
    return dynamoDbLeaseTable({ client, tableName: 'leases', nowMs: network.nowMs })
  }

  #take(command: string, input: Input, attempt: number): object {
    const leaseKey = (input.Key ?? input.Item)?.['leaseKey']?.S ?? ''
    const before = this.#items.get(leaseKey)
    switch (command) {
      case 'DescribeTableCommand':
        return {
          Table: {
            TableStatus: 'ACTIVE',
            KeySchema: [{ AttributeName: 'leaseKey', KeyType: 'HASH' }],
            AttributeDefinitions: [{ AttributeName: 'leaseKey', AttributeType: 'S' }],
          },
        }
      case 'GetItemCommand':
        return { Item: before }
      case 'ScanCommand':
        return { Items: [...this.#items.values()] }
      case 'DeleteItemCommand':
        if (!holds(input.ConditionExpression ?? '', before ?? {}, input.ExpressionAttributeValues ?? {}))
          throw conditionFailed(before, attempt)
        this.#items.delete(leaseKey)
        if (before !== undefined && !isForeign(before)) this.#onChange(parseLeaseItem(before), null)
        return {}
      case 'PutItemCommand':
      case 'UpdateItemCommand': {
        const values = input.ExpressionAttributeValues ?? {}
        if (!holds(input.ConditionExpression ?? '', before ?? {}, values)) throw conditionFailed(before, attempt)
        const after = input.Item ?? updated(before ?? { leaseKey: { S: leaseKey } }, input.UpdateExpression ?? '', values)
        this.#items.set(leaseKey, after)
        if (!isForeign(after)) this.#onChange(before === undefined ? null : parseLeaseItem(before), parseLeaseItem(after))
        return { Attributes: after }
      }
      default:
        throw new Error(`command: ${command} is not one of a lease table`)
    }
  }
}

/** The effect that a request is part of, where that can be told from it. */
function effectOf(command: string, { UpdateExpression = '' }: Input): EffectType {
  if (command === 'PutItemCommand') return 'createLease'
  if (command === 'DeleteItemCommand') return 'deleteLease'
  if (UpdateExpression.includes('heartbeatCounter')) return 'writeHeartbeat'
  if (command !== 'UpdateItemCommand') return 'listLeases'
  if (UpdateExpression.includes('+ :switch')) return 'acquireLease'
  return UpdateExpression.includes('nextOwner = :next') ? 'requestHandoff' : 'renewLease'
}

function conditionFailed(item: Item | undefined, attempts: number): Error {
  const error = new Error('The conditional request failed')
  return Object.assign(error, { name: 'ConditionalCheckFailedException', Item: item, $metadata: { attempts } })
}

/** Whether a condition holds of an item: functions of attributes, comparisons with values, AND, OR and parentheses. */
function holds(condition: string, item: Item, values: Item): boolean {
  const tokens = condition.match(/attribute_\w+\(\w+\)|<>|[()=]|[:\w]+/g) ?? []
  const either = (): boolean => {
    let result = both()
    while (tokens[0] === 'OR') {
      tokens.shift()
      const next = both()
      result = result || next
    }
    return result
  }
  const both = (): boolean => {
    let result = term()
    while (tokens[0] === 'AND') {
      tokens.shift()
      const next = term()
      result = result && next
    }
    return result
  }
  const term = (): boolean => {
    const token = tokens.shift() ?? ''
    if (token === '(') {
      const result = condition === '' || either()
      tokens.shift()
      return result
    }
    const [, negation, attribute] = /^attribute_(not_)?exists\((\w+)\)$/.exec(token) ?? []
    if (attribute !== undefined) return (item[attribute] !== undefined) === (negation === undefined)
    const isEqual = tokens.shift() === '='
    const value = values[tokens.shift() ?? '']
    // Where there is no such attribute, neither comparison is true of it in DynamoDB but <>.
    return (JSON.stringify(item[token]) === JSON.stringify(value)) === isEqual
  }
  const result = condition === '' || either()
  if (tokens.length > 0) throw new Error(`condition: ${condition} is not understood from ${tokens.join(' ')} on`)
  return result
}

/** The item after SET and REMOVE. */
function updated(item: Item, expression: string, values: Item): Item {
  const [, set, remove] = /^(?:SET (.*?))?(?: ?REMOVE (.*))?$/.exec(expression) ?? []
  const kept: Record<string, AttributeValue> = { ...item }
  for (const assignment of set?.split(', ') ?? []) {
    const [name = '', value = ''] = assignment.split(' = ')
    const [, added] = /^\w+ \+ (:\w+)$/.exec(value) ?? []
    const stored = added === undefined ? values[value] : { N: String(Number(item[name]?.N) + Number(values[added]?.N)) }
    if (stored === undefined) throw new Error(`update: expected a value for ${value} in ${expression}`)
    kept[name] = stored
  }
  return Object.fromEntries(Object.entries(kept).filter(([name]) => !(remove?.split(', ') ?? []).includes(name)))
}
