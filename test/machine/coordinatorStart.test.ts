import type { InitialPosition } from '@shardwise/effects'
import type { CoordinatorEffect, CoordinatorOptions } from '@shardwise/machine'
import { describe, expect, it } from 'vitest'
import { aLedWorker, type LedWorker, leasesOf, listed, rowsOf, shardsListed, tiledShards } from './ledWorker.ts'
import { aFailure } from './outstandingEffects.ts'
import { aLease, at, graphA, idOf } from './shardGraphs.ts'

const shards = tiledShards(3)

const createdBy = (effects: readonly CoordinatorEffect[]) =>
  effects.flatMap((effect) => (effect.type === 'createLease' ? [effect.lease] : []))

/** A coordinator whose table is ready. */
function atTheTable(options: Partial<CoordinatorOptions> = {}): LedWorker {
  const worker = aLedWorker(options)
  worker.answer('ensureTable', { type: 'tableReady' })
  return worker
}

describe('a coordinator at an empty table', () => {
  it('lists the shards of the initial position, creates their leases, lists those and acquires them', () => {
    const worker = atTheTable({ initialPosition: { type: 'LATEST' } })

    worker.answer('listLeases', listed([]))
    expect(worker.effects).toMatchObject([{ type: 'listShards', from: { type: 'LATEST' } }])
    worker.answer('listShards', shardsListed(shards))
    const created = createdBy(worker.effects)
    expect(created.map(({ leaseKey, checkpoint }) => [leaseKey, checkpoint])).toEqual([0, 1, 2].map((n) => [idOf(n), at('LATEST')]))
    worker.settleCalls()
    expect(worker.asked).toEqual(['listLeases'])
    worker.answer('listLeases', listed(rowsOf(created)))
    expect(worker.asked).toEqual(['acquireLease', 'acquireLease', 'acquireLease', 'startTimer'])
    worker.settleCalls()

    expect(worker.state).toMatchObject({ phase: 'running', kept: [0, 1, 2].map(idOf) })
  })

  it('keeps what it acquires from the time of the acquisition, under its token', () => {
    const worker = atTheTable()
    worker.answer('listLeases', listed(leasesOf(shards)))
    worker.answer('listShards', shardsListed(shards))
    const acquire = worker.effects[0]
    if (acquire?.type !== 'acquireLease') throw new Error(`expected acquireLease, got ${acquire?.type}`)
    const lease = aLease({ leaseKey: idOf(0), parentShardIds: [idOf(9)] })

    worker.send({ type: 'leaseAcquired', id: acquire.id, lease, token: 1, nowMs: 77 })

    expect(worker.effects).toEqual([
      { type: 'keepLease', leaseKey: idOf(0), token: 1, shardId: idOf(0), parentShardIds: [idOf(9)], acquiredMs: 77, renews: true },
    ])
  })

  it('goes on where another worker created the same leases first', () => {
    const worker = atTheTable()
    worker.answer('listLeases', listed([]))
    worker.answer('listShards', shardsListed(shards))

    for (const { id } of worker.outstanding.awaited) worker.send({ type: 'leaseExists', id })

    expect(worker.asked).toEqual(['listLeases'])
  })

  it('tries a listing that does not cover all hash keys again, and fails when it stays so', () => {
    const worker = atTheTable()
    worker.answer('listLeases', listed([]))
    for (let attempt = 1; attempt < 4; attempt += 1) {
      worker.answer('listShards', shardsListed(shards.slice(1)))
      expect(worker.asked).toEqual(['startTimer'])
      worker.wait()
      expect(worker.asked).toEqual(['listShards'])
    }

    worker.answer('listShards', shardsListed(shards.slice(1)))

    expect(worker.state).toMatchObject({ phase: 'stopped', failure: { name: 'IncompleteShardList' } })
  })

  it('never has more than 20 creations out, and makes them all', () => {
    const worker = atTheTable()
    worker.answer('listLeases', listed([]))
    worker.answer('listShards', shardsListed(tiledShards(50)))
    const created: string[] = []
    for (let answers = 0; answers < 50; answers += 1) {
      const [call] = worker.outstanding.awaited
      expect(worker.outstanding.awaited.length).toBeLessThanOrEqual(20)
      if (call?.type !== 'createLease') throw new Error(`expected createLease, got ${call?.type}`)
      created.push(call.lease.leaseKey)
      worker.send({ type: 'leaseCreated', id: call.id })
    }

    expect(created).toEqual(Array.from({ length: 50 }, (_, n) => idOf(n)))
    expect(worker.asked).toEqual(['listLeases'])
  })
})

