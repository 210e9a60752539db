import type { Lease } from '@shardwise/effects'
import { describe, expect, it } from 'vitest'
import { unmet } from '../../src/testing/fleet/endChecks.ts'
import type { Fleet } from '../../src/testing/fleet/fleet.ts'

const aLease = (leaseKey: string, checkpoint: string, parentShardIds: string[], childShardIds: string[]): Lease => ({
  leaseKey,
  leaseOwner: checkpoint === 'SHARD_END' ? null : 'worker-1',
  leaseCounter: 1,
  checkpoint: { sequenceNumber: checkpoint, subSequenceNumber: 0 },
  pendingCheckpoint: null,
  ownerSwitchesSinceCheckpoint: 0,
  parentShardIds,
  childShardIds,
  hashKeyRange: { startingHashKey: '0', endingHashKey: '1' },
  checkpointOwner: null,
})

/** A fleet of one worker that keeps every unfinished lease, and has been at rest for long. */
function restingWith(rows: readonly Lease[]): Fleet {
  const kept = rows.filter(({ leaseOwner }) => leaseOwner !== null).map(({ leaseKey }) => leaseKey)
  return {
    workers: [{ workerId: 'worker-1', stopping: false, kept }],
    setting: { lease: { maxLeasesForWorker: 9, maxLeasesToStealAtOneTime: 1 } },
    ledger: { undelivered: () => [], lastTakenMs: 0 },
    stream: { listShards: () => [] },
    around: {
      time: { nowMs: 600_000 },
      table: { rows: () => rows, row: (key: string) => rows.find(({ leaseKey }) => leaseKey === key), heartbeats: () => [] },
    },
  } as unknown as Fleet
}

describe('a fleet at rest', () => {
  const parent = aLease('parent', 'SHARD_END', [], ['idle', 'finished'])
  const idle = aLease('idle', 'TRIM_HORIZON', ['parent'], [])
  const finished = aLease('finished', 'SHARD_END', ['parent'], ['running'])
  const running = aLease('running', '7', ['finished'], [])

  it('has no lease of a finished shard whose children run', () => {
    expect(unmet(restingWith([finished, running]))).toMatchObject([{ rule: 'L5', leaseKey: 'finished' }])
  })

  it('may have one whose parent waits for another child to be read', () => {
    expect(unmet(restingWith([parent, idle, finished, running]))).toEqual([])
  })
})
