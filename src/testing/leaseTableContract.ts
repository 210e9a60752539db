import type { LeaseStore, LeaseTable } from '@shardwise/effects'
import { childLeaseCases } from './childLeaseCases.ts'
import { type ContractCase, casesOver, expectFunction } from './contractCase.ts'
import { heartbeatCases } from './heartbeatCases.ts'
import { leaseCheckpointCases } from './leaseCheckpointCases.ts'
import { leaseFencingCases } from './leaseFencingCases.ts'
import { leaseHandoffCases } from './leaseHandoffCases.ts'
import { leaseRowCases } from './leaseRowCases.ts'
import { aFunction, expectMembers } from './rules.ts'

/** One fresh, empty lease table. Each call of `worker` stands for another process that shares the table and nothing else. */
export interface LeaseTableFixture {
  worker(workerId: string): LeaseStore & LeaseTable
  close(): Promise<void>
}

/**
 * What every lease table promises: the cases to run against your own. `make` gives each case a table of its own.
 * @throws Error where `make` is no function. A case rejects where what it gives is no fixture.
 */
export function leaseTableContract(make: () => Promise<LeaseTableFixture>): readonly ContractCase[] {
  expectFunction('make', make, 'that makes a fixture')
  const cases = {
    ...leaseRowCases,
    ...leaseFencingCases,
    ...leaseHandoffCases,
    ...leaseCheckpointCases,
    ...childLeaseCases,
    ...heartbeatCases,
  }
  return casesOver(make, cases, (fixture) => expectMembers('fixture', fixture, { worker: aFunction }))
}
