import type { Lease, Shard } from '@shardwise/effects'
import { describe, expect, it } from 'vitest'
import { aLedWorker, type LedWorker, leasesOf, listed, shardsListed, tiledShards, untilRunning } from './ledWorker.ts'
import { aFailure } from './outstandingEffects.ts'
import { at, idOf } from './shardGraphs.ts'

const shards = tiledShards(2)

/** A coordinator that has these leases listed. */
function withLeases(leases: readonly Lease[]): LedWorker {
  const worker = aLedWorker()
  worker.answer('ensureTable', { type: 'tableReady' })
  worker.answer('listLeases', listed(leases))
  return worker
}

const changed = (facts: Partial<Lease>): readonly Lease[] => leasesOf(shards).map((lease, n) => (n === 1 ? { ...lease, ...facts } : lease))

/** Lists these shards as often as the coordinator asks until it has failed, and says how often that was. */
function looksUntilItFails(worker: LedWorker, listing: readonly Shard[]): number {
  let looks = 0
  while (worker.state.failure === null) {
    if (looks > 0) worker.wait()
    worker.answer('listShards', shardsListed(listing))
    looks += 1
  }
  return looks
}

describe('leases that cannot be those of the stream', () => {
  const begunAt40 = shards.map((shard) => ({ ...shard, startingSequenceNumber: '40' }))

  it.each<[string, readonly Lease[], readonly Shard[], string]>([
    [
      'of more shards than it has',
      leasesOf(tiledShards(3)),
      tiledShards(3).slice(0, 2),
      'has a lease, and is newer than every shard of the stream',
    ],
    ['of other hash keys', changed({ hashKeyRange: { startingHashKey: '7', endingHashKey: '8' } }), shards, 'has other hash keys'],
    [
      'that are finished where it is open',
      changed({ checkpoint: at('SHARD_END') }),
      shards,
      'is finished by its lease, and open in the stream',
    ],
    ['from before it was there', changed({ checkpoint: at('39') }), begunAt40, 'is at 39 by its lease, and begins at 40 in the stream'],
  ])('%s end the start after some looks, untouched and named', (_what, leases, listing, says) => {
    const worker = withLeases(leases)

    expect(looksUntilItFails(worker, listing)).toBe(4)

    const named = leases.length === 3 ? idOf(2) : idOf(1)
    expect(worker.state).toMatchObject({ phase: 'stopped', failure: { name: 'LeasesOfAnotherStream' } })
    expect(worker.state.failure?.message).toContain(`tableName: expected the leases of this stream, got those of another`)
    expect(worker.state.failure?.message).toContain(`${named} ${says}`)
  })

  it.each<[string, readonly Lease[], readonly Shard[]]>([
    ['at the first record of its shard', changed({ checkpoint: at('40') }), begunAt40],
    ['of a shard that was trimmed', leasesOf(shards), tiledShards(2, 5)],
    ['without hash keys, as old versions have it', changed({ hashKeyRange: null }), shards],
    ['with leading zeros in its hash keys', changed({ hashKeyRange: zeroed(shards[1]) }), shards],
    [
      'that is finished and closed',
      changed({ checkpoint: at('SHARD_END') }),
      [shards[0] as Shard, { ...(shards[1] as Shard), closed: true }],
    ],
  ])('are not seen in a lease %s', (_what, leases, listing) => {
    const worker = withLeases(leases)

    worker.answer('listShards', shardsListed(listing))

    expect(worker.state.failure).toBeNull()
    expect(worker.outstanding.awaited.length).toBeGreaterThan(0)
    expect(worker.asked).not.toEqual(['startTimer'])
  })

  it('are looked at again: a listing may be older than the lease of a child', () => {
    const worker = withLeases(leasesOf(shards))
    worker.answer('listShards', shardsListed(shards.slice(0, 1)))
    expect(worker.asked).toEqual(['startTimer'])
    worker.wait()

    worker.answer('listShards', shardsListed(shards))

    expect(worker.state.phase).toBe('running')
    expect(worker.asked).toEqual(['acquireLease', 'acquireLease', 'startTimer'])
  })
})

describe('a running coordinator that lost a lease', () => {
  function lostOne(): LedWorker {
    const worker = untilRunning(leasesOf(shards))
    worker.settleCalls()
    worker.send({ type: 'leaseGone', leaseKey: idOf(0), outcome: 'leaseLost' })
    worker.wait()
    worker.answer('listLeases', listed(leasesOf(shards)))
    return worker
  }

  it('looks whether the stream is still there before it takes another, and once', () => {
    const worker = lostOne()
    expect(worker.effects).toMatchObject([{ type: 'listShards', from: 'ALL' }])

    worker.answer('listShards', shardsListed(shards))
    expect(worker.asked).toEqual(['acquireLease', 'startTimer'])
    worker.settleCalls()
    worker.wait()
    worker.answer('listLeases', listed(leasesOf(shards)))

    expect(worker.asked).toEqual(['startTimer'])
  })

  it('ends where the stream is gone', () => {
    const worker = lostOne()

    worker.answer('listShards', { type: 'streamNotFound' })

    expect(worker.state).toMatchObject({ phase: 'stopping', failure: { name: 'StreamNotFound' } })
    expect(worker.effects).toMatchObject([{ type: 'stopKeeping', leaseKey: idOf(1), force: false }])
  })

  it('ends, after some looks, where another stream has its name', () => {
    const worker = lostOne()

    expect(looksUntilItFails(worker, shards.slice(0, 1))).toBe(4)

    expect(worker.state).toMatchObject({ phase: 'stopping', failure: { name: 'LeasesOfAnotherStream' } })
  })

  it.each([
    ['throttled', { type: 'throttled' } as const],
    ['failed', aFailure()],
    ['refused, for the stream is being changed', { type: 'streamNotActive' } as const],
  ])('takes leases all the same where the look was %s, and looks again the next time', (_how, answer) => {
    const worker = lostOne()

    worker.answer('listShards', answer)
    expect(worker.asked).toEqual(['acquireLease', 'startTimer'])
    worker.settleCalls()
    worker.wait()
    worker.answer('listLeases', listed(leasesOf(shards)))

    expect(worker.asked).toEqual(['listShards'])
  })
})

function zeroed(shard: Shard | undefined): Shard['hashKeyRange'] {
  const { startingHashKey = '', endingHashKey = '' } = shard?.hashKeyRange ?? {}
  return { startingHashKey: startingHashKey.padStart(39, '0'), endingHashKey: endingHashKey.padStart(39, '0') }
}
