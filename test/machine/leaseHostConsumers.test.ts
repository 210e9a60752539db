import { parseShardConsumerOptions } from '@shardwise/machine'
import { describe, expect, it } from 'vitest'
import { record, splitChildren } from '../scenarios/story.ts'
import { aLease, aLeaseHost, type LeaseHostUnderTest, settle, someRecords, startAnew } from './hostedLeases.ts'

const { leaseKey, shardId } = aLease
const failed = { type: 'recordsFailed', error: { name: 'TypeError', message: 'no such field' } } as const
const emptyBatch = someRecords(1, 3, { count: 0, first: null, last: null })
const lastBatch = someRecords(1, 3, { atShardEnd: true, childShards: splitChildren })
/** What a handler says that does not know the table. */
const outsideTheTable = { type: 'nonsense' } as never

const notRenewed = { renews: false } as const
const messageOf = ({ failures }: LeaseHostUnderTest): string => String(failures[0]?.error)
const optionsOf = (host: LeaseHostUnderTest): readonly object[] =>
  host.observed.flatMap(({ machine, step }) => (machine === 'shardConsumer' && step.event === null ? [step.after.context.options] : []))

describe('a shard consumer that has ended', () => {
  it('gives its lease back, once the end of the shard is stored, and lets go of its record processor', async () => {
    const host = aLeaseHost({ script: { createChildLeases: { type: 'childLeasesCreated' } } })
    host.keep(notRenewed)
    await host.answer('readRecords', lastBatch)
    await host.answer('processRecords', { type: 'recordsProcessed' })
    host.processors[0]?.send({ type: 'checkpointRequested', request: 'r1', position: null })
    await host.answer('notifyShardEnded', { type: 'shardEndedNotified' })
    expect(host.processors).toMatchObject([{ closed: false }])

    await host.answer('writeCheckpoint', { type: 'checkpointWritten' })

    expect(host.all('writeCheckpoint')).toMatchObject([{ checkpoint: { sequenceNumber: 'SHARD_END' } }])
    expect(host.processors).toMatchObject([{ closed: true }])
    expect(host.all('releaseLease')).toMatchObject([{ leaseKey, token: 7 }])
    expect(host.told).toEqual([{ type: 'leaseGone', leaseKey, outcome: 'finished', workerIdShared: false }])
    expect(host.failures).toEqual([])
  })

  it('because the error policy fails the worker, ends the worker in order, and says which records failed how often with what', async () => {
    const host = aLeaseHost({ shardOptions: { maxDeliveryAttempts: 1, onDeliveryFailure: 'fail' } })
    host.keep(notRenewed)
    await host.answer('readRecords', someRecords(1, 3))

    await host.answer('processRecords', failed)

    expect(host.failures).toMatchObject([{ force: false, error: { name: 'DeliveryFailedError' } }])
    const message = messageOf(host)
    for (const fact of [
      shardId,
      `${record(1).sequenceNumber}/0`,
      `${record(3).sequenceNumber}/0`,
      'attempt 1 ',
      'TypeError: no such field',
    ])
      expect(message).toContain(fact)
    expect(host.told).toEqual([{ type: 'leaseGone', leaseKey, outcome: 'failed', workerIdShared: false }])
    expect(host.processors).toMatchObject([{ closed: true }])
  })

  it('for a read without records, says that there were none', async () => {
    const host = aLeaseHost({
      shardOptions: { maxDeliveryAttempts: 1, onDeliveryFailure: 'fail', shouldCallProcessRecordsEvenForEmptyRecordList: true },
    })
    host.keep(notRenewed)
    await host.answer('readRecords', emptyBatch)

    await host.answer('processRecords', failed)

    expect(messageOf(host)).toContain('from nothing to nothing')
  })

  it('because the error policy stops the shard, does not end the worker', async () => {
    const host = aLeaseHost({ shardOptions: { maxDeliveryAttempts: 1 } })
    host.keep(notRenewed)
    await host.answer('readRecords', someRecords(1, 3))

    await host.answer('processRecords', failed)

    expect(host.failures).toEqual([])
    expect(host.told).toEqual([{ type: 'leaseGone', leaseKey, outcome: 'stopped', workerIdShared: false }])
  })

  it('to be made anew, is followed by another with a record processor of its own, which opens LATEST where it was', async () => {
    const at = { type: 'checkpointRead', checkpoint: { sequenceNumber: 'LATEST', subSequenceNumber: 0 }, pendingCheckpoint: null } as const
    const host = aLeaseHost({ script: { readCheckpoint: at } })
    host.keep(notRenewed)

    await startAnew(host)

    expect(host.processors).toMatchObject([{ closed: true }, { closed: false }])
    expect(host.all('openShard')).toMatchObject([
      { position: { type: 'LATEST' } },
      { position: { type: 'AT_TIMESTAMP', timestampMs: 1_700_000_000_000 } },
    ])
    expect(host.leases.leaseKeys).toEqual([leaseKey])
    expect(host.told).toEqual([])
  })

  it('hears of a later shutdown no more, but its follower does', async () => {
    const host = aLeaseHost()
    host.keep(notRenewed)
    await startAnew(host)

    host.leases.handlers.stopKeeping({ type: 'stopKeeping', leaseKey, force: false })
    await settle()

    expect(host.all('notifyShutdownRequested')).toHaveLength(1)
    expect(host.processors).toMatchObject([{ closed: true }, { closed: true }])
    expect(host.told).toMatchObject([{ type: 'leaseGone', leaseKey, outcome: 'leaseLost' }])
  })
})

