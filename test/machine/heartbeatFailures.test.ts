import type { Lease } from '@shardwise/effects'
import { describe, expect, it } from 'vitest'
import { atItsFirstBeat, beat, failoverTimeMillis, intervalMs, keeping, seen, told, written } from './beatingWorker.ts'
import { type LedWorker, leasesOf, tiledShards } from './ledWorker.ts'
import { aFailure } from './outstandingEffects.ts'
import { idOf } from './shardGraphs.ts'

const throttled = { type: 'throttled' } as const
const refused = (counter: number | null) => ({ type: 'heartbeatRefused', counter }) as const

/** The heartbeat's timer, or the one that fires at its deadline, cannot be kept. */
function failTimer(worker: LedWorker, which: 'awaited' | 'deadline'): void {
  worker.send({ ...aFailure(), id: worker.state.heartbeat?.[which]?.id ?? 0 })
}

/** Both leases of a worker are given up. */
function giveUpAll(worker: LedWorker): void {
  for (const leaseKey of [idOf(0), idOf(1)]) worker.send({ type: 'leaseGone', leaseKey, outcome: 'leaseLost' })
}

describe('a heartbeat that fails', () => {
  it('is tried again with a backoff that grows up to the interval, and is short again once one was written', () => {
    const worker = keeping()
    const delays = [0, 1, 2, 3, 4].map((n) => {
      beat(worker, intervalMs + n)
      worker.answer('writeHeartbeat', n % 2 === 0 ? throttled : aFailure())
      const timer = worker.effects.find((effect) => effect.type === 'startTimer')
      return timer?.delayMs ?? 0
    })
    const most = [750, 1_500, 3_000, 3_000, 3_000]

    expect(delays.filter((delayMs, n) => delayMs < (most[n] ?? 0) / 2 || delayMs > (most[n] ?? 0))).toEqual([])
    beat(worker, intervalMs + 5)
    worker.answer('writeHeartbeat', written(2, intervalMs + 5))
    beat(worker, 2 * intervalMs + 5)
    worker.answer('writeHeartbeat', throttled)
    expect(worker.effects).toMatchObject([{ type: 'startTimer', delayMs: delays[0] }])
  })

  it('ends the worker where no repetition mends it', () => {
    const worker = keeping()
    beat(worker, intervalMs)
    worker.answer('writeHeartbeat', aFailure('AccessDeniedException'))

    expect(worker.state).toMatchObject({ phase: 'stopping', failure: { name: 'AccessDeniedException' } })
    expect(worker.asked.filter((type) => type === 'stopKeeping')).toHaveLength(2)
  })

  it('does not end the worker otherwise', () => {
    const worker = keeping()
    beat(worker, intervalMs)
    worker.answer('writeHeartbeat', aFailure())

    expect(worker.state).toMatchObject({ phase: 'running', failure: null })
    expect(worker.asked).toEqual(['startTimer'])
  })

  it('has one deadline, however often it is tried', () => {
    const worker = keeping()
    beat(worker, intervalMs)
    worker.answer('writeHeartbeat', throttled)
    beat(worker, intervalMs + 500)

    expect(worker.asked).toEqual(['writeHeartbeat'])
  })

  it('has its leases given up once, however often it is tried after that', () => {
    const worker = keeping()
    beat(worker, failoverTimeMillis + 1)
    expect(told(worker)).toHaveLength(2)
    worker.answer('writeHeartbeat', throttled)
    beat(worker, failoverTimeMillis + 500)

    expect(worker.asked).toEqual(['writeHeartbeat'])
    worker.answer('writeHeartbeat', refused(null))
    expect(worker.asked).toEqual(['startTimer'])
  })

  it.each<[string, readonly Lease[], string]>([
    ['taking', leasesOf(tiledShards(30)), 'acquireLease'],
    ['asking for', leasesOf(tiledShards(60), { leaseOwner: 'other' }), 'requestHandoff'],
  ])('past its deadline keeps the worker from %s more leases, and not from what it does for others', (_what, leases, type) => {
    const dead = [1, 2, 3].map((n) => ({ workerId: `dead-${n}`, counter: 1 }))
    const worker = atItsFirstBeat(leases, [...dead, { workerId: 'other', counter: 1 }], { maxLeasesToStealAtOneTime: 30 })
    worker.answer('writeHeartbeat', written(1, 20_000))
    beat(worker, 20_001)
    worker.answer('listLeases', seen(leases, 20_001, [...dead, { workerId: 'other', counter: 2 }]))
    expect(worker.asked.filter((each) => each === type)).toHaveLength(20)
    beat(worker, 20_001 + failoverTimeMillis)
    const asked: string[] = []
    for (const { type: out, id } of worker.outstanding.awaited) {
      if (out !== type) continue
      worker.send({ type: type === 'acquireLease' ? 'leaseRefused' : 'handoffRefused', id })
      asked.push(...worker.asked)
    }

    expect(asked).toEqual(['deleteHeartbeat', 'deleteHeartbeat', 'deleteHeartbeat'])
  })
})

