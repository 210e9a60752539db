import type { ChildShard, ExtendedSequenceNumber, Heartbeat, Lease, LeaseStore, LeaseTable, NewLease } from '@shardwise/effects'
import { ownContext } from './handlerContext.ts'

const id = 1
const maxTableChecks = 1000
const wholeRange = { startingHashKey: '0', endingHashKey: '340282366920938463463374607431768211455' }

/** A worker's calls on the lease table, without the ceremony of effects. Shards and leases have the same names here. */
export interface LeaseWorker extends Awaited<ReturnType<typeof leaseWorker>> {}

/** Waits until the table can be used, and answers with the calls of one worker. */
export async function leaseWorker(workerId: string, handlers: LeaseStore & LeaseTable) {
  for (let checks = 1; ; checks += 1) {
    const answer = await handlers.ensureTable({ type: 'ensureTable', id }, ownContext())
    if (answer.type === 'tableReady') break
    if (answer.type === 'tableRefused') throw new Error(`ensureTable: ${answer.error.message}`)
    if (checks === maxTableChecks) throw new Error(`ensureTable: still pending after ${maxTableChecks} looks`)
  }

  const list = async (): Promise<{ readonly leases: readonly Lease[]; readonly nowMs: number }> => {
    const answer = await handlers.listLeases({ type: 'listLeases', id }, ownContext())
    if (answer.type !== 'leasesListed') throw new Error(`listLeases: expected leasesListed, got ${answer.type}`)
    return { leases: answer.leases.map(inOrder).sort((a, b) => (a.leaseKey < b.leaseKey ? -1 : 1)), nowMs: answer.nowMs }
  }
  const heartbeats = async (): Promise<readonly Heartbeat[]> => {
    const answer = await handlers.listLeases({ type: 'listLeases', id }, ownContext())
    if (answer.type !== 'leasesListed') throw new Error(`listLeases: expected leasesListed, got ${answer.type}`)
    return [...(answer.heartbeats ?? [])].sort((a, b) => (a.workerId < b.workerId ? -1 : 1))
  }
  const row = async (leaseKey: string): Promise<Lease | undefined> => (await list()).leases.find((lease) => lease.leaseKey === leaseKey)
  const acquire = async (leaseKey: string, leaseCounter: number) => {
    const leaseOwner = (await row(leaseKey))?.leaseOwner ?? null
    const answer = await handlers.acquireLease({ type: 'acquireLease', id, leaseKey, leaseCounter, leaseOwner, workerId }, ownContext())
    return answer.type === 'leaseAcquired' ? { ...answer, lease: inOrder(answer.lease) } : answer
  }

  return {
    list,
    row,
    acquire,
    create: async (leaseKey: string, lease: Partial<NewLease> = {}) =>
      handlers.createLease({ type: 'createLease', id, lease: aLease(leaseKey, lease) }, ownContext()),
    /** Takes the lease as it stands now and answers with the token. */
    async hold(leaseKey: string): Promise<number> {
      const answer = await acquire(leaseKey, (await row(leaseKey))?.leaseCounter ?? 0)
      if (answer.type !== 'leaseAcquired') throw new Error(`acquireLease of ${leaseKey}: expected leaseAcquired, got ${answer.type}`)
      return answer.token
    },
    renew: async (leaseKey: string, token: number, freshSinceMs = Number.MAX_SAFE_INTEGER) =>
      handlers.renewLease({ type: 'renewLease', id, leaseKey, token, freshSinceMs }, ownContext()),
    release: async (leaseKey: string, token: number, nextOwner: string | null = null) =>
      handlers.releaseLease({ type: 'releaseLease', id, leaseKey, token, nextOwner }, ownContext()),
    /** Asks `leaseOwner` to hand the lease over to this worker. */
    request: async (leaseKey: string, leaseOwner: string) =>
      handlers.requestHandoff({ type: 'requestHandoff', id, leaseKey, leaseOwner, workerId }, ownContext()),
    heartbeats,
    beat: async (counter: number | null) => handlers.writeHeartbeat({ type: 'writeHeartbeat', id, workerId, counter }, ownContext()),
    /** Deletes the heartbeat of a worker, its own unless said otherwise. */
    forget: async (counter: number, ofWorker = workerId) =>
      handlers.deleteHeartbeat({ type: 'deleteHeartbeat', id, workerId: ofWorker, counter }, ownContext()),
    remove: async (leaseKey: string) => handlers.deleteLease({ type: 'deleteLease', id, leaseKey }, ownContext()),
    read: async (leaseKey: string, token: number) =>
      handlers.readCheckpoint({ type: 'readCheckpoint', id, shardId: leaseKey, leaseKey, token }, ownContext()),
    checkpoint: async (leaseKey: string, token: number, checkpoint: ExtendedSequenceNumber) =>
      handlers.writeCheckpoint({ type: 'writeCheckpoint', id, shardId: leaseKey, leaseKey, token, checkpoint }, ownContext()),
    checkParents: async (shardId: string, parentShardIds: readonly string[]) =>
      handlers.checkParentShards({ type: 'checkParentShards', id, shardId, parentShardIds }, ownContext()),
    createChildren: async (leaseKey: string, token: number, childShards: readonly ChildShard[]) =>
      handlers.createChildLeases({ type: 'createChildLeases', id, shardId: leaseKey, leaseKey, token, childShards }, ownContext()),
  }
}

/** A lease to create: a shard without parents over the whole hash key space, at TRIM_HORIZON, unless said otherwise. */
export function aLease(leaseKey: string, lease: Partial<NewLease> = {}): NewLease {
  return { leaseKey, checkpoint: at('TRIM_HORIZON'), parentShardIds: [], hashKeyRange: wholeRange, ...lease }
}

/** The row that a lease must have right after its creation. */
export function freshRow(lease: NewLease): Lease {
  return {
    ...lease,
    leaseOwner: null,
    leaseCounter: 0,
    pendingCheckpoint: null,
    ownerSwitchesSinceCheckpoint: 0,
    childShardIds: [],
    checkpointOwner: null,
  }
}

/** A checkpoint. */
export function at(sequenceNumber: string, subSequenceNumber = 0): ExtendedSequenceNumber {
  return { sequenceNumber, subSequenceNumber }
}

/** Parents and children are sets in a lease table: their order means nothing. */
function inOrder(lease: Lease): Lease {
  return { ...lease, parentShardIds: [...lease.parentShardIds].sort(), childShardIds: [...lease.childShardIds].sort() }
}
