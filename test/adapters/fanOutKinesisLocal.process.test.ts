import { randomUUID } from 'node:crypto'
import { CreateStreamCommand, DescribeStreamSummaryCommand, PutRecordCommand } from '@aws-sdk/client-kinesis'
import { createBatchStore } from '@shardwise/effects'
import { fanOutRecordSource } from '@shardwise/kinesis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sharedKinesisLocal } from '../sharedKinesisLocal.ts'
import { neverAborted } from './handlerContext.ts'
import { localKinesisClient } from './kinesisClient.ts'

let server: Awaited<ReturnType<typeof sharedKinesisLocal>>
let client: ReturnType<typeof localKinesisClient>
beforeAll(async () => {
  server = await sharedKinesisLocal()
  client = localKinesisClient(server.endpoint)
})
afterAll(async () => {
  client.destroy()
  await server.stop()
})

test('a server that is not ours registers the consumer, and delivers to it what is there and what comes', async () => {
  const StreamName = `fan-out-${randomUUID()}`
  await client.send(new CreateStreamCommand({ StreamName, ShardCount: 1 }))
  const isActive = async () =>
    (await client.send(new DescribeStreamSummaryCommand({ StreamName }))).StreamDescriptionSummary?.StreamStatus === 'ACTIVE'
  while (!(await isActive()));
  const batches = createBatchStore()
  const source = fanOutRecordSource({ client, stream: { name: StreamName }, consumerName: 'reader', batches })
  const put = async (byte: number) => client.send(new PutRecordCommand({ StreamName, PartitionKey: 'k', Data: Uint8Array.of(byte) }))
  const shardId = 'shardId-000000000000'
  await put(1)
  await put(2)
  const open = async () => source.openShard({ type: 'openShard', id: 1, shardId, position: { type: 'TRIM_HORIZON' } }, neverAborted)
  const answers = [await open()]
  while (answers.at(-1)?.type === 'throttled') answers.push(await open())
  expect(answers.at(-1)).toMatchObject({ type: 'shardOpened' })
  const seen: number[] = []
  for (let last = 2; seen.length < 3; ) {
    const prefetch = { maxRecords: 0, maxBytes: 0 }
    const effect = { type: 'readRecords', id: 2, shardId, after: null, maxRecords: 10, prefetch } as const
    const answer = await source.readRecords(effect, neverAborted)
    if (answer.type !== 'recordsRead') throw new Error(answer.type)
    seen.push(...(batches.take(answer.batch.batchId)?.records ?? []).map(({ data }) => data[0] ?? 0))
    if (seen.length === last && last < 3) {
      last = 3
      await put(3)
    }
  }
  expect(seen).toEqual([1, 2, 3])
  await source.closeShard({ type: 'closeShard', id: 3, shardId }, neverAborted)
})