describe('a heartbeat that cannot be written', () => {
  it('is tried again for as long as it may come in time', () => {
    const worker = keeping()
    for (let failures = 0; failures < 8; failures++) {
      beat(worker, intervalMs + failures)
      worker.answer('writeHeartbeat', aFailure())
    }

    expect(worker.asked).toEqual(['startTimer'])
    expect(worker.state).toMatchObject({ phase: 'running', failure: null })
  })
})

describe('a timer of the heartbeat that fails', () => {
  it('is started again, and the heartbeat is written at once then', () => {
    const worker = keeping()
    failTimer(worker, 'awaited')
    expect(worker.asked).toEqual(['startTimer'])
    beat(worker, 500)

    expect(worker.effects[0]).toMatchObject({ type: 'writeHeartbeat', counter: 1 })
  })

  it('again and again ends the worker: it loses its leases, and takes its heartbeat away', () => {
    const worker = keeping()
    for (let failures = 1; failures < 5; failures++) {
      failTimer(worker, 'awaited')
      expect(worker.asked).toEqual(['startTimer'])
    }
    failTimer(worker, 'awaited')

    expect(worker.asked).toEqual(expect.arrayContaining(['stopKeeping', 'loseLease']))
    expect(worker.asked).not.toContain('startTimer')
    expect(worker.state).toMatchObject({
      phase: 'stopping',
      failure: { name: 'TimeoutError' },
      heartbeat: { writtenMs: null, awaited: null },
    })
  })

  it("leaves no doubt whether a heartbeat was written: one that stands is another's", () => {
    const worker = keeping()
    failTimer(worker, 'awaited')
    beat(worker, 500)
    worker.answer('writeHeartbeat', refused(2))

    expect(worker.state.failure?.name).toBe('WorkerIdShared')
  })

  it('at the deadline ends nothing: the next try has a deadline of its own', () => {
    const worker = keeping()
    beat(worker, intervalMs)
    failTimer(worker, 'deadline')
    expect(worker.asked).toEqual([])
    worker.answer('writeHeartbeat', throttled)
    beat(worker, intervalMs + 700)

    expect(worker.effects).toMatchObject([
      { type: 'writeHeartbeat' },
      { type: 'startTimer', delayMs: failoverTimeMillis - intervalMs - 700 },
    ])
  })
})

describe('a heartbeat of which is not known whether it was written', () => {
  /** A worker that sent a heartbeat at its interval and heard of a failure. */
  function inDoubt(): LedWorker {
    const worker = keeping()
    beat(worker, intervalMs)
    worker.answer('writeHeartbeat', aFailure())
    return worker
  }

  it('is taken for written when its counter stands, as of when it was first sent', () => {
    const worker = inDoubt()
    beat(worker, intervalMs + 700)
    worker.answer('writeHeartbeat', aFailure())
    beat(worker, intervalMs + 1_400)
    worker.answer('writeHeartbeat', refused(2))
    beat(worker, intervalMs + 1_500)
    expect(worker.effects).toMatchObject([{ type: 'startTimer', delayMs: intervalMs - 1_500 }])
    beat(worker, 2 * intervalMs + 100)

    expect(worker.effects).toMatchObject([
      { type: 'writeHeartbeat', counter: 2 },
      { type: 'startTimer', delayMs: failoverTimeMillis - intervalMs - 100 },
    ])
  })

  it("is another's when another counter stands", () => {
    const worker = inDoubt()
    beat(worker, intervalMs + 700)
    worker.answer('writeHeartbeat', refused(3))

    expect(worker.state.failure?.name).toBe('WorkerIdShared')
  })

  it('is the first one when a first counter stands, and counts from when it was sent', () => {
    const worker = atItsFirstBeat()
    worker.answer('writeHeartbeat', aFailure())
    beat(worker, 700)
    worker.answer('writeHeartbeat', refused(1))
    expect(worker.effects).toMatchObject([{ type: 'startTimer', delayMs: 1 }])
    beat(worker, 700.5)

    expect(worker.effects).toMatchObject([{ type: 'startTimer', delayMs: intervalMs - 700 }, { type: 'cancel' }, { type: 'listLeases' }])
  })

  it('is not the first one when another counter stands, and then there is no doubt any more', () => {
    const worker = atItsFirstBeat()
    worker.answer('writeHeartbeat', aFailure())
    for (const [nowMs, standing] of [
      [700, 7],
      [1_400, 8],
    ] as const) {
      beat(worker, nowMs)
      worker.answer('writeHeartbeat', refused(standing))
    }
    beat(worker, 3_500)

    expect(worker.effects).toMatchObject([{ type: 'writeHeartbeat', counter: 8 }])
  })
})