describe('a coordinator at a table with leases', () => {
  it('creates nothing where they cover the stream, and acquires once the stream was seen to be there', () => {
    const worker = atTheTable()

    worker.answer('listLeases', listed(leasesOf(shards)))
    expect(worker.asked).toEqual(['listShards'])
    const later = tiledShards(2, 3).map((shard) => ({ ...shard, parentShardIds: [idOf(0)] }))
    worker.answer('listShards', shardsListed([...shards, ...later]))

    expect(worker.asked).toEqual(['acquireLease', 'acquireLease', 'acquireLease', 'startTimer'])
  })

  it('touches no lease for a stream that is not there', () => {
    const worker = atTheTable()

    worker.answer('listLeases', listed(leasesOf(shards)))
    worker.answer('listShards', { type: 'streamNotFound' })

    expect(worker.state).toMatchObject({ phase: 'stopped', failure: { name: 'StreamNotFound' } })
    expect(worker.effects).toEqual([])
  })

  it('heals a table whose creator crashed half-way', () => {
    const worker = atTheTable({ initialPosition: { type: 'LATEST' } })

    worker.answer('listLeases', listed(leasesOf(shards).slice(0, 2)))
    expect(worker.effects).toMatchObject([{ type: 'listShards', from: 'ALL' }])
    worker.answer('listShards', shardsListed(shards))
    expect(createdBy(worker.effects).map(({ leaseKey }) => leaseKey)).toEqual([idOf(2)])
    worker.settleCalls()
    worker.answer('listLeases', listed(leasesOf(shards)))

    expect(worker.state.phase).toBe('running')
    expect(worker.asked.filter((type) => type === 'acquireLease')).toHaveLength(3)
  })

  it('runs on with a hole that the shards explain, once they were looked at', () => {
    const worker = atTheTable()
    const leases = leasesOf(shards, { checkpoint: at('SHARD_END') })

    worker.answer('listLeases', listed(leases))
    worker.answer('listShards', shardsListed(shards.map((shard) => ({ ...shard, closed: true }))))

    expect(worker.state.phase).toBe('running')
    expect(worker.asked).toEqual(['startTimer'])
  })

  it('looks at the shards once: a hole that is left after the creations does not stop it', () => {
    const worker = atTheTable()
    worker.answer('listLeases', listed(leasesOf(shards).slice(0, 2)))
    worker.answer('listShards', shardsListed(shards))
    worker.settleCalls()

    worker.answer('listLeases', listed(leasesOf(shards).slice(0, 2)))

    expect(worker.state.phase).toBe('running')
    expect(worker.asked).toEqual(['acquireLease', 'acquireLease', 'startTimer'])
  })

  it('takes leases for the whole stream when it is told to', () => {
    const worker = atTheTable({ skipShardSyncAtWorkerInitializationIfLeasesExist: true })

    worker.answer('listLeases', listed(leasesOf(shards).slice(0, 2)))

    expect(worker.asked).toEqual(['acquireLease', 'acquireLease', 'startTimer'])
  })

  it('is not told so by an empty one', () => {
    const worker = atTheTable({ skipShardSyncAtWorkerInitializationIfLeasesExist: true })

    worker.answer('listLeases', listed([]))

    expect(worker.asked).toEqual(['listShards'])
  })

  const stale = graphA.map((shard) => (shard.shardId === idOf(5) ? { ...shard, closed: false } : shard))

  it('tries again when children of an open shard are listed, and names them when it gives up', () => {
    const worker = atTheTable({ maxInitializationAttempts: 2 })
    worker.answer('listLeases', listed(leasesOf(graphA.slice(0, 1))))
    worker.answer('listShards', shardsListed(stale))
    expect(worker.asked).toEqual(['startTimer'])
    worker.wait()

    worker.answer('listShards', shardsListed(stale))

    expect(worker.state.failure).toEqual({
      name: 'InconsistentShardList',
      message: `${idOf(9)}, ${idOf(10)}: listed as children of shards that are still open`,
    })
  })

  it('leaves the children of an open shard out when it is told to', () => {
    const initialPosition: InitialPosition = { type: 'LATEST' }
    const worker = atTheTable({ ignoreUnexpectedChildShards: true, initialPosition })
    worker.answer('listLeases', listed(leasesOf(graphA.slice(8, 9))))

    worker.answer('listShards', shardsListed(stale))

    expect(createdBy(worker.effects).map(({ leaseKey }) => leaseKey)).toEqual([idOf(4), idOf(5)])
  })
})

