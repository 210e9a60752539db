import { describe, expect, it } from 'vitest'
import { aLedWorker, type LedWorker, leasesOf, listed, shardsListed, tiledShards, untilRunning } from './ledWorker.ts'
import { aFailure } from './outstandingEffects.ts'
import { aLease, at, idOf } from './shardGraphs.ts'

const shards = tiledShards(3)
const [first, second, third] = [0, 1, 2].map(idOf) as [string, string, string]

/** A running worker that keeps every lease, and waits for its next look. */
function keepingAll(): LedWorker {
  const worker = untilRunning(leasesOf(shards))
  worker.settleCalls()
  return worker
}

const mine = leasesOf(shards, { leaseOwner: 'me', leaseCounter: 1 })

describe('a running coordinator', () => {
  it('looks at the leases again after the scan interval, and does not acquire what it keeps', () => {
    const worker = keepingAll()

    worker.wait()
    expect(worker.asked).toEqual(['listLeases'])
    worker.answer('listLeases', listed(mine, 10_000))

    expect(worker.asked).toEqual(['startTimer'])
    expect(worker.wait()).toBe(10_000)
  })

  it('looks again within a second where a lease was just given up, for its owner may give up more; and not because it cannot have it', () => {
    const others = leasesOf(shards, { leaseOwner: 'other', leaseCounter: 5 })
    const worker = untilRunning(others, { maxLeasesToStealAtOneTime: 0 })
    worker.wait()
    const [first, ...rest] = others
    if (first === undefined) throw new Error('first: expected a lease')
    const givenUp = [{ ...first, leaseOwner: null, leaseCounter: 6 }, ...rest.map((lease) => ({ ...lease, leaseCounter: 6 }))]
    worker.answer('listLeases', listed(givenUp, 5_000))
    expect(worker.asked).toEqual(['acquireLease', 'startTimer'])
    worker.answer('acquireLease', { type: 'throttled' })

    expect(worker.wait()).toBe(1_000)
    worker.answer('listLeases', listed(givenUp, 6_000))
    expect(worker.asked).toEqual(['acquireLease', 'startTimer'])
    worker.answer('acquireLease', { type: 'throttled' })
    expect(worker.wait()).toBe(10_000)
  })

  it('takes the leases of a worker that stopped renewing, when the failover time is over, and not before', () => {
    const others = leasesOf(shards, { leaseOwner: 'other', leaseCounter: 5 })
    const worker = untilRunning(others, { maxLeasesToStealAtOneTime: 0 })
    expect(worker.asked).toEqual(['startTimer'])
    worker.wait()
    worker.answer('listLeases', listed(others, 10_000))
    expect(worker.asked).toEqual(['startTimer'])
    worker.wait()

    worker.answer('listLeases', listed(others, 10_001))

    expect(worker.asked).toEqual(['acquireLease', 'acquireLease', 'acquireLease', 'startTimer'])
  })

  it('asks once for a lease, however long the answer takes', () => {
    const worker = untilRunning(leasesOf(shards))
    worker.wait()

    worker.answer('listLeases', listed(leasesOf(shards)))

    expect(worker.asked).toEqual(['startTimer'])
  })

  it.each([
    ['refused', { type: 'leaseRefused' } as const],
    ['throttled', { type: 'throttled' } as const],
    ['failed', aFailure()],
  ])('asks again at its next look for a lease that was %s', (_how, answer) => {
    const worker = untilRunning(leasesOf(tiledShards(1)))
    worker.answer('acquireLease', answer)
    expect(worker.asked).toEqual([])
    worker.wait()

    worker.answer('listLeases', listed(leasesOf(tiledShards(1))))

    expect(worker.asked).toEqual(['acquireLease', 'startTimer'])
  })

  it('never has more than 20 calls out, nor more leases than its maximum', () => {
    const worker = untilRunning(leasesOf(tiledShards(60)), { maxLeasesForWorker: 45 })
    let most = 0
    for (let rounds = 0; rounds < 10; rounds += 1) {
      most = Math.max(most, worker.outstanding.awaited.filter(({ type }) => type === 'acquireLease').length)
      worker.settleCalls()
    }
    worker.wait()
    worker.answer('listLeases', listed(leasesOf(tiledShards(60))))

    expect(most).toBe(20)
    expect(worker.state.kept).toHaveLength(45)
    expect(worker.asked).toEqual(['startTimer'])
  })

  it('acquires a lease that it lost again, and not one whose consumer ended by policy', () => {
    const worker = keepingAll()
    worker.send({ type: 'leaseGone', leaseKey: first, outcome: 'leaseLost' })
    worker.send({ type: 'leaseGone', leaseKey: second, outcome: 'stopped' })
    worker.send({ type: 'leaseGone', leaseKey: third, outcome: 'failed' })
    worker.wait()

    worker.answer('listLeases', listed(leasesOf(shards)))
    worker.answer('listShards', shardsListed(shards))

    expect(worker.effects).toMatchObject([{ type: 'acquireLease', leaseKey: first }, { type: 'startTimer' }])
  })

  it('backs off for as long as its looks fail, and never gives up', () => {
    const worker = keepingAll()
    worker.wait()
    const delays: number[] = []
    for (let attempt = 0; attempt < 50; attempt += 1) {
      worker.answer('listLeases', attempt % 2 === 0 ? aFailure() : { type: 'throttled' })
      delays.push(worker.wait())
      expect(worker.asked).toEqual(['listLeases'])
    }

    expect(worker.state).toMatchObject({ phase: 'running', failure: null })
    expect(delays[0]).toBeLessThanOrEqual(500)
    expect(Math.max(...delays)).toBeLessThanOrEqual(10_000)
    expect(Math.min(...delays.slice(10))).toBeGreaterThanOrEqual(5_000)
    worker.answer('listLeases', listed(mine))
    expect(worker.wait()).toBe(10_000)
    worker.answer('listLeases', { type: 'throttled' })
    expect(worker.wait()).toBe(delays[0])
  })

  it('is ended by a failure that no repetition mends, after every lease that it keeps was given up', () => {
    const worker = keepingAll()
    worker.wait()

    worker.answer('listLeases', aFailure('UnrecognizedClientException'))
    expect(worker.effects).toEqual([first, second, third].map((leaseKey) => ({ type: 'stopKeeping', leaseKey, force: false })))
    for (const leaseKey of [first, second, third]) {
      expect(worker.state.phase).toBe('stopping')
      worker.send({ type: 'leaseGone', leaseKey, outcome: 'leaseLost' })
    }

    expect(worker.state).toMatchObject({ phase: 'stopped', failure: { name: 'UnrecognizedClientException' } })
  })

  it('is ended by such a failure of a call about one lease too, and keeps the first of several', () => {
    const worker = untilRunning(leasesOf(shards))
    const calls = worker.outstanding.awaited.filter(({ type }) => type === 'acquireLease')
    for (const [n, { id }] of calls.entries())
      worker.send({ ...aFailure('ValidationException'), id, error: { name: 'ValidationException', message: `${n}` } })

    expect(worker.state).toMatchObject({ phase: 'stopped', failure: { message: '0' } })
  })

  it('changes nothing for an answer that it does not await', () => {
    const worker = keepingAll()
    const before = worker.state

    worker.send({ type: 'leaseAcquired', id: 999, lease: aLease({ leaseKey: 'stray' }), token: 1, nowMs: 0 })
    worker.send({ ...aFailure('AccessDeniedException'), id: 1 })

    expect(worker.state).toBe(before)
    expect(worker.effects).toEqual([])
  })
})

