/** A property of a record processor, tried in thousands of lives of its shard consumer: whatever fails, it counts every order once. */
import { compareSequenceNumbers, type ExtendedSequenceNumber } from '@shardwise/effects'
import type { ProcessRecordsInput, RecordProcessor } from '@shardwise/processor'
import { lives } from '@shardwise/testing'
import fc from 'fast-check'
import { liveThrough } from './liveThrough.ts'

/** Counts orders. Batches come again when something fails, so it has to know how far it has come. */
export class OrderCounter implements RecordProcessor {
  count = 0
  protected last: ExtendedSequenceNumber | null = null

  initialize(): void {}
  leaseLost(): void {}
  shardEnded = ({ checkpointer }: Pick<ProcessRecordsInput, 'checkpointer'>): Promise<void> => checkpointer.checkpoint()

  async processRecords({ records, checkpointer }: ProcessRecordsInput): Promise<void> {
    for (const record of records) {
      if (this.last !== null && compareSequenceNumbers(record, this.last) <= 0) continue
      this.count += 1
      this.last = record
    }
    await checkpointer.checkpoint()
  }
}

/** The property, for a processor of that kind. A life that breaks it is shrunk to a few operations, and is JSON. */
export const countsEveryOrderOnce = (make: () => OrderCounter) =>
  fc.asyncProperty(lives(), async (life) => {
    const counter = make()
    const delivered = await liveThrough(life, counter)
    return counter.count === new Set(delivered).size
  })
