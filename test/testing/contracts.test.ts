import { type ContractCase, leaseTableContract, recordSourceContract, shardFilterContract } from '@shardwise/testing'
import { describe, expect, test } from 'vitest'
import { brokenLeaseTable, brokenLeaseTables } from './brokenLeaseTables.ts'
import { brokenSource, brokenSources } from './brokenSources.ts'

/** The names of the cases that reject. */
async function complaints(cases: readonly ContractCase[]): Promise<readonly string[]> {
  const names: string[] = []
  for (const { name, run } of cases) {
    await run().catch(() => names.push(name))
  }
  return names
}

describe('the contract of a lease table', () => {
  test('has nothing to say against a table that keeps it', async () => {
    expect(await complaints(leaseTableContract(brokenLeaseTable(() => ({}))))).toEqual([])
  })

  for (const { fault, noticedBy, breakIt } of brokenLeaseTables) {
    test(`notices a table that ${fault}`, async () => {
      expect(await complaints(leaseTableContract(brokenLeaseTable(breakIt)))).toContain(noticedBy)
    })
  }
})

describe('the contract of a record source', () => {
  test('has nothing to say against a source that keeps it', async () => {
    expect(await complaints(recordSourceContract(brokenSource(() => ({}))))).toEqual([])
  })

  for (const { fault, noticedBy, breakIt } of brokenSources) {
    test(`notices a source that ${fault}`, async () => {
      expect(await complaints(recordSourceContract(brokenSource(breakIt)))).toContain(noticedBy)
    })
  }

  test('leaves filters to a contract of their own, which notices a listing without them', async () => {
    const make = brokenSource((_, stream) => ({ listShards: () => ({ type: 'shardsListed', shards: stream.listShards() }) }))
    expect(await complaints(recordSourceContract(make))).toEqual([])
    expect(await complaints(shardFilterContract(make))).toEqual([
      'lists from LATEST the open shards only',
      'lists from TRIM_HORIZON the oldest shards only',
      'lists from a time before the stream the oldest shards only',
    ])
  })
})

describe('the cases of a contract', () => {
  test('have names of their own', () => {
    const cases = [
      ...leaseTableContract(brokenLeaseTable(() => ({}))),
      ...recordSourceContract(brokenSource(() => ({}))),
      ...shardFilterContract(brokenSource(() => ({}))),
    ]
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length)
  })

  test('say what was expected and what came', async () => {
    const make = brokenLeaseTable(() => ({ createLease: () => ({ type: 'leaseExists' }) }))
    const name = 'creates a lease that nobody owns, with the counter at 0 and everything it was given'
    const created = leaseTableContract(make).find((one) => one.name === name)
    await expect(created?.run()).rejects.toThrow('answer: expected "leaseCreated", got "leaseExists"')
  })

  test('close their fixture when they fail, and when they do not', async () => {
    let open = 0
    const counted = (make: ReturnType<typeof brokenLeaseTable>) => async () => {
      const fixture = await make()
      open += 1
      return { ...fixture, close: async () => void (open -= 1) }
    }
    await complaints(leaseTableContract(counted(brokenLeaseTable(() => ({})))))
    expect(open).toBe(0)
    await complaints(leaseTableContract(counted(brokenLeaseTable(() => ({ createLease: () => ({ type: 'throttled' }) })))))
    expect(open).toBe(0)
  })

  test('give up on a table that is never ready', async () => {
    const make = brokenLeaseTable(() => ({ ensureTable: () => ({ type: 'tablePending' }) }))
    await expect(leaseTableContract(make)[0]?.run()).rejects.toThrow('ensureTable: still pending after 1000 looks')
  })
})
