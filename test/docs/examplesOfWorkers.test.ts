import { createMemoryStream } from '@shardwise/memory'
import { Worker } from 'shardwise'
import { describe, expect, it } from 'vitest'
import { worker as childProcesses } from '../../docs/examples/childProcesses.ts'
import { rowsInMemory } from '../../docs/examples/leaseRows.ts'
import { worker as metered } from '../../docs/examples/metered.ts'
import { workerOn } from '../../docs/examples/pluggedIn.ts'

describe('pluggedIn.ts', () => {
  it('consumes on a lease store of its own, and goes on from its checkpoints', async () => {
    const [rows, stream] = [rowsInMemory(), createMemoryStream({ shardCount: 2 })]
    const put = (order: string): void => void stream.put({ partitionKey: order, data: new TextEncoder().encode(order) })
    const consume = async (count: number): Promise<readonly string[]> => {
      const handled: string[] = []
      const worker = workerOn(rows, stream, async ({ data }) => {
        handled.push(new TextDecoder().decode(data))
        if (handled.length === count) void worker.stop()
      })
      await worker.run()
      return handled.sort()
    }
    for (const order of ['a', 'b', 'c', 'd']) put(order)

    expect(await consume(4)).toEqual(['a', 'b', 'c', 'd'])
    put('e')
    expect(await consume(1)).toEqual(['e'])
    expect((await rows.select()).map(({ leaseOwner }) => leaseOwner)).toEqual([null, null])
  })
})

describe.each([
  ['metered.ts', metered],
  ['childProcesses.ts', childProcesses],
])('%s', (_file, worker) => {
  it('makes a worker that takes its options', () => {
    expect(worker).toBeInstanceOf(Worker)
  })
})
