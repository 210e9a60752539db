import { seedOf } from '@shardwise/machine/host'
import { describe, expect, it } from 'vitest'
import { record } from '../scenarios/story.ts'
import { aLease, aLeaseHost, settle, someRecords } from './hostedLeases.ts'

const { leaseKey, shardId } = aLease
const leaseLost = { type: 'leaseGone', leaseKey, outcome: 'leaseLost', workerIdShared: false }

describe('a lease that the host keeps', () => {
  it('has a shard consumer, which is told whose children its shard is, and where it stands by its lease', () => {
    const host = aLeaseHost({ shardOptions: { maxRecords: 50 } })

    host.keep({ leaseKey: 'stream:shardId-000000000001' })

    expect(host.leases.leaseKeys).toEqual(['stream:shardId-000000000001'])
    expect(host.asked).toMatchObject([
      { type: 'startTimer', delayMs: 1 },
      { type: 'checkParentShards', shardId, parentShardIds: ['shardId-000000000000'] },
      { type: 'readCheckpoint', shardId, leaseKey: 'stream:shardId-000000000001', token: 7 },
      { type: 'openShard', shardId, position: { type: 'TRIM_HORIZON' } },
      { type: 'initialize', shardId, leaseKey: 'stream:shardId-000000000001', token: 7 },
      { type: 'readRecords', shardId, maxRecords: 50 },
    ])
    expect(host.processors).toMatchObject([{ shardId, closed: false }])
  })

  it('is renewed in time, whatever its record processor does', async () => {
    const host = aLeaseHost({ failoverTimeMillis: 60_000 })
    host.keep({ acquiredMs: 1_000 })
    await host.answer('readRecords', someRecords(1, 3))
    await host.answer('startTimer', { type: 'timerFired', nowMs: 1_000 })
    const [, beat] = host.all('startTimer')

    await host.answer('startTimer', { type: 'timerFired', nowMs: 1_000 + (beat?.delayMs ?? 0) })

    expect(beat?.delayMs).toBe(30_000)
    expect(host.all('renewLease')).toMatchObject([{ leaseKey, token: 7, freshSinceMs: 1_001 }])
  })

  it('is not renewed here where the worker has a heartbeat of its own', () => {
    const host = aLeaseHost()

    host.keep({ renews: false })

    expect(host.all('startTimer')).toEqual([])
    expect(host.all('readRecords')).toHaveLength(1)
  })

  it('is one of many, each with its own consumer and fate', async () => {
    const host = aLeaseHost()
    host.keep()
    host.keep({ leaseKey: 'shardId-000000000002', shardId: 'shardId-000000000002' })
    expect(host.leases.leaseKeys).toEqual([leaseKey, 'shardId-000000000002'])

    host.leases.handlers.loseLease({ type: 'loseLease', leaseKey })
    await settle()

    expect(host.told).toEqual([leaseLost])
    expect(host.leases.leaseKeys).toEqual(['shardId-000000000002'])
    expect(host.processors).toMatchObject([
      { shardId, closed: true },
      { shardId: 'shardId-000000000002', closed: false },
    ])
  })

  it('shows every step of its keeper by the key of the lease, and of its consumer by the shard', () => {
    const host = aLeaseHost()

    host.keep({ leaseKey: 'the key' })

    const keeper = host.observed.filter(({ machine }) => machine === 'leaseKeeper')
    const consumer = host.observed.filter(({ machine }) => machine === 'shardConsumer')
    expect(keeper).toMatchObject([
      { leaseKey: 'the key', step: { event: null, effects: [{ type: 'startTimer' }, { type: 'startConsumer' }] } },
    ])
    expect(consumer.map(({ step }) => step.event?.type ?? null)).toEqual([
      null,
      'parentShardsCompleted',
      'checkpointRead',
      'shardOpened',
      'initialized',
    ])
    expect(consumer.every((seen) => 'shardId' in seen && seen.shardId === shardId)).toBe(true)
  })
})

