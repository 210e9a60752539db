export type { ContractCase } from './contractCase.ts'
export { type LeaseTableFixture, leaseTableContract } from './leaseTableContract.ts'
export {
  type MakeRecordSource,
  type PutRecord,
  type RecordSourceFixture,
  recordSourceContract,
  shardFilterContract,
} from './recordSourceContract.ts'
