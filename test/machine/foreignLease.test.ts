import type { Lease, Shard } from '@shardwise/effects'
import { describe, expect, it } from 'vitest'
import { foreignLease } from '../../src/machine/foreignLease.ts'
import { aLease, at, idOf } from './shardGraphs.ts'

const shard: Shard = {
  shardId: idOf(4),
  parentShardIds: [],
  hashKeyRange: { startingHashKey: '10', endingHashKey: '20' },
  startingSequenceNumber: '40',
  closed: false,
}
const own = aLease({ leaseKey: idOf(4), hashKeyRange: shard.hashKeyRange })
const range = (startingHashKey: string, endingHashKey: string): Partial<Lease> => ({ hashKeyRange: { startingHashKey, endingHashKey } })

describe('a lease that shows that the table is of another stream', () => {
  it.each<[string, Partial<Lease>, string]>([
    ['begins at another hash key', range('11', '20'), 'has other hash keys by its lease than in the stream'],
    ['ends at another hash key', range('10', '21'), 'has other hash keys by its lease than in the stream'],
    ['is checkpointed before its shard begins', { checkpoint: at('39') }, 'is at 39 by its lease, and begins at 40 in the stream'],
    ['is finished, where its shard is open', { checkpoint: at('SHARD_END') }, 'is finished by its lease, and open in the stream'],
    ['is of a newer shard than all', { leaseKey: idOf(5) }, 'has a lease, and is newer than every shard of the stream'],
  ])('%s', (_how, facts, says) => {
    const lease = { ...own, ...facts }

    expect(foreignLease([own, lease], [shard])).toBe(`${lease.leaseKey} ${says}`)
  })
})

describe('a lease that shows nothing of the kind', () => {
  it.each<[string, Partial<Lease>, readonly Shard[]]>([
    ['is that of the shard', {}, [shard]],
    ['has its hash keys with leading zeros', range('0010', '020'), [shard]],
    ['has none, as old versions of the KCL wrote it', { hashKeyRange: null }, [shard]],
    ['is at the first record', { checkpoint: at('40') }, [shard]],
    ['is at its start, wherever the shard begins', { checkpoint: at('LATEST') }, [shard]],
    ['is finished, as its shard is', { checkpoint: at('SHARD_END') }, [{ ...shard, closed: true }]],
    ['is of an older shard that is not listed any more', { leaseKey: idOf(3) }, [shard]],
    ['is numbered as the newest shard is, with fewer zeros', { leaseKey: 'shardId-4' }, [shard]],
    ['has a key before the number', { leaseKey: `other:${idOf(5)}` }, [shard]],
    ['has a key after the number', { leaseKey: `${idOf(5)}:other` }, [shard]],
    ['has more digits than a number holds', { leaseKey: `shardId-${'9'.repeat(16)}` }, [shard]],
    ['is numbered, beside a shard that is not', { leaseKey: idOf(5) }, [shard, { ...shard, shardId: 'shard-of-a-stub' }]],
    ['is not numbered, where nothing is listed', { leaseKey: 'lease-of-a-stub' }, []],
  ])('%s', (_how, facts, shards) => {
    expect(foreignLease([{ ...own, ...facts }], shards)).toBeNull()
  })

  it('is none at all', () => {
    expect(foreignLease([], [shard])).toBeNull()
  })
})