describe('a lease that is given up', () => {
  it('in order, is released when its record processor was told, and is gone when its consumer has ended', async () => {
    const host = aLeaseHost()
    host.keep()
    const before = host.asked.length

    host.leases.handlers.stopKeeping({ type: 'stopKeeping', leaseKey, force: false })
    await settle()

    const after = host.asked.slice(before).map(({ type }) => type)
    expect(after).toEqual(['notifyShutdownRequested', 'startTimer', 'releaseLease', 'notifyLeaseLost', 'closeShard'])
    expect(host.all('releaseLease')).toMatchObject([{ leaseKey, token: 7, nextOwner: null }])
    expect(host.told).toEqual([leaseLost])
    expect(host.leases.leaseKeys).toEqual([])
    expect(host.processors).toMatchObject([{ closed: true }])
    expect(host.failures).toEqual([])
  })

  it('by force, is released without waiting for a record processor that is at work', async () => {
    const host = aLeaseHost()
    host.keep()
    await host.answer('readRecords', someRecords(1, 3))

    host.leases.handlers.stopKeeping({ type: 'stopKeeping', leaseKey, force: true })
    await settle()

    expect(host.all('releaseLease')).toHaveLength(1)
    expect(host.all('notifyShutdownRequested')).toEqual([])
    expect(host.told).toEqual([])
    await host.answer('processRecords', { type: 'recordsProcessed' })
    expect(host.told).toEqual([leaseLost])
  })

  it('to another worker, is released to that one', async () => {
    const host = aLeaseHost()
    host.keep()

    host.leases.handlers.handOverLease({ type: 'handOverLease', leaseKey, nextOwner: 'worker-b' })
    await settle()

    expect(host.all('notifyShutdownRequested')).toHaveLength(1)
    expect(host.all('releaseLease')).toMatchObject([{ leaseKey, nextOwner: 'worker-b' }])
    expect(host.told).toEqual([leaseLost])
  })

  it('because it is lost, is not released', async () => {
    const host = aLeaseHost()
    host.keep()

    host.leases.handlers.loseLease({ type: 'loseLease', leaseKey })
    await settle()

    expect(host.all('releaseLease')).toEqual([])
    expect(host.all('notifyLeaseLost')).toHaveLength(1)
    expect(host.told).toEqual([leaseLost])
  })

  it('because another process has the id of this worker, says so', async () => {
    const host = aLeaseHost()
    host.keep()
    await host.answer('startTimer', { type: 'timerFired', nowMs: 5_000 })

    await host.answer('renewLease', { type: 'workerIdShared' })

    expect(host.told).toEqual([{ ...leaseLost, workerIdShared: true }])
  })

  it('because the store tells its consumer, also before anything else could be done, is released', async () => {
    const host = aLeaseHost({ script: { readCheckpoint: { type: 'leaseNotFound' } } })

    host.keep()
    await settle()

    expect(host.all('releaseLease')).toMatchObject([{ leaseKey, token: 7 }])
    expect(host.told).toEqual([leaseLost])
  })

  it('because the store tells its consumer, is released while a record processor is at work', async () => {
    const host = aLeaseHost()
    host.keep({ renews: false })
    await host.answer('readRecords', someRecords(1, 3))
    host.processors[0]?.send({ type: 'checkpointRequested', request: 'r1', position: record(2) })

    await host.answer('writeCheckpoint', { type: 'checkpointRefused' })

    expect(host.all('releaseLease')).toMatchObject([{ leaseKey, token: 7 }])
    expect(host.aborted).toEqual(['processRecords'])
    expect(host.told).toEqual([])
    await host.answer('processRecords', { type: 'recordsProcessed' })
    expect(host.told).toEqual([leaseLost])
  })

  it.each([
    ['30 s, unless said otherwise', {}, 30_000],
    ['what the host was told', { gracefulLeaseHandoffTimeoutMillis: 5_000 }, 5_000],
  ])('leaves its record processor time to come to an end: %s', async (_, options, delayMs) => {
    const host = aLeaseHost(options)
    host.keep({ renews: false })
    await host.answer('readRecords', someRecords(1, 3))

    host.leases.handlers.stopKeeping({ type: 'stopKeeping', leaseKey, force: false })
    expect(host.all('startTimer')).toMatchObject([{ delayMs }])
    expect(host.all('releaseLease')).toEqual([])
    await host.answer('startTimer', { type: 'timerFired', nowMs: 0 })

    expect(host.all('releaseLease')).toHaveLength(1)
  })
})

describe('a lease that the host does not keep', () => {
  it('may be stopped, lost, handed over and paused, and nothing happens', async () => {
    const host = aLeaseHost()

    host.leases.handlers.stopKeeping({ type: 'stopKeeping', leaseKey, force: true })
    host.leases.handlers.loseLease({ type: 'loseLease', leaseKey })
    host.leases.handlers.handOverLease({ type: 'handOverLease', leaseKey, nextOwner: 'worker-b' })
    host.leases.tell(leaseKey, { type: 'pause' })
    await settle()

    expect(host.asked).toEqual([])
    expect(host.told).toEqual([])
  })
})

describe('a host that is closed, as in a crash', () => {
  it('aborts what is out, tells nobody, and lets go of every processor', async () => {
    const host = aLeaseHost()
    host.keep()
    host.keep({ leaseKey: 'shardId-000000000002', shardId: 'shardId-000000000002' })
    const before = host.asked.length

    host.leases.close()
    await settle()

    expect(host.aborted.toSorted()).toEqual(['readRecords', 'readRecords', 'startTimer', 'startTimer'])
    expect(host.asked).toHaveLength(before)
    expect(host.told).toEqual([])
    expect(host.leases.leaseKeys).toEqual([])
    expect(host.processors).toMatchObject([{ closed: true }, { closed: true }])
  })
})

describe('the jitter of backoffs', () => {
  const seedsOf = (workerId: string): readonly unknown[] => {
    const host = aLeaseHost({ workerId })
    host.keep()
    host.keep({ leaseKey: 'shardId-000000000002', shardId: 'shardId-000000000002' })
    return host.observed.flatMap((seen) => {
      if (seen.step.event !== null) return []
      if (seen.machine === 'leaseKeeper') return [`keeper ${seen.step.after.input.seed}`]
      return seen.machine === 'shardConsumer' ? [`consumer ${seen.step.after.context.seed}`] : []
    })
  }

  it('differs among workers and shards, and is the same for the same', () => {
    const seeds = [...seedsOf('worker-a'), ...seedsOf('worker-b')]

    expect(seeds).toHaveLength(8)
    expect(new Set(seeds).size).toBe(8)
    expect(seedsOf('worker-a')).toEqual(seeds.slice(0, 4))
  })

  it.each([
    ['', 0x811c9dc5],
    ['a', 0xe40c292c],
    ['foobar', 0xbf9cf968],
  ])('comes from FNV-1a of the text %j', (text, seed) => {
    expect(seedOf(text)).toBe(seed)
  })
})
