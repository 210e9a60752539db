/** A record processor in simulated fleets: workers crash, pause and lose their leases, and still every order is in the books, once. */
import type { RecordProcessor } from '@shardwise/processor'
import { type ProcessorSurroundings, type SimulationReport, simulate } from '@shardwise/testing'

/** The books of a shop, which all workers write to: an order that comes again changes nothing. */
export class Books {
  readonly orders = new Set<string>()
}

/** Books the orders of one shard. What takes time takes it from the simulation. */
export const bookkeeper = (books: Books, { sleep, random }: ProcessorSurroundings): RecordProcessor => ({
  initialize() {},
  async processRecords({ records, checkpointer }) {
    await sleep(random() * 2_000)
    for (const { sequenceNumber } of records) books.orders.add(sequenceNumber)
    await checkpointer.checkpoint()
  },
  leaseLost() {},
  shardEnded: ({ checkpointer }) => checkpointer.checkpoint(),
  shutdownRequested: ({ checkpointer }) => checkpointer.checkpoint(),
})

/** Runs a fleet of three on a stream that is split and merged, for ten virtual minutes of faults. */
export async function simulateBooks(seed: number): Promise<{ report: SimulationReport; books: Books }> {
  const books = new Books()
  const report = await simulate({ seed, workers: 3, shards: 4, processor: (_shardId, world) => bookkeeper(books, world) })
  return { report, books }
}
