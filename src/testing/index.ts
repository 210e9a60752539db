export { type ConformanceCase, conformance } from './conformance/conformance.ts'
export type { Capability, RunningMachine, Runtime, RuntimeSetup } from './conformance/runtime.ts'
export type { ContractCase } from './contractCase.ts'
export { type LeaseTableFixture, leaseTableContract } from './leaseTableContract.ts'
export {
  type MakeRecordSource,
  type PutRecord,
  type RecordSourceFixture,
  recordSourceContract,
  shardFilterContract,
} from './recordSourceContract.ts'