describe('what ends the worker by force', () => {
  const refusal = new Error('processor: none for this shard')

  it('is a record processor that cannot be made; its lease is released first', async () => {
    const host = aLeaseHost({
      processor: () => {
        throw refusal
      },
    })

    host.keep(notRenewed)
    await settle()

    expect(host.failures).toEqual([{ error: refusal, force: true }])
    expect(host.all('releaseLease')).toHaveLength(1)
    expect(host.told).toEqual([{ type: 'leaseGone', leaseKey, outcome: 'stopped', workerIdShared: false }])
  })

  it('is a port that answers a shard consumer outside the table; the lease is released', async () => {
    const host = aLeaseHost()
    host.keep(notRenewed)

    await host.answer('readRecords', outsideTheTable)

    expect(host.failures).toMatchObject([{ error: { message: expect.stringContaining('readRecords') as string }, force: true }])
    expect(host.processors).toMatchObject([{ closed: true }])
    expect(host.all('releaseLease')).toHaveLength(1)
    expect(host.told).toEqual([{ type: 'leaseGone', leaseKey, outcome: 'stopped', workerIdShared: false }])
  })

  it('is a port that answers the keeper of a lease outside the table; nothing is consumed in its name any more', async () => {
    const host = aLeaseHost()
    host.keep()
    await host.answer('startTimer', { type: 'timerFired', nowMs: 5_000 })

    await host.answer('renewLease', outsideTheTable)

    expect(host.failures).toMatchObject([{ error: { message: expect.stringContaining('renewLease') as string }, force: true }])
    expect(host.aborted).toContain('readRecords')
    expect(host.processors).toMatchObject([{ closed: true }])
    expect(host.told).toEqual([{ type: 'leaseGone', leaseKey, outcome: null, workerIdShared: false }])
    expect(host.leases.leaseKeys).toEqual([])
  })
})

describe('a checkpoint that a record processor asks for', () => {
  it('is written with the token of the lease, and settled with the processor', async () => {
    const host = aLeaseHost()
    host.keep(notRenewed)
    await host.answer('readRecords', someRecords(1, 3))

    host.processors[0]?.send({ type: 'checkpointRequested', request: 'r1', position: record(2) })
    await host.answer('writeCheckpoint', { type: 'checkpointWritten' })

    expect(host.all('writeCheckpoint')).toMatchObject([{ leaseKey, token: 7, checkpoint: record(2) }])
    expect(host.all('settleCheckpoint')).toEqual([{ type: 'settleCheckpoint', shardId, request: 'r1', error: null }])
  })

  it('while the processor is being made, is not lost', async () => {
    const host = aLeaseHost({
      processor: (_, send) => {
        send({ type: 'checkpointRequested', request: 'early', position: null })
        return {}
      },
    })

    host.keep(notRenewed)
    await settle()

    expect(host.all('settleCheckpoint')).toMatchObject([{ request: 'early' }])
  })
})

describe('the options of a shard consumer', () => {
  const checked = parseShardConsumerOptions({ maxDeliveryAttempts: 3, maxRecords: 50 })

  it.each([
    ['asks for nothing', {}],
    ['says that it wants nothing', { shutdownOnce: false, deadLetter: false }],
  ])('are the very ones of the worker where its record processor %s', (_, processor) => {
    const host = aLeaseHost({ shardOptions: checked, processor: () => processor })
    host.keep(notRenewed)
    expect(optionsOf(host)[0]).toBe(checked)
  })

  it.each([
    ['may be called once at the end of its shard', { shutdownOnce: true }, { missedShardEndCheckpoint: 'replay', deadLetter: false }],
    ['takes dead letters', { deadLetter: true }, { missedShardEndCheckpoint: 'retry', deadLetter: true }],
    ['does both', { shutdownOnce: true, deadLetter: true }, { missedShardEndCheckpoint: 'replay', deadLetter: true }],
  ])('follow a record processor that %s', (_, processor, changed) => {
    const host = aLeaseHost({ shardOptions: checked, processor: () => processor })
    host.keep(notRenewed)
    expect(optionsOf(host)).toEqual([{ ...checked, ...changed }])
  })

  it('are the very ones of the worker where dead letters are on already', () => {
    const options = parseShardConsumerOptions({ maxDeliveryAttempts: 3, deadLetter: true })
    const host = aLeaseHost({ shardOptions: options, processor: () => ({ deadLetter: true }) })
    host.keep(notRenewed)
    expect(optionsOf(host)[0]).toBe(options)
  })

  it('that make no sense with a record processor that takes dead letters end the worker by force, and name what is missing', async () => {
    const host = aLeaseHost({ processor: () => ({ deadLetter: true }) })
    host.keep(notRenewed)
    await settle()
    const message = expect.stringMatching(/deadLetter.*maxDeliveryAttempts/) as string
    expect(host.failures).toMatchObject([{ force: true, error: { message } }])
    expect(host.told).toHaveLength(1)
  })
})
