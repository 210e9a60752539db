export { dynamoDbLeaseTable } from './dynamoDbLeaseTable.ts'
export type { Billing, DynamoDbLeaseTableOptions } from './leaseTableOptions.ts'
