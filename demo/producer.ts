import { setTimeout as sleep } from 'node:timers/promises'
import { type KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis'
import type { Ledger } from './ledger.ts'
import { type Order, orderOf } from './orders.ts'

/** What is put, and where. */
interface ProducerOptions {
  readonly kinesis: KinesisClient
  readonly streamName: string
  readonly orders: number
  /** Orders a second. */
  readonly rate: number
  readonly ledger: Ledger
  /** How many may be put by now: what is to go into shards that do not exist yet has to wait. */
  readonly mostByNow: () => number
  /** Ends the producer between two calls. */
  readonly signal: AbortSignal
}

const intervalMs = 200

/** Puts orders at an even pace, each customer's to one shard, until all are in the stream or the signal fires. What Kinesis refuses is put again. */
export async function produceOrders(options: ProducerOptions): Promise<void> {
  const { kinesis, streamName, orders, rate, ledger, mostByNow, signal } = options
  const startedMs = performance.now()
  const refused: Order[] = []
  for (let made = 0; (made < orders || refused.length > 0) && !signal.aborted; ) {
    const due = Math.min(mostByNow(), Math.ceil(((performance.now() - startedMs) / 1_000) * rate), made + 500 - refused.length)
    const batch = refused.splice(0)
    for (; made < due; made += 1) batch.push(orderOf(made))
    if (batch.length > 0) refused.push(...(await put(kinesis, streamName, batch, ledger)))
    if (made < orders || refused.length > 0) await pause(signal)
  }
}

async function put(kinesis: KinesisClient, streamName: string, orders: readonly Order[], ledger: Ledger): Promise<readonly Order[]> {
  const { Records: results = [] } = await kinesis.send(
    new PutRecordsCommand({
      StreamName: streamName,
      Records: orders.map((order) => ({ PartitionKey: order.customerId, Data: Buffer.from(JSON.stringify(order)) })),
    }),
  )
  return orders.filter(({ orderId }, index) => {
    const { ShardId: shardId, SequenceNumber: sequenceNumber } = results[index] ?? {}
    if (shardId === undefined || sequenceNumber === undefined) return true
    ledger.enterPut({ orderId, shardId, sequenceNumber })
    return false
  })
}

async function pause(signal: AbortSignal): Promise<void> {
  // The loop looks at the signal itself.
  await sleep(intervalMs, undefined, { signal }).catch(() => undefined)
}