describe('a heartbeat that another process writes, too,', () => {
  it('ends the worker, which leaves the other alone', () => {
    const worker = keeping()
    beat(worker, intervalMs)
    worker.answer('writeHeartbeat', refused(2))
    expect(worker.state.failure).toMatchObject({ name: 'WorkerIdShared', message: expect.stringContaining('workerId: ') })
    expect(worker.asked.filter((type) => type === 'stopKeeping')).toHaveLength(2)
    worker.send({ ...throttled, id: 9_999 })
    expect(worker.effects).toEqual([])
    giveUpAll(worker)
    expect(worker.effects).toMatchObject([{ type: 'cancel' }, { type: 'deleteHeartbeat', counter: 1 }])
    worker.answer('deleteHeartbeat', refused(2))

    expect(worker.state.phase).toBe('stopped')
    expect(worker.outstanding.awaited).toEqual([])
  })
})

describe('the end of a heartbeat', () => {
  /** A worker that deletes its heartbeat, counter 1, knowing or not whether that is the one that stands. */
  function deleting(isInDoubt: boolean): LedWorker {
    const worker = keeping()
    beat(worker, intervalMs)
    worker.answer('writeHeartbeat', isInDoubt ? aFailure() : throttled)
    worker.send({ type: 'stop', force: true })
    giveUpAll(worker)
    expect(worker.effects.at(-1)).toMatchObject({ type: 'deleteHeartbeat', workerId: 'me', counter: 1 })
    return worker
  }

  it('is tried once more where the last one was written after all', () => {
    const worker = deleting(true)
    worker.answer('deleteHeartbeat', refused(2))
    expect(worker.effects).toMatchObject([{ type: 'deleteHeartbeat', counter: 2 }])
    worker.answer('deleteHeartbeat', refused(3))

    expect(worker.state.phase).toBe('stopped')
  })

  it.each([
    ['throttled', true, throttled],
    ['refused for a counter that is not its own', true, refused(3)],
    ['refused for there is none', true, refused(null)],
    ['refused, in no doubt which counter is its own', false, refused(2)],
    ['failed', true, aFailure()],
  ] as const)('is left to others when it is %s', (_how, isInDoubt, answer) => {
    const worker = deleting(isInDoubt)
    worker.answer('deleteHeartbeat', answer)

    expect(worker.effects).toEqual([])
    expect(worker.state.phase).toBe('stopped')
  })

  it('is there at once where none was written', () => {
    const worker = atItsFirstBeat()
    worker.answer('writeHeartbeat', throttled)
    worker.send({ type: 'stop', force: false })

    expect(worker.asked).toEqual(['cancel', 'cancel'])
    expect(worker.state.phase).toBe('stopped')
    expect(worker.outstanding.awaited).toEqual([])
  })

  it('is the deletion of a first one of which is not known whether it was written', () => {
    const worker = atItsFirstBeat()
    worker.answer('writeHeartbeat', aFailure())
    worker.send({ type: 'stop', force: false })

    expect(worker.effects.at(-1)).toMatchObject({ type: 'deleteHeartbeat', counter: 1 })
  })

  it('is not delayed by a heartbeat that goes on while the worker stops: the leases are not listed again', () => {
    const worker = keeping()
    beat(worker, failoverTimeMillis + 1)
    worker.send({ type: 'stop', force: false })
    worker.answer('writeHeartbeat', written(2, failoverTimeMillis + 1))
    beat(worker, failoverTimeMillis + 2)

    expect(worker.asked).toEqual(['startTimer'])
    giveUpAll(worker)
    expect(worker.effects.at(-1)).toMatchObject({ type: 'deleteHeartbeat', counter: 2 })
  })

  it('cancels nothing that is not out', () => {
    const worker = keeping()
    beat(worker, intervalMs)
    worker.send({ type: 'timerFired', id: worker.state.heartbeat?.deadline?.id ?? 0, nowMs: failoverTimeMillis })
    worker.answer('writeHeartbeat', written(2, failoverTimeMillis))
    worker.send({ type: 'stop', force: false })
    giveUpAll(worker)

    expect(worker.outstanding.idleCancels).toEqual([])
  })
})
