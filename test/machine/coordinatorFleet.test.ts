import type { Lease } from '@shardwise/effects'
import { describe, expect, it } from 'vitest'
import { leasesOf, listed, tiledShards, untilRunning } from './ledWorker.ts'

describe('a coordinator in a fleet', () => {
  const four = tiledShards(4)
  const others = leasesOf(four, { leaseOwner: 'other', leaseCounter: 5 })

  it('asks a worker that has more than its share for one lease at a look, and for none that it has asked for', () => {
    const worker = untilRunning(others)
    expect(worker.effects).toMatchObject([{ type: 'requestHandoff', leaseOwner: 'other', workerId: 'me' }, { type: 'startTimer' }])
    expect(worker.wait()).toBe(1_000)

    worker.answer('listLeases', listed(others, 5_000))
    expect(worker.asked).toEqual(['requestHandoff', 'startTimer'])
    worker.wait()
    worker.answer('listLeases', listed(others, 9_000))
    expect(worker.asked).toEqual(['startTimer'])
  })

  it('waits for a lease that it asked for while the old owner lives, looks often, and takes it when it is handed over', () => {
    const worker = untilRunning(others)
    worker.settleCalls()
    const [wanted] = others
    if (wanted === undefined) throw new Error('leases: expected four')
    const look = (coming: typeof wanted, nowMs: number): number => {
      const delayMs = worker.wait()
      worker.answer(
        'listLeases',
        listed(
          [coming, ...others.slice(1)].map((row) => ({ ...row, leaseCounter: nowMs })),
          nowMs,
        ),
      )
      return delayMs
    }
    const asked = { ...wanted, leaseOwner: 'me', checkpointOwner: 'other' }
    expect(look(asked, 1_000)).toBe(1_000)
    expect(worker.asked).toEqual(['requestHandoff', 'startTimer'])
    worker.settleCalls(() => false)
    expect(look(asked, 2_000)).toBe(1_000)
    worker.settleCalls(() => false)

    expect(look({ ...asked, checkpointOwner: null }, 3_000)).toBe(1_000)

    expect(worker.effects).toMatchObject([
      { type: 'acquireLease', leaseKey: wanted.leaseKey, leaseCounter: 3_000 },
      { type: 'startTimer', delayMs: 10_000 },
    ])
  })

  it('takes a lease without asking where that is switched off', () => {
    const worker = untilRunning(others, { isGracefulLeaseHandoffEnabled: false })

    expect(worker.effects).toMatchObject([
      { type: 'acquireLease', leaseCounter: 5, workerId: 'me' },
      { type: 'startTimer', delayMs: 10_000 },
    ])
  })

  it('reaches for another lease when the one that it wanted could not be had', () => {
    const worker = untilRunning(leasesOf(tiledShards(8), { leaseOwner: 'other', leaseCounter: 5 }))
    const wanted = new Set<string>()
    for (let look = 0; look < 6; look += 1) {
      for (const effect of worker.effects) if (effect.type === 'requestHandoff') wanted.add(effect.leaseKey)
      worker.settleCalls(() => false)
      worker.wait()
      worker.answer('listLeases', listed(leasesOf(tiledShards(8), { leaseOwner: 'other', leaseCounter: 5 }), look))
    }

    expect(wanted.size).toBeGreaterThan(2)
  })
})

describe('the next look of a coordinator', () => {
  const two = tiledShards(2)
  const held = leasesOf(two, { leaseOwner: 'other', leaseCounter: 5 })
  const withFirst = (facts: Partial<Lease>): readonly Lease[] => held.map((lease, n) => (n === 0 ? { ...lease, ...facts } : lease))

  it.each<[string, number, Partial<Lease>]>([
    [
      'within a second while another hands a lease over to it, that it asked for before it was restarted',
      1_000,
      { leaseOwner: 'me', checkpointOwner: 'other' },
    ],
    ['in its time while one is handed over among others', 10_000, { leaseOwner: 'third', checkpointOwner: 'other' }],
    ['in its time when it takes one back that it was to hand over before it was restarted', 10_000, { checkpointOwner: 'me' }],
    ['in its time while all is quiet', 10_000, {}],
  ])('comes %s', (_when, delayMs, facts) => {
    const worker = untilRunning(held, { maxLeasesToStealAtOneTime: 0 })
    worker.wait()

    worker.answer('listLeases', listed(withFirst(facts), 1))

    expect(worker.wait()).toBe(delayMs)
  })

  it('comes in its time when a lease that it keeps is listed as it was before it had it', () => {
    const worker = untilRunning(leasesOf(two))
    worker.settleCalls()
    worker.wait()

    worker.answer('listLeases', listed(withFirst({ leaseOwner: 'me', checkpointOwner: 'other' }), 1))

    expect(worker.wait()).toBe(10_000)
  })
})
