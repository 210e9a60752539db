import { createMemoryLeaseTable, type MemoryTableCalls } from '@shardwise/memory'
import { describe, expect, it } from 'vitest'
import { neverAborted as context } from './handlerContext.ts'

const id = 1
const shardId = 'shardId-000000000000'
const hashKeyRange = { startingHashKey: '0', endingHashKey: '1' }
const at = (sequenceNumber: string) => ({ sequenceNumber, subSequenceNumber: 0 })

/** How each of the next writes fares, in their order; those after them arrive. */
type Fate = 'arrives' | 'lost' | 'answerLost' | 'repeated' | 'late'

async function aWorkerWithALease(...fates: Fate[]) {
  const late: (() => boolean)[] = []
  let readable = true
  const failed = new Error('no answer came in time')
  const calls: MemoryTableCalls = {
    read(look) {
      if (!readable) throw failed
      return look()
    },
    write(apply) {
      const fate = fates.shift() ?? 'arrives'
      if (fate === 'arrives') return { applied: apply(), attempts: 1 }
      if (fate === 'repeated') {
        apply()
        return { applied: apply(), attempts: 2 }
      }
      if (fate === 'answerLost') apply()
      if (fate === 'late') late.push(apply)
      throw failed
    },
  }
  let nowMs = 0
  const table = createMemoryLeaseTable({ nowMs: () => nowMs })
  const lease = { leaseKey: shardId, checkpoint: at('TRIM_HORIZON'), parentShardIds: [], hashKeyRange }
  const store = table.store({ calls })
  fates.unshift('arrives', 'arrives')
  await store.createLease({ type: 'createLease', id, lease }, context)
  await store.acquireLease({ type: 'acquireLease', id, leaseKey: shardId, leaseCounter: 0, leaseOwner: null, workerId: 'alice' }, context)
  const named = { id, shardId, leaseKey: shardId, token: 1 }
  const call = async <T>(run: () => T | Promise<T>) => {
    nowMs += 1_000
    return await run()
  }
  return {
    row: () => table.row(shardId),
    renew: () => call(() => store.renewLease({ type: 'renewLease', ...named, freshSinceMs: Number.MAX_SAFE_INTEGER }, context)),
    checkpoint: (to: string) => call(() => store.writeCheckpoint({ type: 'writeCheckpoint', ...named, checkpoint: at(to) }, context)),
    release: () => call(() => store.releaseLease({ type: 'releaseLease', ...named, nextOwner: null }, context)),
    taken: () => {
      const { leaseCounter = 0, leaseOwner = null } = table.row(shardId) ?? {}
      const effect = { type: 'acquireLease', id, leaseKey: shardId, leaseCounter, leaseOwner, workerId: 'bob' } as const
      return table.store().acquireLease(effect, context)
    },
    arrive: () => late.splice(0).map((apply) => apply()),
    readable: (is: boolean) => {
      readable = is
    },
  }
}

