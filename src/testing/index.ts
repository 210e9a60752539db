export type { ContractCase } from './contractCase.ts'
export { type LeaseTableFixture, leaseTableContract } from './leaseTableContract.ts'
