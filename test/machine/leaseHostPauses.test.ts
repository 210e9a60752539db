import { describe, expect, it } from 'vitest'
import { aLease, aLeaseHost, type LeaseHostUnderTest, someRecords, startAnew } from './hostedLeases.ts'

const { leaseKey } = aLease
const notRenewed = { renews: false } as const

describe('a pause from outside', () => {
  it('keeps records from the processor until the shard is resumed', async () => {
    const host = aLeaseHost()
    host.keep(notRenewed)
    host.leases.tell(leaseKey, { type: 'pause' })
    await host.answer('readRecords', someRecords(1, 3))
    expect(host.all('processRecords')).toEqual([])

    host.leases.tell(leaseKey, { type: 'resume' })

    expect(host.all('processRecords')).toHaveLength(1)
  })

  it('outlasts the consumer that heard of it', async () => {
    const host = aLeaseHost()
    host.keep(notRenewed)
    await host.answer('readRecords', someRecords(1, 3))
    host.leases.tell(leaseKey, { type: 'pause' })
    await host.answer('processRecords', { type: 'processorGone' })
    await host.answer('startTimer', { type: 'timerFired', nowMs: 0 })
    await host.answer('readRecords', someRecords(1, 3))
    expect(host.all('processRecords')).toHaveLength(1)

    host.leases.tell(leaseKey, { type: 'resume' })

    expect(host.all('processRecords')).toHaveLength(2)
  })

  it('that was ended is not remembered for later consumers', async () => {
    const host = aLeaseHost()
    host.keep(notRenewed)
    host.leases.tell(leaseKey, { type: 'pause' })
    host.leases.tell(leaseKey, { type: 'resume' })

    await startAnew(host)
    await host.answer('readRecords', someRecords(1, 3))

    expect(host.all('processRecords')).toHaveLength(2)
    expect(host.observed.filter(({ machine, step }) => machine === 'shardConsumer' && step.event?.type === 'resume')).toHaveLength(1)
  })

  it('is not ended by the record processor', async () => {
    const host = aLeaseHost()
    host.keep(notRenewed)
    host.leases.tell(leaseKey, { type: 'pause' })
    host.processors[0]?.send({ type: 'pause' })
    host.processors[0]?.send({ type: 'resume' })

    await host.answer('readRecords', someRecords(1, 3))

    expect(host.all('processRecords')).toEqual([])
  })
})

describe('a pause that a record processor asks for', () => {
  it.each([
    ['the processor', (host: LeaseHostUnderTest) => host.processors[0]?.send({ type: 'resume' })],
    ['someone outside', (host: LeaseHostUnderTest) => host.leases.tell(leaseKey, { type: 'resume' })],
  ])('is ended by %s', async (_, resume) => {
    const host = aLeaseHost()
    host.keep(notRenewed)
    host.processors[0]?.send({ type: 'pause' })
    await host.answer('readRecords', someRecords(1, 3))
    expect(host.all('processRecords')).toEqual([])

    resume(host)

    expect(host.all('processRecords')).toHaveLength(1)
  })

  it('is heard after a pause from outside is over', async () => {
    const host = aLeaseHost()
    host.keep(notRenewed)
    host.leases.tell(leaseKey, { type: 'pause' })
    host.leases.tell(leaseKey, { type: 'resume' })
    host.processors[0]?.send({ type: 'pause' })
    await host.answer('readRecords', someRecords(1, 3))
    expect(host.all('processRecords')).toEqual([])

    host.processors[0]?.send({ type: 'resume' })

    expect(host.all('processRecords')).toHaveLength(1)
  })

  it('outlasts it where another is made, until the one that asked takes it back', async () => {
    const host = aLeaseHost()
    host.keep(notRenewed)
    await host.answer('readRecords', someRecords(1, 3))
    host.processors[0]?.send({ type: 'pause' })
    await host.answer('processRecords', { type: 'processorGone' })
    await host.answer('startTimer', { type: 'timerFired', nowMs: 0 })
    await host.answer('readRecords', someRecords(1, 3))
    expect(host.processors).toHaveLength(2)
    expect(host.all('processRecords')).toHaveLength(1)

    host.processors[0]?.send({ type: 'resume' })

    expect(host.all('processRecords')).toHaveLength(2)
  })

  it('while it is being made, holds from the first batch on', async () => {
    const host = aLeaseHost({
      processor: (_, send) => {
        send({ type: 'pause' })
        return {}
      },
    })
    host.keep(notRenewed)

    await host.answer('readRecords', someRecords(1, 3))

    expect(host.all('processRecords')).toEqual([])
  })
})
