import { type CoordinatorEvent, coordinator, startCoordinator } from '@shardwise/machine'
import { describe, expect, it } from 'vitest'
import { aLedWorker, type LedWorker, leasesOf, listed, rowsOf, shardsListed, tiledShards, untilRunning } from './ledWorker.ts'
import { aFailure } from './outstandingEffects.ts'
import { at, idOf } from './shardGraphs.ts'

const shards = tiledShards(3)
const acquiredBy = ({ effects }: LedWorker) => effects.flatMap((effect) => (effect.type === 'acquireLease' ? [effect.leaseKey] : []))

/** A coordinator that lists the shards of a stream. */
function atTheStream(options: Parameters<typeof aLedWorker>[0] = {}): LedWorker {
  const worker = aLedWorker(options)
  worker.answer('ensureTable', { type: 'tableReady' })
  worker.answer('listLeases', listed([]))
  return worker
}

describe('a coordinator that starts', () => {
  it('has heard of nothing, keeps nothing and waits for its table', () => {
    const { state, asked } = aLedWorker()

    expect(asked).toEqual(['ensureTable'])
    expect(state).toMatchObject({ phase: 'starting', attempts: 0, tablePolls: 0, calls: {}, queue: [], leases: [], observations: {} })
    expect(state).toMatchObject({ kept: [], unwanted: [], lost: [], synced: false, listAgain: false, force: false, failure: null })
  })

  it('gives every effect an id of its own', () => {
    const worker = atTheStream()
    worker.answer('listShards', shardsListed(shards))
    const ids = worker.effects.flatMap((effect) => ('id' in effect ? [effect.id] : []))

    expect(ids).toEqual([4, 5, 6])
  })

  it.each([
    'AccessDeniedException',
    'CredentialsProviderError',
    'ExpiredTokenException',
    'IncompleteSignature',
    'InvalidClientTokenId',
    'InvalidLease',
    'InvalidSignatureException',
    'MissingAuthenticationTokenException',
    'NotALeaseTable',
    'OptInRequired',
    'ResourceNotFoundException',
    'UnrecognizedClientException',
    'ValidationException',
  ])('ends at once, without another try, when a call fails with %s', (name) => {
    const worker = aLedWorker()

    worker.answer('ensureTable', aFailure(name))

    expect(worker.state).toMatchObject({ phase: 'stopped', failure: { name } })
    expect(coordinator.isDone(worker.state)).toBe(true)
  })

  it.each([
    ['the stream is not active', { type: 'streamNotActive' } as const, 'StreamNotActive'],
    ['the listing is throttled', { type: 'throttled' } as const, 'ThrottlingException'],
    ['the listing fails', aFailure(), 'TimeoutError'],
    ['the listing has holes', shardsListed(shards.slice(1)), 'IncompleteShardList'],
  ])('lists the shards from the same position again when %s, and ends with that failure when it never gets better', (_, answer, name) => {
    const worker = atTheStream({ initialPosition: { type: 'LATEST' }, maxInitializationAttempts: 2 })
    worker.answer('listShards', answer)
    expect(worker.asked).toEqual(['startTimer'])
    worker.wait()
    expect(worker.effects).toMatchObject([{ type: 'listShards', from: { type: 'LATEST' } }])
    expect(coordinator.isDone(worker.state)).toBe(false)

    worker.answer('listShards', answer)

    expect(worker.state).toMatchObject({ phase: 'stopped', failure: { name } })
  })

  it.each([
    [{ type: 'throttled' } as const, 'ThrottlingException'],
    [aFailure('Hiccup'), 'Hiccup'],
  ])('ends with the failure of the lease that it cannot create: %o', (answer, name) => {
    const worker = atTheStream({ maxInitializationAttempts: 1 })
    worker.answer('listShards', shardsListed(tiledShards(1)))

    worker.answer('createLease', answer)

    expect(worker.state).toMatchObject({ phase: 'stopped', failure: { name } })
  })

  it('does what a timer was for, after another, when the timer fails', () => {
    const worker = atTheStream()
    worker.answer('listShards', { type: 'throttled' })

    worker.answer('startTimer', aFailure())
    expect(worker.asked).toEqual(['startTimer'])
    worker.wait()

    expect(worker.asked).toEqual(['listShards'])
  })

  it('ends with the failure of its timers when they fail again and again, while it runs, too', () => {
    const worker = untilRunning(leasesOf(tiledShards(1), { leaseOwner: 'other', leaseCounter: 1 }), { maxInitializationAttempts: 4 })
    expect(worker.state).toMatchObject({ phase: 'running', awaited: { type: 'startTimer' } })

    for (let failures = 1; failures < 4; failures++) {
      worker.answer('startTimer', aFailure('NoClock'))
      expect(worker.asked).toEqual(['startTimer'])
    }
    worker.answer('startTimer', aFailure('NoClock'))

    expect(worker.state).toMatchObject({ phase: 'stopped', failure: { name: 'NoClock' } })
    expect(worker.asked).not.toContain('startTimer')
  })

  it('takes what expired while it was starting', () => {
    const others = leasesOf(shards, { leaseOwner: 'other', leaseCounter: 5 }).slice(0, 2)
    const worker = aLedWorker()
    worker.answer('ensureTable', { type: 'tableReady' })
    worker.answer('listLeases', listed(others, 0))
    worker.answer('listShards', shardsListed(shards))
    worker.answer('createLease', { type: 'throttled' })
    worker.wait()
    const created = rowsOf([
      { leaseKey: idOf(2), checkpoint: at('TRIM_HORIZON'), parentShardIds: [], hashKeyRange: shards[2]?.hashKeyRange as never },
    ])
    worker.answer('listLeases', listed([...others, ...created], 10_001))

    worker.answer('listShards', shardsListed(shards))

    expect(acquiredBy(worker).toSorted()).toEqual([idOf(0), idOf(1), idOf(2)])
  })

  it('is not moved by a lease that it never kept', () => {
    const worker = aLedWorker()

    worker.send({ type: 'leaseGone', leaseKey: idOf(0), outcome: 'finished' })

    expect(worker.effects).toEqual([])
  })
})

