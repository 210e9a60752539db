import {
  aggregateContract,
  type ContractCase,
  type LeaseTableFixture,
  leaseTableContract,
  type MakeRecordSource,
  recordSourceContract,
  shardFilterContract,
} from '@shardwise/testing'
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

  /** A table that cannot be closed, and breaks another promise where `breakIt` says so. */
  const thatStaysOpen = (breakIt: Parameters<typeof brokenLeaseTable>[0]) => async () => ({
    ...(await brokenLeaseTable(breakIt)()),
    close: () => Promise.reject(new Error('the table is in use')),
  })
  const rejection = (one: ContractCase | undefined): Promise<unknown> =>
    one?.run().then(
      () => 'nothing',
      (error: unknown) => error,
    ) ?? Promise.resolve('no case')

  test('say what was broken where closing fails as well, and both failures', async () => {
    const cases = leaseTableContract(thatStaysOpen(() => ({ createLease: () => ({ type: 'leaseExists' }) })))
    const error = await rejection(cases.find(({ name }) => name.startsWith('creates a lease that nobody owns')))

    if (!(error instanceof AggregateError)) throw error
    const [broken, closing] = error.errors as readonly Error[]
    expect(broken?.message).toMatch(/^answer: expected "leaseCreated", got "leaseExists"/)
    expect(closing?.message).toBe('the table is in use')
    expect(error.message).toBe(`${broken?.message}\nfixture.close failed as well: the table is in use`)
    expect(error.cause).toBe(broken)
  })

  test('fail with what closing failed with, where nothing else did', async () => {
    const [first] = leaseTableContract(thatStaysOpen(() => ({})))

    expect(await rejection(first)).toEqual(new Error('the table is in use'))
  })

  test.each<[string, unknown, string]>([
    ['undefined', undefined, 'fixture: expected an object { close }, got undefined'],
    ['{}', {}, 'fixture.close: expected a function, got undefined'],
    ['one that cannot be used', { close: () => Promise.resolve() }, 'fixture.worker: expected a function, got undefined'],
  ])('refuse a fixture of a lease table: %s', async (_, fixture, message) => {
    const [first] = leaseTableContract(() => Promise.resolve(fixture as LeaseTableFixture))

    expect(await rejection(first)).toEqual(new Error(message))
  })

  test.each<[object, string]>([
    [{ source: undefined }, 'fixture.source: expected an object, got undefined'],
    [{ batches: null }, 'fixture.batches: expected an object, got null'],
    [{ stream: 'orders' }, 'fixture.stream: expected an object, got "orders"'],
    [{ stream: {} }, 'fixture.stream.put: expected a function, got undefined'],
  ])('refuse a fixture of a record source: %j', async (change, message) => {
    let closed = 0
    const make: MakeRecordSource = async (options) => ({
      ...(await brokenSource(() => ({}))(options)),
      close: async () => void (closed += 1),
      ...change,
    })

    expect(await rejection(recordSourceContract(make)[0])).toEqual(new Error(message))
    expect(closed).toBe(1)
  })

  test('are not made without the functions that they need', () => {
    const none = undefined as never
    const message = 'make: expected a function that makes a fixture, got undefined'

    for (const contract of [leaseTableContract, recordSourceContract, shardFilterContract]) expect(() => contract(none)).toThrow(message)
    expect(() => aggregateContract(none, ([first]) => first ?? none)).toThrow(message)
    expect(() =>
      aggregateContract(
        brokenSource(() => ({})),
        none,
      ),
    ).toThrow('aggregate: expected a function that makes an aggregate, got undefined')
  })

  test('give up on a table that is never ready', async () => {
    const make = brokenLeaseTable(() => ({ ensureTable: () => ({ type: 'tablePending' }) }))
    await expect(leaseTableContract(make)[0]?.run()).rejects.toThrow('ensureTable: still pending after 1000 looks')
  })
})