describe('a finished shard', () => {
  const children = leasesOf(tiledShards(2, 3))
  const ended = mine.map((lease) => ({ ...lease, checkpoint: at('SHARD_END') }))

  it('has the leases listed at once, for its children have theirs by then', () => {
    const worker = keepingAll()

    worker.send({ type: 'leaseGone', leaseKey: first, outcome: 'finished' })
    expect(worker.asked).toEqual(['cancel', 'listLeases'])
    worker.answer('listLeases', listed([...ended, ...children]))

    expect(worker.effects).toMatchObject([{ leaseKey: idOf(3) }, { leaseKey: idOf(4) }, { type: 'startTimer' }])
    expect(worker.outstanding.idleCancels).toEqual([])
  })

  it('has them listed once more when a listing is out already, which may have been made before its children', () => {
    const worker = keepingAll()
    worker.send({ type: 'leaseGone', leaseKey: first, outcome: 'finished' })
    worker.send({ type: 'leaseGone', leaseKey: second, outcome: 'finished' })
    expect(worker.asked).toEqual([])

    worker.answer('listLeases', listed(ended))
    expect(worker.asked).toEqual(['listLeases'])
    worker.answer('listLeases', listed([...ended, ...children]))

    expect(worker.asked).toEqual(['acquireLease', 'acquireLease', 'startTimer'])
  })

  it('does not cut a backoff short', () => {
    const worker = keepingAll()
    worker.wait()
    worker.answer('listLeases', { type: 'throttled' })

    worker.send({ type: 'leaseGone', leaseKey: first, outcome: 'finished' })

    expect(worker.asked).toEqual([])
    worker.wait()
    expect(worker.asked).toEqual(['listLeases'])
  })

  it.each(['leaseLost', 'stopped', null] as const)(
    'is not what an outcome of %s tells: then the next look comes in its time',
    (outcome) => {
      const worker = keepingAll()

      worker.send({ type: 'leaseGone', leaseKey: first, outcome })

      expect(worker.asked).toEqual([])
    },
  )

  const finished = [
    aLease({ leaseKey: first, checkpoint: at('SHARD_END'), childShardIds: [second, third], leaseCounter: 9 }),
    ...leasesOf(shards.slice(1), { leaseOwner: 'other', checkpoint: at('17') }),
  ]

  /** The types of the effects when the finished lease has stood for longer than the clean-up interval, while the others were renewed. */
  function afterTheInterval(options: Parameters<typeof aLedWorker>[0]): LedWorker {
    const worker = untilRunning(leasesOf(shards), { maxLeasesForWorker: 0, ...options })
    worker.settleCalls(() => false)
    for (const nowMs of [0, 300_000]) {
      worker.wait()
      worker.answer(
        'listLeases',
        listed(
          finished.map((lease) => (lease.leaseOwner === null ? lease : { ...lease, leaseCounter: nowMs })),
          nowMs,
        ),
      )
    }
    return worker
  }

  it('has its lease deleted when the clean-up interval is over', () => {
    const worker = afterTheInterval({})

    expect(worker.effects).toMatchObject([{ type: 'deleteLease', leaseKey: first }, { type: 'startTimer' }])
    worker.wait()
    worker.answer('listLeases', listed(finished, 310_000))
    expect(worker.asked).toEqual(['startTimer'])
    worker.answer('deleteLease', { type: 'leaseDeleted' })
    expect(worker.asked).toEqual([])
  })

  it('takes no place among the leases of its worker while its lease is being deleted', () => {
    const worker = afterTheInterval({ maxLeasesForWorker: 1, maxLeasesToStealAtOneTime: 0 })
    expect(worker.asked).toEqual(['deleteLease', 'startTimer'])
    const free = finished.map((lease) => ({ ...lease, leaseOwner: null }))
    worker.wait()

    worker.answer('listLeases', listed(free, 310_000))

    expect(worker.effects).toMatchObject([{ type: 'acquireLease', leaseKey: second }, { type: 'startTimer' }])
  })

  it('keeps its lease when nothing is to be cleaned up', () => {
    expect(afterTheInterval({ cleanupLeasesOfCompletedShards: false }).asked).toEqual(['startTimer'])
  })
})

