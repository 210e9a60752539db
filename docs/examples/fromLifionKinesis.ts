/** What the `data` listener of a consumer for `lifion-kinesis` becomes: a handler that is awaited. */
import { eachBatch } from '@shardwise/processor'

/** Takes the parsed records of one batch. */
export type Take = (batch: { readonly shardId: string; readonly records: readonly unknown[] }) => Promise<void>

/** The next batch is read, and this one checkpointed, when `take` has resolved; when it rejects, the batch comes again. */
export const takeBatches = (take: Take) =>
  eachBatch(async (records, { shardId }) => {
    await take({ shardId, records: records.map(({ data }) => JSON.parse(new TextDecoder().decode(data)) as unknown) })
  })
