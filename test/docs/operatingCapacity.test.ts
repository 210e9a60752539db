import { createBatchStore } from '@shardwise/effects'
import { createMemoryLeaseTable, createMemoryStream, memoryRecordSource } from '@shardwise/memory'
import { eachRecord, Worker, type WorkerOptions } from 'shardwise'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { textOf } from '../house/tree.ts'

const page = textOf('docs/operating.md')
const minutes = (count: number): number => count * 60_000

/** What the page says that a worker calls in a minute with the default options. */
const perMinute = (call: string): number => Number(new RegExp(`^\\| ${call}.*\\| (\\d+) \\|$`, 'm').exec(page)?.[1] ?? Number.NaN)

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A stream and a lease table, and workers with the default options whose effects are counted. */
function aFleet(shardCount: number) {
  const [stream, table] = [createMemoryStream({ shardCount }), createMemoryLeaseTable()]
  return {
    stream,
    table,
    worker(processor: WorkerOptions['processor']) {
      const counts: Record<string, number> = {}
      let isFrozen = false
      /** Of a frozen worker no call is carried out, as of one that was killed. */
      const counted = <Handlers extends object>(handlers: Handlers): Handlers =>
        Object.fromEntries(
          Object.entries(handlers).map(([name, handle]: [string, (...given: readonly unknown[]) => unknown]) => [
            name,
            (...given: readonly unknown[]) => {
              counts[name] = (counts[name] ?? 0) + 1
              return isFrozen ? new Promise(() => undefined) : handle(...given)
            },
          ]),
        ) as Handlers
      const batches = createBatchStore()
      const source = memoryRecordSource({ stream, batches })
      const worker = new Worker({
        applicationName: 'billing',
        adapters: { leases: counted(table.store()), source: counted(source), batches },
        processor,
      })
      void worker.run()
      return {
        worker,
        freeze: () => void (isFrozen = true),
        /** How often each effect was asked for while so much time passed. */
        async during(ms: number): Promise<Readonly<Record<string, number>>> {
          for (const name of Object.keys(counts)) delete counts[name]
          await vi.advanceTimersByTimeAsync(ms)
          return { ...counts }
        },
      }
    },
  }
}

describe('the capacity on the page of operating', () => {
  it('is what a worker calls while nothing happens', async () => {
    const shards = 4
    const { worker, during } = aFleet(shards).worker(eachRecord(() => undefined))
    await during(minutes(1))
    const counts = await during(minutes(10))
    const stopped = worker.stop()
    await during(minutes(1))
    await stopped

    expect((counts['renewLease'] ?? 0) / shards / 10).toBeCloseTo(perMinute('UpdateItem, a renewal'), 0)
    expect((counts['listLeases'] ?? 0) / 10).toBeCloseTo(perMinute('Scan of the lease table'), 0)
    expect((counts['readRecords'] ?? 0) / shards / 10).toBeCloseTo(perMinute('GetRecords at the tip'), 0)
    expect(Object.keys(counts).sort()).toEqual(['dropBatch', 'listLeases', 'readRecords', 'renewLease'])
  })

  it('is what a child calls that waits for a parent', async () => {
    const { stream, worker: start } = aFleet(2)
    const [one = '', two = ''] = stream.listShards().map(({ shardId }) => shardId)
    let release = (): void => undefined
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const { worker, during } = start((shardId) => eachRecord(() => (shardId === two ? held : undefined))(shardId))
    await during(minutes(1))
    for (let n = 0; n < 12; n += 1) stream.put({ partitionKey: String(n), data: Uint8Array.of(n) })
    await during(minutes(1))
    stream.merge(one, two)
    await during(minutes(1))
    const counts = await during(minutes(10))
    release()
    const stopped = worker.stop()
    await during(minutes(1))
    await stopped

    expect((counts['checkParentShards'] ?? 0) / 10).toBeCloseTo(perMinute('GetItem of a parent'), 0)
  })
})

describe('the leases of a worker', () => {
  const failoverMs = 10_000
  const scanMs = 10_000

  it('that was killed are taken when they have stood still for the failover time, as others see it who look from time to time', async () => {
    for (const killedAfterMs of [60_000, 62_500, 65_000, 67_500]) {
      const { table, worker: start } = aFleet(1)
      const first = start(eachRecord(() => undefined))
      await first.during(killedAfterMs)
      first.freeze()
      const second = start(eachRecord(() => undefined))
      const ownerAfter = async (ms: number): Promise<boolean> => {
        await second.during(ms)
        return table.rows()[0]?.leaseOwner === second.worker.workerId
      }

      expect(await ownerAfter(failoverMs - 1_000)).toBe(false)
      expect(await ownerAfter(1_000 + 2 * scanMs + 1_000)).toBe(true)
      const stopped = second.worker.stop()
      await second.during(minutes(1))
      await stopped
    }
    expect(page).toContain(`after ${(failoverMs + 2 * scanMs) / 1_000} seconds at the latest`)
  })

  it('that gave them up are taken at the next look', async () => {
    const { table, worker: start } = aFleet(1)
    const first = start(eachRecord(() => undefined))
    await first.during(minutes(1))
    const second = start(eachRecord(() => undefined))
    await second.during(minutes(1))
    expect(table.rows()[0]?.leaseOwner).toBe(first.worker.workerId)
    const stopped = first.worker.stop()
    await second.during(scanMs + 1_000)
    await stopped

    expect(table.rows()[0]?.leaseOwner).toBe(second.worker.workerId)
    const over = second.worker.stop()
    await second.during(minutes(1))
    await over
  })
})
