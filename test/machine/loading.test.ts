import { describe, expect, it } from 'vitest'

// Imported here and not above: a file that cannot be loaded has no test that could fail.
describe('the pure packages', () => {
  it.each([
    ['effects', () => import('@shardwise/effects'), 'interpret'],
    ['machine', () => import('@shardwise/machine'), 'step'],
    ['the host of leases', () => import('@shardwise/machine/host'), 'hostLeases'],
    ['the compiled machine', () => import('@shardwise/machine/compiled'), 'step'],
  ])('%s can be loaded', async (_, load, name) => {
    await expect(load()).resolves.toHaveProperty(name)
  })
})
