import type { LeaseStore, LeaseTable } from '@shardwise/effects'
import { childLeaseCases } from './childLeaseCases.ts'
import { type ContractCase, casesOver } from './contractCase.ts'
import { heartbeatCases } from './heartbeatCases.ts'
import { leaseCheckpointCases } from './leaseCheckpointCases.ts'
import { leaseFencingCases } from './leaseFencingCases.ts'
import { leaseHandoffCases } from './leaseHandoffCases.ts'
import { leaseRowCases } from './leaseRowCases.ts'

/** One fresh, empty lease table. Each call of `worker` stands for another process that shares the table and nothing else. */
export interface LeaseTableFixture {
  worker(workerId: string): LeaseStore & LeaseTable
  close(): Promise<void>
}

/** What every lease table promises: the cases to run against your own. `make` gives each case a table of its own. */
export function leaseTableContract(make: () => Promise<LeaseTableFixture>): readonly ContractCase[] {
  return casesOver(make, {
    ...leaseRowCases,
    ...leaseFencingCases,
    ...leaseHandoffCases,
    ...leaseCheckpointCases,
    ...childLeaseCases,
    ...heartbeatCases,
  })
}