describe('a lease that cannot be created', () => {
  it('is looked for and created again after a backoff, with what others created meanwhile', () => {
    const worker = atTheTable()
    worker.answer('listLeases', listed([]))
    worker.answer('listShards', shardsListed(shards))
    const [first, second, third] = worker.outstanding.awaited
    worker.send({ type: 'leaseCreated', id: first?.id ?? 0 })
    worker.send({ type: 'throttled', id: second?.id ?? 0 })
    expect(worker.asked).toEqual(['startTimer'])
    worker.send({ ...aFailure(), id: third?.id ?? 0 })
    expect(worker.asked).toEqual([])

    worker.wait()
    worker.answer('listLeases', listed(leasesOf(shards).slice(0, 1)))
    worker.answer('listShards', shardsListed(shards))

    expect(createdBy(worker.effects).map(({ leaseKey }) => leaseKey)).toEqual([idOf(1), idOf(2)])
  })

  it('lets no other creation begin until the leases were listed again', () => {
    const worker = atTheTable()
    worker.answer('listLeases', listed([]))
    worker.answer('listShards', shardsListed(tiledShards(30)))
    const [failed, ...others] = worker.outstanding.awaited

    worker.send({ type: 'throttled', id: failed?.id ?? 0 })
    for (const { id } of others) worker.send({ type: 'leaseCreated', id })

    expect(worker.outstanding.awaited.map(({ type }) => type)).toEqual(['startTimer'])
  })

  it('ends the start after the last attempt, with the failure', () => {
    const worker = atTheTable()
    for (let attempt = 0; attempt < 4; attempt += 1) {
      worker.answer('listLeases', listed([]))
      worker.answer('listShards', shardsListed(tiledShards(1)))
      worker.answer('createLease', aFailure('ServiceUnavailable'))
      if (attempt < 3) worker.wait()
    }

    expect(worker.state).toMatchObject({ phase: 'stopped', failure: { name: 'ServiceUnavailable' } })
    expect(worker.outstanding.awaited).toEqual([])
  })
})

describe('the lease table', () => {
  it('is polled while it is being created, and not for ever', () => {
    const worker = aLedWorker()
    let waitedMs = 0
    while (worker.state.phase === 'starting' && waitedMs < 10_000_000) {
      worker.answer('ensureTable', { type: 'tablePending' })
      if (worker.state.phase === 'starting') waitedMs += worker.wait()
    }

    expect(waitedMs).toBe(600_000)
    expect(worker.state).toMatchObject({ phase: 'stopped', failure: { name: 'TableNotReady' } })
  })

  it('that is refused ends the start with the reason', () => {
    const worker = aLedWorker()

    worker.answer('ensureTable', { type: 'tableRefused', error: { name: 'NotALeaseTable', message: 'its key is not leaseKey' } })

    expect(worker.state).toMatchObject({ phase: 'stopped', failure: { name: 'NotALeaseTable', message: 'its key is not leaseKey' } })
    expect(worker.outstanding.awaited).toEqual([])
  })
})