describe('a stop', () => {
  it.each([false, true])('of a running coordinator gives every lease up and waits until they are gone (force: %s)', (force) => {
    const worker = keepingAll()

    worker.send({ type: 'stop', force })
    expect(worker.effects.slice(1)).toEqual([first, second, third].map((leaseKey) => ({ type: 'stopKeeping', leaseKey, force })))
    expect(worker.outstanding.awaited).toEqual([])
    worker.send({ type: 'leaseGone', leaseKey: first, outcome: 'finished' })
    expect(worker.asked).toEqual([])
    worker.send({ type: 'leaseGone', leaseKey: second, outcome: 'leaseLost' })
    expect(worker.state.phase).toBe('stopping')
    worker.send({ type: 'leaseGone', leaseKey: third, outcome: null })

    expect(worker.state).toMatchObject({ phase: 'stopped', failure: null })
  })

  it('that is overtaken by force passes the force on', () => {
    const worker = keepingAll()
    worker.send({ type: 'stop', force: false })

    worker.send({ type: 'stop', force: true })

    expect(worker.effects).toEqual([first, second, third].map((leaseKey) => ({ type: 'stopKeeping', leaseKey, force: true })))
  })

  it.each([false, true])('lets no lease go unreleased that is acquired too late, and releases it the same way (force: %s)', (force) => {
    const worker = untilRunning(leasesOf(tiledShards(30)))
    worker.send({ type: 'stop', force })
    const calls = worker.outstanding.awaited
    expect(calls).toHaveLength(20)

    worker.send({ type: 'leaseAcquired', id: calls[0]?.id ?? 0, lease: aLease({ leaseKey: first }), token: 1, nowMs: 0 })
    expect(worker.effects).toMatchObject([{ type: 'keepLease' }, { type: 'stopKeeping', leaseKey: first, force }])
    for (const { id } of calls.slice(1)) worker.send({ type: 'leaseRefused', id })
    expect(worker.state.phase).toBe('stopping')
    worker.send({ type: 'leaseGone', leaseKey: first, outcome: 'stopped' })

    expect(worker.state.phase).toBe('stopped')
  })

  it('that was forced stays so when a failure comes after it', () => {
    const worker = untilRunning(leasesOf(shards))
    const calls = worker.outstanding.awaited.filter(({ type }) => type === 'acquireLease')
    worker.send({ type: 'leaseAcquired', id: calls[0]?.id ?? 0, lease: aLease({ leaseKey: first }), token: 1, nowMs: 0 })
    worker.send({ type: 'stop', force: true })

    worker.send({ ...aFailure('AccessDeniedException'), id: calls[1]?.id ?? 0 })
    worker.send({ type: 'leaseAcquired', id: calls[2]?.id ?? 0, lease: aLease({ leaseKey: third }), token: 1, nowMs: 0 })

    expect(worker.effects).toContainEqual({ type: 'stopKeeping', leaseKey: third, force: true })
  })

  const beforeRunning: Readonly<Record<string, () => LedWorker>> = {
    'while it ensures the table': () => aLedWorker(),
    'while it waits for the table': () => {
      const worker = aLedWorker()
      worker.answer('ensureTable', { type: 'tablePending' })
      return worker
    },
    'while it lists the leases': () => {
      const worker = aLedWorker()
      worker.answer('ensureTable', { type: 'tableReady' })
      return worker
    },
    'while it lists the shards': () => {
      const worker = aLedWorker()
      worker.answer('ensureTable', { type: 'tableReady' })
      worker.answer('listLeases', listed([]))
      return worker
    },
  }

  it.each(Object.keys(beforeRunning))('of a coordinator %s ends it at once', (when) => {
    const worker = beforeRunning[when]?.() ?? aLedWorker()

    worker.send({ type: 'stop', force: false })

    expect(worker.asked).toEqual(['cancel'])
    expect(worker.state).toMatchObject({ phase: 'stopped', failure: null })
    expect(worker.outstanding.awaited).toEqual([])
    const stopped = worker.state
    worker.send({ type: 'stop', force: true })
    expect(worker.state).toBe(stopped)
  })

  it('while leases are created waits for the creations that are out, and begins no other', () => {
    const worker = beforeRunning['while it lists the shards']?.() ?? aLedWorker()
    worker.answer('listShards', shardsListed(tiledShards(30)))

    worker.send({ type: 'stop', force: false })
    expect(worker.state.phase).toBe('stopping')
    worker.settleCalls()

    expect(worker.outstanding.awaited).toEqual([])
    expect(worker.state.phase).toBe('stopped')
  })
})

describe('a coordinator whose worker id another process uses', () => {
  it('gives its other leases up and fails with an error that says so', () => {
    const worker = keepingAll()

    worker.send({ type: 'leaseGone', leaseKey: first, outcome: 'leaseLost', workerIdShared: true })

    expect(worker.state).toMatchObject({
      phase: 'stopping',
      failure: { name: 'WorkerIdShared', message: expect.stringContaining('workerId: ') },
    })
    expect(worker.effects).toContainEqual({ type: 'stopKeeping', leaseKey: second, force: false })
  })

  it('does not fail while it is stopping anyway', () => {
    const worker = keepingAll()
    worker.send({ type: 'stop', force: false })

    worker.send({ type: 'leaseGone', leaseKey: first, outcome: 'leaseLost', workerIdShared: true })

    expect(worker.state.failure).toBeNull()
  })
})