describe('a lease table in memory behind a bad network', () => {
  it('counts a write whose answer was lost as written when the row shows it', async () => {
    const { renew, checkpoint, row } = await aWorkerWithALease('answerLost', 'answerLost')
    expect(await renew()).toEqual({ type: 'leaseRenewed', nowMs: 1_000, nextOwner: null })
    expect(await checkpoint('7')).toEqual({ type: 'checkpointWritten' })
    expect(row()).toMatchObject({ leaseCounter: 3, checkpoint: at('7') })
  })

  it('counts a write that was sent twice as written', async () => {
    const { checkpoint, renew, row } = await aWorkerWithALease('repeated', 'repeated')
    expect(await checkpoint('7')).toEqual({ type: 'checkpointWritten' })
    expect(await renew()).toMatchObject({ type: 'leaseRenewed' })
    expect(row()).toMatchObject({ leaseCounter: 3, leaseOwner: 'alice' })
  })

  it('fails a write that never arrived, and goes on with the next', async () => {
    const { renew, row } = await aWorkerWithALease('lost')
    await expect(renew()).rejects.toThrow('no answer came in time')
    expect(await renew()).toEqual({ type: 'leaseRenewed', nowMs: 2_000, nextOwner: null })
    expect(row()).toMatchObject({ leaseCounter: 2 })
  })

  it('keeps the lease when a write arrives after it had failed, with the time of that write', async () => {
    const { renew, arrive, row } = await aWorkerWithALease('late')
    await expect(renew()).rejects.toThrow('no answer came in time')
    expect(arrive()).toEqual([true])
    expect(await renew()).toEqual({ type: 'leaseRenewed', nowMs: 1_000, nextOwner: null })
    expect(await renew()).toEqual({ type: 'leaseRenewed', nowMs: 3_000, nextOwner: null })
    expect(row()).toMatchObject({ leaseCounter: 3, leaseOwner: 'alice' })
  })

  it('fails a checkpoint that an earlier write got before, and still holds the lease', async () => {
    const { renew, checkpoint, arrive, row } = await aWorkerWithALease('late')
    await expect(renew()).rejects.toThrow('no answer came in time')
    arrive()
    await expect(checkpoint('7')).rejects.toThrow('an earlier write was applied after it had failed')
    expect(await checkpoint('7')).toEqual({ type: 'checkpointWritten' })
    expect(row()).toMatchObject({ leaseCounter: 3, checkpoint: at('7') })
  })

  it('keeps the doubt where the row could not be read either', async () => {
    const { renew, readable } = await aWorkerWithALease('answerLost')
    readable(false)
    await expect(renew()).rejects.toThrow('no answer came in time')
    readable(true)
    expect(await renew()).toEqual({ type: 'leaseRenewed', nowMs: 1_000, nextOwner: null })
  })

  it('refuses every later write when another worker took the lease meanwhile, also one that arrives late', async () => {
    const { renew, checkpoint, arrive, taken, row } = await aWorkerWithALease('late')
    await expect(renew()).rejects.toThrow('no answer came in time')
    await taken()
    expect(arrive()).toEqual([false])
    expect(await checkpoint('7')).toEqual({ type: 'checkpointRefused' })
    expect(row()).toMatchObject({ leaseOwner: 'bob', checkpoint: at('TRIM_HORIZON') })
  })

  it('counts a release whose answer was lost as one', async () => {
    const { release, renew, row } = await aWorkerWithALease('answerLost')
    expect(await release()).toEqual({ type: 'leaseReleased' })
    expect(row()).toMatchObject({ leaseOwner: null })
    expect(await renew()).toEqual({ type: 'leaseRefused' })
  })
})

describe('an observer of a lease table in memory', () => {
  it('sees every change of a row, also its end, and nothing else', async () => {
    const seen: unknown[] = []
    const table = createMemoryLeaseTable({
      nowMs: () => 0,
      onChange: (before, after) => seen.push([before?.leaseCounter ?? null, after?.leaseCounter ?? null]),
    })
    const store = table.store()
    const lease = { leaseKey: shardId, checkpoint: at('TRIM_HORIZON'), parentShardIds: [], hashKeyRange }
    await store.createLease({ type: 'createLease', id, lease }, context)
    await store.createLease({ type: 'createLease', id, lease }, context)
    await store.acquireLease({ type: 'acquireLease', id, leaseKey: shardId, leaseCounter: 0, leaseOwner: null, workerId: 'alice' }, context)
    await store.renewLease({ type: 'renewLease', id, leaseKey: shardId, token: 7, freshSinceMs: 0 }, context)
    await store.deleteLease({ type: 'deleteLease', id, leaseKey: shardId }, context)
    await store.deleteLease({ type: 'deleteLease', id, leaseKey: shardId }, context)

    expect(seen).toEqual([
      [null, 0],
      [0, 1],
      [1, null],
    ])
  })
})