describe('a coordinator that runs', () => {
  it('takes the leases that it lost after all others, the longest ago first', () => {
    const worker = untilRunning(leasesOf(shards), { maxLeasesForWorker: 1 })
    const taken: string[] = []
    for (let round = 0; round < 6; round += 1) {
      const [leaseKey] = acquiredBy(worker)
      if (leaseKey === undefined) throw new Error('acquireLease: none was asked for')
      taken.push(leaseKey)
      worker.settleCalls()
      worker.send({ type: 'leaseGone', leaseKey, outcome: 'leaseLost' })
      worker.wait()
      worker.answer('listLeases', listed(leasesOf(shards)))
      worker.answer('listShards', shardsListed(shards))
    }

    expect(taken).toEqual([0, 1, 2, 0, 1, 2].map(idOf))
  })

  it('takes a lease again that was given up for a fresh processor or finished, as if it had not had it', () => {
    const worker = untilRunning(leasesOf(shards), { maxLeasesForWorker: 1 })
    worker.settleCalls()
    worker.send({ type: 'leaseGone', leaseKey: idOf(0), outcome: 'replay' })
    worker.wait()

    worker.answer('listLeases', listed(leasesOf(shards)))

    expect(acquiredBy(worker)).toEqual([idOf(0)])
  })

  it('counts the leases that it is acquiring as its own', () => {
    const worker = untilRunning(leasesOf(shards), { maxLeasesForWorker: 2 })
    expect(acquiredBy(worker)).toEqual([idOf(0), idOf(1)])
    worker.wait()

    worker.answer('listLeases', listed(leasesOf(shards)))

    expect(acquiredBy(worker)).toEqual([])
  })

  it('does not look at the shards again when the leases are gone that it trusted', () => {
    const worker = aLedWorker({ skipShardSyncAtWorkerInitializationIfLeasesExist: true })
    worker.answer('ensureTable', { type: 'tableReady' })
    worker.answer('listLeases', listed(leasesOf(shards)))
    worker.settleCalls()
    worker.wait()

    worker.answer('listLeases', listed([]))

    expect(worker.asked).toEqual(['startTimer'])
  })

  it('refuses an answer of another effect under the id of the one it awaits', () => {
    const worker = aLedWorker()
    const answer: CoordinatorEvent = { type: 'leaseCreated', id: 1 }

    expect(() => coordinator.step(worker.state, answer)).toThrow('answer: leaseCreated does not answer ensureTable')
  })

  it('is done when it has stopped, and not before', () => {
    const worker = untilRunning(leasesOf(shards))
    worker.settleCalls()
    worker.send({ type: 'stop', force: false })
    expect(coordinator.isDone(worker.state)).toBe(false)

    for (const leaseKey of [0, 1, 2].map(idOf)) worker.send({ type: 'leaseGone', leaseKey, outcome: 'stopped' })

    expect(coordinator.isDone(worker.state)).toBe(true)
    expect(coordinator.isDone(startCoordinator(worker.state.options)[0])).toBe(false)
  })
})
