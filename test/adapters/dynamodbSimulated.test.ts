import { parseShardConsumerOptions } from '@shardwise/machine'
import { describe, expect, it } from 'vitest'
import { Fleet, usualLease } from '../../src/testing/fleet/fleet.ts'
import { type PlanOptions, planOf } from '../../src/testing/fleet/plan.ts'
import { DynamoDbInMemory } from './dynamoDbInMemory.ts'

async function simulateOnDynamoDb(options: PlanOptions) {
  const fleet = new Fleet({
    plan: planOf(options),
    lease: usualLease,
    shard: parseShardConsumerOptions({}),
    table: (onChange) => new DynamoDbInMemory(onChange),
    observe: () => undefined,
    told: () => undefined,
  })
  await fleet.run()
  const { violations, records, deliveries } = fleet.ledger
  return { violations, records, deliveries, injected: fleet.around.injected }
}

describe('a simulated fleet on the lease table of DynamoDB', () => {
  it('delivers every record exactly once where nothing goes wrong', async () => {
    const { violations, records, deliveries } = await simulateOnDynamoDb({ seed: 1, faults: false, durationMs: 120_000 })

    expect(violations).toEqual([])
    expect(deliveries).toBe(records)
  })

  it.each([
    [1, 'kcl'],
    [2, 'kcl'],
    [1, 'workerHeartbeat'],
    [2, 'workerHeartbeat'],
  ] as const)('holds every invariant, though requests are lost, late, repeated and throttled, seed %i, %s', async (seed, leaseMode) => {
    const { violations, injected } = await simulateOnDynamoDb({ seed, leaseMode, durationMs: 240_000 })

    expect(violations).toEqual([])
    expect(injected).toMatchObject({ requestRepeated: expect.any(Number), requestLost: expect.any(Number) })
  })
})