describe('a failure before the start is over', () => {
  const reach: Readonly<Record<'ensureTable' | 'listLeases' | 'listShards', () => LedWorker>> = {
    ensureTable: () => aLedWorker(),
    listLeases: () => atTheTable(),
    listShards: () => {
      const worker = atTheTable()
      worker.answer('listLeases', listed([]))
      return worker
    },
  }
  const calls = ['ensureTable', 'listLeases', 'listShards'] as const

  it.each(calls)('of %s is tried again with a growing backoff, a bounded number of times', (call) => {
    const worker = reach[call]()
    const delays: number[] = []
    for (let attempt = 1; attempt < 4; attempt += 1) {
      worker.answer(call, aFailure())
      expect(worker.asked).toEqual(['startTimer'])
      delays.push(worker.wait())
      expect(worker.asked).toEqual([call])
    }

    worker.answer(call, aFailure('LastError'))

    expect(delays.every((delayMs, n) => delayMs >= 250 * 2 ** n && delayMs <= 500 * 2 ** n)).toBe(true)
    expect(worker.state).toMatchObject({ phase: 'stopped', failure: { name: 'LastError' } })
  })

  it('is not counted against what comes after the table is ready', () => {
    const worker = aLedWorker()
    for (let attempt = 1; attempt < 4; attempt += 1) {
      worker.answer('ensureTable', aFailure())
      worker.wait()
    }
    worker.answer('ensureTable', { type: 'tableReady' })

    worker.answer('listLeases', aFailure())

    expect(worker.asked).toEqual(['startTimer'])
  })

  it.each(calls)('of %s that no repetition mends ends the start at once', (call) => {
    const worker = reach[call]()

    worker.answer(call, aFailure('AccessDeniedException'))

    expect(worker.state).toMatchObject({ phase: 'stopped', failure: { name: 'AccessDeniedException' } })
    expect(worker.outstanding.awaited).toEqual([])
  })

  it.each(['listLeases', 'listShards'] as const)('by throttling of %s is tried again', (call) => {
    const worker = reach[call]()

    worker.answer(call, { type: 'throttled' })
    worker.wait()

    expect(worker.asked).toEqual([call])
  })

  it('because there is no such stream ends the start at once, and says so', () => {
    const worker = reach.listShards()

    worker.answer('listShards', { type: 'streamNotFound' })

    expect(worker.state).toMatchObject({ phase: 'stopped', failure: { name: 'StreamNotFound' } })
  })

  it('because the stream is not active yet is tried again', () => {
    const worker = reach.listShards()

    worker.answer('listShards', { type: 'streamNotActive' })
    worker.wait()

    expect(worker.asked).toEqual(['listShards'])
  })
})

describe('a table whose leases a leader of the KCL 3 assigns', () => {
  const reporting = (reportedMsAgo: number) => [{ workerId: 'java-1', reportedMsAgo }]

  it('is refused with an error that names the workers, before a lease is touched', () => {
    const worker = aLedWorker()
    worker.answer('ensureTable', { type: 'tableReady' })

    worker.answer('listLeases', { ...listed([]), reportingWorkers: [...reporting(-5_000), ...reporting(700_000)] })

    expect(worker.state).toMatchObject({
      phase: 'stopped',
      failure: { name: 'LeasesAssignedByLeader', message: expect.stringMatching(/: java-1$/) },
    })
    expect(worker.asked).toEqual([])
  })

  it('is refused with an error that names three workers of many', () => {
    const worker = aLedWorker()
    worker.answer('ensureTable', { type: 'tableReady' })
    const reportingWorkers = [1, 2, 3, 4].map((n) => ({ workerId: `java-${n}`, reportedMsAgo: 0 }))

    worker.answer('listLeases', { ...listed([]), reportingWorkers })

    expect(worker.state.failure?.message).toMatch(/^tableName: expected .* got .*: java-1, java-2, java-3$/)
  })

  it('is taken when its workers have not reported for a minute', () => {
    const worker = aLedWorker()
    worker.answer('ensureTable', { type: 'tableReady' })

    worker.answer('listLeases', { ...listed([]), reportingWorkers: reporting(60_000) })

    expect(worker.asked).toEqual(['listShards'])
  })
})
