import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { aLedger, aRecord, awsKcl, hostChild, isAlive, type Ledger, textsIn, toldIn } from './multilang/setting.ts'

let ledger: Ledger
beforeEach(() => {
  ledger = aLedger()
})
afterEach(() => ledger.remove())

describe('a record processor written for aws-kcl', () => {
  it('is initialised at the checkpoint, gets records with every key, and checkpoints one of them', async () => {
    const child = hostChild(awsKcl(2, ledger.file))

    expect(await child.initialize({ sequenceNumber: '41', subSequenceNumber: 3 })).toEqual({ type: 'initialized' })
    expect(
      await child.processRecords([aRecord('42', 'first'), aRecord('43', 'kéy ✓', { partitionKey: 'ключ', subSequenceNumber: 2 })]),
    ).toEqual({
      type: 'recordsProcessed',
    })
    await child.leaseLost()

    const [initialized, ...rest] = ledger.notes()
    expect(initialized?.input).toEqual({ shardId: 'shardId-000000000000', sequenceNumber: '41', subSequenceNumber: 3 })
    expect(rest).toMatchObject([
      { text: 'first', partitionKey: 'key', sequenceNumber: '42', subSequenceNumber: 0 },
      { text: 'kéy ✓', partitionKey: 'ключ', sequenceNumber: '43', subSequenceNumber: 2 },
      { checkpointed: '43', error: null },
      { told: 'leaseLost' },
    ])
    expect(child.requests).toEqual([
      { type: 'checkpointRequested', request: 'c1', position: { sequenceNumber: '43', subSequenceNumber: 0 } },
    ])
    expect(child.warnings).toEqual([])
  })

  it.each([
    'ShutdownException',
    'ThrottlingException',
    'InvalidStateException',
    'KinesisClientLibDependencyException',
    'IllegalArgumentException',
  ])('hears of a refused checkpoint by its name: %s', async (name) => {
    const child = hostChild(awsKcl(2, ledger.file), { settle: () => ({ name, message: 'refused' }) })

    await child.initialize()
    expect(await child.processRecords([aRecord('1')])).toEqual({ type: 'recordsProcessed' })
    await child.leaseLost()

    expect(ledger.notes()).toContainEqual(expect.objectContaining({ checkpointed: '1', error: name }))
  })

  it('has ended by the time that its end of the shard is told, though it completed the callback twice', async () => {
    const child = hostChild(awsKcl(2, ledger.file))

    await child.initialize()
    expect(await child.shardEnded()).toEqual({ type: 'shardEndedNotified' })

    expect(child.requests.map(({ position }) => position)).toEqual([null])
    expect(toldIn(ledger.notes())).toEqual(['initialize', 'shardEnded'])
    expect(isAlive(ledger.notes()[0]?.pid ?? 0)).toBe(false)
    expect(child.warnings).toEqual([])
  })

  it('checkpoints when a shutdown is requested, and has ended by the time that the lost lease is told', async () => {
    const child = hostChild(awsKcl(2, ledger.file))

    await child.initialize()
    await child.processRecords([aRecord('5')])
    expect(await child.shutdownRequested()).toEqual({ type: 'shutdownRequestedNotified' })
    expect(await child.leaseLost()).toEqual({ type: 'leaseLostNotified' })

    expect(child.requests.map(({ position }) => position?.sequenceNumber)).toEqual(['5', undefined])
    expect(toldIn(ledger.notes())).toEqual(['initialize', 'shutdownRequested', 'leaseLost'])
    expect(isAlive(ledger.notes()[0]?.pid ?? 0)).toBe(false)
  })

  it('is gone when it throws: what it printed and how it ended is told', async () => {
    const child = hostChild(awsKcl(2, ledger.file))

    await child.initialize()
    expect(await child.processRecords([aRecord('1', 'throw'), aRecord('2', 'after')])).toEqual({ type: 'processorGone' })

    expect(textsIn(ledger.notes())).toEqual(['throw'])
    expect(child.warnings).toContainEqual('shardId-000000000000: stderr: Error: told to')
    expect(child.warnings.at(-1)).toMatch(/^shardId-000000000000: the child process failed during processRecords: .*: exit code 1$/)
    expect(await child.processRecords([aRecord('1')])).toEqual({ type: 'processorGone' })
    expect(await child.shutdownRequested()).toEqual({ type: 'processorGone' })
    expect(await child.leaseLost()).toEqual({ type: 'processorGone' })
    expect(await child.shardEnded()).toEqual({ type: 'processorGone' })
    expect(child.warnings.filter((warning) => warning.includes('the child process failed'))).toHaveLength(1)
  })

  it('of the older version hears shutdown TERMINATE at the end of its shard, and has nothing to say to a requested shutdown', async () => {
    const child = hostChild(awsKcl(1, ledger.file))

    await child.initialize()
    await child.processRecords([aRecord('1', 'one')])
    expect(await child.shutdownRequested()).toEqual({ type: 'shutdownRequestedNotified' })
    expect(await child.shardEnded()).toEqual({ type: 'shardEndedNotified' })

    expect(toldIn(ledger.notes())).toEqual(['initialize', 'shutdown TERMINATE'])
    expect(textsIn(ledger.notes())).toEqual(['one'])
    expect(child.requests).toHaveLength(1)
  })

  it('of the older version hears shutdown ZOMBIE when its lease is lost', async () => {
    const child = hostChild(awsKcl(1, ledger.file))

    await child.initialize()
    expect(await child.leaseLost()).toEqual({ type: 'leaseLostNotified' })

    expect(toldIn(ledger.notes())).toEqual(['initialize', 'shutdown ZOMBIE'])
    expect(child.requests).toEqual([])
  })

  it('takes a batch of nine megabytes in one line', async () => {
    const child = hostChild(awsKcl(1, ledger.file))
    const records = Array.from({ length: 9 }, (_, n) => aRecord(String(n + 1), 'x'.repeat(1_000_000)))

    await child.initialize()
    expect(await child.processRecords(records)).toEqual({ type: 'recordsProcessed' })
    await child.leaseLost()

    expect(textsIn(ledger.notes()).map(({ length }) => length)).toEqual(records.map(() => 1_000_000))
  })
})
