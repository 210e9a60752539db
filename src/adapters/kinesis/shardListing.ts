import { type KinesisClient, ListShardsCommand, type ListShardsCommandInput, type ShardFilter } from '@aws-sdk/client-kinesis'
import type { HandlerContext, InitialPosition, Shard } from '@shardwise/effects'
import { answerOf, startCall } from './call.ts'
import { invalidAnswer } from './invalidAnswer.ts'
import { shardOf } from './shardDescription.ts'
import type { StreamOfRequest } from './streamAddress.ts'

/** Reads every page of one listing, in order. Rejects with what any page rejected with; `timeoutMs` bounds each page. */
export async function listEveryShard(
  client: Pick<KinesisClient, 'send'>,
  stream: StreamOfRequest,
  from: InitialPosition | 'ALL',
  timeoutMs: number,
  context: HandlerContext,
): Promise<Shard[]> {
  const name = `ListShards of ${Object.values(stream).join()}`
  const filter = filterOf(from)
  let input: ListShardsCommandInput = { ...stream, ...(filter === null ? {} : { ShardFilter: filter }) }
  const shards: Shard[] = []
  for (;;) {
    const page = await answerOf(
      startCall(name, timeoutMs, (abortSignal) => client.send(new ListShardsCommand(input), { abortSignal })),
      context,
    )
    if (!Array.isArray(page.Shards)) throw invalidAnswer(name, 'the answer has no shards')
    for (const shard of page.Shards) shards.push(shardOf(name, shard))
    if (!page.NextToken) return shards
    if (page.NextToken === input.NextToken) throw invalidAnswer(name, 'the answer leads to its own page')
    // The token stands for the stream and the filter: Kinesis refuses the name beside it, and some servers the ARN.
    input = { NextToken: page.NextToken }
  }
}

function filterOf(from: InitialPosition | 'ALL'): ShardFilter | null {
  if (from === 'ALL') return null
  if (from.type === 'LATEST') return { Type: 'AT_LATEST' }
  if (from.type === 'TRIM_HORIZON') return { Type: 'AT_TRIM_HORIZON' }
  return { Type: 'AT_TIMESTAMP', Timestamp: new Date(from.timestampMs) }
}
