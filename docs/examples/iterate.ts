/** Files of orders, each larger than a batch: what was read is checkpointed when it is in a file, and not before. */
import type { KinesisRecord } from '@shardwise/effects'
import { iterate } from '@shardwise/processor'

/** Writes the lines into a file of that name. */
export type WriteFile = (name: string, lines: readonly string[]) => Promise<void>

/** While a file is written no record is taken, and while no record is taken the shard is not read. */
export const fileOrders = (writeFile: WriteFile, linesPerFile: number) =>
  iterate(
    async (records, { shardId, checkpoint }) => {
      let lines: string[] = []
      let last: KinesisRecord | undefined
      const close = async (): Promise<void> => {
        if (last === undefined) return
        // Named by its last record: a file that is written again replaces itself.
        await writeFile(`${shardId}-${last.sequenceNumber}`, lines)
        await checkpoint(last)
        lines = []
        last = undefined
      }
      for await (const record of records) {
        lines.push(new TextDecoder().decode(record.data))
        last = record
        if (lines.length === linesPerFile) await close()
      }
      // The shard has ended, or the worker stops.
      await close()
    },
    { checkpoint: 'manual' },
  )
