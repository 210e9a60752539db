import { type Lease, parseExtendedSequenceNumber } from '@shardwise/effects'
import { describe, expect, it } from 'vitest'
import { readDemoOptions } from '../../demo/demoOptions.ts'
import { type Entry, Ledger } from '../../demo/ledger.ts'
import { orderOf } from '../../demo/orders.ts'
import { balanceLines, isSound } from '../../demo/report.ts'

const anEntry = (number: number, shardId = 'shardId-0'): Entry => ({
  orderId: `order-${number}`,
  shardId,
  sequenceNumber: String(100 + number),
})

const aLease = (leaseKey: string, checkpoint: string): Lease => ({
  leaseKey,
  leaseOwner: null,
  leaseCounter: 1,
  checkpoint: parseExtendedSequenceNumber(checkpoint),
  pendingCheckpoint: null,
  ownerSwitchesSinceCheckpoint: 0,
  parentShardIds: [],
  childShardIds: [],
  hashKeyRange: null,
  checkpointOwner: null,
})

function aLedger(put: readonly Entry[], delivered: readonly Entry[]): Ledger {
  const ledger = new Ledger()
  for (const entry of put) ledger.enterPut(entry)
  ledger.enterDelivered(delivered)
  return ledger
}

describe('the balance of a run to the end', () => {
  it('is sound when every order came once, in order', () => {
    const balance = aLedger([anEntry(1), anEntry(2)], [anEntry(1), anEntry(2)]).balance([], true)

    expect(balance).toEqual({ put: 2, delivered: 2, deliveredTwice: [], lost: [], unread: 0, unknown: [], outOfOrder: 0 })
    expect(isSound(balance)).toBe(true)
  })

  it('names every order that never came', () => {
    const balance = aLedger([anEntry(1), anEntry(2), anEntry(3)], [anEntry(2)]).balance([aLease('shardId-0', '102')], true)

    expect(balance.lost).toEqual(['order-1', 'order-3'])
    expect(isSound(balance)).toBe(false)
    expect(balanceLines(balance, true)).toContain('lost: order-1, order-3')
  })

  it('names orders that came twice, which is allowed, also when another one is missing', () => {
    const balance = aLedger([anEntry(1), anEntry(2)], [anEntry(1), anEntry(1)]).balance([], true)

    expect(balance).toMatchObject({ delivered: 1, deliveredTwice: ['order-1'], lost: ['order-2'], outOfOrder: 0 })
  })

  it('names orders that nobody put, and counts those that came too late in their shard', () => {
    const balance = aLedger([anEntry(1), anEntry(2)], [anEntry(2), anEntry(1), anEntry(9)]).balance([], true)

    expect(balance).toMatchObject({ unknown: ['order-9'], outOfOrder: 1, lost: [] })
    expect(isSound(balance)).toBe(false)
  })
})

describe('the balance of a run that was interrupted', () => {
  it('claims no loss for what lies above the checkpoint of its shard', () => {
    const put = [anEntry(1), anEntry(2), anEntry(3, 'shardId-1'), anEntry(4, 'shardId-2')]
    const balance = aLedger(put, [anEntry(1)]).balance([aLease('shardId-0', '101'), aLease('shardId-1', 'TRIM_HORIZON')], false)

    expect(balance).toMatchObject({ put: 4, delivered: 1, lost: [], unread: 3 })
    expect(isSound(balance)).toBe(true)
  })

  it.each(['101', '102', 'SHARD_END'])('claims loss for an order that never came, with its shard checkpointed at %s', (checkpoint) => {
    const balance = aLedger([anEntry(1), anEntry(2)], [anEntry(2)]).balance([aLease('shardId-0', checkpoint)], false)

    expect(balance.lost).toEqual(['order-1'])
  })
})

describe('a ledger', () => {
  const { signal } = new AbortController()

  it('waits for the last order', async () => {
    const ledger = aLedger([anEntry(1), anEntry(2)], [anEntry(1)])
    const settled = ledger.settled(60_000, signal)
    ledger.enterDelivered([anEntry(2)])

    await expect(settled).resolves.toBeUndefined()
  })

  it('waits no longer than it is quiet, or until the signal', async () => {
    const ledger = aLedger([anEntry(1)], [])

    await expect(ledger.settled(1, signal)).resolves.toBeUndefined()
    await expect(ledger.settled(60_000, AbortSignal.abort())).resolves.toBeUndefined()
    await expect(ledger.reached(2, AbortSignal.abort())).resolves.toBe(false)
    await expect(ledger.reached(1, signal)).resolves.toBe(true)
  })
})

describe('the orders', () => {
  it('are the same in every run, with ids of their own', () => {
    const orders = Array.from({ length: 3_000 }, (_, number) => orderOf(number))

    expect(orders[17]).toEqual(orderOf(17))
    expect(new Set(orders.map(({ orderId }) => orderId)).size).toBe(3_000)
    expect(orders.every(({ lines, totalCents }) => lines.length > 0 && totalCents > 0)).toBe(true)
  })
})

describe('the options of the demo', () => {
  it('have defaults', () => {
    expect(readDemoOptions([])).toEqual({ orders: 900, rate: 75, workers: 1 })
    expect(readDemoOptions(['--help'])).toBeNull()
  })

  it.each([
    [['--orders', '3001'], '--orders: expected a whole number from 20 to 3000, got "3001"'],
    [['--rate', '1.5'], '--rate: expected a whole number from 1 to 1000, got "1.5"'],
    [['--speed', '9'], "Unknown option '--speed'"],
  ])('%j are refused by name', (args, message) => {
    expect(() => readDemoOptions(args)).toThrow(message)
  })
})
