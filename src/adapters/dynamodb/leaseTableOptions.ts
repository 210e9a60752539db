import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'

/** What a lease table needs. */
export interface DynamoDbLeaseTableOptions {
  /** Its retries and timeouts are yours to set: a request without a timeout that hangs holds up every later write of its lease. */
  readonly client: DynamoDBClient
  /** The name or ARN of the table; the KCL names it after the application. */
  readonly tableName: string
  /** Whether a missing table is created; true unless given. */
  readonly createTable?: boolean
  /** How a created table is paid for: on demand unless given. */
  readonly billing?: Billing
  /** Monotonic milliseconds, the clock of the timers; `performance.now` unless given. */
  readonly nowMs?: () => number
}

/** On demand, or capacity units per second. */
export type Billing = 'PAY_PER_REQUEST' | { readonly readCapacityUnits: number; readonly writeCapacityUnits: number }

const namePattern = /^(arn:[^\s/]+:table\/)?[a-zA-Z0-9_.-]{3,255}$/

/** Fills in what was not given. @throws Error that names the field, its value and what was expected. */
export function checkOptions(options: DynamoDbLeaseTableOptions): Required<DynamoDbLeaseTableOptions> {
  expect('options', options, 'an object', isObject(options))
  expectOnly('', options, ['client', 'tableName', 'createTable', 'billing', 'nowMs'])
  const { client, tableName, createTable = true, billing = 'PAY_PER_REQUEST', nowMs = () => performance.now() } = options
  expect('client', client, 'a DynamoDBClient', isObject(client) && typeof client.send === 'function')
  const isName = typeof tableName === 'string' && namePattern.test(tableName)
  expect('tableName', tableName, '3 to 255 letters, digits, "_", "." or "-", or the ARN of a table', isName)
  expect('createTable', createTable, 'true or false', typeof createTable === 'boolean')
  if (isObject(billing)) {
    expectOnly('billing.', billing, ['readCapacityUnits', 'writeCapacityUnits'])
    expectUnits('billing.readCapacityUnits', billing.readCapacityUnits)
    expectUnits('billing.writeCapacityUnits', billing.writeCapacityUnits)
  } else expect('billing', billing, '"PAY_PER_REQUEST" or capacity units', billing === 'PAY_PER_REQUEST')
  expect('nowMs', nowMs, 'a function', typeof nowMs === 'function')
  return { client, tableName, createTable, billing, nowMs }
}

function expectOnly(path: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown !== undefined) throw new Error(`${path}${unknown}: not an option of dynamoDbLeaseTable, expected one of ${known.join(', ')}`)
}

function expectUnits(name: string, units: number): void {
  expect(name, units, 'a whole number from 1', Number.isSafeInteger(units) && units > 0)
}

function expect(name: string, value: unknown, expected: string, holds: boolean): void {
  if (!holds) throw new Error(`${name}: expected ${expected}, got ${inWords(value)}`)
}

function inWords(value: unknown): string {
  if (isObject(value)) return `an object with ${Object.keys(value).join(', ') || 'no keys'}`
  return typeof value === 'string' ? JSON.stringify(value) : String(value)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
