import type { Lease, Shard } from '@shardwise/effects'
import { describe, expect, it } from 'vitest'
import { type LedWorker, leasesOf, listed, shardsListed, tiledShards, untilRunning } from './ledWorker.ts'
import { aFailure } from './outstandingEffects.ts'
import { at, idOf } from './shardGraphs.ts'

const shards = tiledShards(3)
const mine = leasesOf(shards, { leaseOwner: 'me', leaseCounter: 1 })
const withoutSecond = mine.filter(({ leaseKey }) => leaseKey !== idOf(1))
const auditMs = 120_000

/** A running worker that keeps every lease, and waits for its next look. */
function keepingAll(): LedWorker {
  const worker = untilRunning(leasesOf(shards))
  worker.settleCalls()
  return worker
}

/** The worker looks at the leases at this time. */
function look(worker: LedWorker, leases: readonly Lease[], nowMs: number): readonly string[] {
  worker.wait()
  worker.answer('listLeases', listed(leases, nowMs))
  return worker.asked
}

describe('an audit', () => {
  it('fills a hole that three in a row have found, with the lease that is missing', () => {
    const worker = keepingAll()
    expect(look(worker, withoutSecond, auditMs)).toEqual(['startTimer'])
    expect(look(worker, withoutSecond, 1.5 * auditMs)).toEqual(['startTimer'])
    expect(look(worker, withoutSecond, 2 * auditMs)).toEqual(['startTimer'])

    expect(look(worker, withoutSecond, 3 * auditMs)).toEqual(['listShards'])
    expect(worker.effects).toMatchObject([{ from: 'ALL' }])
    worker.answer('listShards', shardsListed(shards))

    expect(worker.effects).toMatchObject([
      { type: 'createLease', lease: { leaseKey: idOf(1), checkpoint: at('TRIM_HORIZON') } },
      { type: 'startTimer', delayMs: 10_000 },
    ])
    expect(worker.state.phase).toBe('running')
  })

  it('begins to count anew when the hole is another one, or is gone', () => {
    const worker = keepingAll()
    const withoutFirst = mine.filter(({ leaseKey }) => leaseKey !== idOf(0))
    const holes = [withoutFirst, withoutFirst, withoutSecond, withoutSecond, mine, withoutSecond, withoutSecond]
    const asked = holes.map((leases, n) => look(worker, leases, (n + 1) * auditMs))

    expect(asked.flat()).not.toContain('listShards')
    expect(look(worker, withoutSecond, 8 * auditMs)).toEqual(['listShards'])
  })

  it('does not look at a stream that the leases cover', () => {
    const worker = keepingAll()

    expect([1, 2, 3, 4, 5].flatMap((n) => look(worker, mine, n * auditMs))).not.toContain('listShards')
  })

  it.each([
    ['cannot be read', aFailure()],
    ['is throttled', { type: 'throttled' } as const],
    ['is not active', { type: 'streamNotActive' } as const],
    ['is listed with what cannot be', shardsListed([...shards, { ...tiledShards(1, 3)[0], parentShardIds: [idOf(0)] } as Shard])],
  ])('changes nothing when the stream %s, and comes again', (_, answer) => {
    const worker = keepingAll()
    for (const n of [1, 2, 3]) look(worker, withoutSecond, n * auditMs)

    worker.answer('listShards', answer)

    expect(worker.asked).toEqual(['startTimer'])
    expect(worker.state).toMatchObject({ phase: 'running', failure: null })
    for (const n of [4, 5]) expect(look(worker, withoutSecond, n * auditMs)).toEqual(['startTimer'])
    expect(look(worker, withoutSecond, 6 * auditMs)).toEqual(['listShards'])
  })
})

describe('a finished lease whose children are unknown', () => {
  const garbageMs = 1_800_000
  const ended = mine.map((lease, n) => (n === 1 ? { ...lease, leaseOwner: null, checkpoint: at('SHARD_END') } : lease))
  const childShard = tiledShards(1, 3)
  const child = leasesOf(childShard).map((lease) => ({ ...lease, checkpoint: at('7') }))
  const rows = [...ended, ...child]

  it('is deleted after half an hour, when its shard is in the stream no more', () => {
    const worker = keepingAll()
    expect(look(worker, rows, 1)).not.toContain('listShards')
    expect(look(worker, rows, garbageMs)).not.toContain('listShards')

    expect(look(worker, rows, garbageMs + 2)).toEqual(['listShards'])
    worker.answer('listShards', shardsListed([...shards.filter(({ shardId }) => shardId !== idOf(1)), ...childShard]))

    expect(worker.effects).toMatchObject([{ type: 'deleteLease', leaseKey: idOf(1) }, { type: 'startTimer' }])
  })

  it('is looked for no more than every half hour', () => {
    const worker = keepingAll()
    look(worker, rows, 0)
    expect(look(worker, rows, garbageMs - 1)).not.toContain('listShards')
    const looks = [garbageMs, garbageMs + 10_000, 2 * garbageMs - 1, 2 * garbageMs].map((nowMs) => {
      const asked = look(worker, rows, nowMs)
      if (asked.includes('listShards')) worker.answer('listShards', { type: 'throttled' })
      return asked.includes('listShards')
    })

    expect(looks).toEqual([true, false, false, true])
  })

  it('stays when the shard is still listed, and when a child has not started', () => {
    const asking = keepingAll()
    look(asking, rows, 1)
    look(asking, rows, garbageMs + 2)
    asking.answer('listShards', shardsListed([...shards.map((shard, n) => ({ ...shard, closed: n === 1 })), ...childShard]))
    expect(asking.asked).toEqual(['startTimer'])
    const worker = keepingAll()
    const waiting = rows.map((lease) => (lease.leaseKey === idOf(1) ? { ...lease, childShardIds: [idOf(4)] } : lease))
    const unstarted = leasesOf(tiledShards(1, 4))
    look(worker, [...waiting, ...unstarted], 1)
    worker.settleCalls()
    expect(look(worker, [...waiting, ...unstarted], garbageMs + 2)).not.toContain('listShards')
  })
})
