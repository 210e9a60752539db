import type { Lease } from '@shardwise/effects'
import { describe, expect, it } from 'vitest'
import { atItsFirstBeat, beat, failoverTimeMillis, free, keeping, list, mine, seen, told, written } from './beatingWorker.ts'
import { idOf } from './shardGraphs.ts'

/** What a worker that keeps two leases since 0 is told of the first, when a listing shows its row like this. */
function toldOf(row: Partial<Lease>): readonly object[] {
  const worker = keeping()
  list(worker, [...mine({ leaseCounter: 3, ...row }).slice(0, 1), ...mine().slice(1)], 5_000, [{ workerId: 'other', counter: 1 }])
  return told(worker)
}

describe('what a listing shows of a lease that a worker with a heartbeat keeps', () => {
  const lost = [{ type: 'loseLease', leaseKey: idOf(0) }]
  const handedOver = [{ type: 'handOverLease', leaseKey: idOf(0), nextOwner: 'other' }]

  it.each([
    ['it is its own', { leaseOwner: 'me', checkpointOwner: null }, []],
    ['another has it', { leaseOwner: 'other', checkpointOwner: null }, lost],
    ['nobody has it', { leaseOwner: null, checkpointOwner: null }, lost],
    ['another asks for it', { leaseOwner: 'other', checkpointOwner: 'me' }, handedOver],
    ['it asked itself, as a process before this one', { leaseOwner: 'me', checkpointOwner: 'me' }, []],
    ['a hand-off was under way, and whoever asked is gone', { leaseOwner: null, checkpointOwner: 'me' }, []],
    ['it is being handed over between others', { leaseOwner: 'third', checkpointOwner: 'other' }, lost],
    ['it was asked for while another had it', { leaseOwner: 'me', checkpointOwner: 'other' }, lost],
  ])('when %s', (_, row, expected) => {
    expect(toldOf(row)).toEqual(expected)
  })

  it('counts the failover time from the acquisition on, however late that was', () => {
    const worker = atItsFirstBeat()
    worker.answer('writeHeartbeat', written(1, 0))
    beat(worker, 1)
    worker.answer('listLeases', seen(free, 1, [{ workerId: 'me', counter: 1 }]))
    for (const effect of worker.outstanding.awaited) {
      const lease = mine().find(({ leaseKey }) => effect.type === 'acquireLease' && leaseKey === effect.leaseKey)
      if (lease !== undefined) worker.send({ type: 'leaseAcquired', id: effect.id, lease, token: 1, nowMs: 1_000 })
    }

    list(worker, [], 1_000 + failoverTimeMillis)
    expect(told(worker)).toEqual([])

    list(worker, [], 1_001 + failoverTimeMillis)
    expect(told(worker)).toHaveLength(2)
  })
})
