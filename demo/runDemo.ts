import { dynamoDbLeaseTable } from '@shardwise/dynamodb'
import type { Lease } from '@shardwise/effects'
import { Worker } from 'shardwise'
import { showLive, type View } from '../src/worker/liveView.ts'
import { writeProgress } from '../src/worker/progressLines.ts'
import { type ShardProgress, type ShownProgress, trackProgress } from '../src/worker/shardProgress.ts'
import type { DemoOptions } from './demoOptions.ts'
import { demoPace } from './demoPace.ts'
import { Fleet } from './fleet.ts'
import { Handovers } from './handovers.ts'
import { Ledger } from './ledger.ts'
import { createStream, type LocalAws, startLocalAws } from './localAws.ts'
import { OrderProcessor } from './orderProcessor.ts'
import { produceOrders } from './producer.ts'
import { balanceLines, handoverLines, isSound, leaseLines, pathLines } from './report.ts'
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
    if (aws !== null && !signal.aborted) await createStream(aws.kinesis, streamName, Math.max(2, options.workers))
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

/** Whoever consumes the orders, for as long as the demo runs. */
interface Consumers {
  readonly progress: ShownProgress
  /** Hears, where it can be said, of each state that a shard enters. */
  onEntered?(listener: (shard: ShardProgress) => void): void
  /** What they do, in a word or two. */
  readonly phase: () => string
  /** Resolves when orders may be put, or the signal fires. */
  ready(signal: AbortSignal): Promise<void>
  /** Resolves when they have stopped; rejects when they fail. */
  readonly ended: Promise<void>
  stop(): void
  /** What happens to them when so many of the orders are put. */
  readonly events: readonly DemoEvent[]
  /** What there is to say of them in the end. */
  report(): readonly string[]
}

/** Something that happens when a share of the orders is put; it answers what was done. */
type DemoEvent = readonly [share: number, happen: (signal: AbortSignal) => string | Promise<string>]

async function consumeOrders({ orders, rate, workers }: DemoOptions, aws: LocalAws, signal: AbortSignal): Promise<boolean> {
  const { kinesis } = aws
  const ledger = new Ledger()
  const consumers = workers === 1 ? oneWorker(aws, ledger) : severalWorkers(aws, ledger, workers)
  const title = (): string =>
    `${applicationName} on ${streamName}: ${ledger.put} of ${orders} orders put, ${ledger.delivered} delivered, ${consumers.phase()}`
  const view = show(consumers, title)
  // The end of the run, and whatever fails, ends the others in order.
  const over = new AbortController()
  const ending = AbortSignal.any([signal, over.signal])
  ending.addEventListener('abort', () => consumers.stop(), { once: true })
  const reshardings = { done: 0 }
  const counted =
    (change: typeof splitFirstShard): DemoEvent[1] =>
    async () => {
      const done = await change(kinesis, streamName)
      reshardings.done += 1
      return done
    }
  // Some orders are put while a shard is split or merged, and some for certain afterwards.
  const mostByNow = (): number => [Math.ceil(orders * 0.6), Math.ceil(orders * 0.85)][reshardings.done] ?? orders
  const events: readonly DemoEvent[] = [...consumers.events, [1 / 2, counted(splitFirstShard)], [3 / 4, counted(mergeLastShards)]]
  const produced = consumers
    .ready(ending)
    .then(() =>
      Promise.all([
        produceOrders({ kinesis, streamName, orders, rate, ledger, mostByNow, signal: ending }),
        happen(events, ledger, orders, ending),
      ]),
    )
  try {
    await Promise.race([consumers.ended, produced])
    await Promise.race([consumers.ended, ledger.settled(quietMs, ending)])
  } finally {
    over.abort()
    await Promise.allSettled([produced, consumers.ended])
    view.close()
  }
  await consumers.ended
  const leases = await listLeases(aws)
  const balance = ledger.balance(leases, !signal.aborted)
  console.log(['', ...balanceLines(balance, !signal.aborted), '', ...leaseLines(leases), '', ...consumers.report()].join('\n'))
  return isSound(balance)
}

/** One worker in this process. */
function oneWorker({ kinesis, dynamodb }: LocalAws, ledger: Ledger): Consumers {
  const progress = trackProgress()
  const worker = new Worker({
    streamName,
    applicationName,
    kinesis,
    dynamodb,
    workerId: 'demo',
    processor: () => new OrderProcessor((entries) => ledger.enterDelivered(entries)),
    observe: progress.observe,
    ...demoPace,
    logger: { debug: () => undefined, info: () => undefined, warn: console.warn, error: console.error },
  })
  return {
    progress,
    onEntered: progress.onEntered,
    phase: () => progress.phase,
    ready: () => Promise.resolve(),
    ended: worker.run(),
    stop: () => void worker.stop(),
    events: [],
    report: () => pathLines(progress.shards),
  }
}

/** Workers in processes of their own: the busiest is killed, and one more joins. */
function severalWorkers({ kinesisEndpoint, dynamodbEndpoint }: LocalAws, ledger: Ledger, workers: number): Consumers {
  const handovers = new Handovers()
  const fleet = new Fleet({
    streamName,
    applicationName,
    kinesisEndpoint,
    dynamodbEndpoint,
    onDelivered(workerId, entries) {
      for (const { shardId } of entries.slice(0, 1)) handovers.enterDelivered(shardId, workerId, performance.now())
      ledger.enterDelivered(entries)
    },
    onLogged: (line) => console.warn(line),
  })
  for (let n = 0; n < workers; n += 1) fleet.join()
  const kill = async (signal: AbortSignal): Promise<string> => {
    const killed = await fleet.kill(signal)
    if (killed === null) return 'no worker is killed'
    handovers.enterKilled(killed)
    return `${killed} is killed`
  }
  return {
    progress: fleet,
    phase: () => `${fleet.size} workers`,
    ready: (signal) => fleet.running(signal),
    ended: fleet.ended,
    stop: () => void fleet.stop(),
    events: [
      [1 / 4, kill],
      [2 / 5, () => fleet.join()],
    ],
    report: () => handoverLines(handovers.seen),
  }
}

/** A live view in a terminal; elsewhere a line whenever a shard enters a state, and every two seconds for what else has changed. */
function show({ progress, onEntered }: Consumers, title: () => string): View {
  if (process.stdout.isTTY) return showLive(progress, title)
  const lines = writeProgress(progress, 2_000, (line) => console.log(line))
  onEntered?.((shard) => lines.tell(shard))
  return lines
}

/** Lets each event happen when its share of the orders is put. */
async function happen(events: readonly DemoEvent[], ledger: Ledger, orders: number, signal: AbortSignal): Promise<void> {
  for (const [share, event] of events) {
    if (!(await ledger.reached(orders * share, signal))) return
    console.log(await event(signal))
  }
}

async function listLeases({ dynamodb }: LocalAws): Promise<readonly Lease[]> {
  const neverAborted = { signal: new AbortController().signal, onAbort: () => undefined }
  const table = dynamoDbLeaseTable({ client: dynamodb, tableName: applicationName })
  const answer = await table.listLeases({ type: 'listLeases', id: 1 }, neverAborted)
  if (answer.type !== 'leasesListed') throw new Error(`lease table: expected its rows, got ${answer.type}`)
  return answer.leases
}
