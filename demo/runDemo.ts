import { dynamoDbLeaseTable } from '@shardwise/dynamodb'
import type { Lease } from '@shardwise/effects'
import { Worker } from 'shardwise'
import { showLive, type View } from '../src/worker/liveView.ts'
import { writeProgress } from '../src/worker/progressLines.ts'
import { trackProgress, type WorkerProgress } from '../src/worker/shardProgress.ts'
import type { DemoOptions } from './demoOptions.ts'
import { Ledger } from './ledger.ts'
import { createStream, type LocalAws, startLocalAws } from './localAws.ts'
import { OrderProcessor } from './orderProcessor.ts'
import { produceOrders } from './producer.ts'
import { balanceLines, isSound, leaseLines, pathLines } from './report.ts'
import { mergeLastShards, splitFirstShard } from './resharding.ts'

const streamName = 'orders'
const applicationName = 'order-ledger'
/** Orders that nobody delivers for this long are not coming any more. */
const quietMs = 15_000

/** Runs the demo to its end, or in order to a stop when the signal fires. Answers whether every promise was kept. */
export async function runDemo(options: DemoOptions, signal: AbortSignal): Promise<boolean> {
  console.log('starting kinesis-local and dynalite on the loopback interface')
  const aws = await start(signal)
  try {
    if (aws !== null && !signal.aborted) await createStream(aws.kinesis, streamName)
    if (aws !== null && !signal.aborted) return await consumeOrders(options, aws, signal)
  } finally {
    await aws?.stop()
  }
  console.log('interrupted before the first order was put')
  return true
}

/** The servers; null when the signal fired meanwhile. */
async function start(signal: AbortSignal): Promise<LocalAws | null> {
  try {
    return await startLocalAws()
  } catch (error) {
    // Ctrl-C reaches the servers as well, and ends one that is just starting.
    if (!signal.aborted) throw error
    return null
  }
}

async function consumeOrders({ orders, rate }: DemoOptions, aws: LocalAws, signal: AbortSignal): Promise<boolean> {
  const { kinesis, dynamodb } = aws
  const ledger = new Ledger()
  const progress = trackProgress()
  const worker = new Worker({
    streamName,
    applicationName,
    kinesis,
    dynamodb,
    workerId: 'demo',
    processor: () => new OrderProcessor(ledger),
    observe: progress.observe,
    idleTimeInMilliseconds: 250,
    leaseScanIntervalMillis: 1_000,
    parentShardPollIntervalMillis: 500,
    logger: { debug: () => undefined, info: () => undefined, warn: console.warn, error: console.error },
  })
  const title = (): string =>
    `${applicationName} on ${streamName}: ${ledger.put} of ${orders} orders put, ${ledger.delivered} delivered, ${progress.phase}`
  const view = show(progress, title)
  // The end of the run, and whatever fails, ends the others in order.
  const over = new AbortController()
  const ending = AbortSignal.any([signal, over.signal])
  const ran = worker.run({ signal: ending })
  const reshardings = { done: 0 }
  // Some orders are put while a shard is split or merged, and some for certain afterwards.
  const mostByNow = (): number => [Math.ceil(orders * 0.6), Math.ceil(orders * 0.85)][reshardings.done] ?? orders
  const produced = Promise.all([
    produceOrders({ kinesis, streamName, orders, rate, ledger, mostByNow, signal: ending }),
    reshard(aws, ledger, orders, ending, reshardings),
  ])
  try {
    await Promise.race([ran, produced])
    await Promise.race([ran, ledger.settled(quietMs, ending)])
  } finally {
    over.abort()
    await Promise.allSettled([produced, ran])
    view.close()
  }
  await ran
  const leases = await listLeases(aws)
  const balance = ledger.balance(leases, !signal.aborted)
  console.log(['', ...balanceLines(balance, !signal.aborted), '', ...leaseLines(leases), '', ...pathLines(progress.shards)].join('\n'))
  return isSound(balance)
}

/** A live view in a terminal; elsewhere a line whenever a shard enters a state, and every two seconds for what else has changed. */
function show(progress: WorkerProgress, title: () => string): View {
  if (process.stdout.isTTY) return showLive(progress, title)
  const lines = writeProgress(progress, 2_000, (line) => console.log(line))
  progress.onEntered((shard) => lines.tell(shard))
  return lines
}

/** Splits a shard when half of the orders are put, and merges two when three quarters are; counts what is done. */
async function reshard({ kinesis }: LocalAws, ledger: Ledger, orders: number, signal: AbortSignal, count: { done: number }): Promise<void> {
  for (const [share, change] of [
    [1 / 2, splitFirstShard],
    [3 / 4, mergeLastShards],
  ] as const) {
    if (!(await ledger.reached(orders * share, signal))) return
    console.log(await change(kinesis, streamName))
    count.done += 1
  }
}

async function listLeases({ dynamodb }: LocalAws): Promise<readonly Lease[]> {
  const neverAborted = { signal: new AbortController().signal, onAbort: () => undefined }
  const table = dynamoDbLeaseTable({ client: dynamodb, tableName: applicationName })
  const answer = await table.listLeases({ type: 'listLeases', id: 1 }, neverAborted)
  if (answer.type !== 'leasesListed') throw new Error(`lease table: expected its rows, got ${answer.type}`)
  return answer.leases
}
