/**
 * Record processors that print a line of JSON for every record and callback. `HOLD_AT` makes the batch with that record, counted over all shards, wait:
 * until SIGTERM, or for ever with `HOLD=forever`.
 */
import type { RecordProcessor } from '@shardwise/processor'

const holdAt = Number(process.env['HOLD_AT'] ?? Number.POSITIVE_INFINITY)
let seen = 0

const print = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`)

const released = (): Promise<void> =>
  new Promise((resolve) => {
    if (process.env['HOLD'] !== 'forever') process.once('SIGTERM', () => resolve())
  })

export const createProcessor = (shardId: string): RecordProcessor => ({
  initialize: ({ extendedSequenceNumber }) => print({ shardId, initialized: extendedSequenceNumber.sequenceNumber }),
  async processRecords({ records, checkpointer }) {
    for (const { sequenceNumber, data } of records) {
      print({ shardId, sequenceNumber, order: new TextDecoder().decode(data) })
      seen += 1
      if (seen === holdAt) {
        print({ held: shardId })
        await released()
      }
    }
    await checkpointer.checkpoint()
  },
  leaseLost: () => print({ shardId, lost: true }),
  shardEnded: ({ checkpointer }) => checkpointer.checkpoint(),
  shutdownRequested: ({ checkpointer }) => checkpointer.checkpoint(),
})
