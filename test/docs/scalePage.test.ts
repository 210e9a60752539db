import { describe, expect, it } from 'vitest'
import { defaultPrices, dollarsPerMonth, kcl2Load, kcl3Load, loadOf, scanUnits } from '../../tools/scale/costs.ts'
import { countCalls, tableBytes } from '../../tools/scale/countedFleet.ts'
import { itemBytes } from '../../tools/scale/itemBytes.ts'
import { measureRates } from '../../tools/scale/measuredRates.ts'
import { pageOf, timesFewerWrites } from '../../tools/scale/page.ts'
import { textOf } from '../house/tree.ts'

const atRest = { minutes: 3, checkpointEveryMs: null }

describe('the page of what a fleet costs', () => {
  it('is what `npm run scale` counts, by which heartbeats save 49 of 50 writes of a worker with 100 leases', {
    timeout: 60_000,
  }, async () => {
    const measured = { kcl: await measureRates('kcl'), workerHeartbeat: await measureRates('workerHeartbeat') }
    expect(textOf('docs/scale.md')).toBe(pageOf({ measured, prices: defaultPrices, tableBytes }))
    expect(timesFewerWrites(measured, 100)).toBeGreaterThanOrEqual(50)
  })

  it.each(['kcl', 'workerHeartbeat'] as const)(
    'may count one worker for a whole fleet, since each asks for as much: %s',
    async (leaseMode) => {
      const fleet = { shards: 12, workers: 4, options: { leaseMode }, ...atRest }
      const [one, all] = [await countCalls({ ...fleet, running: 1 }), await countCalls({ ...fleet, running: 4 })]
      expect(one.heldLeases).toBe(3)
      const { otherWrites, scans, renewalsAndCheckpoints, getRecords } = all
      expect([renewalsAndCheckpoints, otherWrites, scans, getRecords]).toEqual(
        [one.renewalsAndCheckpoints, one.otherWrites, one.scans, one.getRecords].map((calls) => 4 * calls),
      )
    },
  )

  it('counts no lease that changes hands, also where there are more workers than leases', async () => {
    const { heldLeases, otherWrites } = await countCalls({ shards: 10, workers: 50, running: 1, ...atRest })
    expect([heldLeases, otherWrites]).toEqual([1, 0])
  })
})

describe('what calls come to', () => {
  it('is half a read unit for each 4 kB of a scan, rounded up for each page of 1 MB', () => {
    expect([0, 1, 4_096, 4_097, 1_048_576, 1_048_577].map(scanUnits)).toEqual([0, 0.5, 0.5, 1, 128, 128.5])
  })

  it('is the bytes of names and values of an item', () => {
    expect(itemBytes({ leaseKey: { S: 'é' }, leaseCounter: { N: '123' }, parentShardId: { SS: ['a', 'bc'] } })).toBe(
      8 + 2 + 12 + 3 + 13 + 3 + 5,
    )
    expect(() => itemBytes({ data: { M: {} } })).toThrow('expected a text, a number or a set of texts, got M')
  })

  it('is leases and workers times what each asks for, and dollars for 43,200 minutes', () => {
    const fleet = { leases: 100, workers: 10, tableBytes: 40_960 }
    const load = loadOf(fleet, { writesPerLease: 18, writesPerWorker: 2, scansPerWorker: 6 })
    expect(load).toEqual({ writesPerMinute: 1_820, readsPerMinute: 300 })
    expect(dollarsPerMonth(load, { write: 1, read: 0.5 })).toBeCloseTo((1_820 + 150) * 0.0432)
  })

  it.each([
    // leases, workers, write units and read units a second of the KCL 2, read units a second of the KCL 3, at 420 bytes a row
    [100, 10, 30, 3, 1.5],
    [1_000, 20, 302, 55, 6],
    [1_000, 100, 302, 275, 15],
    [10_000, 100, 3_023, 2_734, 52],
  ])('of the KCL with %i leases and %i workers is %i write and %i read units a second', (leases, workers, writes, reads2, reads3) => {
    const fleet = { leases, workers, tableBytes: leases * 420 }
    expect(kcl2Load(fleet).writesPerMinute / 60 / writes).toBeCloseTo(1, 1)
    expect(kcl2Load(fleet).readsPerMinute / 60 / reads2).toBeCloseTo(1, 1)
    expect(Math.abs(kcl3Load(fleet).readsPerMinute / 60 / reads3 - 1)).toBeLessThan(0.15)
  })
})
