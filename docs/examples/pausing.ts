import { eachBatch } from 'shardwise'

/** Writes batches to a store that says how long it wants to be left alone. */
export const writeTo = (store: { write(texts: readonly string[]): Promise<{ readonly fullForMs: number }> }) =>
  eachBatch(async (records, { pause }) => {
    const { fullForMs } = await store.write(records.map(({ data }) => new TextDecoder().decode(data)))
    if (fullForMs > 0) setTimeout(pause(), fullForMs)
  })
