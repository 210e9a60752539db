import type { LeaseStore, LeaseTable } from '@shardwise/effects'
import { createMemoryLeaseTable } from '@shardwise/memory'
import type { LeaseTableFixture } from '@shardwise/testing'
import { neverAborted } from '../adapters/handlerContext.ts'

type Store = LeaseStore & LeaseTable
const id = 1
const context = neverAborted

/** A lease table in memory with some handlers of every worker replaced. */
export function brokenLeaseTable(breakIt: (whole: Store) => Partial<Store>): () => Promise<LeaseTableFixture> {
  return async () => {
    const table = createMemoryLeaseTable()
    return {
      worker() {
        const whole = table.store()
        return { ...whole, ...breakIt(whole) }
      },
      close: async () => {},
    }
  }
}

/** Lease tables that break one promise each, and a case that must notice. */
export const brokenLeaseTables: readonly {
  readonly fault: string
  readonly noticedBy: string
  readonly breakIt: (whole: Store) => Partial<Store>
}[] = [
  {
    fault: 'takes every write for a renewal',
    noticedBy: 'renews a lease that no write has renewed since, and changes nothing else where a checkpoint has',
    breakIt: (whole) => ({ renewLease: (effect) => whole.renewLease({ ...effect, freshSinceMs: 0 }, context) }),
  },
  {
    fault: 'takes a lease back from another process that has its id',
    noticedBy: 'refuses a worker whose lease another process has taken under the same id',
    breakIt: (whole) => {
      let workerId = ''
      return {
        acquireLease(effect) {
          ;({ workerId } = effect)
          return whole.acquireLease(effect, context)
        },
        async writeCheckpoint(effect) {
          const answer = await whole.writeCheckpoint(effect, context)
          const listed = await whole.listLeases({ type: 'listLeases', id }, context)
          const row = listed.type === 'leasesListed' ? listed.leases.find(({ leaseKey }) => leaseKey === effect.leaseKey) : undefined
          if (answer.type !== 'checkpointRefused' || row?.leaseOwner !== workerId) return answer
          const { leaseKey, leaseOwner, leaseCounter } = row
          const taken = await whole.acquireLease({ type: 'acquireLease', id, leaseKey, leaseOwner, leaseCounter, workerId }, context)
          return taken.type === 'leaseAcquired' ? whole.writeCheckpoint({ ...effect, token: taken.token }, context) : answer
        },
      }
    },
  },
  {
    fault: 'takes a lease whatever counter is named',
    noticedBy: 'refuses a lease to a worker that names an older counter',
    breakIt: (whole) => ({
      async acquireLease(effect) {
        const listed = await whole.listLeases({ type: 'listLeases', id }, context)
        const row = listed.type === 'leasesListed' ? listed.leases.find(({ leaseKey }) => leaseKey === effect.leaseKey) : undefined
        return whole.acquireLease({ ...effect, leaseCounter: row?.leaseCounter ?? 0 }, context)
      },
    }),
  },
  {
    fault: 'gives a lease to a worker that was refused it',
    noticedBy: 'lets exactly one of two workers take a lease at the same counter',
    breakIt: (whole) => ({
      async acquireLease(effect) {
        const answer = await whole.acquireLease(effect, context)
        const listed = await whole.listLeases({ type: 'listLeases', id }, context)
        const row = listed.type === 'leasesListed' ? listed.leases.find(({ leaseKey }) => leaseKey === effect.leaseKey) : undefined
        return row === undefined ? answer : { type: 'leaseAcquired', lease: row, token: row.leaseCounter, nowMs: 0 }
      },
    }),
  },
  {
    fault: 'writes under the newest token whatever token is named',
    noticedBy: 'refuses the token of an earlier acquisition once the lease was lost and taken again',
    breakIt: (whole) => {
      const tokens = new Map<string, number>()
      return {
        async acquireLease(effect) {
          const answer = await whole.acquireLease(effect, context)
          if (answer.type === 'leaseAcquired') tokens.set(effect.leaseKey, answer.token)
          return answer
        },
        writeCheckpoint: (effect) => whole.writeCheckpoint({ ...effect, token: tokens.get(effect.leaseKey) ?? effect.token }, context),
      }
    },
  },
  {
    fault: 'says that a refused checkpoint was written',
    noticedBy: 'refuses the checkpoint of a worker that lost the lease',
    breakIt: (whole) => ({
      async writeCheckpoint(effect) {
        await whole.writeCheckpoint(effect, context)
        return { type: 'checkpointWritten' }
      },
    }),
  },
  {
    fault: 'replaces a lease that exists',
    noticedBy: 'does not create a lease twice: the row that stands stays as it is',
    breakIt: (whole) => ({
      async createLease(effect) {
        await whole.deleteLease({ type: 'deleteLease', id, leaseKey: effect.lease.leaseKey }, context)
        return whole.createLease(effect, context)
      },
    }),
  },
  {
    fault: 'loses sub-sequence numbers',
    noticedBy: 'keeps every digit of a sequence number and its sub-sequence number',
    breakIt: (whole) => ({
      writeCheckpoint: (effect) =>
        whole.writeCheckpoint({ ...effect, checkpoint: { ...effect.checkpoint, subSequenceNumber: 0 } }, context),
    }),
  },
  {
    fault: 'keeps sequence numbers as floats',
    noticedBy: 'keeps every digit of a sequence number and its sub-sequence number',
    breakIt: (whole) => ({
      writeCheckpoint(effect) {
        const { sequenceNumber, subSequenceNumber } = effect.checkpoint
        const rounded = /^[0-9]+$/.test(sequenceNumber) ? String(BigInt(Number(sequenceNumber))) : sequenceNumber
        return whole.writeCheckpoint({ ...effect, checkpoint: { sequenceNumber: rounded, subSequenceNumber } }, context)
      },
    }),
  },
  {
    fault: 'lists one page',
    noticedBy: 'lists 60 leases, each once',
    breakIt: (whole) => ({
      async listLeases(effect) {
        const answer = await whole.listLeases(effect, context)
        return answer.type === 'leasesListed' ? { ...answer, leases: answer.leases.slice(0, 50) } : answer
      },
    }),
  },
  {
    fault: 'looks at the first parent only',
    noticedBy: 'names the parent that is still running when the other one has ended',
    breakIt: (whole) => ({
      checkParentShards: (effect) => whole.checkParentShards({ ...effect, parentShardIds: effect.parentShardIds.slice(0, 1) }, context),
    }),
  },
  {
    fault: 'waits for parents that have no row',
    noticedBy: 'takes a parent without a row for completed',
    breakIt: (whole) => ({
      async checkParentShards(effect) {
        const [pendingShardId] = effect.parentShardIds
        return pendingShardId === undefined ? whole.checkParentShards(effect, context) : { type: 'parentShardsPending', pendingShardId }
      },
    }),
  },
  {
    fault: 'creates child leases at LATEST',
    noticedBy: 'creates the leases of both halves of a split at TRIM_HORIZON, and notes them in the parent’s row',
    breakIt: (whole) => ({
      async createChildLeases(effect) {
        for (const { shardId, parentShardIds, hashKeyRange } of effect.childShards) {
          const checkpoint = { sequenceNumber: 'LATEST', subSequenceNumber: 0 }
          await whole.createLease(
            { type: 'createLease', id, lease: { leaseKey: shardId, checkpoint, parentShardIds, hashKeyRange } },
            context,
          )
        }
        return whole.createChildLeases(effect, context)
      },
    }),
  },
  {
    fault: 'creates the child of a merge without its other parent',
    noticedBy: 'creates nothing for a merge whose other parent has no row',
    breakIt: (whole) => ({
      createChildLeases: (effect) =>
        whole.createChildLeases(
          { ...effect, childShards: effect.childShards.map((child) => ({ ...child, parentShardIds: [effect.shardId] })) },
          context,
        ),
    }),
  },
  {
    fault: 'forgets the lease when it creates children',
    noticedBy: 'does not fence the parent’s holder by creating children: the end of the shard can be stored next',
    breakIt: (whole) => ({
      async createChildLeases(effect) {
        const answer = await whole.createChildLeases(effect, context)
        await whole.releaseLease({ type: 'releaseLease', id, leaseKey: effect.leaseKey, token: effect.token, nextOwner: null }, context)
        return answer
      },
    }),
  },
  {
    fault: 'hands a lease over at once when it is asked for',
    noticedBy: 'tells the owner at its renewals who asked, and lets it checkpoint until it releases',
    breakIt: (whole) => ({
      async requestHandoff(effect) {
        const listed = await whole.listLeases({ type: 'listLeases', id }, context)
        const row = listed.type === 'leasesListed' ? listed.leases.find(({ leaseKey }) => leaseKey === effect.leaseKey) : undefined
        await whole.acquireLease({ ...effect, type: 'acquireLease', leaseCounter: row?.leaseCounter ?? 0 }, context)
        return { type: 'handoffRequested' }
      },
    }),
  },
  {
    fault: 'does not tell the owner that it was asked to hand its lease over',
    noticedBy: 'tells the owner at its renewals who asked, and lets it checkpoint until it releases',
    breakIt: (whole) => ({
      async renewLease(effect) {
        const answer = await whole.renewLease(effect, context)
        return answer.type === 'leaseRenewed' ? { ...answer, nextOwner: null } : answer
      },
    }),
  },
  {
    fault: 'releases a lease to everybody that was asked for by one',
    noticedBy: 'gives a lease that is released to the next owner to nobody else, and counts no switch',
    breakIt: (whole) => ({ releaseLease: (effect) => whole.releaseLease({ ...effect, nextOwner: null }, context) }),
  },
  {
    fault: 'says that a hand-off was asked for whatever stands in the row',
    noticedBy: 'refuses a second worker that asks for the same lease',
    breakIt: (whole) => ({
      async requestHandoff(effect) {
        await whole.requestHandoff(effect, context)
        return { type: 'handoffRequested' }
      },
    }),
  },
  {
    fault: 'writes a heartbeat whatever counter is named',
    noticedBy: 'refuses a beat on another counter than the one that stands, and tells it',
    breakIt: (whole) => ({
      async writeHeartbeat(effect) {
        const answer = await whole.writeHeartbeat(effect, context)
        return answer.type === 'heartbeatRefused' ? whole.writeHeartbeat({ ...effect, counter: answer.counter }, context) : answer
      },
    }),
  },
  {
    fault: 'deletes a heartbeat whatever counter is named',
    noticedBy: 'deletes a heartbeat that has the counter which is named, also twice, and no other',
    breakIt: (whole) => ({
      async deleteHeartbeat(effect) {
        const answer = await whole.deleteHeartbeat(effect, context)
        if (answer.type === 'heartbeatRefused' && answer.counter !== null) {
          return whole.deleteHeartbeat({ ...effect, counter: answer.counter }, context)
        }
        return answer
      },
    }),
  },
  {
    fault: 'lists no heartbeats',
    noticedBy: 'lists the heartbeats of workers beside the leases, and none as a lease',
    breakIt: (whole) => ({
      async listLeases(effect) {
        const answer = await whole.listLeases(effect, context)
        return answer.type === 'leasesListed' ? { type: 'leasesListed', leases: answer.leases, nowMs: answer.nowMs } : answer
      },
    }),
  },
  {
    fault: 'leaves the owner in a released row',
    noticedBy: 'gives a released lease to the next worker at once, without counting a switch',
    breakIt: (whole) => ({
      async releaseLease(effect) {
        const answer = await whole.renewLease({ ...effect, type: 'renewLease', freshSinceMs: Number.MAX_SAFE_INTEGER }, context)
        return { type: answer.type === 'leaseRenewed' ? 'leaseReleased' : 'leaseRefused' }
      },
    }),
  },
  {
    fault: 'takes checkpoints in any order',
    noticedBy: 'carries out the writes of one lease in the order they were asked for',
    breakIt: (whole) => ({
      async writeCheckpoint(effect) {
        if (effect.checkpoint.sequenceNumber === '3') await new Promise(setImmediate)
        return whole.writeCheckpoint(effect, context)
      },
    }),
  },
]
