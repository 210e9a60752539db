import { leaseTableContract } from '@shardwise/testing'
import { describe, test } from 'vitest'
import { rowsInMemory } from '../../docs/examples/leaseRows.ts'
import { leaseStore } from '../../docs/examples/writingALeaseStore.ts'

describe('writingALeaseStore.ts', () => {
  const cases = leaseTableContract(async () => {
    const rows = rowsInMemory()
    return { worker: () => leaseStore(rows), close: async () => {} }
  })
  for (const { name, run } of cases) test(name, run)
})
