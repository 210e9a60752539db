import { createMemoryLeaseTable } from '@shardwise/memory'
import { leaseTableContract } from '@shardwise/testing'
import { describe, test } from 'vitest'

describe('a lease table in memory keeps the contract', () => {
  const cases = leaseTableContract(async () => {
    const table = createMemoryLeaseTable()
    return { worker: () => table.store(), close: async () => {} }
  })
  test.each(cases)('$name', ({ run }) => run())
})
