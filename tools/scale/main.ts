/**
 * Counts what fleets ask of the lease table and the stream, and writes `docs/scale.md`. Exits with 1 where a large fleet does not ask for what a small one was
 * counted to. Prices are dollars for a million request units.
 */
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { defaultPrices } from './costs.ts'
import { countCalls, tableBytes } from './countedFleet.ts'
import { measureRates } from './measuredRates.ts'
import { fleets, pageOf } from './page.ts'

const text = { type: 'string' } as const
const { values } = parseArgs({ options: { 'write-price': text, 'read-price': text } })
const prices = {
  write: priceOf('--write-price', values['write-price'], defaultPrices.write),
  read: priceOf('--read-price', values['read-price'], defaultPrices.read),
}

const measured = { kcl: await measureRates('kcl'), workerHeartbeat: await measureRates('workerHeartbeat') }
for (const leaseMode of ['kcl', 'workerHeartbeat'] as const) {
  const { writesPerLease, writesPerWorker, scansPerWorker } = measured[leaseMode].atRest
  for (const [shards, workers] of fleets) {
    // The reads of ten thousand shards would take longer than all the rest; they are counted on the small fleet.
    const options = { leaseMode, idleTimeInMilliseconds: 60_000 }
    const counted = await countCalls({ shards, workers, running: 1, minutes: 1, checkpointEveryMs: null, options })
    const { renewalsAndCheckpoints, otherWrites, scans, heldLeases } = counted
    const isAsCounted =
      renewalsAndCheckpoints === heldLeases * writesPerLease && otherWrites === writesPerWorker && scans === scansPerWorker
    const words = `${renewalsAndCheckpoints} renewals of ${heldLeases} leases, ${otherWrites} other writes, ${scans} scans a minute`
    console.log(`${leaseMode}: ${shards} leases, ${workers} workers, of one: ${words}${isAsCounted ? '' : ': NOT as in the small fleet'}`)
    if (!isAsCounted) process.exitCode = 1
  }
}
await writeFile(new URL('../../docs/scale.md', import.meta.url), pageOf({ measured, prices, tableBytes }))

function priceOf(name: string, given: string | undefined, otherwise: number): number {
  const price = given === undefined ? otherwise : Number(given)
  if (given === '' || !(price >= 0 && price < 1_000)) throw new Error(`${name}: expected dollars for a million units, from 0, got ${given}`)
  return price
}
